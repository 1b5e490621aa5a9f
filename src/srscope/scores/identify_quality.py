"""How well degradations are told: accuracy, levels, what is unknown, and how sure is right.

Intervals draw whole photographs; the classifiers are those of the held-out folds and are not
fitted anew.

Suffixes: N rows (images), T types, B draws, D features.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.neighbors import KNeighborsClassifier

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.identify import Labels, Told
from srscope.scores.photographs import Estimate, interval_of, photograph_counts
from srscope.scores.products import principal_points

BINS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class LevelError:
    """How far degrees are off, taking the type as known.

    Args:
        type: The type.
        absolute: Median absolute error, in the family's unit.
        relative: Median absolute error over the true degree, 0.1 for 10 %.
        rank: Spearman's correlation of true and told degree.
    """

    type: str
    absolute: Estimate
    relative: Estimate
    rank: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibrationBin:
    """Images told with about the same probability.

    Args:
        confidence: Mean probability of the type told.
        accuracy: Share of them told right.
        count: Images.
    """

    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Identification:
    """How well types and levels are told on held-out photographs and levels.

    Args:
        types: The types.
        accuracy: Balanced: mean over types of the share told right.
        chance: Of the same without looking: one over the types.
        confusion_TT: Share of images of each type (row) told as each type (column).
        levels: Errors of the degree, for types that have one.
        calibration: Bins of probability from low to high, without empty ones.
        calibration_error: Mean distance of confidence and accuracy over all images.
    """

    types: tuple[str, ...]
    accuracy: Estimate
    chance: float
    confusion_TT: NDArray[np.float64]
    levels: tuple[LevelError, ...]
    calibration: tuple[CalibrationBin, ...]
    calibration_error: float


def judge(told: Told, labels: Labels, *, draws: int = 1000, seed: int = 0) -> Identification:
    """Compare what was told with what was done.

    Args:
        told: What :func:`~srscope.scores.identify.tell_held_out` told of every image.
        labels: What was done.
        draws: Of photographs.
        seed: Of the draws.

    Raises:
        ParameterError: If an image is of a type that could not be told.
    """
    other = [name for name in labels.types if name not in told.types]
    if other:
        remedy = "judge unknown types with unknown_auc"
        raise ParameterError("labels", f"of the types {', '.join(told.types)}", other[0], remedy)
    true_N = np.array([told.types.index(name) for name in labels.type_N.tolist()])
    right_N = (told.type_N == true_N).astype(np.float64)
    count_BN = photograph_counts(labels.photograph_N, draws=draws, seed=seed)
    types = len(told.types)

    def balanced(weight_N: NDArray[Any]) -> float:
        shares = [np.average(right_N[true_N == t], weights=weight_N[true_N == t])
                  for t in range(types)]  # fmt: skip
        return float(np.mean(shares))

    confusion_TT = np.zeros((types, types))
    np.add.at(confusion_TT, (true_N, told.type_N), 1)
    confidence_N = told.probability_NT.max(axis=1)
    bins = _calibration(confidence_N, right_N)
    return Identification(
        types=told.types,
        accuracy=interval_of(
            balanced(np.ones(len(true_N))), np.array([balanced(row) for row in count_BN])
        ),
        chance=1 / types,
        confusion_TT=confusion_TT / confusion_TT.sum(axis=1, keepdims=True),
        levels=tuple(
            _level_error(name, told.level_NT[true_N == t, t], labels.at(true_N == t), draws, seed)
            for t, name in enumerate(told.types)
            if np.isfinite(told.level_NT[true_N == t, t]).all()
        ),
        calibration=bins,
        calibration_error=sum(abs(b.confidence - b.accuracy) * b.count for b in bins) / len(true_N),
    )


def _calibration(
    confidence_N: NDArray[np.float64], right_N: NDArray[np.float64]
) -> tuple[CalibrationBin, ...]:
    bin_N = np.minimum((confidence_N * BINS).astype(int), BINS - 1)
    return tuple(
        CalibrationBin(
            confidence=float(confidence_N[bin_N == b].mean()),
            accuracy=float(right_N[bin_N == b].mean()),
            count=int((bin_N == b).sum()),
        )
        for b in range(BINS)
        if (bin_N == b).any()
    )


def _level_error(
    name: str, told_N: NDArray[np.float64], labels: Labels, draws: int, seed: int
) -> LevelError:
    error_N = np.abs(told_N - labels.level_N)
    rank_2N = np.stack([rankdata(told_N), rankdata(labels.level_N)])
    count_BN = photograph_counts(labels.photograph_N, draws=draws, seed=seed)
    rows = [np.arange(len(told_N)), *(np.repeat(np.arange(len(c)), c) for c in count_BN)]
    absolute, relative, rank = (
        np.array(values)
        for values in (
            [np.median(error_N[r]) for r in rows],
            [np.median((error_N / labels.level_N)[r]) for r in rows],
            [np.corrcoef(rank_2N[:, r])[0, 1] for r in rows],
        )
    )
    return LevelError(
        type=name,
        absolute=interval_of(float(absolute[0]), absolute[1:]),
        relative=interval_of(float(relative[0]), relative[1:]),
        rank=interval_of(float(rank[0]), rank[1:]),
    )


def unknown_auc(
    distance_N: NDArray[np.float64],
    unknown_N: NDArray[np.bool_],
    photograph_N: NDArray[np.integer[Any]],
    *,
    draws: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return how well distance tells what is unknown from what is known.

    Args:
        distance_N: Distance of every image from what is known.
        unknown_N: Whether it is of a family that was held out.
        photograph_N: Its photograph.
        draws: Of photographs.
        seed: Of the draws.

    Returns:
        AUROC: probability that an unknown image lies farther away than a known one; 0.5 is chance.

    Raises:
        DegenerateError: If all images are known, or none is.

    Example:
        >>> distance, unknown = np.array([1.0, 2.0, 3.0, 4.0] * 2), np.array([False, True] * 4)
        >>> unknown_auc(distance, unknown, np.arange(8) // 2).value
        0.75
    """
    if unknown_N.all() or not unknown_N.any():
        which = "unknown" if unknown_N.all() else "known"
        raise DegenerateError("the AUROC of unknown", f"all images are {which}")
    far, near = distance_N[unknown_N], distance_N[~unknown_N]
    above = (far[:, None] > near) + 0.5 * (far[:, None] == near)

    def auc(weight_N: NDArray[Any]) -> float:
        one, other = weight_N[unknown_N], weight_N[~unknown_N]
        size = one.sum() * other.sum()
        return float(one @ above @ other) / float(size) if size else math.nan

    count_BN = photograph_counts(photograph_N, draws=draws, seed=seed)
    drawn = np.array([auc(row) for row in count_BN])
    return interval_of(auc(np.ones(len(distance_N))), drawn)


def knn_accuracy_of_splits(
    products_NN: NDArray[np.float64],
    type_N: NDArray[np.str_],
    photograph_N: NDArray[np.integer[Any]],
    *,
    k: int = 5,
    splits: int = 5,
    train: float = 0.67,
    components: int = 50,
    seed: int = 0,
) -> tuple[float, ...]:
    """Return the accuracy of nearest neighbours on random divisions into 67 % and 33 %.

    The protocol is that of DCPT, 5-NN on five divisions, but whole photographs are divided: crops
    of one photograph on both sides would find each other.

    Args:
        products_NN: Inner products of the features.
        type_N: The type of every image.
        photograph_N: Its photograph.
        k: Neighbours that vote.
        splits: Divisions.
        train: Share of the photographs to fit on.
        components: Principal components, fitted on these.
        seed: Of the divisions.

    Returns:
        One accuracy a division, in [0, 1].

    Raises:
        DegenerateError: If there are fewer than 3 photographs.

    Source: Hu et al., "Universal Image Restoration Pre-training via Degradation Classification",
    ICLR 2025.
    """
    photographs: Sequence[Any] = np.unique(photograph_N).tolist()
    if len(photographs) < 3:
        why = f"{len(photographs)} photographs cannot be divided into 67 % and 33 %"
        raise DegenerateError("the k-NN accuracy", why, "give more photographs")
    random = np.random.default_rng(seed)
    size = min(len(photographs) - 1, max(1, round(train * len(photographs))))
    found: list[float] = []
    for _ in range(splits):
        inside_N = np.isin(photograph_N, random.permutation(photographs)[:size])
        rows, other = np.flatnonzero(inside_N), np.flatnonzero(~inside_N)
        points, others = principal_points(products_NN, rows, other, components=components)
        model = KNeighborsClassifier(n_neighbors=k).fit(points, type_N[rows])
        found.append(float((model.predict(others) == type_N[other]).mean()))
    return tuple(found)
