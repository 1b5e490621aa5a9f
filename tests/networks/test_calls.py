"""Calls that take any network and any images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from srscope.networks.calls import layers, upscale
from srscope.networks.upscale import upscale as upscaled
from srscope.networks.zoo import load_network
from support.networks import TinySRResNet


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return TinySRResNet(blocks=1)


def test_layers_print_as_a_table(network: nn.Module) -> None:
    found = layers(network)
    assert [row.name for row in found][:2] == ["conv_first", "act"]
    lines = repr(found).splitlines()
    assert len(lines) == len(found)
    assert lines[0].split()[:2] == ["conv_first", "Conv2d"]
    assert "8 × 32 × 32 (C H W)" in lines[0]
    (first,) = (line for line in lines if line.startswith("act ") and line.endswith("*"))
    assert "Conv1" in first


def test_an_image_in_any_form_is_magnified_alike(network: nn.Module, tmp_path: Path) -> None:
    levels_HW3 = np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    image = Image.fromarray(levels_HW3)
    image.save(tmp_path / "image.png")
    expected = upscaled(load_network(network), levels_HW3.astype(np.float32) / 255)
    for given in (levels_HW3, image, tmp_path / "image.png", str(tmp_path / "image.png")):
        found = upscale(network, given)
        assert isinstance(found, np.ndarray)
        np.testing.assert_allclose(found, expected, atol=1e-6)
    for several in ([image], levels_HW3[None], tmp_path):
        found = upscale(network, several)
        assert isinstance(found, list)
        assert [each.shape for each in found] == [(36, 32, 3)]


def test_grey_and_alpha_are_kept(network: nn.Module) -> None:
    found = upscale(network, Image.new("LA", (8, 8), (51, 255)))
    assert isinstance(found, np.ndarray)
    assert found.shape == (32, 32, 2)
