"""What may be said of a network's features: a decision from intervals over photographs.

Everything rests on which images a probe told when their whole photograph was left out. Where the
best of several is reported (the best layer, reading or control), it is chosen anew for every
photograph on all the others, so that the choice is paid for.

Suffixes: N images, R readings of the probe, E entries (layers or controls), P photographs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError
from srscope.scores.photographs import (
    Interval,
    balanced,
    difference_interval,
    indices,
    share_interval,
)

MARGIN = 0.1
"""A layer separates from this part of the way from chance to 100 % on: 40 % for three sets."""
EQUIVALENT = 0.05
"""A network is no better than a simple statistic where at most this much is between them."""
MASKED = 10.0
"""Degradation is masked where the content's component of variance is this many times its own."""

Answer = Literal["yes", "no", "not decided"]
Comparison = Literal["yes", "no", "not decided", "not compared"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A layer or a control, and what each reading of its probe told.

    Args:
        name: What it is called.
        told_RN: Whether the set of each image was told, by reading.
    """

    name: str
    told_RN: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What the intervals allow to be said.

    Args:
        separates: Whether the whole interval of the probe lies above chance by the margin.
        beyond_simple_statistics: Whether the whole interval of the difference to the best simple
            statistic lies above 0.
        accuracy: Balanced accuracy of the probe, with its interval.
        best_control: The most accurate simple statistic; empty where none was compared.
        control: Its accuracy.
        difference: The network's accuracy less the control's, image by image.
        photographs_needed: So many photographs would decide what is not decided, by the
            interval's width; ``None`` where all is decided.
    """

    separates: Answer
    beyond_simple_statistics: Comparison
    accuracy: Interval
    best_control: str = ""
    control: Interval | None = None
    difference: Interval | None = None
    photographs_needed: int | None = None


def line_above_chance(sets: int) -> float:
    """Return the accuracy that a probe must exceed.

    Example:
        >>> round(line_above_chance(3), 3)
        0.4
    """
    return 1 / sets + MARGIN * (1 - 1 / sets)


def decide(
    layers: Sequence[Candidate],
    controls: Sequence[Candidate],
    set_N: NDArray[np.integer[Any]],
    photograph_N: NDArray[np.integer[Any]],
    *,
    folds: int = 0,
) -> Decision:
    """Say whether the best of some layers separates the sets, and beyond simple statistics.

    Args:
        layers: One, or several of which the best counts.
        controls: Simple statistics of the same images; may be none.
        set_N: The set of each image.
        photograph_N: The photograph of each image.
        folds: How many groups of photographs the probe left out in turn.

    Raises:
        DegenerateError: If all images are of one photograph.

    Example:
        >>> set_N, photograph_N = np.arange(120) % 3, np.arange(120) // 6
        >>> told_RN = np.ones((1, 120), dtype=bool)
        >>> chance_RN = (np.arange(120) % 7 < 2)[None]
        >>> layer, control = (
        ...     Candidate(name=n, told_RN=t) for n, t in (("deep", told_RN), ("simple", chance_RN))
        ... )
        >>> found = decide([layer], [control], set_N, photograph_N)
        >>> found.separates, found.beyond_simple_statistics, found.best_control
        ('yes', 'yes', 'simple')
    """
    told_N, _ = nested(layers, set_N, photograph_N)
    accuracy = share_interval(balanced(told_N, set_N, photograph_N), folds=folds)
    line = line_above_chance(len(np.unique(set_N)))
    separates: Answer = (
        "yes" if accuracy.low > line else "no" if accuracy.high < line else "not decided"
    )
    needed = _needed(accuracy, line) if separates == "not decided" else None
    if not controls:
        return Decision(
            separates=separates,
            beyond_simple_statistics="not compared",
            accuracy=accuracy,
            photographs_needed=needed,
        )
    control_N, best = nested(controls, set_N, photograph_N)
    control = share_interval(balanced(control_N, set_N, photograph_N), folds=folds)
    gap_N = told_N.astype(np.float64) - control_N
    difference = difference_interval(balanced(gap_N, set_N, photograph_N), folds=folds)
    beyond: Comparison = "not decided"
    if difference.low > 0:
        beyond = "yes"
    elif difference.high < EQUIVALENT:
        beyond = "no"
    if beyond == "not decided":
        nearest = 0.0 if difference.value > EQUIVALENT / 2 else EQUIVALENT
        needed = max(needed or 0, _needed(difference, nearest))
    return Decision(
        separates=separates,
        beyond_simple_statistics=beyond,
        accuracy=accuracy,
        best_control=best,
        control=control,
        difference=difference,
        photographs_needed=needed,
    )


def nested(
    candidates: Sequence[Candidate],
    set_N: NDArray[np.integer[Any]],
    photograph_N: NDArray[np.integer[Any]],
) -> tuple[NDArray[np.bool_], str]:
    """Return what the best candidate told of each photograph, chosen on all the others.

    Args:
        candidates: One or more; each reading of each competes.
        set_N: The set of each image.
        photograph_N: The photograph of each image.

    Returns:
        What was told of each image, and the name of the best candidate over all photographs.

    Raises:
        DegenerateError: If there is no candidate, or all images are of one photograph.
    """
    if not candidates:
        raise DegenerateError("the best candidate", "there is none to choose from")
    index_N = indices(photograph_N)
    told_EN = np.concatenate([each.told_RN for each in candidates]).astype(np.float64)
    names = [each.name for each in candidates for _ in each.told_RN]
    _, class_N = np.unique(set_N, return_inverse=True)
    class_N = class_N.reshape(-1)
    photographs, sets = int(index_N.max()) + 1, int(class_N.max()) + 1
    cell_N = index_N * sets + class_N
    cells = photographs * sets
    count_PK = np.bincount(cell_N, minlength=cells).reshape(photographs, sets)
    right_EPK = np.stack(
        [np.bincount(cell_N, weights=told_N, minlength=cells) for told_N in told_EN]
    ).reshape(len(told_EN), photographs, sets)
    others_PK = count_PK.sum(axis=0) - count_PK
    with np.errstate(divide="ignore", invalid="ignore"):  # a set of this photograph alone
        share_EPK = (right_EPK.sum(axis=1, keepdims=True) - right_EPK) / others_PK
    best_P = np.nanmean(share_EPK, axis=2).argmax(axis=0)
    total_E = (right_EPK.sum(axis=1) / count_PK.sum(axis=0)).mean(axis=1)
    told_N = told_EN[best_P[index_N], np.arange(len(index_N))] > 0
    return told_N, names[int(total_E.argmax())]


def is_masked(
    separates: Answer, degradation: float | None, content: float | None, chi: float
) -> bool:
    """Tell whether what a probe finds is hidden under content.

    Args:
        separates: What the probe says.
        degradation: Unbiased component of the degradation; ``None`` where it cannot be had.
        content: The content's.
        chi: CHI of the t-SNE map, which decides where there are no components.

    Example:
        >>> is_masked("yes", 0.007, 0.86, 0.03), is_masked("yes", 0.11, 0.10, 237.0)
        (True, False)
    """
    if separates != "yes":
        return False
    if degradation is None or content is None:
        return not chi >= 20.0
    return content > MASKED * degradation


def _needed(interval: Interval, line: float) -> int:
    """Return how many photographs make an interval so narrow that it leaves the line."""
    half = (interval.high - interval.low) / 2
    away = max(abs(interval.value - line), 0.01)
    return math.ceil(interval.photographs * max(1.0, (half / away) ** 2))
