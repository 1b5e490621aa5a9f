"""The second edition: each condition can decide alone, and none can go without being noticed."""

from __future__ import annotations

import ast
import re
import types
from pathlib import Path

import pytest

from srscope.reproduction.claims import CLAIMS
from srscope.reproduction.second_edition import (
    SECOND_CLAIMS,
    Decide,
    SecondClaim,
    judge_again,
    needed,
)
from support.conditions import (
    Chain,
    Prepared,
    check_each_condition_fails_alone,
    disagreement,
    estimate,
    mutants,
)
from support.second_tables import TABLES

PAGE = Path(__file__).parents[2] / "docs" / "reproduction-second.md"
MODULES = tuple(
    f"srscope.reproduction.second_{name}"
    for name in ("evidence", "conditions", "population", "beside", "claims")
)
PREPARED: dict[tuple[str, str], Prepared] = {
    name: list(table.evidence())
    for name, table in sorted(TABLES.items(), key=lambda item: len(item[1].cases))
}
"""The short ones first: they notice most mutants."""


def deciders(claims: tuple[SecondClaim, ...]) -> dict[tuple[str, str], Decide]:
    """Return what decides each claim, and what stands beside it."""
    found: dict[tuple[str, str], Decide] = {(c.id, ""): c.decide for c in claims}
    return found | {(c.id, name): decide for c in claims for name, decide in c.beside.items()}


def test_the_tables_are_of_all_claims_and_all_that_stands_beside() -> None:
    assert set(deciders(SECOND_CLAIMS)) == set(TABLES)
    assert [claim.id for claim in SECOND_CLAIMS] == [claim.id for claim in CLAIMS]


@pytest.mark.parametrize("name", TABLES, ids=" ".join)
def test_every_condition_decides_where_it_alone_fails(name: tuple[str, str]) -> None:
    decide = deciders(SECOND_CLAIMS)[name]
    assert disagreement(decide, PREPARED[name]) == ""
    check_each_condition_fails_alone(decide, PREPARED[name])


@pytest.mark.parametrize("name", TABLES, ids=" ".join)
def test_what_a_claim_needs_is_what_the_tables_give(name: tuple[str, str]) -> None:
    asked, given = set(needed(deciders(SECOND_CLAIMS)[name])), set(TABLES[name].base)
    # The tables give as trained and matched networks; the worse of a pair is never matched.
    assert {key for key in given - asked if "@" not in key and "-wgr-seed" not in key} == set()
    assert {key for key in asked - given if "-wogr-seed" not in key.split("@")[0]} == set()


@pytest.mark.parametrize("claim", SECOND_CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_that_lacks_any_number_is_not_run(claim: SecondClaim) -> None:
    whole = {key: estimate(value) for key, value in TABLES[claim.id, ""].base.items()}
    judged = judge_again(claim, whole)
    assert judged.ruling.verdict == "holds"
    assert judged.ruling.conditions
    assert {name: r.verdict for name, r in judged.beside.items()}.keys() == claim.beside.keys()
    spared = 0
    for key in whole:
        lacking = judge_again(claim, {k: v for k, v in whole.items() if k != key}).ruling
        if lacking.verdict == "holds":  # as trained, where the matched network is asked for
            spared += 1
            assert "-wgr-seed" in key or "-wogr-seed" in key
        else:
            assert (lacking.verdict, lacking.conditions) == ("not run", ())
            assert lacking.missing == key
    assert spared < len(whole) / 2


def test_the_page_says_every_criterion_in_the_codes_words() -> None:
    page = PAGE.read_text("utf-8")
    for claim in SECOND_CLAIMS:
        for words in (claim.text, claim.where, claim.paper, claim.criterion, claim.changed):
            assert words in page, claim.id
        for name in claim.beside:
            assert name in page, (claim.id, name)


def test_the_page_explains_every_part_of_a_name() -> None:
    page = PAGE.read_text("utf-8")
    for decide in deciders(SECOND_CLAIMS).values():
        for key in needed(decide):
            quantity, network, images = key.split("/")[1:4]
            assert f"| `{quantity}` |" in page
            known = re.fullmatch(r"(l1|gan)-w(o?)gr-seed\d(@(l1|gan)-w(o?)gr-seed\d)?", network)
            assert known or network.startswith(("sr", "resnet", "unified", "cincgan")) or (
                f"`{network}`" in page
            ), network  # fmt: skip
            assert "@" in images or "/" not in images


def _claims_of(chain: Chain) -> dict[str, set[str]]:
    """Return which functions and constants the claims' table names, claim by claim."""
    reached, found = chain.users(), dict[str, set[str]]()
    for call in ast.walk(chain.trees[MODULES[-1]]):
        if not (isinstance(call, ast.Call) and getattr(call.func, "id", "") == "SecondClaim"):
            continue
        words = {k.arg: k.value for k in call.keywords}
        names = {n.attr for n in ast.walk(call) if isinstance(n, ast.Attribute)}
        names |= {n.id for n in ast.walk(call) if isinstance(n, ast.Name)}
        claim = words["id"]
        assert isinstance(claim, ast.Constant)
        found[str(claim.value)] = {"SECOND_CLAIMS"}.union(*(reached.get(n, {n}) for n in names))
    return found


def _noticed(made: dict[str, types.ModuleType], claims: set[str]) -> bool:
    found = deciders(made[MODULES[-1]].SECOND_CLAIMS)
    if set(found) != set(PREPARED):
        return True
    for name, prepared in PREPARED.items():
        if name[0] not in claims:
            continue
        try:
            if disagreement(found[name], prepared):
                return True
        except Exception:  # it asks for what nobody measures, or breaks down
            return True
    return False


@pytest.mark.slow
def test_no_mutant_of_the_criteria_goes_unnoticed() -> None:
    chain = Chain(*MODULES)
    users = _claims_of(chain)
    assert not _noticed(chain.run(), set(users))
    survivors, count = list[str](), 0
    for module in MODULES:
        for mutant in mutants(module):
            count += 1
            claims = {claim for claim, reached in users.items() if mutant.owner in reached}
            try:
                made = chain.run(mutant)
            except Exception:  # it breaks down at once
                continue
            if not _noticed(made, claims):
                survivors.append(f"{module}: {mutant.what}")
    assert not survivors
    assert count > 300
