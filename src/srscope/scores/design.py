"""What can be scored in a design, and why the rest cannot.

A design is which image is in which set, shows which content, and was cut from which photograph.
Patches of one photograph are alike for reasons that have nothing to do with the sets: they are
never each other's neighbours in a score, and never shuffled apart in a test.

Suffixes: N images, P photographs, K sets.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.scores.null import FEWEST_TURNED
from srscope.scores.variance import is_crossed

NEIGHBOURS = 5
"""Neighbours that vote in k-NN accuracy."""
ATTAINABLE = 0.05
"""A test whose smallest possible p-value is above this cannot find anything and is left out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """Which scores the images allow.

    Args:
        crossed: Every content appears once in every set.
        kin_N: Images with the same number here are never each other's neighbours: those of one
            content in a crossed design, else those of one photograph.
        unit_N: Images that keep a common label when labels are shuffled, where the design is not
            crossed: those of one photograph.
        left_out: (score, why) of every score that is undefined; scores are named as in
            ``scores.json``: ``variance``, ``knn_accuracy``, ``p_value``.
    """

    crossed: bool
    kin_N: NDArray[np.int64]
    unit_N: NDArray[np.int64]
    left_out: tuple[tuple[str, str], ...]

    def defines(self, score: str) -> bool:
        """Whether this score is not left out."""
        return score not in dict(self.left_out)


def design(
    set_N: NDArray[np.integer[Any]],
    content_N: NDArray[np.integer[Any]],
    photograph_N: NDArray[np.integer[Any]],
) -> Design:
    """Say what can be scored.

    Args:
        set_N: The set of each image.
        content_N: The content of each image.
        photograph_N: The photograph each image was cut from.

    Example:
        >>> two_folders = np.array([0, 0, 0, 0, 1, 1, 1, 1])
        >>> two_photographs_each = np.array([0, 0, 1, 1, 2, 2, 3, 3])
        >>> for score, why in design(two_folders, np.arange(8), two_photographs_each).left_out:
        ...     print(f"{score}: {why}")
        variance: the sets do not share their contents
        p_value: with 2 and 2 photographs a set, no shuffling of whole photographs gives a p-value
            below 0.33; give more photographs
    """
    photograph_N = np.unique(photograph_N, return_inverse=True)[1].reshape(-1).astype(np.int64)
    if is_crossed(set_N, content_N):
        kin_N = content_N.astype(np.int64)
        few = _few_neighbours(kin_N, "content")
        left_out = [("knn_accuracy", few)] if few else []
        if (count := int(photograph_N.max()) + 1) < FEWEST_TURNED:
            why = f"it needs {FEWEST_TURNED} photographs, there are {count}"
            left_out.append(("p_value", why))
        return Design(crossed=True, kin_N=kin_N, unit_N=photograph_N, left_out=tuple(left_out))
    pairs = {(int(p), int(k)) for p, k in zip(photograph_N, set_N, strict=True)}
    photographs_K = Counter(k for _, k in pairs)
    left_out = [("variance", "the sets do not share their contents")]
    if min(photographs_K.values()) < 2:
        why = "a set is of one photograph alone, whose patches are never each other's neighbours"
    else:
        why = _few_neighbours(photograph_N, "photograph")
    if why:
        left_out.append(("knn_accuracy", why))
    if len(pairs) > len({p for p, _ in pairs}):
        why = "some sets share photographs and others do not, so labels cannot be exchanged"
        left_out.append(("p_value", why))
    elif (least := smallest_p_value(list(photographs_K.values()))) > ATTAINABLE:
        counts = " and ".join(str(photographs_K[k]) for k in sorted(photographs_K))
        why = (
            f"with {counts} photographs a set, no shuffling of whole photographs gives a p-value "
            f"below {least:.2g}; give more photographs"
        )
        left_out.append(("p_value", why))
    return Design(crossed=False, kin_N=photograph_N, unit_N=photograph_N, left_out=tuple(left_out))


def _few_neighbours(kin_N: NDArray[np.int64], kind: str) -> str:
    """Return why k-NN accuracy is undefined for want of neighbours, or nothing."""
    others = len(kin_N) - int(np.bincount(np.unique(kin_N, return_inverse=True)[1]).max())
    if others >= NEIGHBOURS:
        return ""
    return f"an image has only {others} others of a different {kind}, and {NEIGHBOURS} of them vote"


def smallest_p_value(photographs_K: list[int]) -> float:
    """Return the smallest p-value that shuffling the sets of whole photographs can give.

    That is the share of shuffles that leave the sets as they are, but perhaps for their names.

    Args:
        photographs_K: Photographs in each set.

    Example:
        >>> smallest_p_value([3, 3]), round(smallest_p_value([4, 5]), 4)
        (0.1, 0.0079)
    """
    ways = math.factorial(sum(photographs_K))
    for count in photographs_K:
        ways //= math.factorial(count)
    renamed = math.prod(math.factorial(times) for times in Counter(photographs_K).values())
    return renamed / ways
