"""A TIFF encoder of its own, for 16-bit colour, which Pillow cannot write."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

DEFLATE = 8


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
    """Encode 16-bit RGB or RGBA in one strip.

    ``order`` is ``"<"`` or ``">"``; ``extra`` says what a fourth channel is: 1 premultiplied
    alpha, 2 straight alpha; ``planes`` stores one strip a colour.
    """
    height, width, channels = values_HWC.shape
    stored_HWC = values_HWC.astype(np.int64)
    if predictor:
        stored_HWC[:, 1:] -= values_HWC[:, :-1]
    parts_HWC = np.split(stored_HWC, channels, axis=2) if planes else [stored_HWC]
    strips = [(part % 65536).astype(f"{order}u2").tobytes() for part in parts_HWC]
    if deflate:
        strips = [zlib.compress(strip) for strip in strips]
    body, offsets = b"", []
    for strip in strips:
        offsets.append(8 + len(body))
        body += strip + b"\0" * (len(strip) % 2)
    short, long = 3, 4
    tags: dict[int, tuple[int, list[int]]] = {
        256: (long, [width]),
        257: (long, [height]),
        258: (short, [16] * channels),
        259: (short, [DEFLATE if deflate else 1]),
        262: (short, [2]),
        273: (long, offsets),
        274: (short, [orientation]),
        277: (short, [channels]),
        278: (long, [height]),
        279: (long, [len(strip) for strip in strips]),
        284: (short, [2 if planes else 1]),
        317: (short, [2 if predictor else 1]),
    }
    if extra is not None:
        tags[338] = (short, [extra])
    directory = 8 + len(body)
    beyond = directory + 2 + 12 * len(tags) + 4
    entries, more = b"", b""
    for tag, (kind, values) in sorted(tags.items()):
        data = struct.pack(f"{order}{len(values)}{'H' if kind == short else 'I'}", *values)
        if len(data) > 4:
            place = struct.pack(f"{order}I", beyond + len(more))
            more += data
        else:
            place = data.ljust(4, b"\0")
        entries += struct.pack(f"{order}HHI", tag, kind, len(values)) + place
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, directory)
    count = struct.pack(f"{order}H", len(tags))
    return head + body + count + entries + bytes(4) + more
