"""Patches as data URIs: one sprite sheet for the plots, single pictures for the samples.

Suffixes: N images, H/W height and width.
"""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SPRITE_LIMIT = 3_500_000
"""Bytes: a sprite sheet above this is compressed harder, so that a report can be mailed."""
_LONGEST_SIDE = 16_383
"""Pixels: WebP's own limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sprite:
    """All patches in one picture: image n stands at column n % columns, row n // columns."""

    uri: str
    columns: int
    height: int
    width: int
    lossless: bool


def _uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _sheet(patches_NHW3: NDArray[np.uint8], columns: int) -> Image.Image:
    count, height, width, _ = patches_NHW3.shape
    rows = -(-count // columns)
    padded = np.zeros((rows * columns, height, width, 3), np.uint8)
    padded[:count] = patches_NHW3
    grid = padded.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    return Image.fromarray(grid.reshape(rows * height, columns * width, 3))


def _halved(patches_NHW3: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return patches of half the side (rounded down), each pixel the mean of four."""
    _, height, width, _ = patches_NHW3.shape
    even = patches_NHW3[:, : height // 2 * 2, : width // 2 * 2].astype(np.uint16)
    four = even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]
    return ((four + 2) // 4).astype(np.uint8)


def sprite(patches_NHW3: NDArray[np.uint8], *, limit: int = SPRITE_LIMIT) -> Sprite:
    """Return the patches as one WebP picture of at most about ``limit`` bytes.

    Lossless where that fits; otherwise lossy, and at last at half the size and so on.
    """
    count, height, width, _ = patches_NHW3.shape
    columns = max(1, math.ceil(math.sqrt(count * height / width)))
    sheet = _sheet(patches_NHW3, columns)
    smallest = min(height, width) < 4
    if max(sheet.size) <= _LONGEST_SIDE:
        for lossless, quality in ((True, 60), (False, 90), (False, 75)):
            buffer = io.BytesIO()
            sheet.save(buffer, "WEBP", lossless=lossless, quality=quality, method=2)
            # With nothing left to shrink, the last try stands, whatever its size.
            if buffer.tell() <= limit or (smallest and quality == 75):
                return Sprite(
                    uri=_uri(buffer.getvalue(), "webp"),
                    columns=columns,
                    height=height,
                    width=width,
                    lossless=lossless,
                )
    return sprite(_halved(patches_NHW3), limit=limit)


def picture(patch_HW3: NDArray[np.uint8]) -> str:
    """Return one patch as a lossless PNG data URI."""
    buffer = io.BytesIO()
    Image.fromarray(patch_HW3).save(buffer, "PNG", optimize=True)
    return _uri(buffer.getvalue(), "png")
