"""Networks that return less than the image they are given: how much, and what is done about it.

A network of convolutions without padding loses a border. The program it was made for adds one
before, so that output side = magnification x input side.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import ParameterError
from srscope.networks.description import fitted_side
from srscope.networks.outputs import is_image
from srscope.networks.structure.describe import Known
from srscope.networks.structure.probe import Sizes, restores_better

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
        if not isinstance(output, Tensor) or not is_image(output):
            return None
        return output.shape[2] if output.shape[2] == output.shape[3] else None

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


BORDERS = {"replicate": "alike to the outermost", "reflect": "mirrored"}
"""What a border may hold, in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """Calls a network as its program does.

    Args:
        border: Input pixels added at the start and at the end of each side.
        mode: What they hold: ``replicate``, the outermost pixel; or ``reflect``, the image mirrored
            at it.
        enlarged: Add the input, enlarged this many times by nearest neighbour, to the output; 0
            for an output that is the image itself.
    """

    border: tuple[int, int] = (0, 0)
    mode: str = "replicate"
    enlarged: int = 0

    def __call__(self, inner: nn.Module, x_NCHW: Tensor) -> Tensor:
        """Return what the network makes of the images with their border."""
        given_NCHW = F.pad(x_NCHW, self.border * 2, mode=self.mode) if any(self.border) else x_NCHW
        output: Tensor = inner(given_NCHW)
        if not self.enlarged or not is_image(output):
            return output
        return output + F.interpolate(x_NCHW, scale_factor=self.enlarged, mode="nearest")

    def sizes(self, geometry: Geometry, channels: int) -> Sizes:
        """Return what a network takes that is called so; mirroring needs longer sides."""
        least = max(self.border) + 1 if self.mode == "reflect" else 1
        return Sizes(
            channels=channels,
            smallest=fitted_side(geometry.smallest, smallest=least, multiple=geometry.multiple),
            multiple=geometry.multiple,
            scale=geometry.scale,
        )


def known_of(geometry: Geometry | None, channels: int, feed: Feed) -> Known:
    """Return what running a network told of it."""
    if geometry is None:
        return Known(by="running it")
    sizes = feed.sizes(geometry, channels)
    return Known(
        by="running it",
        scale=sizes.scale,
        channels=sizes.channels,
        multiple=sizes.multiple,
        smallest=sizes.smallest,
    )


def choose_feed(
    network: nn.Module, geometry: Geometry | None, channels: int, usual: str, wanted: object
) -> tuple[Feed, tuple[str, ...]]:
    """Return how to call a network so that its output is the enlarged image, and words for it.

    Args:
        network: Takes images of ``channels`` channels.
        geometry: What was found of it.
        channels: 3 or 1.
        usual: What a border holds unless the user says so, of :data:`BORDERS`.
        wanted: What the user says, or ``None``.

    Raises:
        ParameterError: If the user's word is none of :data:`BORDERS`, or there is no border.
    """
    if wanted is not None and wanted not in BORDERS:
        raise ParameterError("border", " or ".join(BORDERS), wanted)
    if wanted is not None and (geometry is None or not any(geometry.border)):
        raise ParameterError("border", "left out", wanted, "this network loses no border")
    if geometry is None:
        return Feed(), ()
    notes: list[str] = []
    plain = Feed(border=geometry.border, mode=usual if wanted is None else str(wanted))
    if any(geometry.border):
        start, end = geometry.border
        wide = f"{start}" if start == end else f"{start} and {end}"
        notes.append(
            f"loses a border of {wide} pixels, so as many are added first, {BORDERS[plain.mode]} "
            "(?border= sets how)"
        )
    if geometry.scale > 1:
        added = replace(plain, enlarged=geometry.scale)
        if restores_better(network, plain, added, plain.sizes(geometry, channels)):
            notes.append(
                "returns what is to be added to the image, which is enlarged by nearest neighbour"
            )
            return added, tuple(notes)
    return plain, tuple(notes)
