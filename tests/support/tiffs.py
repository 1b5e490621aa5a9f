"""A TIFF encoder of its own, byte by byte, for files of every kind that TIFF 6.0 allows.

Suffixes: H/W height and width, C channels, S samples of a pixel, R rows, N values of a row.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 8, 32946, 32773
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
_SHORT, _LONG = 3, 4


def tiff(
    values_HWS: NDArray[Any],
    *,
    bits: int = 8,
    form: int = UNSIGNED,
    photometric: int = 2,
    extra: Sequence[int] | None = None,
    order: str = "<",
    planes: bool = False,
    fill: int = 1,
    compression: int = NONE,
    predictor: bool = False,
    orientation: int = 1,
    rows: int | None = None,
    tile: int | None = None,
    big: bool = False,
    more: Mapping[int, Sequence[int]] | None = None,
) -> bytes:
    """Encode whole numbers, or floats where ``form`` says so.

    ``order`` is ``"<"`` or ``">"``; ``extra`` says what samples beside the colours are: 0 nothing
    known, 1 premultiplied alpha, 2 straight alpha; ``rows`` are those of a strip, ``tile`` the
    side of a tile; ``more`` are other tags, of whole numbers.
    """
    height, width, samples = values_HWS.shape
    parts = np.split(values_HWS, samples, axis=2) if planes else [values_HWS]
    segments: list[bytes] = []
    for part_HWS in parts:
        for piece_HWS in _pieces(part_HWS, rows or height, tile):
            stored_HWS = _differences(piece_HWS, bits) if predictor else piece_HWS
            lines = _lines(stored_HWS.reshape(len(stored_HWS), -1), bits, form, order)
            segments.append(
                _compressed(lines, compression).translate(_REVERSED if fill == 2 else None)
            )
    tags: dict[int, tuple[int, Sequence[int]]] = {
        256: (_LONG, [width]),
        257: (_LONG, [height]),
        258: (_SHORT, [bits] * samples),
        259: (_SHORT, [compression]),
        262: (_SHORT, [photometric]),
        266: (_SHORT, [fill]),
        274: (_SHORT, [orientation]),
        277: (_SHORT, [samples]),
        284: (_SHORT, [2 if planes else 1]),
        317: (_SHORT, [2 if predictor else 1]),
        339: (_SHORT, [form] * samples),
    }
    if extra is not None:
        tags[338] = (_SHORT, extra)
    for tag, numbers in (more or {}).items():
        tags[tag] = (_LONG if max(numbers, default=0) > 65535 else _SHORT, numbers)
    if tile is not None:
        tags |= {322: (_LONG, [tile]), 323: (_LONG, [tile])}
    else:
        tags[278] = (_LONG, [rows or height])
    return _file(tags, segments, order, tiled=tile is not None, big=big)


def tiff16(
    values_HWC: NDArray[np.uint16],
    *,
    order: str = "<",
    deflate: bool = False,
    predictor: bool = False,
    extra: int | None = None,
    planes: bool = False,
    orientation: int = 1,
) -> bytes:
    """Encode 16-bit RGB or RGBA in one strip, which Pillow cannot write."""
    return tiff(
        values_HWC,
        bits=16,
        order=order,
        compression=DEFLATE if deflate else NONE,
        predictor=predictor,
        extra=None if extra is None else [extra],
        planes=planes,
        orientation=orientation,
    )


def _pieces(values_HWS: NDArray[Any], rows: int, tile: int | None) -> list[NDArray[Any]]:
    height, width, _ = values_HWS.shape
    if tile is None:
        return [values_HWS[row : row + rows] for row in range(0, height, rows)]
    more = [(0, -side % tile) for side in (height, width)]
    padded_HWS = np.pad(values_HWS, (*more, (0, 0)), mode="edge")
    starts = [(y, x) for y in range(0, height, tile) for x in range(0, width, tile)]
    return [padded_HWS[y : y + tile, x : x + tile] for y, x in starts]


def _differences(values_HWS: NDArray[Any], bits: int) -> NDArray[Any]:
    wide_HWS = values_HWS.astype(np.int64)
    wide_HWS[:, 1:] -= values_HWS[:, :-1].astype(np.int64)
    return wide_HWS % 2**bits


def _lines(values_RN: NDArray[Any], bits: int, form: int, order: str) -> list[bytes]:
    """Return each row as bytes; it begins with a byte of its own."""
    if form == FLOAT or bits % 8 == 0:
        kind = {UNSIGNED: "u", SIGNED: "i", FLOAT: "f"}[form]
        return [row_N.astype(f"{order}{kind}{bits // 8}").tobytes() for row_N in values_RN]
    places = np.arange(bits - 1, -1, -1)
    return [
        np.packbits((row_N.astype(np.int64)[:, None] >> places & 1).astype(np.uint8)).tobytes()
        for row_N in values_RN
    ]


def _compressed(lines: list[bytes], compression: int) -> bytes:
    data = b"".join(lines)
    if compression in (DEFLATE, OLD_DEFLATE):
        return zlib.compress(data)
    if compression == LZW:
        return _lzw(data)
    return b"".join(map(_packbits, lines)) if compression == PACKBITS else data


def _lzw(data: bytes) -> bytes:
    """Encode every byte by itself; the table is cleared before codes take more than 9 bits."""
    codes: list[int] = []
    for start in range(0, len(data), 240):
        codes += [256, *data[start : start + 240]]
    text = "".join(f"{code:09b}" for code in [*(codes or [256]), 257])
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8))


def _packbits(line: bytes) -> bytes:
    made, at = b"", 0
    while at < len(line):
        same = 1
        while same < 128 and line[at : at + same + 1] == line[at : at + 1] * (same + 1):
            same += 1
        if same > 2:
            made += bytes([257 - same, line[at]])
            at += same
        else:
            made += bytes([0, line[at]])
            at += 1
    return made


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _file(
    tags: dict[int, tuple[int, Sequence[int]]],
    segments: list[bytes],
    order: str,
    *,
    tiled: bool,
    big: bool,
) -> bytes:
    first, word = (16, "Q") if big else (8, "I")
    body, offsets = b"", []
    for segment in segments:
        offsets.append(first + len(body))
        body += segment + b"\0" * (len(segment) % 2)
    lengths = [len(segment) for segment in segments]
    places, counts = (324, 325) if tiled else (273, 279)
    tags = tags | {places: (_LONG, offsets), counts: (_LONG, lengths)}
    directory = first + len(body)
    room, count, entry = (8, "Q", 20) if big else (4, "H", 12)
    beyond = directory + struct.calcsize(f"{order}{count}") + entry * len(tags) + room
    entries, rest = b"", b""
    for tag, (kind, numbers) in sorted(tags.items()):
        data = struct.pack(f"{order}{len(numbers)}{'H' if kind == _SHORT else 'I'}", *numbers)
        if len(data) > room:
            place = struct.pack(f"{order}{word}", beyond + len(rest))
            rest += data
        else:
            place = data.ljust(room, b"\0")
        entries += struct.pack(f"{order}HH{word}", tag, kind, len(numbers)) + place
    head = b"II" if order == "<" else b"MM"
    head += struct.pack(
        f"{order}HHHQ" if big else f"{order}HI", *((43, 8, 0) if big else (42,)), directory
    )
    return head + body + struct.pack(f"{order}{count}", len(tags)) + entries + bytes(room) + rest
