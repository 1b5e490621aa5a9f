"""Intervals over photographs: formulas by hand, and ends that must hold."""

import math

import numpy as np
import pytest
from scipy import stats

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.photographs import (
    Estimate,
    balanced,
    difference_interval,
    freedom,
    indices,
    interval_of,
    jackknife_interval,
    photograph_counts,
    share_interval,
)


def crossed(values_P, sets=2):
    """Return values of a design in which each photograph has one image a set."""
    photographs = len(values_P)
    set_N, photograph_N = np.repeat(np.arange(sets), photographs), np.arange(photographs)
    return balanced(np.tile(values_P, sets), set_N, np.tile(photograph_N, sets))


def test_a_crossed_design_has_students_variance():
    values_P = np.random.default_rng(0).random(9)
    result = crossed(values_P)
    interval = difference_interval(result)
    low, high = stats.t.interval(0.95, 8, loc=values_P.mean(), scale=stats.sem(values_P))
    assert (interval.value, interval.low, interval.high) == pytest.approx(
        (values_P.mean(), low, high)
    )
    wider = difference_interval(result, folds=9)
    growth = (wider.high - wider.value) / (interval.high - interval.value)
    assert growth == pytest.approx(np.sqrt(1 + 0.5 * 9 / 8))


def test_photographs_with_more_images_weigh_more_and_sets_alike():
    values_N = np.array([1.0, 0, 0, 1, 1, 1])
    set_N, photograph_N = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 1, 1, 1, 0, 1])
    result = balanced(values_N, set_N, photograph_N)
    assert result.value == pytest.approx((0.5 + 1) / 2)
    np.testing.assert_allclose(result.influence_P, [0.5 / 8, -0.5 / 8])


def test_groups_of_photographs_cost_a_degree_of_freedom_each():
    assert freedom(np.array([0, 1, 0, 1, 0, 1]), np.array([0, 0, 1, 1, 2, 2])) == 2
    assert freedom(np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 3, 4])) == 3


def test_wilsons_interval_of_independent_images():
    right_N = np.arange(40) < 30
    interval = share_interval(balanced(right_N, np.zeros(40, int), np.arange(40)))
    quantile, size = stats.t.ppf(0.975, 39), 0.75 * 0.25 / (0.75 * 0.25 / 39)
    middle = (0.75 + quantile**2 / 2 / size) / (1 + quantile**2 / size)
    half = np.sqrt(0.75 * 0.25 / size + quantile**2 / 4 / size**2) / (1 + quantile**2 / size)
    half *= quantile
    assert (interval.low, interval.high) == pytest.approx((middle - half, middle + half))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_shares_at_an_end_have_an_interval(value):
    interval = share_interval(crossed(np.full(50, value)))
    ends = (interval.low, interval.high)
    assert interval.value == value == ends[int(value)]
    assert 0.01 < abs(ends[0] - ends[1]) < 0.06


def test_crops_of_a_photograph_that_agree_make_the_interval_wider():
    right_P = np.arange(20) < 14
    photograph_N = np.repeat(np.arange(20), 10)
    apart_N = np.random.default_rng(0).permutation(np.repeat(right_P, 10))
    zeros_N = np.zeros(200, int)
    alike = share_interval(balanced(np.repeat(right_P, 10), zeros_N, photograph_N))
    apart = share_interval(balanced(apart_N, zeros_N, photograph_N))
    assert alike.high - alike.low > 2 * (apart.high - apart.low)


def test_the_jackknife_of_a_mean_is_students():
    numbers_P = np.random.default_rng(0).random(12)
    without_P = (numbers_P.sum() - numbers_P) / 11
    interval = jackknife_interval(numbers_P.mean(), without_P)
    low, high = stats.t.interval(0.95, 11, loc=numbers_P.mean(), scale=stats.sem(numbers_P))
    assert (interval.low, interval.high) == pytest.approx((low, high))
    share = jackknife_interval(numbers_P.mean(), without_P, share=True)
    assert 0 < share.low < share.value < share.high < 1
    assert share.low != pytest.approx(low, abs=1e-3)


def test_shares_of_nothing_are_cut_at_nothing():
    interval = jackknife_interval(0.0, np.array([0.0, 0.02, 0.0, 0.01]), share=True)
    assert interval.low == 0 < interval.high < 0.2


def test_photographs_are_drawn_whole():
    photograph = np.array([3, 3, 8, 8, 8, 5])
    counts = photograph_counts(photograph, draws=200, seed=0)
    for label in (3, 5, 8):
        rows = counts[:, photograph == label]
        assert (rows == rows[:, :1]).all()
    assert (counts[:, [0, 2, 5]].sum(axis=1) == 3).all()
    assert (
        len(np.unique(counts, axis=0)) == 7
    )  # of 10 ways to draw 3 of 3, three have one photograph alone
    assert not np.array_equal(counts, photograph_counts(photograph, draws=200, seed=1))


def test_an_interval_of_a_mean_covers_it():
    # 20 photographs of 3 crops that share what the photograph has: crops alone would be too sure.
    random, inside = np.random.default_rng(0), 0
    photograph = np.repeat(np.arange(20), 3)
    for trial in range(200):
        values = np.repeat(random.normal(size=20), 3) + 0.3 * random.normal(size=60)
        counts = photograph_counts(photograph, draws=200, seed=trial)
        found = interval_of(values.mean(), counts @ values / counts.sum(axis=1))
        inside += found.low <= 0 <= found.high
    assert 0.86 <= inside / 200 <= 0.98


def test_two_photographs_give_no_interval():
    with pytest.raises(DegenerateError, match="there are 2 photographs, and 3 are the fewest"):
        photograph_counts(np.array([0, 0, 1]), draws=5, seed=0)
    with pytest.raises(ParameterError, match="draws must be 1 or more"):
        photograph_counts(np.arange(4), draws=0, seed=0)


def test_infinite_draws_go_to_the_ends_and_undefined_ones_away():
    draws = np.r_[np.full(10, math.inf), np.arange(90.0), math.nan]
    found = interval_of(3.0, draws)
    assert (found.low, found.high) == (2.0, math.inf)
    assert found.plain() == {"value": 3.0, "low": 2.0, "high": None}
    with pytest.raises(DegenerateError, match="no draw of photographs gives a number"):
        interval_of(3.0, np.array([math.nan]))


def test_centred_draws_lie_about_the_value():
    found = interval_of(10.0, np.linspace(-1, 1, 1001), centred=True)
    assert found.low == pytest.approx(9.05, abs=0.01)
    assert found.high == pytest.approx(10.95, abs=0.01)
    assert found == Estimate(value=10.0, low=found.low, high=found.high)


@pytest.mark.parametrize(("photographs", "reliable"), [(7, False), (8, True)])
def test_fewer_than_eight_photographs_are_unreliable(photographs, reliable):
    interval = share_interval(crossed(np.arange(photographs) % 2))
    assert (interval.photographs, interval.reliable) == (photographs, reliable)


def test_wrong_values_are_named():
    with pytest.raises(DegenerateError, match=r"1 photograph, .* give images of 8 photographs"):
        indices(np.zeros(4, int))
    with pytest.raises(ParameterError, match="the photographs must be one number an image"):
        indices(np.zeros((2, 2), int))
    with pytest.raises(ParameterError, match="the photographs of an interval must be 2 or more"):
        jackknife_interval(0.5, np.array([0.5]))
    with pytest.raises(DegenerateError, match="not finite without some photograph"):
        jackknife_interval(0.5, np.array([0.5, np.inf]))
