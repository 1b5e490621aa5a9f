"""Nearest neighbours with whole photographs left out, against scikit-learn."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from srscope.errors import DegenerateError
from srscope.scores.feature_space import knn_accuracy
from srscope.scores.neighbours import photograph_knn


def photographs_and_sets():
    rng = np.random.default_rng(0)
    set_N, photograph_N = np.repeat([0, 1], 60), np.tile(np.repeat(np.arange(12), 5), 2)
    points_NC = rng.normal(size=(120, 4)) + 0.8 * set_N[:, None]
    return points_NC + rng.normal(size=(12, 4))[photograph_N], set_N, photograph_N


def test_it_is_scikit_learns_with_photographs_left_out():
    points_NC, set_N, photograph_N = photographs_and_sets()
    expected_N = np.zeros(120, dtype=bool)
    for photograph in range(12):
        out_N = photograph_N == photograph
        model = KNeighborsClassifier(5).fit(points_NC[~out_N], set_N[~out_N])
        expected_N[out_N] = model.predict(points_NC[out_N]) == set_N[out_N]
    result = photograph_knn(points_NC, set_N, photograph_N)
    np.testing.assert_array_equal(result.told_N, expected_N)
    assert result.accuracy.value == pytest.approx(expected_N.mean())
    assert 0.4 < result.accuracy.low < result.accuracy.value < result.accuracy.high < 1


def test_crops_of_one_photograph_tell_each_other_nothing():
    rng = np.random.default_rng(0)
    photograph_N = np.repeat(np.arange(20), 6)
    set_N = photograph_N % 2  # each photograph in one set, and nothing else to tell it by
    points_NC = 10 * rng.normal(size=(20, 3))[photograph_N] + rng.normal(size=(120, 3))
    assert knn_accuracy(points_NC, set_N, np.arange(120)) > 0.95
    assert photograph_knn(points_NC, set_N, photograph_N).accuracy.value < 0.7


def test_few_photographs_are_refused():
    points_NC, set_N, _photograph_N = photographs_and_sets()
    with pytest.raises(DegenerateError, match="a point has only 0 others"):
        photograph_knn(points_NC, set_N, np.zeros(120, int))
