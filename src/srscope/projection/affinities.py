"""t-SNE's objective, exactly: affinities of all pairs, and the divergence of a map from them.

Suffixes: N points, C input dimensions, E map dimensions, B points of one block.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import xlogy

_BLOCK_VALUES = 1 << 20
_NEWTON_STEPS = 100
_ENTROPY_ERROR = 1e-10  # nats


def joint_affinities(points_NC: NDArray[np.float64], perplexity: float) -> NDArray[np.float64]:
    """Return t-SNE's affinities p_ij of every pair of points.

    The Gaussian round each point has the width that gives it ``perplexity`` effective
    neighbours. Where more points than that coincide with it, they share its weight equally.

    Args:
        points_NC: Finite.
        perplexity: At least 1, below N - 1.

    Returns:
        N x N, symmetric, zero on the diagonal, adding up to 1.

    Source: van der Maaten and Hinton 2008, equations 1 and following.

    Example:
        >>> joint_affinities(np.array([[0.0], [1.0], [9.0]]), 1.5)[0].round(3).tolist()
        [0.0, 0.287, 0.047]
    """
    count = len(points_NC)
    conditional_NN = np.empty((count, count))
    step = max(1, _BLOCK_VALUES // count)
    for start in range(0, count, step):
        block = slice(start, start + step)
        distance_BN = cdist(points_NC[block], points_NC, "sqeuclidean")
        rows_B = np.arange(len(distance_BN))
        distance_BN[rows_B, rows_B + start] = np.inf
        conditional_NN[block] = _conditional(distance_BN, math.log(perplexity))
    joint_NN = conditional_NN + conditional_NN.T
    return joint_NN / joint_NN.sum()


def _conditional(
    distance_BN: NDArray[np.floating[Any]], target_entropy: float
) -> NDArray[np.floating[Any]]:
    """Return p_j|i with the given entropy, by Newton steps on the log of the precision.

    ``distance_BN`` holds squared distances; a point's distance to itself is infinite.
    """
    distance_BN = distance_BN - distance_BN.min(axis=1, keepdims=True)
    other_BN = np.isfinite(distance_BN)
    distance_BN[~other_BN] = 0.0
    scale_B = distance_BN.sum(axis=1) / other_BN.sum(axis=1)
    distance_BN /= np.where(scale_B > 0, scale_B, 1.0)[:, None]
    log_B = np.zeros(len(distance_BN))
    # At the upper end, only points at the very smallest distance keep any weight.
    low_B, high_B = np.full_like(log_B, -30.0), np.full_like(log_B, 30.0)
    weight_BN = np.empty_like(distance_BN)
    for _ in range(_NEWTON_STEPS):
        precision_B = np.exp(log_B)
        weight_BN = np.exp(-precision_B[:, None] * distance_BN)
        weight_BN *= other_BN
        sum_B = weight_BN.sum(axis=1)
        weight_BN /= sum_B[:, None]
        mean_B = np.einsum("bn,bn->b", weight_BN, distance_BN)
        square_B = np.einsum("bn,bn,bn->b", weight_BN, distance_BN, distance_BN)
        excess_B = np.log(sum_B) + precision_B * mean_B - target_entropy
        if np.all((np.abs(excess_B) < _ENTROPY_ERROR) | (high_B - low_B < 1e-9)):
            break
        # Entropy falls as precision rises.
        low_B = np.where(excess_B > 0, log_B, low_B)
        high_B = np.where(excess_B > 0, high_B, log_B)
        slope_B = precision_B**2 * np.maximum(square_B - mean_B**2, 1e-300)
        newton_B = log_B + np.clip(excess_B / np.maximum(slope_B, 1e-300), -60, 60)
        inside_B = (newton_B > low_B) & (newton_B < high_B)
        log_B = np.where(inside_B, newton_B, (low_B + high_B) / 2)
    return weight_BN


def kl_divergence(
    affinities_NN: NDArray[np.float64], points_NE: NDArray[np.floating[Any]]
) -> float:
    """Return the Kullback-Leibler divergence of a map from affinities, over all pairs.

    One measure for every engine: each reports its own approximation, on its own affinities.

    Args:
        affinities_NN: From :func:`joint_affinities`.
        points_NE: The map.

    Returns:
        In nats, 0 or more.

    Source: van der Maaten and Hinton 2008, equations 4 and 5.
    """
    points_NE = points_NE.astype(np.float64)
    total, entropy, attraction = 0.0, 0.0, 0.0
    step = max(1, _BLOCK_VALUES // len(points_NE))
    for start in range(0, len(points_NE), step):
        block = slice(start, start + step)
        distance_BN = cdist(points_NE[block], points_NE, "sqeuclidean")
        total += float((1 / (1 + distance_BN)).sum()) - len(distance_BN)  # less each with itself
        entropy += float(xlogy(affinities_NN[block], affinities_NN[block]).sum())
        attraction += float((affinities_NN[block] * np.log1p(distance_BN)).sum())
    return entropy + attraction + math.log(total)
