from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.attribution import diffusion_index, rank_correlation


def test_diffusion_index_is_one_less_the_mean_difference_of_pairs():
    values = np.random.default_rng(0).exponential(size=(7, 9))
    pairs = np.abs(values.reshape(-1, 1) - values.reshape(1, -1)).mean()
    assert diffusion_index(values) == pytest.approx((1 - pairs / 2 / values.mean()) * 100)
    assert diffusion_index(values * 3) == pytest.approx(diffusion_index(values))


@pytest.mark.parametrize("values", [[-1.0, 2.0], [np.nan], []])
def test_diffusion_index_refuses_what_is_no_map(values):
    with pytest.raises(ParameterError, match="map_values must be finite numbers, 0 or more"):
        diffusion_index(np.array(values))


def test_diffusion_index_of_nothing_is_undefined():
    with pytest.raises(DegenerateError, match="the map is 0 everywhere"):
        diffusion_index(np.zeros((3, 3)))


def test_rank_correlation_is_spearmans_where_a_map_is_above_0():
    one, other = np.random.default_rng(1).exponential(size=(2, 30)).round(1)
    expected = float(spearmanr(one, other).statistic)
    assert rank_correlation(one, other) == pytest.approx(expected)
    nothing = np.zeros(1000)
    padded = [np.concatenate([each, nothing]) for each in (one, other)]
    counted = (one > 0) | (other > 0)
    expected = float(spearmanr(one[counted], other[counted]).statistic)
    assert rank_correlation(*padded) == pytest.approx(expected)


@pytest.mark.parametrize("other", [np.zeros(3), np.full(3, 2.0)])
def test_rank_correlation_with_a_flat_map_is_undefined(other):
    with pytest.raises(DegenerateError, match="a map is the same everywhere"):
        rank_correlation(np.array([1.0, 2, 3]), other)
    with pytest.raises(DegenerateError):
        rank_correlation(np.zeros(3), np.zeros(3))


def test_rank_correlation_refuses_maps_of_two_shapes():
    with pytest.raises(ParameterError, match="of the same shape"):
        rank_correlation(np.ones(3), np.ones(4))
