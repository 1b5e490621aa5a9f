"""Isotropic Gaussian blur, and the filtering the other blurs share.

Suffixes: N images, C channels, H height, W width, K kernel side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from srscope.degradations.degree import Degree, check_degree, check_number, describe, fixed
from srscope.degradations.family import Family, register
from srscope.errors import ParameterError


def check_size(size: object) -> None:
    """Raise unless ``size`` is an odd whole number from 1 to 101."""
    check_number("size", size, low=1, high=101, whole=True)
    if isinstance(size, int) and size % 2 == 0:
        raise ParameterError("size", "odd", size, f"use {size + 1}")


def convolve(image_1CHW: Tensor, kernel_KK: Tensor) -> Tensor:
    """Convolve every channel with a kernel of odd sides; edges are reflected, edge not repeated.

    Args:
        image_1CHW: One float image.
        kernel_KK: The kernel, (K1, K2); either side may be 1.

    Returns:
        The filtered image, same shape and dtype.

    Raises:
        ParameterError: If the image is too small to be reflected that far.
    """
    down, right = (side // 2 for side in kernel_KK.shape)
    height, width = image_1CHW.shape[-2:]
    if height <= down or width <= right:
        raise ParameterError(
            "image size",
            f"above {down} x {right} pixels for a {kernel_KK.shape[0]} x {kernel_KK.shape[1]} "
            "kernel",
            f"{height} x {width}",
            "use larger images or a smaller kernel",
        )
    padded = F.pad(image_1CHW, (right, right, down, down), mode="reflect")
    # conv2d correlates, so the kernel is turned; channels go one by one through the same kernel.
    weight = kernel_KK.flip((0, 1)).to(image_1CHW)[None, None]
    return F.conv2d(padded.transpose(0, 1), weight).transpose(0, 1)


@register("gaussian-blur")
@dataclass(frozen=True, kw_only=True, slots=True)
class GaussianBlur(Family):
    """Blur with an isotropic Gaussian; edges are reflected.

    Args:
        sigma: Standard deviation, in pixels of the image it is given; fixed, or a range.
        size: Kernel side, in pixels, odd. The kernel is cut there and normalised.

    Raises:
        ParameterError: If ``sigma`` is not from 0.01 to 100, or ``size`` not odd from 1 to 101.

    Source: Liu et al. 2021, section 4.2: 15 x 15, width drawn per image from [2, 4].

    Example:
        >>> blur = GaussianBlur(sigma=(2, 4))
        >>> blur(torch.ones(1, 3, 8, 8), generator=torch.Generator()).shape
        torch.Size([1, 3, 8, 8])
    """

    blurs: ClassVar[bool] = True
    sigma: Degree
    size: int = 15

    def __post_init__(self) -> None:
        check_degree(
            "sigma", self.sigma, low=0.01, high=100, remedy="use [2, 4] for the paper's blur"
        )
        check_size(self.size)

    def apply(self, image_1CHW: Tensor, generator: torch.Generator) -> Tensor:
        """Blur one image."""
        offset_K = torch.arange(self.size, dtype=torch.float64) - self.size // 2
        kernel_K = torch.exp(-0.5 * (offset_K / fixed(self.sigma)) ** 2)
        kernel_K /= kernel_K.sum()
        return convolve(convolve(image_1CHW, kernel_K[:, None]), kernel_K[None, :])

    def definition(self, unit: str) -> str:
        """Return the description."""
        return f"Gaussian blur, {self.size}x{self.size}, {describe('sigma', self.sigma, unit)}"
