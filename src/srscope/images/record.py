"""Photographs and the contents cut from them.

Pixels are RGB, float32 in [0, 1], in the display values of the file (no linearisation).
Suffixes: N contents, H/W height and width in pixels, 3 red, green and blue.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ParameterError
from srscope.images.io import read_image


@dataclass(frozen=True, kw_only=True, slots=True)
class Photograph:
    """A photograph in memory.

    Args:
        name: Name by which reports show it, usually its path relative to a folder.
        pixels_HW3: Its pixels, float32 in [0, 1].

    Raises:
        ParameterError: If ``pixels_HW3`` is not a float32 array of that shape.
    """

    name: str
    pixels_HW3: NDArray[np.float32]

    def __post_init__(self) -> None:
        shape, dtype = self.pixels_HW3.shape, self.pixels_HW3.dtype
        if len(shape) != 3 or shape[2] != 3 or 0 in shape or dtype != np.float32:
            raise ParameterError(
                "pixels_HW3", "a float32 array of shape (H, W, 3)", f"{dtype} {shape}"
            )

    @property
    def size_HW(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels_HW3.shape[0], self.pixels_HW3.shape[1]

    @property
    def photograph(self) -> str:
        """Its own name: in memory every photograph is a whole one."""
        return self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class PhotoFile:
    """A photograph on disk, decoded anew each time its pixels are asked for.

    A folder may hold more photographs than fit in memory, and only some of them are needed.

    Args:
        name: As for :class:`Photograph`.
        path: The file.
        size_HW: Height and width in pixels as displayed, from the file's header.
        cut_from: Where the file is a crop, the name of the photograph it was cut from. Crops of
            one photograph are not independent of one another.
    """

    name: str
    path: Path
    size_HW: tuple[int, int]
    cut_from: str | None = None

    @property
    def photograph(self) -> str:
        """The photograph it was cut from; its own name where it is a whole one."""
        return self.name if self.cut_from is None else self.cut_from

    @property
    def pixels_HW3(self) -> NDArray[np.float32]:
        """Its pixels, float32 in [0, 1].

        Raises:
            ImageError: If the file is gone or damaged beyond its header.
        """
        return read_image(self.path)


@dataclass(frozen=True, kw_only=True, slots=True)
class PhotoSet:
    """Photographs in a stable order, with what was left out.

    Args:
        photographs: The photographs; their names are unique.
        source: Where they come from, for reports.
        skipped: (file, reason) for each file that looked like a photograph and is not usable.

    Raises:
        ParameterError: If two photographs have the same name.
    """

    photographs: tuple[Photograph | PhotoFile, ...]
    source: str
    skipped: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        _require_unique("photographs", [p.name for p in self.photographs])


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """Equal crops of photographs: what all degraded sets of a suite share.

    Args:
        crops_NHW3: The crops, float32 in [0, 1], each with ``margin`` pixels on every side
            beyond the wanted patch, so that filters there see real neighbours.
        names: One unique name a crop, e.g. ``"Dune.jpg#3"``.
        photographs: One name a crop: the photograph it was cut from.
        source: Where the photographs come from, for reports.
        skipped: (file, reason) for each photograph that gave no crop.
        margin: Margin round the patch, in pixels of these crops.
        requested: How many crops were asked for; there are fewer when the photographs hold
            fewer windows that do not overlap.

    Raises:
        ParameterError: If the parts do not fit together.
    """

    crops_NHW3: NDArray[np.float32]
    names: tuple[str, ...]
    photographs: tuple[str, ...]
    source: str
    skipped: tuple[tuple[str, str], ...]
    margin: int
    requested: int

    def __post_init__(self) -> None:
        shape, dtype = self.crops_NHW3.shape, self.crops_NHW3.dtype
        if len(shape) != 4 or shape[3] != 3 or dtype != np.float32:
            raise ParameterError(
                "crops_NHW3", "a float32 array of shape (N, H, W, 3)", f"{dtype} {shape}"
            )
        if not 0 <= 2 * self.margin < min(shape[1:3]):
            raise ParameterError(
                "margin", f"at least 0 and under half of the crops' {min(shape[1:3])}", self.margin
            )
        for name, values in (("names", self.names), ("photographs", self.photographs)):
            if len(values) != shape[0]:
                raise ParameterError(name, f"one per crop ({shape[0]})", len(values))
        _require_unique("names", self.names)


def pixel_mark(pixels_HW3: NDArray[np.float32]) -> bytes:
    """Return bytes that two pictures of one size share if, and in practice only if, they are equal.

    Every eighth row is looked at, so that this takes a small part of the time of decoding.

    Example:
        >>> image_HW3 = np.zeros((4, 4, 3), np.float32)
        >>> pixel_mark(image_HW3) == pixel_mark(image_HW3.copy())
        True
    """
    return hashlib.sha256(np.ascontiguousarray(pixels_HW3[::8]).data).digest()


def _require_unique(parameter: str, names: list[str] | tuple[str, ...]) -> None:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise ParameterError(parameter, "unique names", repeated[0], "rename one of them")
