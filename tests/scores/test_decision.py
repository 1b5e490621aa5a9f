"""Decisions: known truths, and simulations in which the truth is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from srscope.errors import DegenerateError
from srscope.scores.decision import (
    EQUIVALENT,
    MASKED,
    Candidate,
    decide,
    is_masked,
    line_above_chance,
    nested,
)
from srscope.scores.photographs import Interval, balanced, share_interval

SETS = 3


def design(photographs: int, crops: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the sets and photographs of a crossed design."""
    set_N = np.repeat(np.arange(SETS), photographs * crops)
    return set_N, np.tile(np.repeat(np.arange(photographs), crops), SETS)


def drawn(
    chance_E: NDArray[np.float64],
    photograph_N: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    spread: float = 0.1,
) -> NDArray[np.bool_]:
    """Draw whether images are told: photographs differ evenly by up to ``spread`` either way."""
    photographs = int(photograph_N.max()) + 1
    effect_P = rng.uniform(-spread, spread, size=photographs)
    return rng.random((len(chance_E), len(photograph_N))) < (
        chance_E[:, None] + effect_P[photograph_N]
    )


def candidate(told: NDArray[Any], name: str = "layer") -> Candidate:
    return Candidate(name=name, told_RN=np.atleast_2d(told).astype(bool))


def alternating(share: tuple[int, int], count: int) -> NDArray[np.bool_]:
    """Return told images: of every ``share[1]`` in a row, the first ``share[0]``."""
    return np.arange(count) % share[1] < share[0]


# --- known truths


def test_the_line_lies_a_tenth_of_the_way_above_chance() -> None:
    assert [line_above_chance(k) for k in (2, 3, 5)] == pytest.approx([0.55, 0.4, 0.28])


@pytest.mark.parametrize(
    ("layer", "control", "separates", "beyond"),
    [
        ((9, 10), (5, 10), "yes", "yes"),
        ((9, 10), (9, 10), "yes", "no"),
        ((6, 10), (9, 10), "yes", "no"),
        ((3, 10), (3, 10), "no", "no"),
        ((4, 10), (2, 10), "not decided", "yes"),
    ],
)
def test_known_truths(
    layer: tuple[int, int], control: tuple[int, int], separates: str, beyond: str
) -> None:
    set_N, photograph_N = design(20, 10)
    told, other = (alternating(share, len(set_N)) for share in (layer, control))
    found = decide([candidate(told)], [candidate(other, "simple")], set_N, photograph_N)
    assert (found.separates, found.beyond_simple_statistics) == (separates, beyond)
    assert found.best_control == "simple"
    assert found.accuracy.value == pytest.approx(layer[0] / layer[1])
    assert found.control is not None
    assert found.difference is not None
    assert found.control.value == pytest.approx(control[0] / control[1])
    assert found.difference.value == pytest.approx((layer[0] - control[0]) / 10)
    assert (found.photographs_needed is None) == ("not decided" not in (separates, beyond))


def test_without_controls_nothing_is_compared() -> None:
    set_N, photograph_N = design(20, 10)
    found = decide([candidate(np.ones(len(set_N)))], [], set_N, photograph_N)
    assert (found.separates, found.beyond_simple_statistics) == ("yes", "not compared")
    assert (found.best_control, found.control, found.difference) == ("", None, None)
    assert found.photographs_needed is None


def test_one_layer_is_as_its_own_interval_says() -> None:
    set_N, photograph_N = design(12, 4)
    told = np.random.default_rng(0).random(len(set_N)) < 0.6
    found = decide([candidate(told)], [], set_N, photograph_N, folds=10)
    assert found.accuracy == share_interval(balanced(told, set_N, photograph_N), folds=10)
    wide = found.accuracy.high - found.accuracy.low
    plain = decide([candidate(told)], [], set_N, photograph_N).accuracy
    assert wide > plain.high - plain.low


def test_sets_count_alike_whatever_their_size() -> None:
    set_N = np.repeat([0, 1], [90, 10])
    photograph_N = np.concatenate([np.arange(90) % 10, np.arange(10)])
    found = decide([candidate(set_N == 0)], [], set_N, photograph_N)
    assert found.accuracy.value == 0.5
    assert found.separates != "yes"


def test_a_small_surplus_that_is_sure_is_beyond_and_one_that_is_not_sure_is_left_open() -> None:
    set_N, photograph_N = design(40, 10)
    base = alternating((8, 10), len(set_N))
    surplus = base | (np.arange(len(set_N)) % 30 == 9)
    found = decide([candidate(surplus)], [candidate(base)], set_N, photograph_N)
    assert found.difference is not None
    assert 0 < found.difference.value < EQUIVALENT
    assert found.beyond_simple_statistics == "yes"
    # As large a surplus from one photograph of ten alone may be chance.
    set_N, photograph_N = design(10, 10)
    base = alternating((8, 10), len(set_N))
    found = decide([candidate(base | (photograph_N == 0))], [candidate(base)], set_N, photograph_N)
    assert found.difference is not None
    assert 0 < found.difference.value < EQUIVALENT
    assert found.beyond_simple_statistics == "not decided"


def test_images_of_one_photograph_decide_nothing() -> None:
    set_N = np.arange(30) % 3
    with pytest.raises(DegenerateError, match="1 photograph"):
        decide([candidate(np.ones(30))], [], set_N, np.zeros(30, dtype=int))


def test_no_candidate_is_refused() -> None:
    set_N, photograph_N = design(5, 2)
    with pytest.raises(DegenerateError, match="none to choose from"):
        decide([], [], set_N, photograph_N)


# --- how many photographs


def test_so_many_photographs_as_make_the_interval_leave_the_line() -> None:
    set_N, photograph_N = design(10, 2)
    told = alternating((1, 2), len(set_N))
    found = decide([candidate(told)], [], set_N, photograph_N)
    assert found.separates == "not decided"
    half = (found.accuracy.high - found.accuracy.low) / 2
    assert found.photographs_needed == math.ceil(10 * (half / 0.1) ** 2)
    # Given that many, alike, it is decided.
    set_N, photograph_N = design(found.photographs_needed, 2)
    more = decide([candidate(alternating((1, 2), len(set_N)))], [], set_N, photograph_N)
    assert more.separates == "yes"


def test_the_comparison_may_need_more_of_them_than_the_separation() -> None:
    set_N, photograph_N = design(10, 4)
    rng = np.random.default_rng(5)
    layer, control = (rng.random(len(set_N)) < share for share in (0.9, 0.86))
    alone = decide([candidate(layer)], [], set_N, photograph_N)
    both = decide([candidate(layer)], [candidate(control)], set_N, photograph_N)
    assert (alone.separates, both.beyond_simple_statistics) == ("yes", "not decided")
    assert alone.photographs_needed is None
    assert both.photographs_needed is not None
    assert both.photographs_needed > 10


# --- the choice is paid for


def test_the_best_is_chosen_for_a_photograph_on_all_the_others() -> None:
    set_N, photograph_N = design(4, 2)
    # Each candidate tells one photograph alone: chosen on the others, none tells its own.
    told_RN = np.stack([photograph_N == p for p in range(4)])
    told_N, _ = nested([candidate(told_RN)], set_N, photograph_N)
    assert not told_N.any()
    # One that tells all but one photograph, beside one that tells nothing.
    told_N, best = nested(
        [candidate(np.zeros(len(set_N)), "none"), candidate(photograph_N > 0, "most")],
        set_N,
        photograph_N,
    )
    assert best == "most"
    np.testing.assert_array_equal(told_N, photograph_N > 0)


def test_each_reading_competes() -> None:
    set_N, photograph_N = design(6, 2)
    readings = np.stack([np.zeros(len(set_N)), np.ones(len(set_N))])
    told_N, best = nested(
        [candidate(np.zeros(len(set_N)), "shallow"), candidate(readings, "deep")],
        set_N,
        photograph_N,
    )
    assert told_N.all()
    assert best == "deep"


def test_many_useless_layers_separate_no_more_often_than_one() -> None:
    set_N, photograph_N = design(10, 4)
    line = line_above_chance(SETS)
    raised, nested_yes, values = 0, 0, []
    for seed in range(100):
        told_EN = drawn(np.full(60, 1 / SETS), photograph_N, np.random.default_rng(seed))
        layers = [candidate(told, f"layer {i}") for i, told in enumerate(told_EN)]
        found = decide(layers, [], set_N, photograph_N)
        nested_yes += found.separates == "yes"
        values.append(found.accuracy.value)
        best = told_EN[told_EN.mean(axis=1).argmax()]
        raised += share_interval(balanced(best, set_N, photograph_N)).value > line
    assert raised > 80  # the best of 60, by itself, looks well above the line
    assert nested_yes <= 5
    assert abs(np.mean(values) - 1 / SETS) < 0.02


# --- simulations: photographs differ, and crops of one are alike

TRIALS = 300


def intervals(chance: float, *, controls: float | None = None, seed: int = 0) -> list[Any]:
    set_N, photograph_N = design(20, 4)
    rng = np.random.default_rng(seed)
    found: list[Any] = []
    for _ in range(TRIALS):
        shares = np.array([chance] if controls is None else [chance, controls])
        told = drawn(shares, photograph_N, rng, spread=0.25)
        simple = [] if controls is None else [candidate(told[1], "simple")]
        found.append(decide([candidate(told[0])], simple, set_N, photograph_N))
    return found


def covered(found: list[Interval], truth: float) -> float:
    return float(np.mean([each.low <= truth <= each.high for each in found]))


@pytest.mark.parametrize("chance", [0.4, 0.55, 0.72])
def test_intervals_hold_the_truth_as_often_as_they_say(chance: float) -> None:
    found = intervals(chance, seed=int(100 * chance))
    assert 0.92 <= covered([each.accuracy for each in found], chance) <= 0.98


def test_differences_hold_the_truth_as_often_as_they_say() -> None:
    found = intervals(0.7, controls=0.6)
    assert 0.92 <= covered([each.difference for each in found], 0.1) <= 0.98


def test_what_tells_nothing_is_seldom_said_to_separate() -> None:
    found = intervals(1 / SETS)
    assert np.mean([each.separates == "yes" for each in found]) <= 0.05
    at_the_line = intervals(line_above_chance(SETS), seed=1)
    assert np.mean([each.separates == "yes" for each in at_the_line]) <= 0.05


def test_what_is_no_better_is_seldom_said_to_be_beyond() -> None:
    found = intervals(0.7, controls=0.7)
    assert np.mean([each.beyond_simple_statistics == "yes" for each in found]) <= 0.05


def test_what_is_better_is_seldom_said_to_be_no_better() -> None:
    found = intervals(0.7, controls=0.7 - EQUIVALENT)
    assert np.mean([each.beyond_simple_statistics == "no" for each in found]) <= 0.05


def test_choosing_among_controls_does_not_make_the_network_worse_than_they_are() -> None:
    set_N, photograph_N = design(20, 4)
    rng = np.random.default_rng(3)
    gaps = []
    for _ in range(100):
        told = drawn(np.full(7, 0.6), photograph_N, rng)
        simple = [candidate(each, str(i)) for i, each in enumerate(told[1:])]
        found = decide([candidate(told[0])], simple, set_N, photograph_N)
        assert found.difference is not None
        gaps.append(found.difference.value)
    assert abs(np.mean(gaps)) < 0.02


# --- masked


@pytest.mark.parametrize(
    ("separates", "degradation", "content", "chi", "masked"),
    [
        ("yes", 0.007, 0.86, 900.0, True),
        ("yes", 0.11, 0.10, 0.0, False),
        ("yes", 0.05, 0.05 * MASKED, 0.0, False),
        ("yes", 0.05, 0.05 * MASKED + 1e-6, 0.0, True),
        ("yes", 0.0, 0.2, 0.0, True),
        ("no", 0.007, 0.86, 0.0, False),
        ("not decided", 0.007, 0.86, 0.0, False),
        ("yes", None, None, 19.9, True),
        ("yes", None, None, 20.0, False),
        ("yes", None, None, math.nan, True),
    ],
)
def test_masked_where_content_outweighs_the_degradation(
    separates: Any, degradation: float | None, content: float | None, chi: float, masked: bool
) -> None:
    assert is_masked(separates, degradation, content, chi) is masked
