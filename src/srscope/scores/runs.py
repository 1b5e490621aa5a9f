"""How many t-SNE runs are enough, and how far a map can be trusted.

Suffixes: N points, C components, R runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from srscope.errors import ParameterError

MOST = 40
"""Runs after which the mean of CHI is reported as it is."""
WITHIN = 0.1
"""Part of the mean that the half-width of its interval may have."""
AT_ONCE = 5
"""Runs that are added together."""
FLOOR = 2.0
"""A half-width of CHI that is small enough whatever the mean: a tenth of the lowest band."""
NEIGHBOURS = 12
"""Neighbours that map quality looks at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeanOfRuns:
    """A mean over runs with its 95 % interval by Student's t, and how many runs there were."""

    mean: float
    low: float
    high: float
    runs: int


def mean_of_runs(values: Sequence[float]) -> MeanOfRuns:
    """Return the mean over runs with its interval; a single run has an endless one.

    Raises:
        ParameterError: If there is no run.

    Example:
        >>> found = mean_of_runs([10.0, 12.0, 11.0])
        >>> round(found.low, 1), found.mean, round(found.high, 1), found.runs
        (8.5, 11.0, 13.5, 3)
    """
    if not len(values):
        raise ParameterError("values", "one a run, at least one", values)
    array_R = np.asarray(values, dtype=np.float64)
    mean, count = float(array_R.mean()), len(array_R)
    half = math.inf
    if count > 1:
        half = float(stdtrit(count - 1, 0.975)) * float(array_R.std(ddof=1)) / math.sqrt(count)
    return MeanOfRuns(mean=mean, low=mean - half, high=mean + half, runs=count)


def more_runs(values: Sequence[float], *, most: int = MOST) -> int:
    """Return how many runs to add until the mean of CHI is known; 0 where it is.

    It is known where the half-width of its interval is at most 10 % of it, or at most 2, a tenth
    of the paper's lowest band.

    Args:
        values: CHI of the runs so far.
        most: Runs in all, at most.

    Example:
        >>> more_runs([100.0, 101.0, 99.0, 100.0, 100.0]), more_runs([6.0, 44.0, 30.0, 25.0, 40.0])
        (0, 5)
    """
    found = mean_of_runs(values)
    half = found.high - found.mean
    if half <= max(WITHIN * found.mean, FLOOR):
        return 0
    return max(0, min(AT_ONCE, most - len(values)))


def map_quality(
    points_NC: NDArray[np.floating], map_ND: NDArray[np.floating], *, neighbours: int = NEIGHBOURS
) -> tuple[float, float]:
    """Return trustworthiness and continuity of a map, each from 0 to 1.

    A trustworthy map shows few false neighbours; a continuous one tears few true ones apart.

    Args:
        points_NC: The points that were mapped.
        map_ND: The map.
        neighbours: How many are looked at; lowered where there are fewer than twice as many points.

    Raises:
        ParameterError: If there are fewer than 5 points.

    Source: Venna and Kaski 2001.

    Example:
        >>> points_NC = np.random.default_rng(0).normal(size=(40, 2))
        >>> map_quality(points_NC, 3.0 * points_NC)
        (1.0, 1.0)
    """
    from sklearn.manifold import trustworthiness

    if len(points_NC) < 5:
        raise ParameterError("points", "5 or more", len(points_NC))
    k = min(neighbours, (len(points_NC) - 1) // 2)
    return (
        float(trustworthiness(points_NC, map_ND, n_neighbors=k)),
        float(trustworthiness(map_ND, points_NC, n_neighbors=k)),
    )
