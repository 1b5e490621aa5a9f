"""Whether two measurements put sets in the same order. Suffixes: B draws of photographs, K sets."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.photographs import Estimate, interval_of

_ALL_ORDERS = 7  # sets up to which every order is tried: 5,040 of them
_SHUFFLES = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """Whether two measurements put the same sets in the same order.

    Args:
        rho: Spearman's rank correlation over the sets, with its interval over photographs: that
            of these sets. It does not cover which sets were chosen.
        p_value: Share of all orders of the sets that agree as much or more, in either direction.
        sets: How many sets were compared.
    """

    rho: Estimate
    p_value: float
    sets: int


def spearman(one_K: NDArray[np.floating[Any]], other_K: NDArray[np.floating[Any]]) -> float:
    """Return Spearman's rank correlation; NaN where one of the two is the same everywhere.

    Example:
        >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 100.0]))
        1.0
    """
    ranks = [rankdata(each) for each in (one_K, other_K)]
    centred = [rank - rank.mean() for rank in ranks]
    size = math.sqrt(float((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float(centred[0] @ centred[1]) / size if size > 0 else math.nan


def agreement(
    one_K: NDArray[np.floating[Any]],
    other_K: NDArray[np.floating[Any]],
    one_BK: NDArray[np.floating[Any]],
    other_BK: NDArray[np.floating[Any]],
    *,
    seed: int = 0,
) -> Agreement:
    """Compare the order of sets by two measurements, e.g. feature shift and loss of quality.

    Args:
        one_K: The first measurement of every set.
        other_K: The second.
        one_BK: The first, for every draw of photographs.
        other_BK: The second, for the same draws.
        seed: Of the orders tried, where there are more than 7 sets.

    Raises:
        DegenerateError: If there are fewer than 3 sets, or a measurement is the same for all.

    Example:
        >>> rising = np.array([1.0, 2.0, 3.0, 4.0])
        >>> found = agreement(rising, rising**2, np.stack([rising] * 5), np.stack([rising] * 5))
        >>> found.rho.value, round(found.p_value, 3)  # two of 24 orders
        (1.0, 0.083)
    """
    sets = len(one_K)
    if sets < 3:
        why = f"there are {sets} sets, and their order says nothing"
        raise DegenerateError("the rank correlation", why, "give 3 sets or more")
    rho = spearman(one_K, other_K)
    if math.isnan(rho):
        raise DegenerateError("the rank correlation", "one measurement is the same for all sets")
    rho_B = np.array([spearman(a, b) for a, b in zip(one_BK, other_BK, strict=True)])
    if sets <= _ALL_ORDERS:
        order_OK = np.array(list(itertools.permutations(range(sets))))
        extra = 0
    else:
        random = np.random.default_rng(seed)
        order_OK = random.permuted(np.tile(np.arange(sets), (_SHUFFLES, 1)), axis=1)
        extra = 1  # the order as it is
    rank_2K = np.stack([rankdata(each) for each in (one_K, other_K)])
    rank_2K = rank_2K - rank_2K.mean(axis=1, keepdims=True)
    size = math.sqrt(float(np.prod((rank_2K**2).sum(axis=1))))
    rho_O = rank_2K[1][order_OK] @ rank_2K[0] / size
    as_much = int((np.abs(rho_O) >= abs(rho) - 1e-12).sum())
    return Agreement(
        rho=interval_of(rho, rho_B),
        p_value=(as_much + extra) / (len(order_OK) + extra),
        sets=sets,
    )


def acceptance_rate(
    quality_K: NDArray[np.floating[Any]], line_K: NDArray[np.floating[Any]]
) -> float:
    """Return the share of degradations that a network restores at least as well as a line.

    SEAL draws its acceptance line with small networks, one trained for each degradation. Give
    their quality as the line where you have such networks. The analyses here have none and take
    bicubic enlargement of the same degraded input: a lower line, so the rates are no SEAL numbers.

    Args:
        quality_K: The network's quality on each degradation; higher is better.
        line_K: The line's.

    Raises:
        ParameterError: If the two do not match.
        DegenerateError: If there is no degradation, or a number is not finite.

    Source: Zhang et al., "SEAL: A Framework for Systematic Evaluation of Real-World
    Super-Resolution", ICLR 2024, section 4: acceptance rate.

    Example:
        >>> acceptance_rate(np.array([30.0, 20.0]), np.array([28.0, 24.0]))
        0.5
    """
    if quality_K.shape != line_K.shape:
        raise ParameterError("line_K", f"one a degradation, {quality_K.shape}", line_K.shape)
    if not len(quality_K) or not (np.isfinite(quality_K).all() and np.isfinite(line_K).all()):
        raise DegenerateError("the acceptance rate", "a quality is missing or not finite")
    return float((quality_K >= line_K).mean())
