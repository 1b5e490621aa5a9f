"""Image files to and from float32 RGB in [0, 1].

Rules, the same for every format:

- The first frame of an animation; rotated as the EXIF orientation says (in PNG, where it stands
  before the pixels).
- Grey, palette, CMYK and YCbCr become RGB. Colour profiles are ignored: degradations and networks
  work on the stored values.
- Transparent pixels are composited over white (:mod:`srscope.images.picture` keeps alpha).
- 8-bit values are divided by 255, 16-bit ones by 65535. Grey, PNG and TIFF files keep all 16
  bits; what Pillow can only give at 8 is read at 8 (16-bit CMYK, JPEG 2000 and PPM colour), and
  16-bit TIFF with its colours in separate planes, which it decodes wrongly, is refused.
- Floating-point images (TIFF) must lie in [0, 1].
- No more than :data:`MAX_PIXELS` pixels, checked before anything is decoded.

H/W height and width in pixels, 3 red, green and blue, C any number of channels.
"""

from __future__ import annotations

import contextlib
import logging
import os
import struct
import sys
import threading
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from srscope.errors import ImageError, ParameterError, first_line
from srscope.images.png16 import decode_png16, is_png16_colour
from srscope.runtime.files import atomic_path

_Value = TypeVar("_Value", bound=np.generic)

# Pillow logs what it then raises. Without a handler of the user's, that would go to stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())

# 100 million pixels are 1.2 GB as float32 RGB; the largest camera pictures have about as many.
MAX_PIXELS = 100_000_000
# Formats that hold photographs. Pillow knows more, some of which run other programs to decode.
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "DIB", "GIF", "PPM", "JPEG2000", "TGA")
_ORIENTATION_TAG, _WIDTH_TAG, _HEIGHT_TAG = 0x0112, 0x0100, 0x0101
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# What Pillow's decoders raise on damaged files.
_DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    ZeroDivisionError,
    MemoryError,
    AssertionError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)


def read_image(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """Read an image file as RGB.

    Returns:
        Its pixels, shape (H, W, 3), float32 in [0, 1], by the rules at the top of this module.

    Raises:
        ImageError: If the file is missing, is no image, is damaged or is too large.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "grey.png"
        >>> Image.new("L", (4, 2), 51).save(file)
        >>> image_HW3 = read_image(file)
        >>> image_HW3.shape, float(image_HW3[0, 0, 0])
        ((2, 4, 3), 0.20000000298023224)
    """
    from srscope.images import deep  # which opens files by this module

    with open_image(path) as image:
        deep.refuse_planes(image, path)
        turn = turn_of(image)
        if is_png16_colour(image):
            pixels_HWC = decode_png16(Path(path).read_bytes())
            if turn is not None:
                pixels_HWC = turned(pixels_HWC, turn)
            pixels_HWC = pixels_HWC.astype(np.float32)
            pixels_HWC /= np.float32(65535)
        elif deep.is_deep(image) and "transparency" not in image.info:
            pixels_HWC = deep.read_deep(path)
            if turn is not None:
                pixels_HWC = turned(pixels_HWC, turn)
        else:
            upright = image if turn is None else image.transpose(turn)
            pixels_HWC = unit_pixels(upright, Path(path))
    return np.ascontiguousarray(_rgb(pixels_HWC))


def read_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Return height and width as :func:`read_image` would give them, from the header alone.

    Raises:
        ImageError: If the file is missing, is no image or is too large.
    """
    with open_image(path) as image:
        if isinstance(image, TiffImageFile):  # whose size is as stored or as shown, by version
            width, height = int(image.tag_v2[_WIDTH_TAG]), int(image.tag_v2[_HEIGHT_TAG])
        else:
            width, height = image.size
        return (width, height) if _orientation(image) >= 5 else (height, width)


def write_image(path: str | os.PathLike[str], image_HW3: ArrayLike) -> None:
    """Write RGB in [0, 1] as an 8-bit PNG, atomically.

    Values are clipped to [0, 1] and rounded to the nearest of 256 levels (ties to even), as
    networks overshoot.

    Args:
        path: The file, with the suffix ``.png``.
        image_HW3: Pixels, shape (H, W, 3).

    Raises:
        ParameterError: If the suffix or the shape is another, or a value is not finite.
    """
    if Path(path).suffix.lower() != ".png":
        raise ParameterError("path", "a file name ending in .png", str(path))
    values_HW3 = np.asarray(image_HW3)
    if values_HW3.ndim != 3 or values_HW3.shape[2] != 3 or 0 in values_HW3.shape:
        raise ParameterError("image_HW3", "an array of shape (H, W, 3)", values_HW3.shape)
    if not np.isfinite(values_HW3).all():
        raise ParameterError("image_HW3", "finite", "NaN or infinite")
    levels_HW3 = np.rint(np.clip(values_HW3, 0.0, 1.0) * 255.0).astype(np.uint8)
    with atomic_path(path) as temporary:
        Image.fromarray(levels_HW3, mode="RGB").save(temporary, format="PNG")


@contextlib.contextmanager
def open_image(path: str | os.PathLike[str]) -> Generator[Image.Image]:
    """Open ``path``; turn whatever goes wrong until the block ends into an ImageError."""
    path = Path(path)
    try:
        if not path.exists():
            raise ImageError(path, "is a broken link" if path.is_symlink() else "does not exist")
        if path.is_dir():
            raise ImageError(path, "is a folder, not an image file")
        if not path.is_file():  # reading a pipe would wait forever
            raise ImageError(path, "is not a regular file")
        with warnings.catch_warnings(), _QUIET_TIFF if _is_tiff(path) else contextlib.nullcontext():
            # Ours is the stricter limit, and broken metadata does not concern the pixels.
            warnings.simplefilter("ignore")
            # Not by its name: Pillow would map an uncompressed file, and turned TIFF wrongly.
            with path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise _too_large(path, f"{image.width}x{image.height} pixels")
                yield image
    except ImageError:
        raise
    except PermissionError:
        raise ImageError(path, "may not be read", "check its permissions") from None
    except Image.DecompressionBombError:
        raise _too_large(path, "far too many pixels") from None
    except UnidentifiedImageError:
        if path.stat().st_size == 0:
            raise ImageError(path, "is empty") from None
        raise ImageError(
            path, "is not an image srscope can read", "give PNG, JPEG, TIFF, WebP, BMP or GIF"
        ) from None
    except _DAMAGE as error:
        raise ImageError(path, f"is damaged: {first_line(error)}") from error


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class _Quiet:
    """Keeps off stderr what C libraries write there: libtiff tells every damage in its own words.

    Any number of threads may be within; the first shuts it, and the last opens it again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._within = 0
        self._kept = -1

    def __enter__(self) -> None:
        with self._lock:
            self._within += 1
            if self._within == 1:
                with contextlib.suppress(OSError):  # a process without stderr
                    sys.stderr.flush()
                    self._kept = os.dup(2)
                    nowhere = os.open(os.devnull, os.O_WRONLY)
                    os.dup2(nowhere, 2)
                    os.close(nowhere)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._within -= 1
            if self._within == 0 and self._kept >= 0:
                os.dup2(self._kept, 2)
                os.close(self._kept)
                self._kept = -1


_QUIET_TIFF = _Quiet()


def _too_large(path: Path, size: str) -> ImageError:
    return ImageError(
        path, f"has {size}, more than the {MAX_PIXELS:,} allowed", "shrink or crop it first"
    )


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) where there is none or it cannot be read."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # Pillow would decode everything, to look for EXIF after the pixels
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except _DAMAGE:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """Return what must be done to the decoded pixels; None also for TIFF, which Pillow turns."""
    return None if image.format == "TIFF" else _TURN.get(_orientation(image))


def turned(pixels_HWC: NDArray[_Value], turn: Image.Transpose) -> NDArray[_Value]:
    """Do what ``Image.transpose`` does, on an array."""
    flip = Image.Transpose
    if turn in (flip.TRANSPOSE, flip.TRANSVERSE, flip.ROTATE_90, flip.ROTATE_270):
        pixels_HWC = pixels_HWC.transpose(1, 0, 2)
    if turn in (flip.FLIP_LEFT_RIGHT, flip.ROTATE_180, flip.ROTATE_270, flip.TRANSVERSE):
        pixels_HWC = pixels_HWC[:, ::-1]
    if turn in (flip.FLIP_TOP_BOTTOM, flip.ROTATE_180, flip.ROTATE_90, flip.TRANSVERSE):
        pixels_HWC = pixels_HWC[::-1]
    return pixels_HWC


def unit_pixels(image: Image.Image, path: Path) -> NDArray[np.float32]:
    """Return ``image`` as float32 in [0, 1], shape (H, W, C) with C = 1, 3 or 4."""
    if image.mode.startswith("I;16") or image.mode == "I":
        values_HW = np.asarray(image.convert("I"))
        if values_HW.min() < 0 or values_HW.max() > 65535:
            raise ImageError(path, "has integer values outside 0 to 65535", "save it with 16 bits")
        return (values_HW.astype(np.float32) / np.float32(65535))[..., None]
    if image.mode == "F":
        values_HW = np.asarray(image)
        if not (values_HW.min() >= 0 and values_HW.max() <= 1):  # also false for NaN
            raise ImageError(path, "has floating-point values outside [0, 1]", "scale them first")
        return values_HW.astype(np.float32)[..., None]
    transparent = "A" in image.mode or "a" in image.mode or "transparency" in image.info
    mode = "RGBA" if transparent else "RGB"
    # In place, and without the copy that convert() makes in any case: a picture may be large.
    levels_HWC = np.asarray(image if image.mode == mode else image.convert(mode))
    pixels_HWC = levels_HWC.astype(np.float32)
    pixels_HWC /= np.float32(255)
    return pixels_HWC


def _rgb(pixels_HWC: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return RGB: grey repeated, transparency composited over white."""
    channels = pixels_HWC.shape[2]
    colour_HWC = pixels_HWC if channels in (1, 3) else pixels_HWC[..., :-1]
    if channels in (2, 4):
        alpha_HW1 = pixels_HWC[..., -1:]
        over_white_HWC = colour_HWC * alpha_HW1 + (np.float32(1) - alpha_HW1)
        colour_HWC = over_white_HWC.astype(np.float32)
    return np.repeat(colour_HWC, 3, axis=2) if colour_HWC.shape[2] == 1 else colour_HWC
