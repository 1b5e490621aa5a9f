"""Whether a layer separates the sets, beyond simple statistics, or masked: decided by intervals.

A pure function of what probes told on photographs left out. The rules:

- *separates*: yes where the probe's whole interval lies above a line 10 % of the way from chance
  to certainty (40 % for three sets), no where it lies below, else not decided. The line is above
  chance because an accuracy that is above it by a point or two is of no use to anybody, and so
  that a layer without any information is found to be so, as an interval about chance lies below.
- *beyond simple statistics*: yes where the layer separates and the whole interval of its accuracy
  less that of the best trivial control lies above 0; no where the layer does not separate, or the
  interval lies below 2 points; else not decided.
- *masked by content*: the layer separates, content has a larger component of variance than
  degradation, and CHI's whole interval lies below 20 or the degradation component's below 10 %.

Choices are paid for. Which of a layer's views, which layer and which control is best is decided
for each photograph by the others, so that none is judged by the photographs that chose it. Where
candidates are about as good, that choice wavers; the interval therefore also holds the one of the
choice by all photographs, and the number printed is the lower of the two. Tests hold the coverage.

Suffixes: N images, P photographs, V views or candidates, K sets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ParameterError
from srscope.scores.photographs import (
    Interval,
    balanced,
    difference_interval,
    indices,
    share_interval,
)

MARGIN = 0.1
"""Part of the way from chance to 1 that the accuracy must lie above."""
EQUIVALENT = 0.02
"""A difference of accuracies known to be below this is none."""
CHI_LINE = 20.0
"""CHI from which the paper speaks of clusters."""
MASKED_BELOW = 0.1
"""Share of the degradation component below which degradation does not show among the variance."""
HOPELESS = 1000
"""More photographs than this are not asked for."""

Answer = Literal["yes", "no", "not decided"]
Beyond = Literal["yes", "no", "not decided", "not compared"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What the probe told of one layer or control, through each of its views.

    Args:
        name: Of the layer or control.
        views: Names of its views, e.g. ``"flattened"``, ``"channel means"``.
        told_VN: Whether the set of each image was told, with its photograph left out.
        chi: Mean CHI of the t-SNE maps with an interval; ``None`` where the design is not the
            paper's, for CHI depends on the number of images.
        degradation: Component of variance with its interval, or ``None`` where undefined.
        content: The same of content.
    """

    name: str
    views: tuple[str, ...]
    told_VN: NDArray[np.bool_]
    chi: Interval | None = None
    degradation: Interval | None = None
    content: Interval | None = None

    def __post_init__(self) -> None:
        """Check the shape."""
        if self.told_VN.ndim != 2 or len(self.told_VN) != len(self.views) or not self.views:
            rule = f"an array (views, images) of the {len(self.views)} views"
            raise ParameterError(f"told_VN of {self.name}", rule, self.told_VN.shape)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What is decided of a layer, or of a network by its best layer.

    Args:
        layer: Its name; of a network, the layer that is best on all photographs.
        view: The view that is best on all photographs.
        separates: Whether the sets are told apart.
        beyond_simple_statistics: Whether better than by any trivial control.
        masked_by_content: Whether they are, though the variance is content's.
        would_decide: What would decide what is not decided, or ``None``.
        accuracy: Of the probe, choices paid for.
        chance: 1 / K.
        line: The accuracy above which a layer separates.
        difference: Accuracy less that of the best control, choices paid for, or ``None``.
        control: The control that is best on all photographs, or ``None``.
    """

    layer: str
    view: str
    separates: Answer
    beyond_simple_statistics: Beyond
    masked_by_content: bool
    would_decide: str | None
    accuracy: Interval
    chance: float
    line: float
    difference: Interval | None
    control: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkDecision:
    """The decision on a network, and on each of its layers."""

    best: Decision
    layers: tuple[Decision, ...]


def decide(
    layers: Sequence[Told],
    controls: Sequence[Told],
    set_N: NDArray[np.integer[Any]],
    photograph_N: NDArray[np.integer[Any]],
    *,
    folds: int,
) -> NetworkDecision:
    """Decide what a network's layers show.

    Args:
        layers: What was told of each layer; at least one.
        controls: The same of each trivial control; may be empty.
        set_N: The set of each image.
        photograph_N: The photograph of each image.
        folds: Of the probes, all the same.

    Returns:
        The decision on the network, with the choice of its layer paid for, and that on every
        layer taken by itself. The network is masked where every layer that separates is.

    Raises:
        ParameterError: If there is no layer, or the images are not those of the design.
        DegenerateError: If there is one photograph only.

    Example:
        >>> set_N, photograph_N = np.arange(90) % 3, np.arange(90) // 9
        >>> right_1N, none_1N = np.ones((1, 90), dtype=bool), (np.arange(90) % 9 < 3)[None]
        >>> layer = Told(name="conv", views=("flattened",), told_VN=right_1N)
        >>> pixels = Told(name="pixels", views=("flattened",), told_VN=none_1N)
        >>> best = decide([layer], [pixels], set_N, photograph_N, folds=10).best
        >>> best.separates, best.beyond_simple_statistics
        ('yes', 'yes')
    """
    if not layers:
        raise ParameterError("layers", "one or more", 0)
    for each in (*layers, *controls):
        if each.told_VN.shape[1:] != set_N.shape or photograph_N.shape != set_N.shape:
            rule = f"one an image, shape {set_N.shape}"
            raise ParameterError(f"the images of {each.name}", rule, each.told_VN.shape[1:])
    judge = _Judge(
        set_N=set_N,
        photograph_N=photograph_N,
        folds=folds,
        rival=choose(controls, set_N, photograph_N) if controls else None,
    )
    each_layer = tuple(
        judge.decision(choose([layer], set_N, photograph_N), masked=_masked(layer))
        for layer in layers
    )
    separating = [
        _masked(layer)
        for layer, decision in zip(layers, each_layer, strict=True)
        if decision.separates == "yes"
    ]
    masked = bool(separating) and all(separating)
    best = judge.decision(choose(layers, set_N, photograph_N), masked=masked)
    return NetworkDecision(best=best, layers=each_layer)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """The best of some candidates: as all photographs say, and as the others say of each.

    Args:
        name: Of the best candidate on all photographs.
        view: Its view.
        by_all_N: Whether it told the set of each image.
        by_others_N: The same of the candidate that is best on all other photographs.
    """

    name: str
    view: str
    by_all_N: NDArray[np.float64]
    by_others_N: NDArray[np.float64]


def choose(
    candidates: Sequence[Told],
    set_N: NDArray[np.integer[Any]],
    photograph_N: NDArray[np.integer[Any]],
) -> Chosen:
    """Return the best of some candidates, with and without the photograph that is judged.

    Args:
        candidates: At least one.
        set_N: The set of each image.
        photograph_N: The photograph of each image.
    """
    names = [(each.name, view) for each in candidates for view in each.views]
    told_VN = np.concatenate([each.told_VN for each in candidates]).astype(np.float64)
    index_N = indices(photograph_N)
    class_N = np.unique(set_N, return_inverse=True)[1].reshape(-1)
    cells = (int(index_N.max()) + 1, int(class_N.max()) + 1)
    cell_N = index_N * cells[1] + class_N
    size_PK = np.bincount(cell_N, minlength=cells[0] * cells[1]).reshape(cells)
    right_VPK = np.stack(
        [np.bincount(cell_N, weights=told_N, minlength=size_PK.size) for told_N in told_VN]
    ).reshape(-1, *cells)
    # Rounded, so that of candidates that are equally good the first is taken.
    all_V = (right_VPK.sum(axis=1) / size_PK.sum(axis=0)).mean(axis=1).round(12)
    # Accuracy on all photographs but each; folds see to it that every set has another one.
    others_VPK = right_VPK.sum(axis=1, keepdims=True) - right_VPK
    others_VP = (others_VPK / np.maximum(size_PK.sum(axis=0) - size_PK, 1)).mean(axis=2)
    others_VP = others_VP.round(12)
    winner = int(all_V.argmax())
    name, view = names[winner]
    return Chosen(
        name=name,
        view=view,
        by_all_N=told_VN[winner],
        by_others_N=told_VN[others_VP.argmax(axis=0)[index_N], np.arange(len(index_N))],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judge:
    set_N: NDArray[np.integer[Any]]
    photograph_N: NDArray[np.integer[Any]]
    folds: int
    rival: Chosen | None

    def decision(self, chosen: Chosen, *, masked: bool) -> Decision:
        chance = 1 / len(np.unique(self.set_N))
        line = chance + MARGIN * (1 - chance)
        accuracy = hull(
            *(
                share_interval(balanced(told_N, self.set_N, self.photograph_N), folds=self.folds)
                for told_N in (chosen.by_others_N, chosen.by_all_N)
            )
        )
        difference = None
        if self.rival is not None:
            gaps = (
                chosen.by_others_N - self.rival.by_others_N,
                chosen.by_all_N - self.rival.by_all_N,
            )
            difference = hull(
                *(
                    difference_interval(
                        balanced(gap_N, self.set_N, self.photograph_N), folds=self.folds
                    )
                    for gap_N in gaps
                )
            )
        separates = _separates(accuracy, line)
        beyond = _beyond(separates, difference)
        return Decision(
            layer=chosen.name,
            view=chosen.view,
            separates=separates,
            beyond_simple_statistics=beyond,
            masked_by_content=masked and separates == "yes",
            would_decide=_would_decide(separates, beyond, accuracy, line, difference),
            accuracy=accuracy,
            chance=chance,
            line=line,
            difference=difference,
            control=self.rival.name if self.rival is not None else None,
        )


def hull(first: Interval, second: Interval) -> Interval:
    """Return the lower of two numbers with an interval that holds both intervals.

    A choice that wavers is judged worse than any candidate it wavers between, for each photograph
    is judged by what does well on the others. Of a difference of such choices, either may be the
    larger one: the smaller is the cautious one to print.
    """
    return Interval(
        value=min(first.value, second.value),
        low=min(first.low, second.low),
        high=max(first.high, second.high),
        photographs=first.photographs,
        reliable=first.reliable,
    )


def _separates(accuracy: Interval, line: float) -> Answer:
    if accuracy.low > line:
        return "yes"
    return "no" if accuracy.high < line else "not decided"


def _beyond(separates: Answer, difference: Interval | None) -> Beyond:
    if difference is None:
        return "not compared"
    if separates == "no":
        return "no"
    if difference.low > 0:
        return "yes" if separates == "yes" else "not decided"
    return "no" if difference.high < EQUIVALENT else "not decided"


def _masked(layer: Told) -> bool:
    """Return whether content hides what the layer tells, if it tells the sets apart."""
    degradation, content = layer.degradation, layer.content
    if degradation is None or content is None or content.value <= degradation.value:
        return False
    low_chi = layer.chi is not None and layer.chi.high < CHI_LINE
    return low_chi or degradation.high < MASKED_BELOW


def _would_decide(
    separates: Answer, beyond: Beyond, accuracy: Interval, line: float, difference: Interval | None
) -> str | None:
    """Return how many photographs would decide, if intervals shrink as 1 / sqrt(photographs)."""
    if separates == "not decided":
        return _more(
            _needed(accuracy, line, line), accuracy.photographs, "whether the sets are separated"
        )
    if beyond == "not decided" and difference is not None:
        needed = _needed(difference, 0.0, EQUIVALENT)
        return _more(needed, difference.photographs, "between the layer and a simple statistic")
    return None


def _needed(interval: Interval, above: float, below: float) -> float:
    """Return the photographs with which the low end reaches ``above``, or the high end ``below``.

    The smaller of the two, at the value there is.
    """
    value, ways = interval.value, [math.inf]
    if value > above:
        ways.append(((value - interval.low) / (value - above)) ** 2)
    if value < below:
        ways.append(((interval.high - value) / (below - value)) ** 2)
    return interval.photographs * min(ways)


def _more(needed: float, there_are: int, what: str) -> str:
    if needed > HOPELESS:
        return f"even {HOPELESS} photographs would not decide {what}: it is too close"
    # One more at the least: an end that just touches the line would be counted as reached.
    count = max(there_are + 1, math.ceil(needed))
    return f"about {count} photographs instead of {there_are} would decide {what}"
