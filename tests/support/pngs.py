"""A PNG encoder of its own, for files that Pillow cannot write."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(width: int, height: int, *, depth: int, colour: int, interlaced: bool = False) -> bytes:
    fields = (width, height, depth, colour, 0, 0, interlaced)
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *fields))


def png(
    values_HWC: NDArray[Any],
    *,
    depth: int,
    colour: int,
    interlaced: bool = False,
    more: bytes = b"",
) -> bytes:
    """Encode whole numbers of any depth, unfiltered; ``more`` are chunks before the pixels."""
    height, width, _ = values_HWC.shape
    steps = [(0, 0, 1, 1)]
    if interlaced:  # Adam7: first column and row of each pass, and the steps
        steps = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)]
        steps += [(1, 0, 2, 2), (0, 1, 1, 2)]
    data, places = b"", np.arange(depth - 1, -1, -1)
    for left, top, across, down in steps:
        for row_WC in values_HWC[top::down, left::across]:
            if row_WC.size:
                bits = row_WC.reshape(-1, 1).astype(np.int64) >> places & 1
                data += b"\0" + np.packbits(bits.astype(np.uint8)).tobytes()
    head = header(width, height, depth=depth, colour=colour, interlaced=interlaced)
    body = chunk(b"IDAT", zlib.compress(data))
    return SIGNATURE + head + more + body + chunk(b"IEND", b"")


def png16(values_HWC: NDArray[np.uint16], *, colour: int, filters: list[int]) -> bytes:
    """Encode 16-bit values; row r is filtered with ``filters[r % len(filters)]``."""
    height, width, channels = values_HWC.shape
    step = 2 * channels
    above = bytes(width * step)
    lines: list[bytes] = []
    for row in range(height):
        line = values_HWC[row].astype(">u2").tobytes()
        kind = filters[row % len(filters)]
        out = bytearray([kind])
        for i, value in enumerate(line):
            left = line[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            guesses = (0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner))
            out.append((value - guesses[kind]) % 256)
        lines.append(bytes(out))
        above = line
    data = zlib.compress(b"".join(lines))
    half = len(data) // 2  # two IDAT chunks, as real encoders write
    return (
        SIGNATURE
        + header(width, height, depth=16, colour=colour)
        + chunk(b"IDAT", data[:half])
        + chunk(b"IDAT", data[half:])
        + chunk(b"IEND", b"")
    )


def paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda value: abs(guess - value))
