"""What the control networks of one architecture may cost together, and what follows from it.

Suffixes: N images, M contents of one set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srscope.degradations.degrade import DegradedImages
from srscope.networks.zoo import BUNDLED

LEAST = 50
"""Contents that a control network is shown at least, where there are so many: fewer say little."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """Which control networks are run, and on what.

    Args:
        names: Of the control networks.
        contents: How many a set each is shown.
        image_N: Numbers of their images, ascending; ``None`` for all.
    """

    names: tuple[str, ...]
    contents: int
    image_N: NDArray[np.int64] | None = None


def budget_of(given: float | None, source: str) -> float:
    """Return the passes of the network that its controls may cost together.

    Args:
        given: What the user asked for; by default 1, and no limit for bundled networks, whose
            passes take seconds and whose published numbers stand on all contents.
        source: Where the network comes from.

    Example:
        >>> budget_of(None, "timm vit"), budget_of(0.5, "timm vit"), budget_of(None, BUNDLED)
        (1.0, 0.5, inf)
    """
    if given is not None:
        return given
    return math.inf if source.startswith(BUNDLED) else 1.0


def share_of(images: DegradedImages, names: Sequence[str], budget: float) -> Share:
    """Return the control networks that the budget allows, and the contents each is shown.

    The first ones wanted are kept. Fewer contents go before fewer networks, down to
    :data:`LEAST`. Where there are no more contents than that, all is run on all: it costs little.

    Args:
        images: What the network is fed.
        names: The control networks that are wanted, the most important first.
        budget: Passes of the network that they may cost together.
    """
    fewest = min(each.count for each in images.suite.sets)
    if fewest <= LEAST or budget >= len(names):
        return Share(names=tuple(names), contents=fewest)
    for count in range(len(names), 0, -1):
        contents = math.floor(budget * fewest / count)
        if contents >= LEAST or count == 1:
            part = max(contents, LEAST) / fewest
            taken = _chosen(images, min(1.0, part))
            return Share(names=tuple(names[:count]), contents=round(part * fewest), image_N=taken)
    raise AssertionError


def _chosen(images: DegradedImages, part: float) -> NDArray[np.int64]:
    """Return a part of the images: of every set the same, all photographs in turn."""
    chosen: list[NDArray[np.int64]] = []
    for k in range(len(images.suite.sets)):
        of_set_M = np.flatnonzero(images.set_N == k)
        photograph_M = images.photograph_M[images.content_N[of_set_M]]
        turn_M = np.zeros(len(of_set_M), dtype=np.int64)
        for photograph in np.unique(photograph_M):
            own = photograph_M == photograph
            turn_M[own] = np.arange(int(own.sum()))
        order_M = np.lexsort((photograph_M, turn_M))
        chosen.append(of_set_M[order_M[: round(part * len(of_set_M))]])
    return np.sort(np.concatenate(chosen))
