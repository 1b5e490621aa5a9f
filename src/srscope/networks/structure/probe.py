"""Try out what an unknown network takes and returns: channels, sizes, magnification, range.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import NetworkError, reason_of
from srscope.networks.adapter import Call, is_image
from srscope.networks.description import fitted_side
from srscope.networks.structure.trace import example, undisturbed

SIDES = (32, 64, 96, 128, 192, 224, 256, 299, 336, 384, 448, 512)
"""Sides tried, in pixels, until the network takes one."""
_SHORT = (8, 16, 32)
_STEPS = (1, 2, 4, 8, 16, 32, 64)
RANGES = {"1": ((0.0,), (1.0,)), "255": ((0.0,), (1 / 255,)), "-1..1": ((0.5,), (0.5,))}
"""Ranges that an image may be fed in, with the mean and standard deviation that make them."""
_RESTORED_DB, _NOT_RESTORED_DB = 30.0, 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """What a network takes and returns.

    Args:
        channels: 3 or 1.
        smallest: Shortest side that was tried and taken, 8 or more.
        multiple: Sides must be multiples of this; equal to ``smallest`` if it takes that alone.
        scale: Output side over input side; 1 for anything but an enlarged image.
    """

    channels: int
    smallest: int
    multiple: int
    scale: int

    def fitted(self, side: int) -> int:
        """Return the shortest side that the network takes and that is not below ``side``."""
        return fitted_side(side, smallest=self.smallest, multiple=self.multiple)


def probe_sizes(
    network: nn.Module,
    call: Call,
    *,
    channels: Sequence[int] = (),
    sides: Sequence[int] = SIDES,
) -> Sizes:
    """Run a network on images of several channels and sides, and see which it takes.

    Args:
        network: For its mode and its first weight.
        call: Runs it.
        channels: What to try; by default 3 and 1, first what the first convolution has.
        sides: What to try, in pixels, shortest first.

    Raises:
        NetworkError: If it takes none; says what it answered to the first.
    """
    wanted = tuple(channels) or _likely_channels(network)
    refused: list[str] = []
    for side in sides:
        for count in wanted:
            output = _run(network, call, count, side, refused)
            if output is None:
                continue
            scale = _scale(output, side)
            multiple = _multiple(network, call, count, side, scale)
            shorter = (s for s in _SHORT if s < side and s % multiple == 0)
            smallest = next((s for s in shorter if _takes(network, call, count, s)), side)
            return Sizes(channels=count, smallest=smallest, multiple=multiple, scale=scale or 1)
    raise NetworkError(
        f"the network takes no image of {' or '.join(map(str, wanted))} channels and "
        f"{sides[0]} to {sides[-1]} pixels a side (at first: {refused[0]}); say what it takes, "
        "e.g. ?channels=1 or ?smallest=640"
    )


def probe_range(network: nn.Module, call: Call, sizes: Sizes) -> str:
    """Return the range, of :data:`RANGES`, in which a network restores its input best.

    A trained image-to-image network returns its input, enlarged; in a wrong range it does so
    worse. [0, 1], unless the network stays below 20 dB of PSNR there and reaches 30 dB in another:
    so for anything but images, and for most networks that were never trained.
    """
    quality: dict[str, float] = {}
    for name in RANGES:
        found = _restored_db(network, call, sizes, name)
        if found is None:
            return "1"
        quality[name] = found
    best = max(quality, key=lambda name: quality[name])
    clear = quality["1"] < _NOT_RESTORED_DB and quality[best] > _RESTORED_DB
    return best if clear else "1"


def restores_better(network: nn.Module, one: Call, other: Call, sizes: Sizes) -> bool:
    """Tell whether a network, fed in [0, 1], clearly does not restore its input by one call of two.

    That is: it stays below 20 dB of PSNR by the first, and reaches 20 dB, and 10 dB more, by the
    second.
    """
    db = [_restored_db(network, call, sizes, "1") for call in (one, other)]
    if db[0] is None or db[1] is None:
        return False
    return db[0] < _NOT_RESTORED_DB < db[1] and db[1] - db[0] > _RESTORED_DB - _NOT_RESTORED_DB


def _restored_db(network: nn.Module, call: Call, sizes: Sizes, name: str) -> float | None:
    """Return the PSNR of output to enlarged input, fed in a range; ``None`` for no image."""
    mean, std = RANGES[name]
    image_1CHW = _smooth(sizes.channels, sizes.fitted(SIDES[0]))
    goal = F.interpolate(image_1CHW, scale_factor=sizes.scale, mode="bicubic")
    output = _run_on(network, call, (image_1CHW - mean[0]) / std[0], [])
    if not is_image(output) or output.shape != goal.shape:
        return None
    error = float((output.cpu() * std[0] + mean[0] - goal).square().mean())
    return -10 * math.log10(max(error, 1e-12)) if math.isfinite(error) else -math.inf


def _likely_channels(network: nn.Module) -> tuple[int, ...]:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            return (1, 3) if module.in_channels == 1 else (3, 1)
    return (3, 1)


def _run(network: nn.Module, call: Call, channels: int, side: int, refused: list[str]) -> Any:
    return _run_on(network, call, example((side, side), count=1, channels=channels), refused)


def _run_on(network: nn.Module, call: Call, image_1CHW: Tensor, refused: list[str]) -> Any:
    """Return the output, or ``None`` where the network fails; why goes into ``refused``."""
    parameter = next(network.parameters(), None)
    device = image_1CHW.device if parameter is None else parameter.device
    try:
        with undisturbed(network):
            return call(network, image_1CHW.to(device))
    except Exception as error:
        refused.append(reason_of(error))
        return None


def _scale(output: Any, side: int) -> int:
    """Return the magnification of an image; 0 for what is none, or has lost its borders."""
    if not is_image(output):
        return 0
    height, width = output.shape[2:]
    return height // side if height == width and height % side == 0 else 0


def _takes(network: nn.Module, call: Call, channels: int, side: int) -> bool:
    return _run(network, call, channels, side, []) is not None


def _multiple(network: nn.Module, call: Call, channels: int, side: int, scale: int) -> int:
    """Return what sides must be multiples of, given one that works."""
    for step in _STEPS:
        if step >= side:
            break
        output = _run(network, call, channels, side + step, [])
        if output is not None and (not scale or _scale(output, side + step) == scale):
            return math.gcd(side, step)
    return side


def _smooth(channels: int, side: int) -> Tensor:
    """Return an image of blobs from 0.1 to 0.9, with an edge."""
    coarse = example((5, 5), count=1, channels=channels)
    image_1CHW = F.interpolate(coarse, size=(side, side), mode="bilinear", align_corners=True)
    image_1CHW[..., side // 2 :] = 1 - image_1CHW[..., side // 2 :]
    return torch.clamp(image_1CHW, 0.1, 0.9)
