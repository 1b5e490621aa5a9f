"""Both editions are judged; each claim of the second says which networks judged it."""

from __future__ import annotations

from srscope.reproduction.second_judgement import second_judgements
from srscope.reproduction.write import second_scorecard
from support.conditions import estimate
from support.second_tables import TABLES

WHOLE = {
    key: estimate(value)
    for (_, name), table in TABLES.items()
    if not name
    for key, value in table.base.items()
}


def test_without_numbers_nothing_is_judged_and_the_number_is_named() -> None:
    for each in second_judgements({}):
        assert each.verdict == "not run"
        assert "second/" in each.why
        assert each.networks == ""
        assert all(one.verdict == "not run" for one in each.beside)


def test_a_claim_about_recipes_names_the_population() -> None:
    judged = {each.id: each for each in second_judgements(WHOLE)}
    assert all(each.verdict == "holds" for each in judged.values())
    told = judged["C6"].networks
    assert "population: l1-wgr (seeds 2, 3, 4, 5, 6), l1-wogr (seeds 2, 3, 4, 5, 6)" in told
    assert "at matched PSNR l1-wgr-seed2@l1-wogr-seed2" in told
    assert judged["C3"].networks == "srgan-wgr"
    beside = {each.name: each.verdict for each in judged["C6"].beside}
    assert set(beside) == {"by CHI", "this network", "this network, by CHI"}


def test_without_a_population_its_claims_are_not_run() -> None:
    single = {key: value for key, value in WHOLE.items() if "-seed" not in key}
    judged = {each.id: each.verdict for each in second_judgements(single)}
    assert {name for name, verdict in judged.items() if verdict == "not run"} == {
        "C6", "C7", "C8", "C12", "C13",
    }  # fmt: skip


def test_the_scorecard_has_networks_and_what_stands_beside() -> None:
    (first, *_) = second_scorecard(second_judgements(WHOLE))
    assert first["id"] == "C1"
    assert first["networks"] == "cincgan"
    assert {"criterion", "measured", "interval", "verdict", "why", "beside"} <= set(first)
