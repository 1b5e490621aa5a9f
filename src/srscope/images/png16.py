"""Decoding of 16-bit colour PNG, of which Pillow keeps only the upper 8 bits.

Source: Portable Network Graphics, third edition (W3C Recommendation), sections 7 and 9.
Suffixes: R rows, W pixels of a row, B bytes of a pixel, H/W/C height, width and channels.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_CHANNELS = {2: 3, 4: 2, 6: 4}  # colour type: RGB, grey and alpha, RGB and alpha
_CUT_MODES = ("RGB;16B", "LA;16B", "RGBA;16B")  # Pillow's names of what it reads 8 bits of
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def is_png16_colour(image: Image.Image) -> bool:
    """Tell whether an opened image is a PNG that Pillow would cut down from 16 bits to 8.

    Interlaced files are left to Pillow, as are those that make a single colour transparent.
    """
    if image.format != "PNG" or image.info.get("interlace") or "transparency" in image.info:
        return False
    return any(tile[3] in _CUT_MODES for tile in getattr(image, "tile", ()))


def decode_png16(data: bytes) -> NDArray[np.uint16]:
    """Decode a 16-bit, non-interlaced colour PNG.

    Args:
        data: The whole file.

    Returns:
        Its values, shape (H, W, C) with C = 3 (RGB), 2 (grey and alpha) or 4 (RGB and alpha).

    Raises:
        ValueError: If the file is damaged.
    """
    header, compressed = _chunks(data)
    width, height, depth, colour, _, _, interlace = header
    if depth != 16 or colour not in _CHANNELS or interlace:
        raise ValueError("not a 16-bit colour PNG without interlacing")
    pixel_bytes = 2 * _CHANNELS[colour]
    expected = height * (1 + width * pixel_bytes)
    try:
        raw = zlib.decompressobj().decompress(compressed, expected)
    except zlib.error as error:
        raise ValueError(f"broken PNG data: {error}") from None
    if len(raw) != expected:
        raise ValueError("PNG data ends too early")
    lines_RB = np.frombuffer(raw, dtype=np.uint8).reshape(height, 1 + width * pixel_bytes)
    filters_R = lines_RB[:, 0]
    if filters_R.max(initial=0) > 4:
        raise ValueError("unknown PNG filter")
    bytes_RWB = _unfiltered(filters_R, lines_RB[:, 1:].reshape(height, width, pixel_bytes))
    return bytes_RWB.view(">u2").astype(np.uint16)


def _chunks(data: bytes) -> tuple[tuple[int, ...], bytes]:
    """Return the fields of IHDR and the joined IDAT chunks, checksums verified."""
    if data[:8] != _SIGNATURE:
        raise ValueError("no PNG signature")
    header: tuple[int, ...] | None = None
    parts: list[bytes] = []
    at = 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        end = at + 12 + length
        if end > len(data):
            break
        if zlib.crc32(kind + body) != struct.unpack_from(">I", data, end - 4)[0]:
            raise ValueError(f"checksum of PNG chunk {kind.decode('latin-1')} is wrong")
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            parts.append(body)
        elif kind == b"IEND":
            break
        at = end
    if header is None or not parts:
        raise ValueError("PNG without header or data")
    return header, b"".join(parts)


def _unfiltered(filters_R: NDArray[np.uint8], lines_RWB: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo the row filters.

    A byte depends on the ones left, above and above left of it. So all pixels of one
    antidiagonal can be done at once, each by its own row's filter: rows + width steps instead
    of rows x width.
    """
    rows, width, pixel_bytes = lines_RWB.shape
    # A row of zeros above and a column of zeros to the left, as the specification assumes.
    done = np.zeros((rows + 1, width + 1, pixel_bytes), dtype=np.int16)
    kinds_R1 = filters_R.astype(np.intp)[:, None]
    for step in range(rows + width - 1):
        row = np.arange(max(0, step - width + 1), min(rows, step + 1))
        column = step - row
        left = done[row + 1, column]
        above = done[row, column + 1]
        corner = done[row, column]
        kind = kinds_R1[row]
        predicted = np.where(kind == 1, left, 0)
        predicted = np.where(kind == 2, above, predicted)
        predicted = np.where(kind == 3, (left + above) >> 1, predicted)
        predicted = np.where(kind == 4, _paeth(left, above, corner), predicted)
        done[row + 1, column + 1] = (lines_RWB[row, column] + predicted) & 0xFF
    return np.ascontiguousarray(done[1:, 1:].astype(np.uint8))


def _paeth(
    left: NDArray[np.int16], above: NDArray[np.int16], corner: NDArray[np.int16]
) -> NDArray[np.int16]:
    """Return whichever of the three is nearest to left + above - corner."""
    to_left, to_above = np.abs(above - corner), np.abs(left - corner)
    to_corner = np.abs(left + above - 2 * corner)
    nearest = np.where(to_above <= to_corner, above, corner)
    return np.where((to_left <= to_above) & (to_left <= to_corner), left, nearest)
