"""How many t-SNE runs are enough, and how faithful a map is.

Suffixes: N points, C principal components.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from sklearn.manifold import trustworthiness

from srscope.errors import DegenerateError, ParameterError

PAPER_RUNS = 5
"""Runs of the paper's protocol."""
MOST_RUNS = 40
"""Runs after which no more are made, however uncertain their mean is."""
WITHIN = 0.1
"""Part of the mean that half its interval may be."""
NEGLIGIBLE = 1.0
"""A CHI known to lie below this is known well enough: the paper's lowest band starts at 20."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunsSummary:
    """CHI over t-SNE runs of the same points.

    Args:
        mean: Over all runs.
        low: Lower end of the 95 % interval of the mean over runs; the photographs are given.
        high: Its upper end.
        runs: How many.
        enough: Whether the mean is known, or no more runs are made.
        known: Whether half the interval is within 10 % of the mean, or its end below 1.
        paper_mean: Mean of the first five, or of all where there are fewer: the paper's protocol.
        paper_std: Their sample standard deviation; ``None`` for one run.
    """

    mean: float
    low: float
    high: float
    runs: int
    enough: bool
    known: bool
    paper_mean: float
    paper_std: float | None


def summarize_runs(chi: Sequence[float], *, most: int = MOST_RUNS) -> RunsSummary:
    """Say what the runs so far tell, and whether they are enough.

    The interval is looked at after every few runs, which makes stopping a little too early likely:
    the half-width is that of a fixed number of runs. Never fewer than five are enough.

    Args:
        chi: CHI of each run, in the order of their seeds.
        most: Runs after which it is enough in any case.

    Raises:
        ParameterError: If there are no runs, or ``most`` is below 1.
        DegenerateError: If a score is not finite.

    Example:
        >>> summary = summarize_runs([30.0, 31.0, 29.0, 30.0, 30.0])
        >>> summary.enough, round(summary.low, 1), round(summary.high, 1)
        (True, 29.1, 30.9)
        >>> summarize_runs([6.0, 44.0, 30.0, 25.0, 38.0]).enough
        False
    """
    if len(chi) < 1:
        raise ParameterError("the t-SNE runs", "1 or more", len(chi))
    if most < 1:
        raise ParameterError("most", "1 or more", most)
    values = np.asarray(chi, dtype=np.float64)
    if not np.isfinite(values).all():
        raise DegenerateError("the mean of CHI over runs", "CHI of a run is not finite")
    runs, mean = len(values), float(values.mean())
    half = math.inf
    if runs > 1:
        half = float(stdtrit(runs - 1, 0.975)) * float(values.std(ddof=1)) / math.sqrt(runs)
    known = runs >= PAPER_RUNS and (half <= WITHIN * mean or mean + half <= NEGLIGIBLE)
    paper = values[:PAPER_RUNS]
    return RunsSummary(
        mean=mean,
        low=max(0.0, mean - half),
        high=mean + half,
        runs=runs,
        enough=known or runs >= most,
        known=known,
        paper_mean=float(paper.mean()),
        paper_std=float(paper.std(ddof=1)) if len(paper) > 1 else None,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class MapQuality:
    """How faithful a map is to the points it was made from; both are 1 for a perfect map.

    Args:
        trustworthiness: Falls where neighbours in the map were far apart before.
        continuity: Falls where neighbours before are far apart in the map.
    """

    trustworthiness: float
    continuity: float


def map_quality(
    points_NC: NDArray[np.floating[Any]],
    map_N2: NDArray[np.floating[Any]],
    *,
    neighbours: int = 5,
) -> MapQuality:
    """Return trustworthiness and continuity of a map, from Euclidean distances.

    Args:
        points_NC: What the map was made from, e.g. PCA-50.
        map_N2: The map.
        neighbours: How many nearest points are looked at; fewer than half the points.

    Raises:
        ParameterError: If the shapes do not fit, or there are too few points.
        DegenerateError: If a point is not finite.

    Source: Venna and Kaski 2001.

    Example:
        >>> points_NC = np.random.default_rng(0).normal(size=(40, 2))
        >>> map_quality(points_NC, 3 * points_NC)
        MapQuality(trustworthiness=1.0, continuity=1.0)
    """
    if points_NC.ndim != 2 or map_N2.ndim != 2 or len(points_NC) != len(map_N2):
        shapes = (points_NC.shape, map_N2.shape)
        raise ParameterError("points and map", "two arrays of as many rows", shapes)
    if not 1 <= neighbours < len(map_N2) / 2:
        rule = f"from 1 to below half of the {len(map_N2)} points"
        raise ParameterError("neighbours", rule, neighbours)
    if not (np.isfinite(points_NC).all() and np.isfinite(map_N2).all()):
        raise DegenerateError("the quality of a map", "a point is NaN or infinite")
    # Continuity is trustworthiness the other way round.
    return MapQuality(
        trustworthiness=float(trustworthiness(points_NC, map_N2, n_neighbors=neighbours)),
        continuity=float(trustworthiness(map_N2, points_NC, n_neighbors=neighbours)),
    )
