"""Image files to and from float32 RGB in [0, 1].

Files are read by the rules of :mod:`srscope.images.picture`, and then:

- Grey becomes RGB.
- Transparent pixels are composited over white.
- Colour profiles are ignored: degradations and networks work on the stored values.

H/W height and width in pixels, 3 red, green and blue, C any number of channels.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from srscope.errors import ParameterError
from srscope.images.picture import picture_size, read_picture
from srscope.runtime.files import atomic_path


def read_image(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """Read an image file as RGB.

    Returns:
        Its pixels, shape (H, W, 3), float32 in [0, 1], by the rules at the top of this module.

    Raises:
        ImageError: If the file is missing, is no image, is damaged, is too large, or is of a kind
            that would not be read right.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "grey.png"
        >>> Image.new("L", (4, 2), 51).save(file)
        >>> image_HW3 = read_image(file)
        >>> image_HW3.shape, float(image_HW3[0, 0, 0])
        ((2, 4, 3), 0.20000000298023224)
    """
    return np.ascontiguousarray(as_rgb(read_picture(path).pixels_HWC))


def read_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Return height and width as :func:`read_image` would give them, from the header alone.

    Raises:
        ImageError: As :func:`read_image`, where the header tells.
    """
    return picture_size(path)


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


def as_rgb(pixels_HWC: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (H, W, C) of 1 to 4 channels as RGB: grey repeated, transparency over white."""
    channels = pixels_HWC.shape[2]
    colour_HWC = pixels_HWC if channels in (1, 3) else pixels_HWC[..., :-1]
    if channels in (2, 4):
        alpha_HW1 = pixels_HWC[..., -1:]
        over_white_HWC = colour_HWC * alpha_HW1 + (np.float32(1) - alpha_HW1)
        colour_HWC = over_white_HWC.astype(np.float32)
    return np.repeat(colour_HWC, 3, axis=2) if colour_HWC.shape[2] == 1 else colour_HWC
