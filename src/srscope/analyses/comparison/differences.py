"""How much more one network tells than another, image by image."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from srscope.errors import DegenerateError
from srscope.scores.decision import Told, choose
from srscope.scores.photographs import balanced, difference_interval
from srscope.scores.probe import FOLDS
from srscope.study.record import Study
from srscope.study.verdict import told_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Of two networks: accuracy of the first's best layer less that of the second's.

    Args:
        first: Name of a network.
        second: Name of the other one.
        value: The difference of balanced accuracies, from -1 to 1.
        low: Lower end of its 95 % interval over photographs.
        high: Upper end.
        reliable: There are 8 photographs or more.
    """

    first: str
    second: str
    value: float
    low: float
    high: float
    reliable: bool


def differences(studies: Sequence[tuple[str, Study]]) -> tuple[Difference, ...]:
    """Return the difference of each two networks that were fed the same photographs.

    The best layer and reading of each are chosen for every photograph on all the others. Networks
    of different scales are shown different crops: they are not compared image by image, and left
    out here.

    Args:
        studies: (name, study) of each network.
    """
    found: list[Difference] = []
    for (first, one), (second, other) in itertools.combinations(studies, 2):
        same = (
            one.inputs.contents == other.inputs.contents
            and one.network.scale == other.network.scale
            and np.array_equal(one.inputs.set_N, other.inputs.set_N)
            and np.array_equal(one.inputs.content_N, other.inputs.content_N)
        )
        if not same:
            continue
        set_N, photograph_N = one.inputs.set_N, one.inputs.photograph_N
        try:
            candidates = [_candidates(study) for study in (one, other)]
            if not all(candidates):  # no layer was probed
                continue
            best = [choose(each, set_N, photograph_N) for each in candidates]
        except DegenerateError:  # all images are of one photograph
            continue
        paid, plain = (
            difference_interval(balanced(gap_N, set_N, photograph_N), folds=FOLDS)
            for gap_N in (
                best[0].by_others_N - best[1].by_others_N,
                best[0].by_all_N - best[1].by_all_N,
            )
        )
        found.append(
            Difference(
                first=first,
                second=second,
                value=paid.value,
                low=min(paid.low, plain.low),
                high=max(paid.high, plain.high),
                reliable=paid.reliable,
            )
        )
    return tuple(found)


def _candidates(study: Study) -> list[Told]:
    return [told for layer in study.layers if (told := told_of(layer)) is not None]
