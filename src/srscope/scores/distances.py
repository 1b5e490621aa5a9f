"""Distances between all points, and the silhouette and neighbourhoods made of them.

Written out, for scikit-learn takes longer to import than these take to compute; the order of its
operations is kept, so the numbers are the same. Suffixes: N points, B some of them, D
dimensions, K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

_FEW = 15
"""Coordinates up to which neighbours are told by exact distances."""
_ROWS = 8192
"""Points whose distances to all others are in memory together."""


def distances(
    points_ND: NDArray[np.floating[Any]], rows: slice = slice(None)
) -> NDArray[np.floating[Any]]:
    """Return the Euclidean distance of every pair of points, (N, N), in their precision.

    Args:
        points_ND: One row a point.
        rows: Of these points alone; by default of all.

    Example:
        >>> distances(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist()
        [[0.0, 5.0], [5.0, 0.0]]
    """
    wide_ND = points_ND.astype(np.float64)
    square_N = np.einsum("nd,nd->n", wide_ND, wide_ND)
    distance_BN = -2.0 * (wide_ND[rows] @ wide_ND.T)
    distance_BN += square_N[rows, None]
    distance_BN += square_N
    distance_BN = np.maximum(distance_BN.astype(points_ND.dtype, copy=False), 0.0)
    distance_BN[np.arange(len(distance_BN)), np.arange(len(points_ND))[rows]] = 0.0
    return np.sqrt(distance_BN, out=distance_BN)


def mean_silhouette(points_ND: NDArray[np.float64], class_N: NDArray[np.int64]) -> float:
    """Return the mean silhouette of points of two classes or more; 0 for one alone in its class.

    Args:
        points_ND: One row a point.
        class_N: The class of each, from 0 on.

    Source: Rousseeuw 1987.

    Example:
        >>> points_ND, class_N = np.array([[0.0], [1.0], [9.0], [10.0]]), np.array([0, 0, 1, 1])
        >>> round(mean_silhouette(points_ND, class_N), 3)
        0.888
    """
    size_K = np.bincount(class_N)
    blocks = (slice(start, start + _ROWS) for start in range(0, len(points_ND), _ROWS))
    to_class_NK = np.stack(
        [
            np.bincount(class_N, weights=row_N)
            for rows in blocks
            for row_N in distances(points_ND, rows)
        ]
    )
    own = (np.arange(len(points_ND)), class_N)
    within_N = to_class_NK[own]
    to_class_NK[own] = np.inf
    nearest_N = (to_class_NK / size_K).min(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        within_N = within_N / (size_K - 1)[class_N]
        silhouette_N = (nearest_N - within_N) / np.maximum(within_N, nearest_N)
    return float(np.mean(np.nan_to_num(silhouette_N)))


def trustworthiness(
    points_NC: NDArray[np.floating[Any]], map_ND: NDArray[np.floating[Any]], neighbours: int
) -> float:
    """Return how few of the map's nearest neighbours are far apart among the points, 0 to 1.

    Args:
        points_NC: What was mapped.
        map_ND: The map.
        neighbours: How many are looked at; below half of the points.

    Source: Venna and Kaski 2001.

    Example:
        >>> line_N1 = np.arange(8.0)[:, None] ** 2
        >>> trustworthiness(line_N1, line_N1, 2)
        1.0
    """
    count = len(points_NC)
    order_NN = np.argsort(_without_self(points_NC), axis=1)
    rank_NN = np.empty((count, count), dtype=np.int64)
    np.put_along_axis(rank_NN, order_NN, np.arange(1, count + 1)[None, :], axis=1)
    near_NK = np.argsort(_without_self(map_ND, exact=True), axis=1)[:, :neighbours]
    beyond_NK = np.take_along_axis(rank_NN, near_NK, axis=1) - neighbours
    far = int(beyond_NK[beyond_NK > 0].sum())
    return 1.0 - far * (2.0 / (count * neighbours * (2.0 * count - 3.0 * neighbours - 1.0)))


def _without_self(
    points_ND: NDArray[np.floating[Any]], *, exact: bool = False
) -> NDArray[np.floating[Any]]:
    """Return distances with infinity for a point's own; ``exact`` ones where coordinates are few.

    That is scikit-learn's choice of a tree or of products.
    """
    if exact:
        points_ND = points_ND.astype(np.float64)
    few = exact and points_ND.shape[1] <= _FEW
    distance_NN: NDArray[np.floating[Any]] = (
        cdist(points_ND, points_ND) if few else distances(points_ND)
    )
    np.fill_diagonal(distance_NN, np.inf)
    return distance_NN
