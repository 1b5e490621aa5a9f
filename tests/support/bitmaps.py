"""Encoders of BMP and TGA, byte by byte, for files that Pillow cannot write."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def bmp(
    rows: Sequence[bytes],
    width: int,
    bits: int,
    *,
    header: int = 40,
    compression: int = 0,
    masks: Sequence[int] = (),
    palette: bytes = b"",
    colours: int = 0,
    top_down: bool = False,
) -> bytes:
    """Encode rows from top to bottom; palette entries are of blue, green, red and 0."""
    height = -len(rows) if top_down else len(rows)
    info = struct.pack("<IiiHHI", header, width, height, 1, bits, compression)
    info += struct.pack("<IiiII", 0, 2835, 2835, colours, 0) + struct.pack(
        f"<{len(masks)}I", *masks
    )
    info = info.ljust(header, b"\0") + palette
    lines = [row.ljust(-(-len(row) // 4) * 4, b"\0") for row in rows]
    body = b"".join(lines if top_down else lines[::-1])
    start = 14 + len(info)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + info + body


def tga(
    rows: Sequence[bytes],
    width: int,
    depth: int,
    *,
    kind: int = 2,
    alpha_bits: int = 0,
    attributes: int | None = None,
    packed: bool = False,
    from_right: bool = False,
    from_bottom: bool = False,
    palette: bytes = b"",
    entries: int = 0,
    entry_bits: int = 0,
) -> bytes:
    """Encode rows from top to bottom; ``attributes`` is the field 24 of the extension area."""
    descriptor = alpha_bits | (0x10 if from_right else 0) | (0 if from_bottom else 0x20)
    pixel = depth // 8
    lines = [
        b"".join(row[at : at + pixel] for at in range(len(row) - pixel, -1, -pixel))
        if from_right
        else row
        for row in (rows[::-1] if from_bottom else rows)
    ]
    head = struct.pack("<BBBHHB", 0, 1 if palette else 0, kind + 8 * packed, 0, entries, entry_bits)
    head += struct.pack("<HHHHBB", 0, 0, width, len(rows), depth, descriptor)
    body = b"".join(_runs(line, pixel) if packed else line for line in lines)
    data = head + palette + body
    if attributes is not None:
        extension = struct.pack("<H", 495).ljust(494, b"\0") + bytes([attributes])
        end = struct.pack("<II", len(data), 0) + b"TRUEVISION-XFILE.\0"
        data += extension + end
    return data


def _runs(line: bytes, pixel: int) -> bytes:
    """Encode each pixel as a run of one."""
    return b"".join(b"\x80" + line[at : at + pixel] for at in range(0, len(line), pixel))
