"""The boxes that JPEG 2000 and JPEG XL files are made of; and what those of JPEG 2000 say.

Pillow takes a channel more than the colours for alpha, and rounds white of more than 8 bits to
black. So the header is read here, and what has not 8 bits is decoded by imagecodecs (OpenJPEG).

Source: ISO/IEC 15444-1, annexes A.5.1 (sizes) and I.4 to I.5.3 (boxes, colour, channels).

H/W height and width in pixels, C channels.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ImageError

_CMYK, _SRGB, _GREY, _SYCC = 12, 16, 17, 18
_START = b"\xff\x4f\xff\x51"
_OPACITY, _PREMULTIPLIED = 1, 2


def boxes(file: IO[bytes], start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each box between two places of a file, and where its body begins and ends.

    Raises:
        ValueError: If a box is shorter than its own header.
    """
    while start + 8 <= end:
        file.seek(start)
        length, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
            head = 16
        length = length or end - start  # 0: until the end
        if length < head:
            raise ValueError("a box is shorter than its header")
        yield kind, start + head, min(end, start + length)
        start += length


@dataclass(frozen=True, kw_only=True, slots=True)
class Jpeg2000:
    """What the header of a JPEG 2000 file says.

    Args:
        bits: Bits of a value.
        alpha: Whether a channel is named alpha.
        premultiplied: Whether colours are times it.
    """

    bits: int
    alpha: bool
    premultiplied: bool


def jpeg2000_header(path: Path) -> Jpeg2000:
    """Read what the header says.

    Raises:
        ImageError: If its channels differ in bits, are signed, or have colours that are not read.
    """
    meanings: set[int] = set()
    colours, begin = None, 0
    with path.open("rb") as file:
        raw = file.read(4) == _START
        size = file.seek(0, 2)
        for kind, start, end in () if raw else boxes(file, 0, size):
            if kind == b"jp2c":
                begin = start
                break
            for inner, at, _ in boxes(file, start, end) if kind == b"jp2h" else ():
                file.seek(at)
                if inner == b"colr" and colours is None:
                    method, _, _, said = struct.unpack(">3BI", file.read(7))
                    colours = said if method == 1 else None
                elif inner == b"cdef":
                    (count,) = struct.unpack(">H", file.read(2))
                    meanings = {struct.unpack(">3H", file.read(6))[1] for _ in range(count)}
        file.seek(begin + 40)
        (components,) = struct.unpack(">H", file.read(2))
        depths = set(file.read(3 * components)[::3])
    if any(depth & 0x80 for depth in depths):
        problem = "has signed samples, of which it is not known what is black"
        raise ImageError(path, problem, "save it with unsigned samples")
    allowed = (None, _SRGB, _GREY, *((_CMYK, _SYCC) if depths == {7} else ()))
    if len(depths) != 1 or colours not in allowed:
        problem = f"has colours of a kind that is not read (number {colours} of JPEG 2000)"
        raise ImageError(path, problem, "save it as 8-bit RGB, or as PNG")
    return Jpeg2000(
        bits=depths.pop() + 1,
        alpha=bool(meanings & {_OPACITY, _PREMULTIPLIED}),
        premultiplied=_PREMULTIPLIED in meanings,
    )


def read_jpeg2000(path: Path, header: Jpeg2000) -> NDArray[np.float32]:
    """Decode a file by imagecodecs.

    Returns:
        Values in [0, 1], shape (H, W, C): grey or RGB, and alpha where there is.
    """
    import imagecodecs

    decoded: Any = imagecodecs.jpeg2k_decode(path.read_bytes())
    values_HWC: NDArray[Any] = decoded.reshape(*decoded.shape[:2], -1)
    channels = values_HWC.shape[2]
    if channels > 4:
        raise ImageError(path, f"has {channels} channels", "save it as 8-bit RGB, or as PNG")
    colours = 3 if channels > 2 else 1
    pixels_HWC = values_HWC[..., : colours + header.alpha].astype(np.float32)
    pixels_HWC /= np.float32(2**header.bits - 1)
    return pixels_HWC
