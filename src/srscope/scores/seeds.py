"""Training seeds as a random effect: means over seeds, differences of recipes, equal PSNR.

A recipe's networks differ in the seed alone, and all are shown the same photographs. Another
study would draw other seeds and other photographs, so that a mean over seeds varies with both. The
spread over seeds is seen directly and has Student's interval. The photographs are shared by all
networks: their part is that of the mean over networks, photograph by photograph, with Student's
quantile too. The two are independent, so the half width of the interval is the root of the sum of
their squares (the method of variance estimates recovery). What seeds and photographs do together
is in both parts, so that the interval is rather too wide than too narrow.

Differences of two recipes with the same seeds are taken seed by seed, for a seed decides initial
weights and crops in both; else the two means are subtracted, with Welch's degrees of freedom.

Suffixes: S seeds, T checkpoints.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.influence import Influenced, mean_of
from srscope.scores.photographs import LEVEL

MATCHED_PSNR = 0.1
"""dB up to which the PSNR of two networks counts as matched."""
_TAIL = (1 + LEVEL) / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class OverSeeds:
    """A mean over training seeds, or a difference of two, with its 95 % interval.

    Args:
        value: The mean or the difference.
        low: Lower end.
        high: Upper end.
        of_seeds: Half the width that the seeds alone make.
        of_photographs: Half the width that the photographs alone make; 0 where they are given.
        seeds: How many seeds each side has.
        paired: A difference that was taken seed by seed.
    """

    value: float
    low: float
    high: float
    of_seeds: float
    of_photographs: float
    seeds: tuple[int, ...]
    paired: bool = False


def half_width(values_S: NDArray[np.float64]) -> float:
    """Return half of Student's interval of a mean over seeds.

    Raises:
        DegenerateError: If there are fewer than 2.

    Example:
        >>> round(half_width(np.array([1.0, 2.0, 3.0])), 3)
        2.484
    """
    if len(values_S) < 2:
        why = f"there is {len(values_S)} seed"
        raise DegenerateError("an interval over seeds", why, "train with five seeds or more")
    error = float(values_S.std(ddof=1)) / math.sqrt(len(values_S))
    return float(stdtrit(len(values_S) - 1, _TAIL)) * error


def mean_over_seeds(values_S: Sequence[float]) -> OverSeeds:
    """Return the mean of a score over seeds; its interval is for the photographs as they are.

    Raises:
        DegenerateError: If there are fewer than 2 seeds.

    Example:
        >>> mean = mean_over_seeds([1.0, 2.0, 3.0])
        >>> mean.value, round(mean.low, 2), round(mean.high, 2)
        (2.0, -0.48, 4.48)
    """
    half = half_width(np.asarray(values_S, dtype=np.float64))
    return _result(float(np.mean(values_S)), half, 0.0, (len(values_S),))


def difference(first: Mapping[int, Influenced], second: Mapping[int, Influenced]) -> OverSeeds:
    """Return the first recipe's mean less the second's, seeds and photographs being random.

    Args:
        first: A score of each network of a recipe, by seed.
        second: Of the other recipe's networks, on the same photographs.

    Raises:
        DegenerateError: If a recipe has fewer than 2 seeds.
        ParameterError: If the photographs are not equally many.

    Source: Welch 1947; Zou and Donner 2008 (recovered variance estimates).

    Example:
        >>> still_P = np.zeros(8)
        >>> one = {s: Influenced(value=s + 1.0, influence_P=still_P) for s in (1, 2, 3)}
        >>> two = {s: Influenced(value=float(s), influence_P=still_P) for s in (1, 2, 3)}
        >>> gap = difference(one, two)
        >>> gap.value, gap.low, gap.high, gap.paired
        (1.0, 1.0, 1.0, True)
    """
    one_S, two_S = (np.array([each.value for each in side.values()]) for side in (first, second))
    paired = first.keys() == second.keys()
    if paired:
        half = half_width(np.array([first[s].value - second[s].value for s in first]))
    else:
        half = math.hypot(*(_standard_error(values_S) for values_S in (one_S, two_S)))
        half *= float(stdtrit(_welch(one_S, two_S), _TAIL)) if half else 0.0
    gap = mean_of(list(first.values())).less(mean_of(list(second.values())))
    freedom = max(1, len(gap.influence_P) - 1)
    photographs = float(stdtrit(freedom, _TAIL)) * gap.deviation
    return _result(gap.value, half, photographs, (len(one_S), len(two_S)), paired=paired)


def _standard_error(values_S: NDArray[np.float64]) -> float:
    half_width(values_S)  # refuses fewer than two
    return float(values_S.std(ddof=1)) / math.sqrt(len(values_S))


def _welch(one_S: NDArray[np.float64], two_S: NDArray[np.float64]) -> float:
    """Return Welch's degrees of freedom; one of the two varies."""
    squares = [_standard_error(values_S) ** 2 for values_S in (one_S, two_S)]
    sizes = (len(one_S), len(two_S))
    return sum(squares) ** 2 / sum(
        square**2 / (size - 1) for square, size in zip(squares, sizes, strict=True)
    )


def _result(
    value: float, seeds: float, photographs: float, counts: tuple[int, ...], *, paired: bool = False
) -> OverSeeds:
    half = math.hypot(seeds, photographs)
    return OverSeeds(
        value=value,
        low=value - half,
        high=value + half,
        of_seeds=seeds,
        of_photographs=photographs,
        seeds=counts,
        paired=paired,
    )


def matched(psnr_T: Sequence[float], wanted: float) -> int:
    """Return which checkpoint of a training has the PSNR of another network.

    The one whose PSNR is nearest, but the latest of those within ``MATCHED_PSNR`` of it.

    Args:
        psnr_T: Of the checkpoints, the earliest first.
        wanted: Of the other network.

    Raises:
        ParameterError: If there is no checkpoint.

    Example:
        >>> matched([26.0, 27.0, 27.1, 28.0], 27.04), matched([26.0, 28.0], 27.4)
        (2, 1)
    """
    if not len(psnr_T):
        raise ParameterError("psnr_T", "of one checkpoint or more", psnr_T)
    gap_T = np.abs(np.asarray(psnr_T, dtype=np.float64) - wanted)
    near = np.flatnonzero(gap_T <= MATCHED_PSNR)
    return int(near[-1]) if len(near) else int(gap_T.argmin())
