"""Dose and response: from which level on features notice a degradation, and how the response grows.

The same contents are degraded at every level of a grid, and their clean versions are level 0. All
that is fitted leaves the photograph out that it is read on. Intervals draw whole photographs, and
fit the probes anew on every draw.

Suffixes: L levels without the clean one, E levels with it in front, M contents, N = E x M rows,
D features, B draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import isotonic_regression

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.agreement import spearman
from srscope.scores.fold import (
    Probe,
    Readable,
    scores_left_out,
    scores_refitted,
    shrinkage_lda,
)
from srscope.scores.photographs import Estimate, interval_of, photograph_counts
from srscope.scores.probe import COMPONENTS

NOTICED = 0.75
"""AUC at which a level counts as just noticeable."""
FLAT = 0.9
"""Share of the strongest level's displacement at which the response counts as saturated."""

Outcome = Literal["within the grid", "below the grid", "above the grid"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Threshold:
    """A level that a curve crosses, on a grid that may not reach it.

    Args:
        outcome: ``below the grid``: already the weakest level is beyond the crossing; ``above the
            grid``: not even the strongest is.
        level: The crossing, in the family's unit, where it is within the grid.
        low: Weak end of the 95 % interval; ``None`` where it is below the grid, or the interval
            lies above it.
        high: Strong end; ``None`` where it is above the grid, or the interval lies below it.
        low_outcome: Where the weak end is.
        high_outcome: Where the strong end is.
    """

    outcome: Outcome
    level: float | None
    low: float | None
    high: float | None
    low_outcome: Outcome
    high_outcome: Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseResponse:
    """How one reading of features answers to the levels of one degradation.

    Args:
        levels: Of the grid, weakest first, in the family's unit.
        auc: Of each level against clean, probability that the probe ranks a degraded image above a
            clean one; 0.5 is chance.
        d_prime: Distance of the two sets along the probe, in pooled standard deviations.
        displacement: Mean displacement along the axis from clean to the strongest level, from
            products between different photographs alone, so that no photograph helps to find the
            axis it is read on. In units of the features; 0 where there is no such axis.
        norm: Length of the mean displacement in all directions, from the same products, and so
            free of the length that noise adds; 0 where noise alone would give as much.
        threshold: The just noticeable level: AUC 0.75.
        monotonicity: Spearman's correlation of displacement and level, the clean one included.
        saturation: The level from which the response is flat: 90 % of the strongest level's
            displacement, if that lies a factor of 2 or more before the strongest level; else it is
            above the grid. ``None`` where the displacement along the axis does not grow at all.
    """

    levels: tuple[float, ...]
    auc: tuple[Estimate, ...]
    d_prime: tuple[Estimate, ...]
    displacement: tuple[Estimate, ...]
    norm: tuple[Estimate, ...]
    threshold: Threshold
    monotonicity: Estimate
    saturation: Threshold | None
    draws: Draws = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Draws:
    """The same for every draw of photographs, for paired differences between readings.

    Args:
        log_threshold_B: Natural logarithm of the just noticeable level, in steps from weak to
            strong: minus infinity below the grid, infinity above it.
        d_prime_BL: d' of each level.
    """

    log_threshold_B: NDArray[np.float64]
    d_prime_BL: NDArray[np.float64]


def dose_response(
    features_ND: NDArray[np.floating[Any]] | Readable,
    levels: Sequence[float],
    photograph_M: NDArray[np.integer[Any]],
    *,
    probe: Probe = shrinkage_lda,
    components: int = COMPONENTS,
    draws: int = 200,
    seed: int = 0,
    name: str = "features",
) -> DoseResponse:
    """Measure the response of features to a grid of levels.

    Args:
        features_ND: One row an image: all contents clean, then all at the first level, and so on,
            always in the same order; N = (levels + 1) x contents. Or the same made ready, where
            the inner products are at hand.
        levels: Degrees without the clean one, weakest first, above 0. Where a smaller degree is
            stronger (JPEG quality) they fall.
        photograph_M: The photograph of each content, any integers.
        probe: Tells each level from clean; fitted without the photograph it is read on.
        components: Principal components that the probe sees of wide features.
        draws: Of photographs, for the intervals.
        seed: Of the draws.
        name: What the features are, for messages.

    Raises:
        ParameterError: If the levels are not in order, or the rows do not match.
        DegenerateError: If there are fewer than 3 photographs, or the features are undefined.

    Example:
        >>> random = np.random.default_rng(0)
        >>> clean_MD, axis_D = random.normal(size=(40, 8)), np.eye(8)[0]
        >>> rows = [clean_MD + s * axis_D + random.normal(size=(40, 8)) for s in (0, 0.5, 1, 2, 4)]
        >>> found = dose_response(np.concatenate(rows), (0.5, 1, 2, 4), np.arange(40) // 4, draws=9)
        >>> found.threshold.outcome, found.monotonicity.value > 0.8
        ('within the grid', True)
    """
    level_L = _checked_levels(levels)
    contents = len(photograph_M)
    rows = (len(level_L) + 1) * contents
    if isinstance(features_ND, Readable):
        features, name = features_ND, features_ND.name
    else:
        features = Readable.of(features_ND, components=components, name=name)
    if features.count != rows:
        rule = f"{rows} rows: {contents} contents, clean and at {len(level_L)} levels"
        raise ParameterError(name, rule, features.count)
    count_BM = photograph_counts(photograph_M, draws=draws, seed=seed)
    # The data itself comes first.
    weight_BM = np.concatenate([np.ones((1, contents)), count_BM.astype(np.float64)])

    auc_BL, d_prime_BL = _read(features, len(level_L), photograph_M, weight_BM, probe, seed, name)
    along_BL, norm_BL = _displacements(
        _differences(features.products(), contents), photograph_M, weight_BM
    )

    crossing_B = np.array([_crossing(auc_L, NOTICED, level_L) for auc_L in auc_BL])
    rho_B = np.array([spearman(np.r_[0.0, row], np.arange(len(row) + 1.0)) for row in along_BL])
    return DoseResponse(
        levels=tuple(float(level) for level in level_L),
        auc=_estimates(auc_BL),
        d_prime=_estimates(d_prime_BL),
        displacement=_estimates(along_BL),
        norm=_estimates(norm_BL),
        threshold=_threshold(crossing_B, level_L),
        monotonicity=interval_of(float(rho_B[0]), rho_B[1:]),
        saturation=_saturation(along_BL, level_L),
        draws=Draws(log_threshold_B=crossing_B[1:], d_prime_BL=d_prime_BL[1:]),
    )


def _checked_levels(levels: Sequence[float]) -> NDArray[np.float64]:
    level_L = np.asarray(levels, dtype=np.float64)
    steps_L = np.diff(level_L)
    ordered = (steps_L > 0).all() or (steps_L < 0).all()
    if level_L.ndim != 1 or len(level_L) < 2 or not (level_L > 0).all() or not ordered:
        rule = "two or more numbers above 0, from the weakest to the strongest"
        raise ParameterError("levels", rule, tuple(levels), "the clean images are level 0 already")
    return level_L


def _read(
    features: Readable,
    levels: int,
    photograph_M: NDArray[np.integer[Any]],
    weight_BM: NDArray[np.float64],
    probe: Probe,
    seed: int,
    name: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return AUC and d' of every level, of the data first and then of each draw."""
    contents = len(photograph_M)
    clean = np.arange(contents)
    class_R, photograph_R = np.repeat(np.array([0, 1]), contents), np.tile(photograph_M, 2)
    count_BR = np.tile(weight_BM[1:].astype(np.int64), (1, 2))
    auc_BL, d_prime_BL = (np.empty((len(weight_BM), levels)) for _ in range(2))
    for level in range(levels):
        rows = np.concatenate([clean, (level + 1) * contents + clean])
        known = (features, rows, class_R, photograph_R)
        score_BR = np.concatenate(
            [
                scores_left_out(*known, probe=probe)[None],
                scores_refitted(*known, count_BR, probe=probe, seed=seed),
            ]
        )
        for draw, score_R in enumerate(score_BR):
            pair_2M = score_R.reshape(2, contents)
            auc_BL[draw, level] = _auc(pair_2M, weight_BM[draw])
            d_prime_BL[draw, level] = _d_prime(pair_2M, weight_BM[draw])
    if not np.isfinite(d_prime_BL[0]).all():
        why = "the probe gives all images of a set the same score"
        raise DegenerateError(f"d' of {name}", why, "give contents that differ")
    return np.clip(_centred(auc_BL), 0.0, 1.0), _centred(d_prime_BL)


def _auc(pair_2M: NDArray[np.float64], weight_M: NDArray[np.float64]) -> float:
    above_MM = (pair_2M[1][:, None] > pair_2M[0]) + 0.5 * (pair_2M[1][:, None] == pair_2M[0])
    return float(weight_M @ above_MM @ weight_M) / float(weight_M.sum()) ** 2


def _d_prime(pair_2M: NDArray[np.float64], weight_M: NDArray[np.float64]) -> float:
    mean_2 = np.average(pair_2M, axis=1, weights=weight_M)
    around_2M = (pair_2M - mean_2[:, None]) ** 2
    spread = float(np.average(around_2M, axis=1, weights=weight_M).mean())
    apart = float(mean_2[1] - mean_2[0])
    if apart == 0:  # a level that rounding to 8 bits leaves without effect
        return 0.0
    return apart / math.sqrt(spread) if spread > 0 else math.nan


def _centred(value_BL: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move the draws, which come after the data itself, so that their mean is its value.

    A draw repeats photographs and so fits its probes to fewer: it reads a little less.
    """
    moved_BL = value_BL.copy()
    moved_BL[1:] += value_BL[0] - np.nanmean(value_BL[1:], axis=0)
    return moved_BL


def _differences(products_NN: NDArray[np.float64], contents: int) -> NDArray[np.float64]:
    """Return inner products of every degraded image less its own clean version, (L, M, L, M)."""
    levels = len(products_NN) // contents
    whole_EMEM = products_NN.reshape(levels, contents, levels, contents)
    half = whole_EMEM[1:] - whole_EMEM[:1]
    return half[:, :, 1:] - half[:, :, :1]


def _displacements(
    moved_LMLM: NDArray[np.float64],
    photograph_M: NDArray[np.integer[Any]],
    weight_BM: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean displacement along the strongest one, and its length, (B, L) each."""
    other_MM = (photograph_M[:, None] != photograph_M).astype(np.float64)
    pairs_B = np.einsum("bm,bm->b", weight_BM @ other_MM, weight_BM)

    def product(one: int, other: int) -> NDArray[np.float64]:
        between_MM = moved_LMLM[one, :, other] * other_MM
        return np.einsum("bm,bm->b", weight_BM @ between_MM, weight_BM) / pairs_B

    levels = range(len(moved_LMLM))
    length_BL = np.sqrt(np.maximum(np.stack([product(i, i) for i in levels], axis=1), 0.0))
    towards_BL = np.stack([product(i, levels[-1]) for i in levels], axis=1)
    along_BL = np.zeros_like(towards_BL)
    np.divide(towards_BL, length_BL[:, -1:], out=along_BL, where=length_BL[:, -1:] > 0)
    return along_BL, length_BL


def _estimates(value_BL: NDArray[np.float64]) -> tuple[Estimate, ...]:
    return tuple(interval_of(float(column[0]), column[1:]) for column in value_BL.T)


def _crossing(curve_L: NDArray[np.float64], height: float, level_L: NDArray[np.float64]) -> float:
    """Return where a curve first reaches a height, as logarithm of strength.

    The curve is made rising first (isotonic regression), so that one dip does not decide; then it
    is interpolated linearly over the logarithm of the level.
    """
    log_L = np.abs(np.log(level_L / level_L[0]))  # distance from the weakest level
    rising_L = isotonic_regression(curve_L)
    if rising_L[0] >= height:
        return -math.inf
    if rising_L[-1] < height:
        return math.inf
    after = int(np.argmax(rising_L >= height))
    share = (height - rising_L[after - 1]) / (rising_L[after] - rising_L[after - 1])
    return float(log_L[after - 1] + share * (log_L[after] - log_L[after - 1]))


def _threshold(crossing_B: NDArray[np.float64], level_L: NDArray[np.float64]) -> Threshold:
    """Return the crossing of the data, which comes first, with the interval of the draws."""
    found = interval_of(float(crossing_B[0]), crossing_B[1:])
    sign = 1.0 if level_L[-1] > level_L[0] else -1.0

    def level_of(distance: float) -> float | None:
        return float(level_L[0] * math.exp(sign * distance)) if math.isfinite(distance) else None

    return Threshold(
        outcome=_outcome(found.value),
        level=level_of(found.value),
        low=level_of(found.low),
        high=level_of(found.high),
        low_outcome=_outcome(found.low),
        high_outcome=_outcome(found.high),
    )


def _outcome(distance: float) -> Outcome:
    if math.isfinite(distance):
        return "within the grid"
    return "above the grid" if distance > 0 else "below the grid"


def _saturation(along_BL: NDArray[np.float64], level_L: NDArray[np.float64]) -> Threshold | None:
    """Return where the displacement reaches 90 % of the strongest's, if well before it."""
    end = abs(math.log(level_L[-1] / level_L[0]))

    def flat_from(curve_L: NDArray[np.float64]) -> float:
        if not curve_L[-1] > 0:
            return math.nan
        reached = _crossing(curve_L / curve_L[-1], FLAT, level_L)
        return reached if reached <= end - math.log(2) else math.inf

    reached_B = np.array([flat_from(curve_L) for curve_L in along_BL])
    if math.isnan(reached_B[0]) or np.isnan(reached_B[1:]).all():
        return None
    return _threshold(reached_B, level_L)
