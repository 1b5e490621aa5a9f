"""How much more one network tells than another, image by image."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from srscope.errors import DegenerateError
from srscope.scores.decision import Candidate, nested
from srscope.scores.photographs import balanced, difference_interval
from srscope.study.record import Study


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
            told = [
                nested(_candidates(study), set_N, photograph_N)[0].astype(np.float64)
                for study in (one, other)
            ]
        except DegenerateError:  # no layer was probed, or all images are of one photograph
            continue
        interval = difference_interval(balanced(told[0] - told[1], set_N, photograph_N))
        found.append(
            Difference(
                first=first,
                second=second,
                value=interval.value,
                low=interval.low,
                high=interval.high,
                reliable=interval.reliable,
            )
        )
    return tuple(found)


def _candidates(study: Study) -> list[Candidate]:
    return [
        Candidate(name=layer.label, told_RN=layer.told_RN)
        for layer in study.layers
        if layer.told_RN is not None
    ]
