"""What a network returns: the image in it, however it is wrapped.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from torch import Tensor

from srscope.errors import NetworkError

_DEEPEST = 6
_COUNTS = "which is no image, so photographs are not reduced for it (?scale= says otherwise)"


class OutputError(NetworkError):
    """The image in an output cannot be told."""


def is_image(output: object) -> bool:
    """Tell whether a network's output is (N, 1 or 3, H, W) with some height and width."""
    return isinstance(output, Tensor) and output.ndim == 4 and output.shape[1] in (1, 3)


def tensors_in(output: object) -> dict[str, Tensor]:
    """Return every tensor in an output by its place: keys, field names and numbers, with dots.

    Example:
        >>> import torch
        >>> list(tensors_in({"sr": torch.zeros(1), "all": (torch.zeros(1), 3)}))
        ['sr', 'all.0']
    """
    return dict(_walked(output, "", _DEEPEST))


def _walked(output: object, place: str, deep: int) -> Iterator[tuple[str, Tensor]]:
    if isinstance(output, Tensor):
        yield place, output
        return
    inside: Mapping[object, object] = {}
    if isinstance(output, Mapping):
        inside = output
    elif isinstance(output, list | tuple):
        names = getattr(output, "_fields", range(len(output)))
        inside = dict(zip(names, output, strict=True))
    elif dataclasses.is_dataclass(output) and not isinstance(output, type):
        inside = {field.name: getattr(output, field.name) for field in dataclasses.fields(output)}
    for name, value in inside.items() if deep else ():
        yield from _walked(value, f"{place}.{name}" if place else str(name), deep - 1)


def images_in(output: object, channels: int) -> dict[str, Tensor]:
    """Return the images in an output: those of so many channels, where there are none all."""
    images = {place: each for place, each in tensors_in(output).items() if is_image(each)}
    return {p: each for p, each in images.items() if each.shape[1] == channels} or images


def image_of(output: object, channels: int, place: str = "") -> object:
    """Return the image in an output if it can be told, and the output as it is otherwise.

    Args:
        output: What a network returned.
        channels: Of the image that it was given: a mask of one channel beside a colour image is
            not taken for the image.
        place: Where the image is, as in :func:`tensors_in`; empty takes the only one.
    """
    if isinstance(output, Tensor):
        return output
    if place:
        return tensors_in(output).get(place, output)
    found = images_in(output, channels)
    return next(iter(found.values())) if len(found) == 1 else output


def told_of(output: object, channels: int, place: str = "", *, reduced: bool = True) -> str:
    """Return words for which image was taken, or for an output without one; empty if all is plain.

    Args:
        output: As for :func:`image_of`.
        channels: As there.
        place: As there.
        reduced: Say that photographs are not reduced for what is no image.

    Raises:
        OutputError: If there are several images and none is chosen, or none is at ``place``.
    """
    kind, found, tensors = type(output).__name__, images_in(output, channels), tensors_in(output)
    counts = _COUNTS if reduced else "which is no image"
    if isinstance(output, Tensor):
        if place:
            raise OutputError(f"the network returns one tensor; leave ?output={place} out")
        plain = is_image(output) or output.ndim == 2
        return "" if plain else f"returns {tuple(output.shape[1:])} for an image, {counts}"
    places = ", ".join(f"{p} {tuple(each.shape[1:])}" for p, each in tensors.items())
    if place and place not in tensors:
        raise OutputError(f"the {kind} that the network returns has no {place!r}, but {places}")
    if place or len(found) == 1:
        return f"of the {kind} that it returns ({places}), {place or next(iter(found))} is taken"
    if found:
        raise OutputError(
            f"the network returns a {kind} with {len(found)} images ({places}); say which is the "
            f"result, e.g. ?output={next(iter(found))}"
        )
    return f"returns a {kind} ({places or 'no tensors'}), {counts}"
