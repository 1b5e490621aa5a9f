"""Every claim of the second edition has an experiment; one runs from networks to its table."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from srscope.reproduction.experiments.second import SECOND_EXPERIMENTS, networks_of
from srscope.reproduction.reproduce import choose
from srscope.reproduction.second_edition import SECOND_CLAIMS
from support.labs import tiny_lab


def test_every_claim_has_one_that_can_go_to_another_process() -> None:
    assert [each.id for each in SECOND_EXPERIMENTS] == [
        f"second-{claim.id.lower()}" for claim in SECOND_CLAIMS
    ]
    for each in SECOND_EXPERIMENTS:
        assert pickle.loads(pickle.dumps(each)).id == each.id


def test_networks_of_the_population_are_not_asked_for() -> None:
    asked = {each.id: each.networks for each in SECOND_EXPERIMENTS}
    assert asked["second-c6"] == ("srresnet-wgr", "srresnet-wogr")
    assert asked["second-c14"] == ("srgan-wgr", "srgan-wgr-noise20")
    assert networks_of(["second/probe/l1-wgr-seed2/x/y/set", "second/probe/a/x/y/set"]) == [
        "a", "l1-wgr-seed2",
    ]  # fmt: skip


@pytest.mark.parametrize(("ids", "count"), [((), 18), (("second",), 18), (("second-c3",), 1)])
def test_all_are_chosen_by_one_word(ids: tuple[str, ...], count: int) -> None:
    assert len(choose(ids, SECOND_EXPERIMENTS)) == count


def test_one_runs_and_what_stands_beside_it_too(tmp_path: Path) -> None:
    (c13,) = choose(["second-c13"], SECOND_EXPERIMENTS)
    found = c13.run(tiny_lab(tmp_path), tmp_path)
    (table,) = found.tables
    assert table.rows[0] == (
        "yes", "second/psnr/l1-wogr-seed2/clean is missing", "not run", None, None,
    )  # fmt: skip
    beside = [row for row in table.rows if row[0] == "beside: this network"]
    assert len(beside) == 3
    assert all(isinstance(row[3], float) for row in beside)
    assert len(found.evidence) == 4
