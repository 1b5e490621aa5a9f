"""What a network makes of an image's size, found by running it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.networks.loading.borders import Geometry, find_geometry


def unet(x: Tensor) -> Tensor:
    """Halves, loses a pixel on each side there, doubles; odd rows are dropped."""
    small = F.avg_pool2d(F.avg_pool2d(x, 2), 2)[:, :, 1:-1, 1:-1]
    return F.interpolate(small, scale_factor=4)


def geometry(scale: int, border: tuple[int, int], multiple: int, smallest: int = 8) -> Geometry:
    return Geometry(scale=scale, border=border, multiple=multiple, smallest=smallest)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (nn.Conv2d(3, 3, 3, padding=1), geometry(1, (0, 0), 1)),
        (nn.Sequential(nn.Conv2d(3, 12, 5), nn.PixelShuffle(2)), geometry(2, (2, 2), 1)),
        (nn.Conv2d(3, 1, 4), geometry(1, (1, 2), 1)),
        (unet, geometry(1, (4, 4), 4)),
        (nn.Sequential(nn.PixelUnshuffle(4), nn.PixelShuffle(4)), geometry(1, (0, 0), 4)),
        (nn.Conv2d(3, 3, 33), geometry(1, (16, 16), 1)),
    ],
)
@torch.no_grad()
def test_border_scale_and_sizes_are_found(network: nn.Module, expected: Geometry) -> None:
    assert find_geometry(network, 3) == expected


@pytest.mark.parametrize(
    "network",
    [
        nn.Flatten(),
        nn.Conv2d(3, 8, 3),
        nn.Conv2d(3, 3, 3, padding=2),  # larger than the input
        nn.ConvTranspose2d(3, 3, 3, stride=2, padding=2),  # half an input pixel is lost
        nn.Conv2d(1, 1, 3),  # takes no RGB
        nn.Upsample(size=(40, 40)),
    ],
)
@torch.no_grad()
def test_nothing_is_found_where_the_output_does_not_grow_with_the_image(network: nn.Module) -> None:
    assert find_geometry(network, 3) is None
