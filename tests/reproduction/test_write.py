"""The scorecard's headline: what was not run is not counted among what was judged."""

from __future__ import annotations

from typing import get_args

import pytest

from srscope.reproduction.records import Judgement, Verdict
from srscope.reproduction.write import SIGNS, tally


def judged(verdict: Verdict, count: int) -> list[Judgement]:
    judgement = Judgement(
        id="C1", claim="", where="", criterion="", measured="", interval=None, paper="",
        verdict=verdict, why="",
    )  # fmt: skip
    return [judgement] * count


@pytest.mark.parametrize(
    ("holds", "fails", "unsure", "not_run", "said"),
    [
        (14, 0, 4, 0, "14 of 18 claims hold, 0 do not hold, 4 are inconclusive"),
        (2, 0, 0, 16, "2 of the 2 judged hold, 0 do not hold, 0 are inconclusive, 16 not run"),
        (1, 1, 1, 15, "1 of the 3 judged holds, 1 does not hold, 1 is inconclusive, 15 not run"),
        (0, 0, 0, 18, "no claim was judged, 18 not run"),
    ],
)
def test_the_tally_counts_only_what_was_judged(
    holds: int, fails: int, unsure: int, not_run: int, said: str
) -> None:
    judgements = [
        *judged("holds", holds), *judged("does not hold", fails),
        *judged("inconclusive", unsure), *judged("not run", not_run),
    ]  # fmt: skip
    assert tally(judgements) == said


def test_every_verdict_has_a_sign_of_its_own() -> None:
    assert set(SIGNS) == set(get_args(Verdict))
    assert len(set(SIGNS.values())) == len(SIGNS)
