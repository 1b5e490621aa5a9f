"""Additive white Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from srscope.degradations.degree import Degree, check_degree, describe, fixed
from srscope.degradations.family import Family, register


def white_noise(image_1CHW: Tensor, generator: torch.Generator) -> Tensor:
    """Return standard normal noise of the image's shape and dtype, drawn in float32 always."""
    noise_1CHW = torch.randn(image_1CHW.shape, generator=generator, dtype=torch.float32)
    return noise_1CHW.to(image_1CHW)


@register("gaussian-noise")
@dataclass(frozen=True, kw_only=True, slots=True)
class GaussianNoise(Family):
    """Add Gaussian noise, independent in every pixel and channel.

    Args:
        sigma: Standard deviation, in units of 1/255 of the range from black to white (8-bit
            grey levels); fixed, or a range.

    Raises:
        ParameterError: If ``sigma`` is not from 0 to 255.

    Source: Liu et al. 2021, section 4.2: level drawn per image from [5, 30].

    Example:
        >>> noise = GaussianNoise(sigma=25.5)
        >>> images = noise(torch.zeros(1, 3, 100, 100), generator=torch.Generator().manual_seed(0))
        >>> round(float(images.std()), 2)
        0.1
    """

    sigma: Degree

    def __post_init__(self) -> None:
        remedy = "it is in 8-bit grey levels: use [5, 30] for the paper's noise"
        check_degree("sigma", self.sigma, low=0, high=255, remedy=remedy)

    def apply(self, image_1CHW: Tensor, generator: torch.Generator) -> Tensor:
        """Add noise to one image."""
        return image_1CHW + white_noise(image_1CHW, generator) * (fixed(self.sigma) / 255)

    def definition(self, unit: str) -> str:
        """Return the description."""
        return f"additive Gaussian noise, {describe('sigma', self.sigma)} of 255"
