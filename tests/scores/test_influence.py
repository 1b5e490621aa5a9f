"""Influences of photographs: the same widths as the intervals of single scores."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import stdtrit

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.influence import (
    Influenced,
    components_of,
    left_out,
    log_chi_of_maps,
    mean_of,
    of_balanced,
)
from srscope.scores.photographs import balanced, difference_interval
from srscope.scores.separability import separability
from support.points import variance_components

SET_N, CONTENT_N = np.repeat(np.arange(3), 40), np.tile(np.arange(40), 3)
PHOTOGRAPH_N = CONTENT_N // 2


def test_a_mean_is_as_wide_as_its_interval() -> None:
    values_N = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], size=120)
    result = balanced(values_N, SET_N, PHOTOGRAPH_N)
    for folds in (0, 10):
        interval = difference_interval(result, folds=folds)
        half = float(stdtrit(result.freedom, 0.975)) * of_balanced(result, folds=folds).deviation
        assert math.isclose(interval.high - interval.value, half)


def test_draws_are_those_of_the_photographs() -> None:
    values_N = np.random.default_rng(1).normal(size=120)
    score = of_balanced(balanced(values_N, SET_N, PHOTOGRAPH_N))
    count_P = np.random.default_rng(2).multinomial(20, np.full(20, 0.05))
    drawn_N = np.repeat(values_N, count_P[PHOTOGRAPH_N])
    # Of sets that share all photographs the mean is linear in the counts, so this is exact, but for
    # the factor P / (P - 1) of a variance.
    root = math.sqrt(20 / 19)
    assert math.isclose(
        score.draws(count_P[None])[0] - score.value, root * (drawn_N.mean() - score.value)
    )


def test_components_have_their_jackknife() -> None:
    random = np.random.default_rng(3)
    features_ND = random.normal(size=(120, 60)) + random.normal(size=(40, 60))[CONTENT_N]
    features_ND += 0.7 * random.normal(size=(3, 60))[SET_N]
    found = variance_components(features_ND, SET_N, CONTENT_N, PHOTOGRAPH_N)
    content = components_of(found)["content"]
    assert content.value == found.content.value
    half = float(stdtrit(19, 0.975)) * content.deviation
    assert half == pytest.approx((found.content.high - found.content.low) / 2, rel=0.05)


def test_chi_of_maps_is_scored_without_each_photograph() -> None:
    random = np.random.default_rng(4)
    points_RND = random.normal(size=(2, 120, 2)) + SET_N[None, :, None]
    score = log_chi_of_maps(points_RND, SET_N, PHOTOGRAPH_N)
    chis = [separability(points_ND, SET_N).chi for points_ND in points_RND]
    assert math.isclose(score.value, math.log(np.mean(chis)))
    assert 0.02 < score.deviation < 1.0


def test_sums_and_differences_go_photograph_by_photograph() -> None:
    one = Influenced(value=1.0, influence_P=np.array([1.0, -1.0]))
    two = Influenced(value=3.0, influence_P=np.array([0.5, -0.5]))
    np.testing.assert_allclose(mean_of([one, two]).influence_P, [0.75, -0.75])
    gap = one.less(two)
    assert gap.value == -2.0
    np.testing.assert_allclose(gap.influence_P, [0.5, -0.5])
    with pytest.raises(ParameterError, match="of the same photographs"):
        one.less(Influenced(value=0.0, influence_P=np.zeros(3)))


def test_a_score_that_is_undefined_without_a_photograph_is_refused() -> None:
    with pytest.raises(DegenerateError, match="not finite without some photograph"):
        left_out(lambda there_N: 1.0 if there_N.all() else math.nan, PHOTOGRAPH_N)
