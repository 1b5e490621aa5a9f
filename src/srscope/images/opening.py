"""Opening image files: what is checked first, and every failure as one kind of error.

H/W height and width in pixels, C channels.
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
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from srscope.errors import ImageError, first_line
from srscope.images.formats import pillow_formats, unread

_Value = TypeVar("_Value", bound=np.generic)

# They log what they then raise. Without a handler of the user's, that would go to stderr.
for _name in ("PIL", "tifffile"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

MAX_PIXELS = 100_000_000
"""Most pixels a picture may have: 1.2 GB as float32 RGB. The largest camera pictures have about as
many."""
_HEAD = 64
"""Bytes at a file's start that tell its format."""
_ORIENTATION_TAG = 0x0112
# What decoders raise on damaged files; those of imagecodecs and tifffile derive from these.
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


@contextlib.contextmanager
def reading(path: Path) -> Generator[bytes]:
    """Check a file, yield its first bytes, and turn what goes wrong into an ImageError."""
    head = b""
    try:
        if not path.exists():
            raise ImageError(path, "is a broken link" if path.is_symlink() else "does not exist")
        if path.is_dir():
            raise ImageError(path, "is a folder, not an image file")
        if not path.is_file():  # reading a pipe would wait forever
            raise ImageError(path, "is not a regular file")
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if not head:
            raise ImageError(path, "is empty")
        with warnings.catch_warnings():
            # Ours is the stricter limit, and broken metadata does not concern the pixels.
            warnings.simplefilter("ignore")
            yield head
    except ImageError:
        raise
    except PermissionError:
        raise ImageError(path, "may not be read", "check its permissions") from None
    except Image.DecompressionBombError:
        raise _too_large(path, "far too many pixels") from None
    except UnidentifiedImageError:
        raise ImageError(path, *unread(path, head)) from None
    except _DAMAGE as error:
        problem = first_line(error)
        if "upported" in problem and not isinstance(error, TypeError):  # a decoder's own word
            remedy = "save it as PNG with another program"
            raise ImageError(path, f"is of a kind that is not read: {problem}", remedy) from error
        raise ImageError(path, f"is damaged: {problem}") from error


@contextlib.contextmanager
def opened(path: Path, head: bytes) -> Generator[Image.Image]:
    """Open a file by Pillow; use inside :func:`reading`."""
    with (
        quiet() if is_tiff(head) else contextlib.nullcontext(),
        # Not by its name: Pillow would map an uncompressed file, and turned TIFF wrongly.
        path.open("rb") as file,
        Image.open(file, formats=pillow_formats()) as image,
    ):
        check_size(path, image.height, image.width)
        yield image


def check_size(path: Path, height: int, width: int) -> None:
    """Raise an ImageError if a picture has more than :data:`MAX_PIXELS`, or none."""
    if height < 1 or width < 1:
        raise ImageError(path, "is damaged: it has no pixels")
    if width * height > MAX_PIXELS:
        raise _too_large(path, f"{width}x{height} pixels")


def is_tiff(head: bytes) -> bool:
    """Tell whether a file is TIFF or BigTIFF by its first bytes."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


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


_QUIET = _Quiet()


def quiet() -> contextlib.AbstractContextManager[None]:
    """Keep what C libraries write off stderr."""
    return _QUIET


def _too_large(path: Path, size: str) -> ImageError:
    return ImageError(
        path, f"has {size}, more than the {MAX_PIXELS:,} allowed", "shrink or crop it first"
    )


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) where there is none or it cannot be read."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # Pillow would decode everything, to look for EXIF after the pixels
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except _DAMAGE:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def turned(pixels_HWC: NDArray[_Value], orientation: int) -> NDArray[_Value]:
    """Turn stored pixels upright, by their EXIF orientation.

    Example:
        >>> turned(np.array([[[1], [2]]]), 6).tolist()
        [[[1]], [[2]]]
    """
    if orientation >= 5:
        pixels_HWC = pixels_HWC.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels_HWC = pixels_HWC[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels_HWC = pixels_HWC[::-1]
    return pixels_HWC


def straight(
    colours_HWC: NDArray[np.float32], alpha_HW1: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return colours that were multiplied by alpha as they were before, at most 1."""
    divided_HWC = np.divide(
        colours_HWC, alpha_HW1, out=np.zeros_like(colours_HWC), where=alpha_HW1 > 0
    )
    return np.minimum(divided_HWC, np.float32(1))
