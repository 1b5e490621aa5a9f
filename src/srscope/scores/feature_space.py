"""Scores on the features themselves, after PCA, so that t-SNE has no part in them.

Suffixes: N points, C principal components, B points of one block, K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.labelled import check_labelled
from srscope.scores.separability import separability

_BLOCK_VALUES = 1 << 22


def chi(
    points_NC: NDArray[np.floating[Any]],
    labels_N: NDArray[np.integer[Any]],
    *,
    name: str = "points",
) -> float:
    """Return the Calinski-Harabasz index of the points; see :func:`separability`."""
    return separability(points_NC, labels_N, name=name).chi


def silhouette(
    points_NC: NDArray[np.floating[Any]],
    labels_N: NDArray[np.integer[Any]],
    *,
    name: str = "points",
) -> float:
    """Return the mean silhouette coefficient, from -1 to 1; about 0 without separation.

    Args:
        points_NC: One row a point.
        labels_N: The class of each point, any integers.
        name: What the points are, for messages.

    Raises:
        ParameterError: If the shapes do not fit.
        DegenerateError: If a point is not finite, all points coincide, there is one class only,
            or every point is a class of its own.

    Source: Rousseeuw 1987.
    """
    from sklearn import config_context  # two seconds, which the passes need not wait for
    from sklearn.metrics import silhouette_score

    points_NC, class_N, _ = check_labelled(points_NC, labels_N, score="the silhouette", name=name)
    with config_context(working_memory=256):  # MiB; its own 1,024 are too many beside a stream
        return float(silhouette_score(points_NC, class_N))


def knn_accuracy(
    points_NC: NDArray[np.floating[Any]],
    labels_N: NDArray[np.integer[Any]],
    contents_N: NDArray[np.integer[Any]],
    *,
    k: int = 5,
    name: str = "points",
) -> float:
    """Return how often the nearest points of other contents tell a point's class.

    The whole content of a point is left out, for its other versions lie close by for what they
    show. The class with most of the ``k`` nearest points wins; among equals, the one whose
    nearest member is nearest. Points at the same distance are taken in order of index.

    Args:
        points_NC: One row a point.
        labels_N: The class of each point, any integers.
        contents_N: The content of each point, any integers.
        k: Neighbours that vote.
        name: What the points are, for messages.

    Returns:
        The share of points whose class was found, in [0, 1].

    Raises:
        ParameterError: If the shapes do not fit, or ``k`` is below 1.
        DegenerateError: If a point has fewer than ``k`` others of different content; or as
            :func:`silhouette`.

    Example:
        >>> points_NC = np.array([[0.0], [0.1], [5.0], [5.1]])
        >>> labels_N, contents_N = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
        >>> knn_accuracy(points_NC, labels_N, contents_N, k=1)
        1.0
    """
    told_N = told_by_neighbours(points_NC, labels_N, contents_N, k=k, name=name)
    return int(told_N.sum()) / len(told_N)


def told_by_neighbours(
    points_NC: NDArray[np.floating[Any]],
    labels_N: NDArray[np.integer[Any]],
    contents_N: NDArray[np.integer[Any]],
    *,
    k: int = 5,
    name: str = "points",
) -> NDArray[np.bool_]:
    """Return for each point whether its neighbours tell its class, as in :func:`knn_accuracy`.

    Args:
        points_NC: One row a point.
        labels_N: The class of each point, any integers.
        contents_N: Points with the same number here are never each other's neighbours.
        k: Neighbours that vote.
        name: What the points are, for messages.

    Raises:
        ParameterError: If the shapes do not fit, or ``k`` is below 1.
        DegenerateError: As :func:`knn_accuracy`.
    """
    if k < 1:
        raise ParameterError("k", "1 or more", k)
    score = "k-NN accuracy"
    points_NC, class_N, count = check_labelled(points_NC, labels_N, score=score, name=name)
    if contents_N.shape != class_N.shape:
        rule = f"one a point, shape {class_N.shape}"
        raise ParameterError(f"the contents of {name}", rule, contents_N.shape)
    points = len(points_NC)
    fewest = points - int(np.unique(contents_N, return_counts=True)[1].max())
    if fewest < k:
        raise DegenerateError(
            f"{score} of {name}",
            f"a point has only {fewest} others of different content, and k is {k}",
            "give more contents, or lower k",
        )
    told_N = np.zeros(points, dtype=bool)
    step = max(1, _BLOCK_VALUES // points)
    for start in range(0, points, step):
        block = slice(start, start + step)
        distance_BN = cdist(points_NC[block], points_NC)
        distance_BN[contents_N[block, None] == contents_N[None, :]] = np.inf
        nearest_BK = np.argsort(distance_BN, axis=1, kind="stable")[:, :k]
        vote_Bk = class_N[nearest_BK]
        votes_BK = np.zeros((len(vote_Bk), count))
        first_BK = np.full((len(vote_Bk), count), k)
        rows_B = np.arange(len(vote_Bk))
        for rank in reversed(range(k)):
            np.add.at(votes_BK, (rows_B, vote_Bk[:, rank]), 1)
            first_BK[rows_B, vote_Bk[:, rank]] = rank
        # One vote outweighs every rank; among equal votes, the smaller rank wins.
        winner_B = (votes_BK * (k + 1) - first_BK).argmax(axis=1)
        told_N[block] = winner_B == class_N[block]
    return told_N
