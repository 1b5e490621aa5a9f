"""Upscaling by tiles: the seams must not show."""

import numpy as np
import pytest
import torch

from srscope.errors import ParameterError
from srscope.networks.description import LoadedNetwork
from srscope.networks.srresnet import SRResNet, SRResNetConfig
from srscope.networks.upscale import upscale

BLOCKS = 2
RADIUS = 1 + 2 * BLOCKS + 2  # conv_first, the blocks, and the tail, which counts less than 2


@pytest.fixture
def network() -> LoadedNetwork:
    torch.manual_seed(0)
    module = SRResNet(SRResNetConfig(blocks=BLOCKS, channels=8)).eval()
    for parameter in module.parameters():
        parameter.data.mul_(2.0)  # so that every pixel in reach matters
    return LoadedNetwork(
        module=module,
        name="small",
        source="test",
        scale=4,
        taps=module.taps(),
        default_layers=("conv_first",),
        sha256="",
        untrained=lambda seed: module,
    )


@pytest.mark.parametrize("size", [(16, 16), (37, 23), (5, 60)])
@pytest.mark.parametrize("tile", [8, 11, 64])
def test_tiles_with_enough_overlap_equal_the_whole(
    network: LoadedNetwork, size: tuple[int, int], tile: int
) -> None:
    image_HW3 = np.random.default_rng(0).random((*size, 3), dtype=np.float32)
    whole = upscale(network, image_HW3, tile=0)
    assert whole.shape == (size[0] * 4, size[1] * 4, 3)
    tiled = upscale(network, image_HW3, tile=tile, overlap=RADIUS)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_too_little_overlap_shows(network: LoadedNetwork) -> None:
    image_HW3 = np.random.default_rng(0).random((32, 32, 3), dtype=np.float32)
    whole = upscale(network, image_HW3, tile=0)
    assert np.abs(upscale(network, image_HW3, tile=8, overlap=0) - whole).max() > 1e-3


@pytest.mark.parametrize("option", ["tile", "overlap"])
def test_negative_sizes_are_refused(network: LoadedNetwork, option: str) -> None:
    with pytest.raises(ParameterError, match=f"{option} must be"):
        upscale(network, np.zeros((8, 8, 3), np.float32), **{option: -1})
