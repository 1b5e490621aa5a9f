"""An approximation of the NTIRE 2018 "realistic mild" degradation.

The challenge published pairs of images but not its model, which is known to hold motion blur,
a pixel shift and noise of a camera. This is a stand-in with these three parts, not a copy: where
the official images are at hand, give their folder instead (``Suite.with_folder``).

Suffixes: P points of the motion path, K kernel side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from srscope.degradations.blur import check_size, convolve
from srscope.degradations.degree import Degree, check_degree, describe, fixed, largest
from srscope.degradations.family import Family, register
from srscope.degradations.noise import white_noise
from srscope.errors import ParameterError

_PATH_POINTS = 65


@register("mild")
@dataclass(frozen=True, kw_only=True, slots=True)
class Mild(Family):
    """Blur along a short curved path, shift by a fraction of a pixel, add sensor noise.

    A pen of Gaussian width is drawn along an arc; the arc's centroid lies at the shift, so one
    convolution blurs and shifts. The noise of a pixel of value x has the standard deviation
    sqrt(read^2 + shot^2 x): the read-out noise, and the photons' (Poisson) in its normal limit.
    Always applied to the image it is given: ``blur_applied_to`` does not split it.

    Args:
        length: Length of the path, in pixels.
        angle: Direction at the middle of the path, in degrees, counter-clockwise from the right.
        bend: Turn of the direction from one end of the path to the other, in degrees.
        width: Standard deviation of the pen, in pixels.
        shift_x: Shift of the content to the right, in pixels.
        shift_y: Shift of the content downwards, in pixels.
        read: Standard deviation of the noise in black, in 8-bit grey levels.
        shot: Standard deviation of the signal's own noise in white, in 8-bit grey levels.
        size: Kernel side, in pixels, odd.

    Raises:
        ParameterError: If a field is out of its range, or the kernel too small for the path.

    Source: Timofte et al. 2018, NTIRE 2018 challenge, track 2; Liu et al. 2021, section 4.1,
        whose noise20 set is chosen to look like it.

    Example:
        >>> mild = Mild(length=4, shift_x=0.5)
        >>> mild(torch.rand(2, 3, 24, 24), generator=torch.Generator()).shape
        torch.Size([2, 3, 24, 24])
    """

    length: Degree = (1.0, 5.0)
    angle: Degree = (0.0, 180.0)
    bend: Degree = (-90.0, 90.0)
    width: Degree = (0.5, 0.9)
    shift_x: Degree = (-1.0, 1.0)
    shift_y: Degree = (-1.0, 1.0)
    read: Degree = (3.0, 8.0)
    shot: Degree = (10.0, 25.0)
    size: int = 15

    def __post_init__(self) -> None:
        check_size(self.size)
        check_degree("length", self.length, low=0, high=50)
        check_degree("angle", self.angle, low=-360, high=360)
        check_degree("bend", self.bend, low=-180, high=180)
        check_degree("width", self.width, low=0.3, high=20)
        check_degree("shift_x", self.shift_x, low=-20, high=20)
        check_degree("shift_y", self.shift_y, low=-20, high=20)
        check_degree("read", self.read, low=0, high=255)
        check_degree("shot", self.shot, low=0, high=255)
        reach = (
            largest(self.length) / 2
            + max(largest(self.shift_x), largest(self.shift_y))
            + 3 * largest(self.width)
        )
        if reach > self.size // 2 + 0.5:
            least = 2 * math.ceil(reach - 0.5) + 1
            rule = "large enough for half the length, the shift and 3 widths"
            raise ParameterError("size", rule, self.size, f"use {least} or more")

    def kernel(self) -> Tensor:
        """Return the blur-and-shift kernel (K, K) in float64, summing to 1, of fixed degrees."""
        fields = (self.length, self.angle, self.bend, self.width, self.shift_x, self.shift_y)
        length, angle, bend, width, shift_x, shift_y = (fixed(field) for field in fields)
        along_P = torch.linspace(-0.5, 0.5, _PATH_POINTS, dtype=torch.float64)
        heading_P = torch.deg2rad(angle + bend * along_P)
        step = length / (_PATH_POINTS - 1)
        x_P = torch.cumsum(torch.cos(heading_P) * step, 0)
        y_P = -torch.cumsum(torch.sin(heading_P) * step, 0)
        x_P += shift_x - x_P.mean()
        y_P += shift_y - y_P.mean()
        offset_K = torch.arange(self.size, dtype=torch.float64) - self.size // 2
        pen_x_PK = torch.exp(-0.5 * ((offset_K - x_P[:, None]) / width) ** 2)
        pen_y_PK = torch.exp(-0.5 * ((offset_K - y_P[:, None]) / width) ** 2)
        kernel_KK = pen_y_PK.T @ pen_x_PK
        return kernel_KK / kernel_KK.sum()

    def apply(self, image_1CHW: Tensor, generator: torch.Generator) -> Tensor:
        """Blur, shift and add noise to one image."""
        read, shot = fixed(self.read) / 255, fixed(self.shot) / 255
        blurred_1CHW = convolve(image_1CHW, self.kernel())
        variance_1CHW = read**2 + shot**2 * blurred_1CHW.clamp(0, 1)
        return blurred_1CHW + white_noise(image_1CHW, generator) * variance_1CHW.sqrt()

    def definition(self, unit: str) -> str:
        """Return the description."""
        return (
            f"approximation of NTIRE 2018 mild: motion blur, {self.size}x{self.size}, "
            f"{describe('length', self.length, unit)}, {describe('angle', self.angle)}, "
            f"{describe('bend', self.bend, 'degrees')}, {describe('width', self.width, unit)}; "
            f"{describe('shift x', self.shift_x)}, {describe('y', self.shift_y, unit)}; "
            f"signal-dependent noise, {describe('read', self.read)}, "
            f"{describe('shot', self.shot)} of 255"
        )
