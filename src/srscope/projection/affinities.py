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

from srscope.projection.config import degrees_of_freedom
from srscope.projection.jit import compiled

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
        _conditional(distance_BN, math.log(perplexity))
        conditional_NN[block] = distance_BN
    joint_NN = conditional_NN + conditional_NN.T
    return joint_NN / joint_NN.sum()


@compiled
def _conditional(distance_BN: NDArray[np.floating[Any]], target_entropy: float) -> None:
    """Turn squared distances into p_j|i of the given entropy, a row at a time, in place.

    Newton steps on the log of the precision, kept between bounds that close in. A point's
    distance to itself is infinite.
    """
    for b in range(distance_BN.shape[0]):
        row_N = distance_BN[b]
        nearest, total, others = row_N.min(), 0.0, 0
        for n in range(row_N.shape[0]):
            if row_N[n] < np.inf:
                row_N[n] -= nearest
                total += row_N[n]
                others += 1
        scale = total / others if total > 0 else 1.0
        weight_N = np.empty_like(row_N)
        # At the upper end, only points at the very smallest distance keep any weight.
        log, low, high, weights = 0.0, -30.0, 30.0, 1.0
        for _ in range(_NEWTON_STEPS):
            precision = np.exp(log)
            rate = -precision / scale
            weights, first, second = 0.0, 0.0, 0.0
            for n in range(row_N.shape[0]):
                if row_N[n] < np.inf:
                    weight, distance = np.exp(rate * row_N[n]), row_N[n] / scale
                    weight_N[n] = weight
                    weights += weight
                    first += weight * distance
                    second += weight * distance * distance
                else:
                    weight_N[n] = 0.0
            mean, square = first / weights, second / weights
            excess = np.log(weights) + precision * mean - target_entropy
            if abs(excess) < _ENTROPY_ERROR or high - low < 1e-9:
                break
            # Entropy falls as precision rises.
            if excess > 0:
                low = log
            else:
                high = log
            slope = max(precision * precision * max(square - mean * mean, 1e-300), 1e-300)
            newton = log + min(max(excess / slope, -60.0), 60.0)
            log = newton if low < newton < high else (low + high) / 2
        for n in range(row_N.shape[0]):
            row_N[n] = weight_N[n] / weights


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

    Source: van der Maaten and Hinton 2008, equations 4 and 5; for three dimensions van der Maaten
        2009, equation 4.
    """
    points_NE = points_NE.astype(np.float64)
    freedom = degrees_of_freedom(points_NE.shape[1])
    exponent = (freedom + 1) / 2
    total, entropy, attraction = 0.0, 0.0, 0.0
    step = max(1, _BLOCK_VALUES // len(points_NE))
    for start in range(0, len(points_NE), step):
        block = slice(start, start + step)
        distance_BN = cdist(points_NE[block], points_NE, "sqeuclidean") / freedom
        kernels = float(((1 + distance_BN) ** -exponent).sum())
        total += kernels - len(distance_BN)  # less each with itself
        entropy += float(xlogy(affinities_NN[block], affinities_NN[block]).sum())
        attraction += exponent * float((affinities_NN[block] * np.log1p(distance_BN)).sum())
    return entropy + attraction + math.log(total)
