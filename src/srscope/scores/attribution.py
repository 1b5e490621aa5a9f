"""What a map of attributions says in one number: how far it spreads, and how alike two maps are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from srscope.errors import DegenerateError, ParameterError

Floats = NDArray[np.floating[Any]]


def diffusion_index(map_values: Floats) -> float:
    """Return how evenly a map spreads over its pixels: ``(1 - Gini) * 100``.

    Args:
        map_values: 0 or more each, in any shape.

    Returns:
        100 for a map that is the same everywhere, ``100 / n`` for one that is above 0 at one of
        its n pixels only.

    Raises:
        ParameterError: If a value is below 0 or not finite.
        DegenerateError: If all values are 0.

    Source: Gu and Dong 2021, equations 7 and 8.

    Example:
        >>> diffusion_index(np.ones((4, 4))), diffusion_index(np.eye(1, 16))
        (100.0, 6.25)
    """
    values_N = np.sort(np.asarray(map_values, np.float64).ravel())
    if not len(values_N) or not np.isfinite(values_N).all() or values_N[0] < 0:
        raise ParameterError("map_values", "finite numbers, 0 or more", map_values)
    total = float(values_N.sum())
    if total == 0:
        raise DegenerateError("the diffusion index", "the map is 0 everywhere")
    count = len(values_N)
    gini = float((2 * np.arange(1, count + 1) - count - 1) @ values_N) / (count * total)
    return (1 - gini) * 100


def rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's rank correlation of two maps, where at least one of them is above 0.

    Pixels that both maps leave at 0, such as those beyond a network's receptive field, would make
    any two maps alike; they do not count.

    Args:
        one: A map, 0 or more.
        other: Another one of the same shape.

    Raises:
        ParameterError: If the shapes differ.
        DegenerateError: If a map is the same everywhere.

    Example:
        >>> round(rank_correlation(np.array([1.0, 2, 3, 0]), np.array([10.0, 20, 90, 0])), 9)
        1.0
    """
    if one.shape != other.shape:
        raise ParameterError("the maps", "of the same shape", (one.shape, other.shape))
    counts = (one > 0) | (other > 0)
    ranks_2N = np.stack([rankdata(each[counts]) for each in (one, other)])
    ranks_2N -= ranks_2N.mean(axis=1, keepdims=True) if ranks_2N.size else 0.0
    norms = np.linalg.norm(ranks_2N, axis=1)
    if not norms.all():
        raise DegenerateError("the rank correlation", "a map is the same everywhere")
    return float(np.clip(ranks_2N[0] @ ranks_2N[1] / norms.prod(), -1.0, 1.0))
