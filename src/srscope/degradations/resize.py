"""Bicubic resizing as MATLAB's ``imresize`` does it: Keys' kernel, antialiased when shrinking.

Suffixes: N images, C channels, H height, W width; O output pixels, I input pixels of one axis.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.errors import ParameterError


def _keys_cubic(distance: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Keys' cubic convolution kernel with a = -0.5, support 2."""
    x = np.abs(distance)
    near = 1.5 * x**3 - 2.5 * x**2 + 1.0
    far = -0.5 * x**3 + 2.5 * x**2 - 4.0 * x + 2.0
    return np.where(x <= 1.0, near, np.where(x <= 2.0, far, 0.0))


@functools.lru_cache(maxsize=8)
def _weights_OI(size_in: int, scale: float) -> Tensor:
    """Return the float64 matrix that resizes one axis; borders are mirrored with their edge."""
    size_out = math.ceil(size_in * scale - 1e-9)
    shrink = min(scale, 1.0)
    taps = math.ceil(4.0 / shrink) + 2
    centre_O = (np.arange(size_out) + 0.5) / scale - 0.5
    first_O = np.floor(centre_O - 2.0 / shrink).astype(np.int64)
    index_OT = first_O[:, None] + np.arange(taps)[None, :]
    weight_OT = shrink * _keys_cubic(shrink * (centre_O[:, None] - index_OT))
    weight_OT /= weight_OT.sum(axis=1, keepdims=True)
    period = np.mod(index_OT, 2 * size_in)
    mirrored_OT = np.where(period < size_in, period, 2 * size_in - 1 - period)
    matrix_OI = np.zeros((size_out, size_in))
    np.add.at(matrix_OI, (np.arange(size_out)[:, None], mirrored_OT), weight_OT)
    return torch.from_numpy(matrix_OI)


def imresize(images_NCHW: Tensor, scale: float) -> Tensor:
    """Resize by ``scale`` with MATLAB's antialiased bicubic.

    Args:
        images_NCHW: Float images, any range; (N, C, H, W).
        scale: Output side over input side, above 0; ``1 / 4`` for x4 super-resolution inputs.
            The output side is ``ceil(side * scale)``, as in MATLAB.

    Returns:
        Resized images of the same dtype and device, neither clipped nor rounded.

    Raises:
        ParameterError: If ``scale`` is not finite and positive, or the images are not 4-D float.

    Source: Keys 1981; MATLAB ``imresize(..., 'bicubic')``; Liu et al. 2021, section 4.2.

    Example:
        >>> imresize(torch.full((1, 3, 8, 12), 0.5), 1 / 4).shape
        torch.Size([1, 3, 2, 3])
    """
    if not (math.isfinite(scale) and scale > 0):
        raise ParameterError("scale", "a finite number above 0", scale, "use 1/4 to shrink by 4")
    if images_NCHW.ndim != 4 or not images_NCHW.is_floating_point():
        raise ParameterError(
            "images_NCHW",
            "a 4-D float tensor (N, C, H, W)",
            (tuple(images_NCHW.shape), images_NCHW.dtype),
        )
    height, width = images_NCHW.shape[-2:]
    rows_OI = _weights_OI(height, float(scale)).to(images_NCHW)
    columns_OI = _weights_OI(width, float(scale)).to(images_NCHW)
    return torch.matmul(torch.matmul(rows_OI, images_NCHW), columns_OI.T)
