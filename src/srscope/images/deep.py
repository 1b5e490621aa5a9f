"""All 16 bits of colour PNG and TIFF files, of which Pillow keeps the upper 8.

Pillow unpacks such a file with a rule that takes the more significant byte of each value, by the
byte order it names (``RGB;16B``, ``RGB;16L``, or ``N`` for the machine's own). Decoded once more
under the other order, the file gives the less significant bytes. So whatever libtiff and zlib can
decompress is read in full: LZW, Deflate, tiles, predictors, interlacing.

H/W height and width in pixels, C channels.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from srscope.errors import ImageError
from srscope.images.io import open_image

_RULE = re.compile(r"(RGB|RGBA|RGBa|RGBX);16([BLN])")
_OTHER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_PLANAR_CONFIGURATION, _BITS_PER_SAMPLE, _SEPARATE = 284, 258, 2


def is_deep(image: Image.Image) -> bool:
    """Tell whether an opened image is a 16-bit colour file that :func:`read_deep` reads."""
    rules = [_rule(tile) for tile in _tiles(image)]
    return bool(rules) and all(_RULE.fullmatch(rule) for rule in rules)


def read_deep(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """Read the colours and alpha of a file for which :func:`is_deep` holds.

    Returns:
        Values in [0, 1], shape (H, W, C) with C = 3 (RGB) or 4 (RGB and straight alpha), turned
        as Pillow turns them: a TIFF by its orientation, a PNG not at all.

    Raises:
        ImageError: If the file is damaged, or a TIFF with its colours in separate planes.
    """
    with open_image(path) as image:
        refuse_planes(image, path)
        upper_HWC, premultiplied = _decoded(image, other=False)
    with open_image(path) as image:
        lower_HWC, _ = _decoded(image, other=True)
    levels_HWC = upper_HWC.astype(np.uint16)
    levels_HWC <<= 8
    levels_HWC |= lower_HWC
    pixels_HWC = levels_HWC.astype(np.float32)
    pixels_HWC /= np.float32(65535)
    if premultiplied:
        alpha_HW1 = pixels_HWC[..., 3:]
        colour_HW3 = pixels_HWC[..., :3]
        np.divide(colour_HW3, alpha_HW1, out=colour_HW3, where=alpha_HW1 > 0)
        np.minimum(colour_HW3, 1.0, out=colour_HW3)
    return pixels_HWC


def refuse_planes(image: Image.Image, path: str | os.PathLike[str]) -> None:
    """Raise an ImageError for 16-bit TIFF with separate planes, which Pillow decodes wrongly."""
    if not isinstance(image, TiffImageFile):
        return
    bits: Any = image.tag_v2.get(_BITS_PER_SAMPLE, (1,))
    planes = image.tag_v2.get(_PLANAR_CONFIGURATION, 1) == _SEPARATE and len(bits) > 1
    if planes and max(bits) > 8:
        raise ImageError(
            os.fspath(path),
            "keeps its colours in separate planes of 16 bits",
            "save it with interleaved colours",
        )


def _tiles(image: Image.Image) -> list[tuple[Any, ...]]:
    return list(getattr(image, "tile", ()))


def _rule(tile: tuple[Any, ...]) -> str:
    """Return how the values of a piece of the file are unpacked: Pillow's raw mode."""
    arguments = tile[3]
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _decoded(image: Image.Image, *, other: bool) -> tuple[NDArray[np.uint8], bool]:
    """Return one byte of each value, and whether colours are multiplied by alpha."""
    premultiplied = False
    tiles: list[tuple[Any, ...]] = []
    for tile in _tiles(image):
        found = _RULE.fullmatch(_rule(tile))
        assert found, "is_deep() was not asked"
        kind, order = found.groups()
        premultiplied = kind == "RGBa"
        # Pillow would divide by alpha at 8 bits.
        stored = f"{kind.upper()};16{_OTHER[order] if other else order}"
        arguments = (stored, *tile[3][1:]) if isinstance(tile[3], tuple) else stored
        tiles.append(_with_arguments(tile, arguments))
    image.tile = tiles  # pyright: ignore[reportAttributeAccessIssue]
    return np.asarray(image), premultiplied


def _with_arguments(tile: Any, arguments: object) -> tuple[Any, ...]:
    """Pillow's tiles are plain tuples before version 11.1, named ones since."""
    if hasattr(tile, "_replace"):
        return tile._replace(args=arguments)
    return (*tile[:3], arguments)
