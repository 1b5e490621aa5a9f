"""JPEG XL: decoded by imagecodecs, after its header was read for the size and the depth.

Source: ISO/IEC 18181-1 (codestream: size header, image metadata) and 18181-2 (file format).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ImageError
from srscope.images.boxes import boxes
from srscope.images.opening import check_size

_BARE, _BOXED = b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"
_LONGEST = 32
"""Bytes that the header of a codestream takes at most."""
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIDES = ((9, 1), (13, 1), (18, 1), (30, 1))
_BITS = ((0, 8), (0, 10), (0, 12), (6, 1))
_FLOAT_BITS = ((0, 32), (0, 16), (0, 24), (6, 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Header:
    height: int  # as shown
    width: int
    bits: int
    is_float: bool


def is_jxl(head: bytes) -> bool:
    """Tell whether a file is JPEG XL by its first bytes."""
    return head.startswith((_BARE, _BOXED))


def jxl_size(path: Path) -> tuple[int, int]:
    """Return height and width as shown, from the header alone.

    Raises:
        ImageError: If the file is damaged, too large or an animation.
    """
    header = _header(path)
    return header.height, header.width


def read_jxl(path: Path) -> tuple[NDArray[np.float32], int]:
    """Read a JPEG XL file.

    Returns:
        Values in [0, 1], shape (H, W, C) with C = 1 to 4 as in a picture, upright; and the bits
        of a value in the file.

    Raises:
        ImageError: If the file is damaged, too large, an animation or has other channels.
    """
    import imagecodecs

    header = _header(path)
    decoded: Any = imagecodecs.jpegxl_decode(path.read_bytes())
    values_HWC: NDArray[Any] = decoded[..., None] if decoded.ndim == 2 else decoded
    if values_HWC.shape[:2] != (header.height, header.width) or not 1 <= values_HWC.shape[2] <= 4:
        problem = f"is a JPEG XL with other data than one picture ({values_HWC.shape})"
        raise ImageError(path, problem, "convert it to PNG (djxl)")
    pixels_HWC = values_HWC.astype(np.float32)
    if not header.is_float:
        pixels_HWC /= np.float32(2**header.bits - 1)
    elif not (pixels_HWC.min() >= 0 and pixels_HWC.max() <= 1):
        problem = "has floating-point values outside [0, 1]"
        raise ImageError(path, problem, "scale them first, or convert it to PNG (djxl)")
    return pixels_HWC, header.bits


def _header(path: Path) -> _Header:
    bits = _Bits(_codestream(path))
    height, width = _size(bits)
    orientation, depth, is_float = 1, 8, False
    if not bits.take(1):  # not all of the metadata is the default
        if bits.take(1):  # there are extra fields
            orientation = 1 + bits.take(3)
            if bits.take(1):
                _size(bits)  # at which a browser would show it
            if bits.take(2):
                raise ImageError(
                    path, "is a JPEG XL animation or has a preview", "convert it to PNG (djxl)"
                )
        is_float = bool(bits.take(1))
        depth = bits.choose(_FLOAT_BITS if is_float else _BITS)
    check_size(path, height, width)
    if orientation >= 5:
        height, width = width, height
    return _Header(height=height, width=width, bits=depth, is_float=is_float)


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)

    def side() -> int:
        return 8 * (bits.take(5) + 1) if small else bits.choose(_SIDES)

    height, ratio = side(), bits.take(3)
    if ratio == 0:
        return height, side()
    above, below = _RATIOS[ratio - 1]
    return height, height * above // below


class _Bits:
    """Numbers of few bits, the least significant first."""

    def __init__(self, data: bytes) -> None:
        self._rest = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        """Return the next ``count`` bits as a number."""
        value = self._rest & ((1 << count) - 1)
        self._rest >>= count
        return value

    def choose(self, ways: tuple[tuple[int, int], ...]) -> int:
        """Read which of four (bits, offset) codes a number, and then the number."""
        count, offset = ways[self.take(2)]
        return self.take(count) + offset


def _codestream(path: Path) -> bytes:
    """Return the start of the codestream, after its signature."""
    with path.open("rb") as file:
        if file.read(2) == _BARE:
            return file.read(_LONGEST)
        for kind, start, _ in boxes(file, 0, file.seek(0, 2)):
            if kind in (b"jxlc", b"jxlp"):
                file.seek(start + (4 if kind == b"jxlp" else 0))  # a part begins with its number
                if file.read(2) == _BARE:
                    return file.read(_LONGEST)
                break
    raise ImageError(path, "is damaged: a JPEG XL without a picture")
