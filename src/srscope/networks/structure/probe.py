"""Try out what an unknown network takes and returns: channels, sizes, magnification, range.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import NetworkError, reason_of
from srscope.networks.adapter import Call
from srscope.networks.description import fitted_side
from srscope.networks.outputs import OutputError, is_image, tensors_in
from srscope.networks.structure.causes import remedy_for
from srscope.networks.structure.trace import example, undisturbed

PATCH = 32
"""Side that is tried first, in pixels."""
_EVERY = 64
"""Up to this every side is tried, whatever its divisors."""
_LARGE = (96, 128, 192, 224, 256, 299, 336, 384, 448, 512)
"""Sides tried beside those that a network's own words lead to."""
_SHORTEST, _LONGEST = 8, 1024
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
        scale: Output side over input side; 1 for what returns no image.
        told: What else is to be said of its output; empty for nothing.
    """

    channels: int
    smallest: int
    multiple: int
    scale: int
    told: str = ""

    def fitted(self, side: int) -> int:
        """Return the shortest side that the network takes and that is not below ``side``."""
        return fitted_side(side, smallest=self.smallest, multiple=self.multiple)


def probe_sizes(
    network: nn.Module,
    call: Call,
    *,
    channels: Sequence[int] = (),
    sides: Sequence[int] = (),
    also: Sequence[int] = (),
    scale: int | None = None,
) -> Sizes:
    """Run a network on images of several channels and sides, and see which it takes.

    32 pixels come first, then ``also``, then every side up to 64, then sides that the network's
    own words lead to, as a number in them or by a ratio of two, and a few large ones. The
    magnification is that by which the output grows from one side to the next.

    Args:
        network: For its mode and its first weight.
        call: Runs it.
        channels: What to try; by default 3 and 1, first what the first convolution has.
        sides: Try these alone, in pixels.
        also: Sides that it is likely to take.
        scale: Its magnification, where that is known.

    Raises:
        NetworkError: If it takes none; says what it answered to the first. Or if its output does
            not grow by a whole number and ``scale`` is not known.
    """
    wanted = tuple(channels) or _likely_channels(network)
    refused: list[str] = []
    tried: list[int] = []
    for side in sides or _sides(also, refused):
        tried.append(side)
        for count in wanted:
            output = _run(network, call, count, side, refused)
            if output is not None:
                pass_of = _Pass(network, call, count)
                return _measured(pass_of, side, output, scale)
    raise NetworkError(
        f"the network takes no image of {' or '.join(map(str, wanted))} channels and "
        f"{min(tried)} to {max(tried)} pixels a side (at first: {refused[0]}); "
        f"{remedy_for(refused[0])}"
    )


def _sides(also: Sequence[int], refused: Sequence[str]) -> Iterator[int]:
    """Yield sides to try; ``refused`` fills with what the network says to them."""
    done: set[int] = set()
    nearby = (*range(PATCH + 1, _EVERY + 1), *range(PATCH - 1, _SHORTEST - 1, -1))
    for source in ((PATCH,), also, nearby, None, _LARGE):
        for side in _hinted(refused[0]) if source is None else source:
            if side not in done:
                done.add(side)
                yield side


def _hinted(said: str) -> list[int]:
    """Return sides that the refusal of one of 32 pixels leads to: its numbers, and their ratios.

    So ``1x512 and 25088x4096`` leads to 224: the last layer has 49 times as many inputs, so a side
    must be 7 times as long.
    """
    numbers = sorted({int(n) for n in re.findall(r"\d{1,7}", said)})[:12]
    found = list(numbers)
    for (less, more), token in itertools.product(itertools.combinations(numbers, 2), (0, 1)):
        if less > token:  # one of the positions may be a token that is no place
            ratio = (more - token) / (less - token)
            sides = (PATCH * ratio, PATCH * math.sqrt(ratio))
            found += [int(side) for side in sides if side.is_integer()]
    return [side for side in dict.fromkeys(found) if _EVERY < side <= _LONGEST][:24]


@dataclass(frozen=True, kw_only=False, slots=True)
class _Pass:
    """Runs a network on images of a side."""

    network: nn.Module
    call: Call
    channels: int

    def __call__(self, side: int) -> Any:
        return _run(self.network, self.call, self.channels, side, [])


def _measured(run: _Pass, side: int, output: Any, scale: int | None) -> Sizes:
    """Return what a network takes and returns, given a side that it takes."""
    lost, told = 0, ""
    first = _extent(output)
    if first is None:
        multiple = next((s for s in _divisors(side) if run(side + s) is not None), side)
        if scale is None:
            _refuse_larger(output, side, run(side + multiple), side + multiple)
        found = scale or 1
    else:
        grown = _growth(run, side, first, scale)
        if grown is None:  # cut to multiples of what 32 is none of?
            side, grown = _growth_elsewhere(run, side)
        multiple, found, lost = grown
    if lost:
        told = f"returns an image {abs(lost)} pixels {'smaller' if lost > 0 else 'larger'} a side"
        told += f" than {found} times its input"

    def takes(shorter: int) -> bool:
        made = run(shorter)
        extent = _extent(made)
        fits = extent is None or scale is not None or extent == found * shorter - lost
        return made is not None and fits

    least = -(-_SHORTEST // multiple) * multiple
    smallest = next((s for s in range(least, side, multiple) if takes(s)), side)
    return Sizes(
        channels=run.channels, smallest=smallest, multiple=multiple, scale=found, told=told
    )


def _divisors(side: int) -> list[int]:
    """Return what sides may be multiples of if this one is taken."""
    return [step for step in range(1, side) if side % step == 0]


def _growth(run: _Pass, side: int, first: int, scale: int | None) -> tuple[int, int, int] | None:
    """Return multiple, magnification, and pixels lost, from how an image grows with the input."""
    whole = first // side if first % side == 0 else 0
    made: dict[int, int] = {}
    for step in _divisors(side):
        extent = _extent(run(side + step))
        if extent is not None:
            made[step] = extent
            if whole and extent == whole * (side + step):
                return step, scale or whole, 0
    for step, extent in made.items():
        by = (extent - first) // step
        if by > 0 and _extent(run(side + 2 * step)) == first + 2 * (extent - first) == (
            first + 2 * step * by
        ):
            return step, scale or by, by * side - first if scale in (None, by) else 0
    if scale is not None or (whole and not made):  # one side alone is taken
        return next(iter(made), side), scale or whole, 0
    return None


def _growth_elsewhere(run: _Pass, side: int) -> tuple[int, tuple[int, int, int]]:
    """Return the first longer side from which an image grows by a whole number, and how.

    Raises:
        NetworkError: If there is none nearby.
    """
    made = {side + more: _extent(run(side + more)) or 0 for more in range(min(side, _EVERY) + 1)}
    for other, extent in made.items():
        grown = _growth(run, other, extent, None) if extent and extent % other == 0 else None
        if grown is not None and other + grown[0] in made:
            return other, grown
    first = made.pop(side)
    second, extent = next(((s, extent) for s, extent in made.items() if extent), (0, 0))
    seen = f"{first} pixels a side of {side}" + (f", and {extent} of {second}" if second else "")
    why = "is no whole magnification"
    if not first:
        seen = f"an image that is not square of one of {side} pixels a side"
    elif extent == first:
        why = "does not grow with the input; a traced program may have its example's size baked in"
    raise NetworkError(f"the network makes {seen}, which {why}; {_SAY}")


_SAY = (
    "say by how much it magnifies with ?scale=N, by which photographs are reduced (1 leaves them "
    "as they are)"
)


def _extent(output: Any) -> int | None:
    """Return the side of a square image; ``None`` for anything else, 0 for another image."""
    if not is_image(output):
        return None
    height, width = output.shape[2:]
    return height if height == width else 0


def _refuse_larger(output: Any, side: int, other: Any, second: int) -> None:
    """Refuse an output that is no image, but has more places than its input has pixels."""
    larger = tensors_in(other)
    for place, tensor in tensors_in(output).items():
        shape = tuple(tensor.shape[1:])
        grown = tuple(larger[place].shape[1:]) if place in larger else ()
        places = [a for a, b in zip(shape, grown, strict=False) if a != b]
        if other is None and len(shape) == 3 and shape[2] in (1, 3, 4):
            places = list(shape[:2])
        if math.prod(places) > side * side:
            of = f" and {grown} of {second}" if grown else ""
            raise NetworkError(
                f"the network makes {shape} of {side} pixels a side{of}, which is not (channels, "
                f"height, width) of an image; {_SAY}"
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
    image_1CHW = _smooth(sizes.channels, sizes.fitted(PATCH))
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
    except OutputError:  # the size is right
        raise
    except Exception as error:
        refused.append(reason_of(error))
        return None


def _smooth(channels: int, side: int) -> Tensor:
    """Return an image of blobs from 0.1 to 0.9, with an edge."""
    coarse = example((5, 5), count=1, channels=channels)
    image_1CHW = F.interpolate(coarse, size=(side, side), mode="bilinear", align_corners=True)
    image_1CHW[..., side // 2 :] = 1 - image_1CHW[..., side // 2 :]
    return torch.clamp(image_1CHW, 0.1, 0.9)
