"""Runs are added until the mean is known; the quality of maps against its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from srscope.errors import ParameterError
from srscope.scores.runs import MOST, map_quality, mean_of_runs, more_runs


def test_the_interval_is_students() -> None:
    values = [3.0, 4.0, 7.0, 8.5]
    found = mean_of_runs(values)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert math.isinf(mean_of_runs([1.0]).high)
    with pytest.raises(ParameterError, match="at least one"):
        mean_of_runs([])


@pytest.mark.parametrize(
    ("values", "more"),
    [
        ([100.0, 108.0, 92.0, 104.0, 96.0], 0),  # 7.9 of 100
        ([100.0, 120.0, 80.0, 110.0, 90.0], 5),  # 19.6 of 100
        ([0.0, 0.1, 0.02, 1.4, 0.3], 0),  # far below the lowest band
        ([20.0], 5),
        ([6.0, 44.0] * 19 + [6.0], 1),
        ([6.0, 44.0] * 20, 0),
    ],
)
def test_runs_are_added_while_the_mean_is_not_known(values: list[float], more: int) -> None:
    assert more_runs(values) == more


def test_it_ends() -> None:
    random = np.random.default_rng(0)
    values: list[float] = list(random.lognormal(3, 2, size=5))
    for _ in range(20):
        more = more_runs(values)
        if not more:
            break
        values += list(random.lognormal(3, 2, size=more))
    assert len(values) <= MOST
    assert more_runs(values) == 0


def by_definition(points_NC: np.ndarray, map_ND: np.ndarray, k: int) -> float:
    """Return trustworthiness as Venna and Kaski write it."""
    count = len(points_NC)

    def ranks(values: np.ndarray) -> np.ndarray:
        distance_NN = ((values[:, None] - values[None]) ** 2).sum(axis=2)
        np.fill_diagonal(distance_NN, -1)
        return distance_NN.argsort(axis=1).argsort(axis=1)

    true_NN, shown_NN = ranks(points_NC), ranks(map_ND)
    wrong_NN = (shown_NN >= 1) & (shown_NN <= k) & (true_NN > k)
    return 1 - 2 / (count * k * (2 * count - 3 * k - 1)) * float((true_NN - k)[wrong_NN].sum())


def test_map_quality_is_as_defined() -> None:
    random = np.random.default_rng(1)
    points_NC, map_ND = random.normal(size=(60, 7)), random.normal(size=(60, 2))
    trust, continuity = map_quality(points_NC, map_ND)
    assert trust == pytest.approx(by_definition(points_NC, map_ND, 12))
    assert continuity == pytest.approx(by_definition(map_ND, points_NC, 12))
    assert trust < 0.8


def test_few_points_have_fewer_neighbours() -> None:
    points_NC = np.random.default_rng(0).normal(size=(9, 3))
    assert map_quality(points_NC, points_NC[:, :2])[0] <= 1
    with pytest.raises(ParameterError, match="5 or more"):
        map_quality(points_NC[:4], points_NC[:4])
