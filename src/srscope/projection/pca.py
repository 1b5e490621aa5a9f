"""Exact PCA of wide features, in memory bounded by the samples.

Suffixes: N samples, D features, C components, B features of one block, M = min(N, D).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from srscope.errors import DegenerateError, ParameterError

_BLOCK_VALUES = 1 << 19  # float64 values copied at once: 4 MiB


@dataclass(frozen=True, kw_only=True, slots=True)
class PcaProjection:
    """Samples in their principal axes, largest variance first.

    Args:
        points_NC: Coordinates; the mean of every column is 0.
        explained_C: Share of the total variance on each axis, in [0, 1].
        gram_NN: Inner products of the samples less their mean, by which further sums of squares
            come for free; ``None`` where the features are fewer than the samples.
    """

    points_NC: NDArray[np.float64]
    explained_C: NDArray[np.float64]
    gram_NN: NDArray[np.float64] | None = None


def pca(
    features_ND: NDArray[np.floating[Any]], *, components: int = 50, name: str = "features"
) -> PcaProjection:
    """Project ``features_ND`` onto their first principal axes.

    Exact up to float64 rounding: it solves the smaller of the N x N Gram matrix and the D x D
    scatter matrix, accumulated in float64 over blocks, so that a memory-mapped array is never
    copied whole. The sign of an axis is such that its largest coordinate is positive. An axis
    without variance (beyond the rank of the features) has all its coordinates 0.

    Args:
        features_ND: One row a sample; any float type, may be memory-mapped.
        components: Axes to keep. Features narrower than that are only rotated: C = D.
        name: What the features are, for messages, e.g. a layer's name.

    Returns:
        The points, with C = min(components, D).

    Raises:
        ParameterError: If there are fewer than ``components + 1`` samples.
        DegenerateError: If a feature is not finite, or all samples are alike.

    Source: Liu et al. 2021, section 3.1 (PCA to 50 before t-SNE).

    Example:
        >>> projection = pca(np.array([[0.0, 0.0], [3.0, 4.0], [9.0, 12.0]]), components=1)
        >>> projection.points_NC.ravel().round(6).tolist()
        [-6.666667, -1.666667, 8.333333]
        >>> projection.explained_C.round(6).tolist()
        [1.0]
    """
    if components < 1:
        raise ParameterError("components", "1 or more", components)
    if features_ND.ndim != 2 or features_ND.shape[1] < 1:
        raise ParameterError(name, "an array (samples, features)", features_ND.shape)
    samples, width = features_ND.shape
    if samples < components + 1:
        remedy = "give more images, or lower the PCA components"
        rule = f"at least {components + 1} for {components} PCA components"
        raise ParameterError(f"the number of samples of {name}", rule, samples, remedy)
    wide = width > samples
    mean_D = None if wide else _mean(features_ND)
    scatter_MM = _gram(features_ND) if mean_D is None else _scatter(features_ND, mean_D)
    total = float(np.trace(scatter_MM))
    # Infinite and undefined features are looked for once, in the result, where they leave NaN.
    if not np.isfinite(scatter_MM).all():
        raise _not_finite(features_ND, name)
    if total == 0:
        raise DegenerateError(
            f"PCA of {name}",
            f"all {samples} samples are alike",
            "choose another layer, or images that differ",
        )
    count = min(components, width)
    size = len(scatter_MM)
    value_C, axes_MC = eigh(scatter_MM, subset_by_index=(size - count, size - 1))
    value_C, axes_MC = value_C[::-1], axes_MC[:, ::-1]
    # What is left of a zero eigenvalue after rounding is no variance.
    value_C = np.where(value_C > size * np.finfo(np.float64).eps * value_C[0], value_C, 0.0)
    points_NC: NDArray[np.float64]
    if mean_D is None:
        points_NC = axes_MC * np.sqrt(value_C)
    else:
        blocks = _centred_rows(features_ND, mean_D)
        points_NC = np.concatenate([centred @ axes_MC for centred in blocks])
        points_NC[:, value_C == 0] = 0.0
    return PcaProjection(
        points_NC=fixed_signs(points_NC),
        explained_C=value_C / total,
        gram_NN=scatter_MM if wide else None,
    )


def fixed_signs(points_NC: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points with every axis turned so that its largest coordinate is positive."""
    largest_C = points_NC[np.abs(points_NC).argmax(axis=0), np.arange(points_NC.shape[1])]
    return points_NC * np.where(largest_C < 0, -1.0, 1.0)


def _gram(features_ND: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the inner products of the samples less their mean, in one pass over the features.

    It takes them relative to the first sample, and the mean out of the products, so that samples
    that are all alike give exactly 0. What is not finite gives NaN.
    """
    samples, width = features_ND.shape
    gram_NN = np.zeros((samples, samples))
    step = max(1, _BLOCK_VALUES // samples)
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, width, step):
            block_NB = features_ND[:, start : start + step].astype(np.float64)
            block_NB -= block_NB[0].copy()
            gram_NN += block_NB @ block_NB.T
        mean_N = gram_NN.mean(axis=0)
        gram_NN -= mean_N
        gram_NN -= (mean_N - mean_N.mean())[:, None]
    return gram_NN


def _scatter(
    features_ND: NDArray[np.floating[Any]], mean_D: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the inner products of the features less their mean."""
    scatter_DD = np.zeros((len(mean_D), len(mean_D)))
    with np.errstate(invalid="ignore", over="ignore"):
        for centred in _centred_rows(features_ND, mean_D):
            scatter_DD += centred.T @ centred
    return scatter_DD


def _mean(features_ND: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the mean sample: taken from the first one, so that it is exact where all are alike."""
    first_D = features_ND[0].astype(np.float64)
    sum_D = np.zeros_like(first_D)
    with np.errstate(invalid="ignore", over="ignore"):
        for offset in _centred_rows(features_ND, first_D):
            sum_D += offset.sum(axis=0)
    return first_D + sum_D / len(features_ND)


def _centred_rows(
    features_ND: NDArray[np.floating[Any]], mean_D: NDArray[np.float64]
) -> Iterator[NDArray[np.float64]]:
    """Yield the features less ``mean_D``, in blocks of whole rows."""
    step = max(1, _BLOCK_VALUES // len(mean_D))
    for start in range(0, len(features_ND), step):
        yield features_ND[start : start + step].astype(np.float64) - mean_D


def _not_finite(features_ND: NDArray[np.floating[Any]], name: str) -> DegenerateError:
    """Count what is not finite, in blocks of rows, and say so."""
    step = max(1, _BLOCK_VALUES // features_ND.shape[1])
    starts = range(0, len(features_ND), step)
    finite = sum(int(np.isfinite(features_ND[s : s + step]).sum()) for s in starts)
    bad = features_ND.size - finite
    why = f"{bad} of {features_ND.size} values are NaN or infinite" if bad else "values overflow"
    return DegenerateError(f"PCA of {name}", why, "check the network's weights and its input range")
