"""Scores over sets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.agreement import acceptance_rate, agreement, spearman


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
