"""Nearest neighbours with the whole photograph left out.

Crops of one photograph are each other's nearest neighbours for what they show. They never vote.

Suffixes: N points, C principal components.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.scores.feature_space import told_by_neighbours
from srscope.scores.photographs import Interval, balanced, indices, share_interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbours:
    """What the nearest neighbours tell.

    Args:
        accuracy: Balanced accuracy (every set counts alike), with its interval over photographs.
        told_N: Whether the set of each point was told.
    """

    accuracy: Interval
    told_N: NDArray[np.bool_]


def photograph_knn(
    points_NC: NDArray[np.floating[Any]],
    set_N: NDArray[np.integer[Any]],
    photograph_N: NDArray[np.integer[Any]],
    *,
    k: int = 5,
    name: str = "points",
) -> Neighbours:
    """Return how often the nearest points of other photographs tell a point's set.

    Args:
        points_NC: One row a point.
        set_N: The set of each point.
        photograph_N: The photograph of each point.
        k: Neighbours that vote, as in :func:`~srscope.scores.feature_space.knn_accuracy`.
        name: What the points are, for messages.

    Raises:
        ParameterError: If the shapes do not fit, or ``k`` is below 1.
        DegenerateError: If there is one photograph only, or as
            :func:`~srscope.scores.feature_space.knn_accuracy`.

    Example:
        >>> set_N, photograph_N = np.arange(40) % 2, np.arange(40) // 4
        >>> points_NC = 5.0 * set_N[:, None] + 0.1 * photograph_N[:, None]
        >>> photograph_knn(points_NC, set_N, photograph_N).accuracy.value
        1.0
    """
    told_N = told_by_neighbours(points_NC, set_N, photograph_N, k=k, name=name)
    folds = int(indices(photograph_N).max()) + 1
    accuracy = share_interval(balanced(told_N, set_N, photograph_N), folds=folds)
    return Neighbours(accuracy=accuracy, told_N=told_N)
