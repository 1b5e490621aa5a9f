"""Draws of whole photographs, their intervals, and scores over sets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.resampling import (
    Estimate,
    acceptance_rate,
    agreement,
    interval_of,
    photograph_counts,
    spearman,
)


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


def test_rank_correlation_is_that_of_scipy():
    random = np.random.default_rng(0)
    one, other = random.integers(4, size=12).astype(float), random.normal(size=12)
    assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)
    assert math.isnan(spearman(np.ones(3), np.arange(3.0)))


def test_the_p_value_counts_orders():
    one = np.arange(5.0)
    draws = np.stack([one] * 4)
    found = agreement(one, -one, draws, -draws)
    assert (found.rho.value, found.rho.low, found.sets) == (-1.0, -1.0, 5)
    assert found.p_value == pytest.approx(2 / 120)
    nine = np.arange(9.0)
    drawn = agreement(nine, nine, np.stack([nine] * 4), np.stack([nine] * 4))
    assert drawn.p_value < 0.001


def test_an_order_of_few_sets_is_refused():
    two = np.arange(2.0)
    with pytest.raises(DegenerateError, match="there are 2 sets"):
        agreement(two, two, two[None], two[None])
    three = np.arange(3.0)
    with pytest.raises(DegenerateError, match="the same for all sets"):
        agreement(three, np.ones(3), three[None], three[None])


def test_acceptance_counts_what_reaches_the_line():
    assert acceptance_rate(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])) == pytest.approx(
        2 / 3
    )
    with pytest.raises(ParameterError, match="line_K must be one a degradation"):
        acceptance_rate(np.ones(2), np.ones(3))
    with pytest.raises(DegenerateError, match="missing or not finite"):
        acceptance_rate(np.array([math.nan]), np.ones(1))
