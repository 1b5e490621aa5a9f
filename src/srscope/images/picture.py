"""Image files as they are, for commands that give an image back: grey, alpha and depth are kept.

What a file's header says decides. Rules, the same for every format:

- The first frame of an animation, the first page that is no thumbnail; turned upright as the
  EXIF orientation says (in PNG, where it stands before the pixels).
- A grey file has one channel. Palettes, CMYK, YCbCr and CIELAB become RGB.
- Alpha is what the header calls so; it is kept beside the colours, which are not multiplied by it
  (straight alpha). So is a single transparent colour or palette entry. Other channels are dropped.
- Values of n bits are divided by 2^n - 1. More than 8 bits are kept in PNG, TIFF, JPEG 2000 and
  JPEG XL, and in grey PGM; what Pillow can only give at 8 bits counts as 8-bit.
- Floating-point images must lie in [0, 1]; signed ones may hold no negative values.
- The ICC profile is kept if it is for the colours as read, so not that of a CMYK file. All other
  metadata is dropped: EXIF (after turning by its orientation), resolution, gamma, text.
- No more than :data:`~srscope.images.opening.MAX_PIXELS` pixels, checked before anything is
  decoded.

H/W height and width in pixels, C channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srscope.errors import ImageError
from srscope.images import camera, jxl
from srscope.images.boxes import jpeg2000_header, read_jpeg2000
from srscope.images.formats import is_raw
from srscope.images.headers import alpha_of
from srscope.images.opening import (
    is_tiff,
    opened,
    orientation_of,
    quiet,
    reading,
    straight,
    turned,
)

Bits = Literal[8, 16]
_GREY_MODES = ("1", "L", "LA", "La")


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """An image as its file has it.

    Args:
        pixels_HWC: Float32 in [0, 1]; the last of 2 or 4 channels is straight alpha.
        bits: Depth of a value in the file: 8 for less, 16 for more.
        icc_profile: ICC profile of the colours.
    """

    pixels_HWC: NDArray[np.float32]
    bits: Bits
    icc_profile: bytes | None = None


def read_picture(path: str | os.PathLike[str]) -> Picture:
    """Read an image file by the rules at the top of this module.

    Raises:
        ImageError: If the file is missing, is no image, is damaged, is too large, or is of a kind
            that would not be read right.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "grey.png"
        >>> Image.new("LA", (4, 2), (51, 255)).save(file)
        >>> picture = read_picture(file)
        >>> picture.pixels_HWC.shape, picture.bits
        ((2, 4, 2), 8)
    """
    file = Path(path)
    with reading(file) as head:
        pixels_HWC, bits, profile = _decoded(file, head)
    return Picture(
        pixels_HWC=np.ascontiguousarray(pixels_HWC, dtype=np.float32),
        bits=16 if bits > 8 else 8,
        icc_profile=_fitting(profile, grey=pixels_HWC.shape[2] < 3),
    )


def picture_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Return height and width as :func:`read_picture` would give them, from the header alone.

    Raises:
        ImageError: As :func:`read_picture`, where the header tells.
    """
    file = Path(path)
    with reading(file) as head:
        if is_raw(file, head):
            return camera.raw_size(file)
        if jxl.is_jxl(head):
            return jxl.jxl_size(file)
        if is_tiff(head):
            from srscope.images.tiff import tiff_size  # slow to import, and seldom needed

            return tiff_size(file)
        with opened(file, head) as image:
            alpha_of(image, file)
            width, height = image.size
            return (width, height) if orientation_of(image) >= 5 else (height, width)


def _decoded(file: Path, head: bytes) -> tuple[NDArray[np.float32], int, bytes | None]:
    """Return pixels, bits of a value in the file, and ICC profile."""
    if is_raw(file, head):
        return camera.read_raw(file), 16, None
    if jxl.is_jxl(head):
        return (*jxl.read_jxl(file), None)
    if is_tiff(head):
        from srscope.images.tiff import read_tiff

        if (found := read_tiff(file)) is not None:
            return found
    with opened(file, head) as image:
        alpha, profile, bits = alpha_of(image, file), image.info.get("icc_profile"), 16
        if _is_beyond_pillow(image, head):
            pixels_HWC, bits = _by_libpng(file)
        elif image.format == "JPEG2000" and (header := jpeg2000_header(file)).bits != 8:
            pixels_HWC, bits = read_jpeg2000(file, header), header.bits
        elif image.mode == "F" or image.mode.startswith("I"):
            pixels_HWC = _grey_of_many_bits(image, file)
        else:
            pixels_HWC, bits = _eight_bits(image, alpha=alpha != "none"), 8
        if alpha == "premultiplied":
            pixels_HWC[..., :-1] = straight(pixels_HWC[..., :-1], pixels_HWC[..., -1:])
        # Pillow turns TIFF itself.
        orientation = 1 if image.format == "TIFF" else orientation_of(image)
    return turned(pixels_HWC, orientation), bits, profile


def _is_beyond_pillow(image: Image.Image, head: bytes) -> bool:
    """Tell of a PNG that Pillow would cut to 8 bits, or whose transparent grey it would miss."""
    if image.format != "PNG":
        return False
    depth, colour_type = head[24], head[25]
    return depth == 16 or (depth < 8 and colour_type == 0 and "transparency" in image.info)


def _by_libpng(file: Path) -> tuple[NDArray[np.float32], int]:
    import imagecodecs

    with quiet():
        decoded: Any = imagecodecs.png_decode(file.read_bytes())
    bits = 8 * decoded.dtype.itemsize
    pixels_HWC: NDArray[np.float32] = decoded.reshape(*decoded.shape[:2], -1).astype(np.float32)
    pixels_HWC /= np.float32(2**bits - 1)
    return pixels_HWC, bits


def _grey_of_many_bits(image: Image.Image, path: Path) -> NDArray[np.float32]:
    if image.mode == "F":
        values_HW = np.asarray(image)
        if not (values_HW.min() >= 0 and values_HW.max() <= 1):  # also false for NaN
            problem = "has floating-point values outside [0, 1]"
            raise ImageError(path, problem, "scale them first, so that 0 is black and 1 is white")
        return values_HW.astype(np.float32)[..., None]
    values_HW = np.asarray(image.convert("I"))
    if values_HW.min() < 0 or values_HW.max() > 65535:
        raise ImageError(path, "has integer values outside 0 to 65535", "save it with 16 bits")
    return (values_HW.astype(np.float32) / np.float32(65535))[..., None]


def _eight_bits(image: Image.Image, *, alpha: bool) -> NDArray[np.float32]:
    mode = ("L" if image.mode in _GREY_MODES else "RGB") + ("A" if alpha else "")
    # Without the copy that convert() makes in any case: a picture may be large.
    levels = np.asarray(image if image.mode == mode else image.convert(mode))
    pixels_HWC = levels.reshape(*levels.shape[:2], -1).astype(np.float32)
    pixels_HWC /= np.float32(255)
    return pixels_HWC


def _fitting(profile: object, *, grey: bool) -> bytes | None:
    """Return an ICC profile if its colour space (bytes 16 to 19) is that of the pixels."""
    if not isinstance(profile, bytes) or len(profile) < 128:
        return None
    return profile if profile[16:20] == (b"GRAY" if grey else b"RGB ") else None
