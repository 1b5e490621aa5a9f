"""A network's features of any images, as arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import srscope
from srscope.errors import ParameterError, UnknownNameError
from srscope.features.arrays import features
from srscope.networks.description import LoadedNetwork


@pytest.fixture(scope="module")
def network() -> LoadedNetwork:
    torch.manual_seed(0)
    halves = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(4, 3, 1))
    return srscope.load_network(halves, scale=1)


def test_arrays_are_what_the_layers_put_out(network: LoadedNetwork) -> None:
    images_NHW3 = np.random.default_rng(0).random((3, 16, 16, 3), np.float32)
    found = srscope.features(network, images_NHW3, ("0", "1"), device="cpu", batch_size=2)
    assert list(found) == ["0", "1"]
    with torch.no_grad():
        first = network.module.inner[0](torch.from_numpy(images_NHW3).permute(0, 3, 1, 2))  # type: ignore[index, union-attr]
    np.testing.assert_allclose(found["0"], first.numpy(), atol=1e-6)
    assert list(features(network, images_NHW3, "1", device="cpu")) == ["1"]


def test_images_of_different_sizes_are_pooled_but_not_flattened(network: LoadedNetwork) -> None:
    images = [np.zeros((16, 16, 3)), np.ones((20, 12, 3))]
    with pytest.raises(ParameterError, match="of one size to be flattened, but is '16x16, 12x20'"):
        features(network, images, device="cpu")
    found = features(network, images, "0", reducer="mean-pool", device="cpu")
    assert found["0"].shape == (2, 4)


def test_layers_are_named(network: LoadedNetwork) -> None:
    with pytest.raises(UnknownNameError, match="unknown layer '7'"):
        features(network, np.zeros((16, 16, 3)), "7", device="cpu")
