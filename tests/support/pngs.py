"""A PNG encoder of its own, for files that Pillow cannot write."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(width: int, height: int, *, depth: int, colour: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


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
