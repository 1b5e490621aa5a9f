"""Networks that return less than the image they are given: how much, and which sizes they take.

A network of convolutions without padding loses a border. The program it was made for adds one
before, so that output side = magnification x input side.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

_BASES = (16, 32, 64, 128)
"""Sides tried, in pixels, until the network takes one: small ones first, since they are quick."""
_STEPS = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Geometry:
    """What a network makes of an image's size.

    Args:
        scale: Magnification.
        border: Input pixels that are lost along a side, at its start and at its end.
        multiple: Sides before the border is added must be multiples of this.
        smallest: Shortest such side that was run.
    """

    scale: int
    border: tuple[int, int]
    multiple: int
    smallest: int


def find_geometry(run: Callable[[Tensor], object], channels: int) -> Geometry | None:
    """Run a network on empty images of a few sides, and see how its output grows with them.

    Args:
        run: Takes (1, C, side, side); may raise on sides that do not fit.
        channels: C.

    Returns:
        What was found; ``None`` where the output is no image, or does not grow by one whole number
        of pixels for each pixel of the input.
    """

    def made(side: int) -> int | None:
        try:
            output = run(torch.zeros(1, channels, side, side))
        except Exception:  # of a size that does not fit
            return None
        square = isinstance(output, Tensor) and output.ndim == 4 and output.shape[1] in (1, 3)
        return output.shape[2] if square and output.shape[2] == output.shape[3] else None

    base, first = next(
        ((side, out) for side in _BASES if (out := made(side)) is not None and out > 0), (0, 0)
    )
    for step in _STEPS:
        if step > base:
            break
        second = made(base + step)
        if second is None or second <= first or (second - first) % step:
            continue
        scale = (second - first) // step
        if made(base + 3 * step) != first + 3 * step * scale:
            continue
        lost = scale * base - first
        if lost < 0 or lost % scale or (base - lost // scale) % step:
            return None  # the border cannot be added in whole pixels
        around = lost // scale
        start = around // 2
        smallest = -(-8 // step) * step
        while made(smallest + around) is None:
            smallest *= 2
            if smallest > base:
                return None
        return Geometry(
            scale=scale, border=(start, around - start), multiple=step, smallest=smallest
        )
    return None
