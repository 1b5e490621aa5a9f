"""Writing of PNG at 8 or 16 bits, strip by strip: a large picture is never whole in memory.

Source: Portable Network Graphics, third edition (W3C Recommendation), sections 9 to 12.
Suffixes: R rows, W pixels of a row, C channels, B bytes of a row, F filters, H height.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ParameterError
from srscope.runtime.files import atomic_path

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels
_STRIP = 1 << 20  # values filtered at once
_LEVEL = 6  # zlib's own default


def write_png(
    path: str | os.PathLike[str],
    strips_RWC: Iterable[NDArray[np.floating]],
    *,
    size_HW: tuple[int, int],
    channels: int,
    bits: int,
    icc_profile: bytes | None = None,
) -> None:
    """Write a PNG, atomically.

    Values are clipped to [0, 1] and rounded to the nearest level (ties to even).

    Args:
        path: The file, with the suffix ``.png``.
        strips_RWC: The picture from top to bottom, any number of rows at a time, (R, W, C).
        size_HW: Height and width of the picture in pixels.
        channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha; alpha is straight.
        bits: Of a value, 8 or 16.
        icc_profile: ICC profile of the colours.

    Raises:
        ParameterError: If a parameter is out of its range, the strips are not the announced
            picture or hold a value that is not finite. No file is left then.
    """
    if not str(path).lower().endswith(".png"):
        raise ParameterError("path", "a file name ending in .png", str(path))
    if channels not in _COLOUR_TYPES:
        raise ParameterError("channels", "1 to 4", channels)
    if bits not in (8, 16):
        raise ParameterError("bits", "8 or 16", bits)
    height, width = size_HW
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        header = (width, height, bits, _COLOUR_TYPES[channels], 0, 0, 0)
        _chunk(file, b"IHDR", struct.pack(">IIBBBBB", *header))
        if icc_profile is not None:
            _chunk(file, b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile))
        packer = zlib.compressobj(_LEVEL)
        for lines_RB in _lines(strips_RWC, (height, width, channels), bits):
            _chunk(file, b"IDAT", packer.compress(lines_RB.tobytes()))
        _chunk(file, b"IDAT", packer.flush())
        _chunk(file, b"IEND", b"")


def _chunk(file: IO[bytes], kind: bytes, body: bytes) -> None:
    if body or kind == b"IEND":
        checksum = zlib.crc32(body, zlib.crc32(kind))
        file.write(b"".join([struct.pack(">I", len(body)), kind, body, checksum.to_bytes(4)]))


def _lines(
    strips_RWC: Iterable[NDArray[np.floating]], shape: tuple[int, int, int], bits: int
) -> Iterator[NDArray[np.uint8]]:
    """Yield filtered lines, each with the number of its filter in front."""
    height, width, channels = shape
    step = channels * bits // 8
    above_1B = np.zeros((1, width * step), dtype=np.uint8)
    rows = 0
    for strip_RWC in strips_RWC:
        if strip_RWC.ndim != 3 or strip_RWC.shape[1:] != (width, channels):
            raise ParameterError(
                "strips_RWC", f"of shape (R, {width}, {channels})", strip_RWC.shape
            )
        at_once = max(1, _STRIP // (width * channels))
        for first in range(0, strip_RWC.shape[0], at_once):
            bytes_RB = _quantized(strip_RWC[first : first + at_once], bits)
            yield _filtered(bytes_RB, above_1B, step)
            above_1B = bytes_RB[-1:]
        rows += strip_RWC.shape[0]
    if rows != height:
        raise ParameterError("strips_RWC", f"{height} rows in all", rows)


def _quantized(pixels_RWC: NDArray[np.floating], bits: int) -> NDArray[np.uint8]:
    if not np.isfinite(pixels_RWC).all():
        raise ParameterError("strips_RWC", "finite", "NaN or infinite")
    levels_RWC = np.clip(pixels_RWC, 0.0, 1.0)
    levels_RWC = np.rint(levels_RWC * levels_RWC.dtype.type(2**bits - 1))
    stored_RWC = np.ascontiguousarray(levels_RWC, dtype=">u2" if bits == 16 else np.uint8)
    return stored_RWC.reshape(len(stored_RWC), -1).view(np.uint8)


def _filtered(
    bytes_RB: NDArray[np.uint8], above_1B: NDArray[np.uint8], step: int
) -> NDArray[np.uint8]:
    """Filter each row as leaves the least to code: the smallest sum of distances from zero.

    That is the heuristic of the specification, section 12.7.
    """
    above_RB = np.concatenate([above_1B, bytes_RB[:-1]])
    left_RB, corner_RB = _shifted(bytes_RB, step), _shifted(above_RB, step)
    a, b, c = (each.astype(np.int16) for each in (left_RB, above_RB, corner_RB))
    average_RB = ((a + b) >> 1).astype(np.uint8)
    # The distances of left + above - corner from each of the three.
    to_left, to_above = np.abs(b - c), np.abs(a - c)
    to_corner = np.abs(a + b - 2 * c)
    paeth_RB = np.where(to_above <= to_corner, above_RB, corner_RB)
    paeth_RB = np.where((to_left <= to_above) & (to_left <= to_corner), left_RB, paeth_RB)
    best_R = np.full(len(bytes_RB), np.iinfo(np.int64).max)
    lines_RB = np.empty((len(bytes_RB), bytes_RB.shape[1] + 1), dtype=np.uint8)
    for number, guess_RB in enumerate((np.uint8(0), left_RB, above_RB, average_RB, paeth_RB)):
        rest_RB = bytes_RB - guess_RB
        cost_R = np.minimum(rest_RB, -rest_RB).sum(axis=1, dtype=np.int64)
        better_R = cost_R < best_R
        best_R[better_R] = cost_R[better_R]
        lines_RB[better_R, 0] = number
        lines_RB[better_R, 1:] = rest_RB[better_R]
    return lines_RB


def _shifted(bytes_RB: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Move every pixel to the right by one, with zeros before the first."""
    shifted_RB = np.zeros_like(bytes_RB)
    shifted_RB[:, step:] = bytes_RB[:, :-step]
    return shifted_RB
