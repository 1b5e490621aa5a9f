"""Scores with their uncertainty: over t-SNE runs, and over the images that happened to be taken.

The bootstrap draws units and t-SNE runs, both with replacement, and takes the mean over the runs,
as the score is; the maps themselves are not made anew. One run fewer is drawn than there are, as
the spread of so few is too small otherwise. A unit is a content with all its degraded versions in
the first edition of the claims, and a photograph with all its contents in the second: crops of one
photograph resemble each other, so that contents say too little of what other photographs would do.
Suffixes: N points, R runs, B draws, U units, K classes, D dimensions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from srscope.reproduction.records import Estimate
from srscope.scores.separability import separability

DRAWS = 1000
LEVEL = 0.95


def chi_estimate(
    points_RND: NDArray[np.floating],
    labels_N: NDArray[np.int64],
    unit_N: NDArray[np.int64],
    *,
    seed: int,
    draws: int = DRAWS,
    name: str = "points",
) -> Estimate:
    """Return CHI's mean over runs, with a 95 % interval over units and runs.

    Args:
        points_RND: The maps.
        labels_N: Classes that CHI compares.
        unit_N: The unit of each point that is drawn: its content, or its photograph.
        seed: Of the draws.
        draws: How many.
        name: What the points are, for messages.

    Raises:
        DegenerateError: If CHI is undefined.

    Source: Efron and Tibshirani 1993, chapter 13 (percentile intervals); Rao and Wu 1988 (one draw
        fewer).
    """
    values = [separability(points_ND, labels_N, name=name).chi for points_ND in points_RND]
    samples_B = _bootstrap_chi(points_RND, labels_N, unit_N, seed=seed, draws=draws)
    return estimate_of(values, samples_B)


def estimate_of(values: list[float], samples_B: NDArray[np.float64]) -> Estimate:
    """Return an estimate from the values of the runs and a bootstrap sample."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(samples_B, [tail, 1 - tail])
    return Estimate(
        value=float(np.mean(values)),
        std=float(np.std(values)),
        low=float(low),
        high=float(high),
        samples=samples_B,
    )


def unit_counts(
    unit_N: NDArray[np.int64], random: np.random.Generator, *, draws: int
) -> NDArray[np.int64]:
    """Return how often each draw has each row, (draws, N): as often as its unit was drawn.

    The draws of one seed are alike for all data of the same units, so that differences are paired.

    Args:
        unit_N: The unit of each row.
        random: Decides which units; what it gives next does not depend on the rows.
        draws: How many.

    Example:
        >>> unit_counts(np.array([0, 0, 7]), np.random.default_rng(1), draws=2).tolist()
        [[1, 1, 1], [2, 2, 0]]
    """
    _, index_N = np.unique(unit_N, return_inverse=True)
    units = int(index_N.max()) + 1
    counts_BU = random.multinomial(units, np.full(units, 1 / units), size=draws)
    return counts_BU[:, index_N.reshape(-1)]


def _bootstrap_chi(
    points_RND: NDArray[np.floating],
    labels_N: NDArray[np.int64],
    unit_N: NDArray[np.int64],
    *,
    seed: int,
    draws: int,
) -> NDArray[np.float64]:
    """Return the mean CHI of ``draws`` samples, from weights instead of copied points."""
    random = np.random.default_rng(seed)
    weight_BN = unit_counts(unit_N, random, draws=draws).astype(np.float64)
    runs = len(points_RND)
    drawn_BM = random.integers(runs, size=(draws, max(1, runs - 1)))
    classes, class_N = np.unique(labels_N, return_inverse=True)
    one_hot_NK = (class_N.reshape(-1)[:, None] == np.arange(len(classes))).astype(np.float64)
    chi_BR = np.stack(
        [
            _weighted_chi(points_ND.astype(np.float64), weight_BN, one_hot_NK)
            for points_ND in points_RND
        ],
        axis=1,
    )
    samples_B = np.take_along_axis(chi_BR, drawn_BM, axis=1).mean(axis=1)
    return samples_B[np.isfinite(samples_B)]


def _weighted_chi(
    points_ND: NDArray[np.float64],
    weight_BN: NDArray[np.float64],
    one_hot_NK: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return CHI of each weighting: within and between scatter from weighted moments."""
    points_ND = points_ND - points_ND.mean(axis=0)
    total_B = weight_BN.sum(axis=1)
    size_BK = weight_BN @ one_hot_NK
    sums_BKD = np.einsum("bn,nk,nd->bkd", weight_BN, one_hot_NK, points_ND, optimize=True)
    squares_B = weight_BN @ (points_ND**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        centred_B = ((sums_BKD**2).sum(axis=2) / size_BK).sum(axis=1)
        grand_B = (sums_BKD.sum(axis=1) ** 2).sum(axis=1) / total_B
        classes = one_hot_NK.shape[1]
        between_B, within_B = centred_B - grand_B, squares_B - centred_B
        return between_B / within_B * (total_B - classes) / (classes - 1)
