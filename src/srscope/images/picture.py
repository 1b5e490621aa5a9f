"""Image files as they are, for commands that give an image back: grey, alpha and depth are kept.

Rules, where they differ from :func:`srscope.images.io.read_image`:

- A grey file has one channel. Palettes and CMYK become RGB.
- Alpha is kept beside the colours, which are not multiplied by it (straight alpha). So is a
  single transparent colour or palette entry.
- 16-bit colour is read in full from PNG and TIFF, 16-bit grey from every format. What Pillow can
  only give at 8 bits counts as 8-bit: 16-bit CMYK, JPEG 2000 and PPM colour, interlaced PNG
  with grey and alpha.
- The ICC profile is kept if it is for the colours as read, so not that of a CMYK file. All other
  metadata is dropped: EXIF (after turning by its orientation), resolution, gamma, text.

H/W height and width in pixels, C channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srscope.images.deep import is_deep, read_deep, refuse_planes
from srscope.images.io import open_image, turn_of, turned, unit_pixels
from srscope.images.png16 import decode_png16, is_png16_colour

Bits = Literal[8, 16]
_GREY_MODES = ("1", "L", "LA", "La")


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """An image as its file has it.

    Args:
        pixels_HWC: Float32 in [0, 1]; the last of 2 or 4 channels is straight alpha.
        bits: Depth of a value in the file, 8 for less.
        icc_profile: ICC profile of the colours.
    """

    pixels_HWC: NDArray[np.float32]
    bits: Bits
    icc_profile: bytes | None = None


def read_picture(path: str | os.PathLike[str]) -> Picture:
    """Read an image file by the rules at the top of this module.

    Raises:
        ImageError: If the file is missing, is no image, is damaged or is too large.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "grey.png"
        >>> Image.new("LA", (4, 2), (51, 255)).save(file)
        >>> picture = read_picture(file)
        >>> picture.pixels_HWC.shape, picture.bits
        ((2, 4, 2), 8)
    """
    bits: Bits = 16
    with open_image(path) as image:
        refuse_planes(image, path)
        turn, profile, key = turn_of(image), image.info.get("icc_profile"), _key(image)
        if is_deep(image):
            pixels_HWC = _with_key(read_deep(path), key)
        elif is_png16_colour(image):  # grey and alpha
            pixels_HWC = decode_png16(Path(path).read_bytes()) / np.float32(65535)
        elif image.mode == "F" or image.mode.startswith("I"):
            pixels_HWC = _with_key(unit_pixels(image, Path(path)), key)
        else:
            pixels_HWC, bits = _eight_bits(image), 8
    if turn is not None:
        pixels_HWC = turned(pixels_HWC, turn)
    return Picture(
        pixels_HWC=np.ascontiguousarray(pixels_HWC, dtype=np.float32),
        bits=bits,
        icc_profile=_fitting(profile, grey=pixels_HWC.shape[2] < 3),
    )


def _eight_bits(image: Image.Image) -> NDArray[np.float32]:
    mode = "L" if image.mode in _GREY_MODES else "RGB"
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        mode += "A"
    levels = np.asarray(image.convert(mode))
    pixels_HWC = levels.reshape(*levels.shape[:2], -1).astype(np.float32)
    pixels_HWC /= np.float32(255)
    return pixels_HWC


def _key(image: Image.Image) -> tuple[int, ...] | None:
    """Return the single transparent colour of a 16-bit file, one value a channel."""
    key = image.info.get("transparency")
    if isinstance(key, int):
        return (key,)
    return key if isinstance(key, tuple) else None


def _with_key(pixels_HWC: NDArray[np.float32], key: tuple[int, ...] | None) -> NDArray[np.float32]:
    """Add an alpha channel in which pixels of the colour ``key`` are transparent."""
    if key is None or pixels_HWC.shape[2] != len(key):
        return pixels_HWC
    same_HWC = pixels_HWC == np.asarray(key, dtype=np.float32) / np.float32(65535)
    alpha_HW1 = 1 - same_HWC.all(axis=2, keepdims=True).astype(np.float32)
    return np.concatenate([pixels_HWC, alpha_HW1], axis=2)


def _fitting(profile: object, *, grey: bool) -> bytes | None:
    """Return an ICC profile if its colour space (bytes 16 to 19) is that of the pixels."""
    if not isinstance(profile, bytes) or len(profile) < 128:
        return None
    return profile if profile[16:20] == (b"GRAY" if grey else b"RGB ") else None
