"""Images that a program holds: arrays, tensors and PIL images, as float32 in [0, 1].

Tensors are told by what they can do, so that torch is not loaded for arrays. Suffixes: N images,
H/W height and width, C channels.
"""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from srscope.errors import ParameterError

KINDS = "a folder, files, arrays, tensors or PIL images"
"""What images may be given as, in words."""
_CHANNELS = (1, 2, 3, 4)
_LEVELS = {"uint8": 255, "uint16": 65535}


def is_tensor(value: object) -> bool:
    """Tell whether a value is a tensor of torch."""
    return callable(getattr(value, "detach", None)) and callable(getattr(value, "cpu", None))


def is_image(value: object) -> TypeGuard[Any]:
    """Tell whether a value is an array, a tensor or a PIL image."""
    return isinstance(value, np.ndarray | Image.Image) or is_tensor(value)


def as_array(value: Any) -> NDArray[Any]:
    """Return an array, or a tensor's values as one; a memory map stays one.

    Example:
        >>> as_array([1, 2]).tolist()
        [1, 2]
    """
    if not is_tensor(value):
        return value if isinstance(value, np.ndarray) else np.asarray(value)
    host = value.detach().cpu()
    return (host.float() if "float" in str(host.dtype) else host).numpy()


def pixels_of(value: Any, name: str = "images") -> list[NDArray[np.float32]]:
    """Return the images in an array, a tensor or a PIL image.

    Args:
        value: One image (H, W), (H, W, C) or (C, H, W), or several (N, H, W, C) or (N, C, H, W),
            with C from 1 to 4. Where both readings are possible, channels are last in an array and
            first in a tensor. Whole numbers of 8 or 16 bits, or floats in [0, 1]. A PIL image is
            turned upright by its EXIF data, as a file is.
        name: Of the parameter, for messages.

    Returns:
        One array (H, W, C) an image, float32 in [0, 1].

    Raises:
        ParameterError: If shape, type or range is another.

    Example:
        >>> pixels_of(np.full((2, 4, 4, 3), 255, np.uint8))[1].max()
        np.float32(1.0)
    """
    if isinstance(value, Image.Image):
        return [_of_pil(value)]
    array: NDArray[Any] = as_array(value)
    if array.ndim == 2:
        array = array[..., None]
    elif array.ndim in (3, 4) and 0 not in array.shape:
        last, first = array.shape[-1] in _CHANNELS, array.shape[-3] in _CHANNELS
        if first and (is_tensor(value) or not last):
            array = np.moveaxis(array, -3, -1)
    if array.ndim not in (3, 4) or 0 in array.shape or array.shape[-1] not in _CHANNELS:
        rule = "of shape (H, W, C), (C, H, W) or several of these, with 1 to 4 channels"
        raise ParameterError(name, rule, array.shape)
    values = _in_range(array, name)
    return [np.ascontiguousarray(each) for each in (values if values.ndim == 4 else values[None])]


def _of_pil(image: Image.Image) -> NDArray[np.float32]:
    upright = ImageOps.exif_transpose(image)
    if upright.mode == "F" or upright.mode.startswith("I"):
        levels = np.asarray(upright).astype(np.uint16) if upright.mode != "F" else upright
        return pixels_of(np.asarray(levels))[0]
    grey = upright.mode in ("1", "L", "LA")
    mode = ("L" if grey else "RGB") + ("A" if upright.has_transparency_data else "")
    levels = np.asarray(upright.convert(mode))
    return _in_range(levels.reshape(*levels.shape[:2], -1), "images")


def _in_range(array: NDArray[Any], name: str) -> NDArray[np.float32]:
    if (most := _LEVELS.get(str(array.dtype))) is not None:
        return array.astype(np.float32) / np.float32(most)
    if not np.issubdtype(array.dtype, np.floating):
        raise ParameterError(name, "floats in [0, 1], uint8 or uint16", array.dtype)
    low, high = float(array.min()), float(array.max())
    if not (low >= 0 and high <= 1):  # also false for NaN
        remedy = "divide 8-bit values by 255, clip what a network overshoots"
        raise ParameterError(name, "in [0, 1]", f"{low:.3g} to {high:.3g}", remedy)
    return array.astype(np.float32)
