"""Upscaling by tiles: the seams must not show, and grey, alpha and odd sizes must come through."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from srscope.degradations.resize import imresize
from srscope.errors import NetworkError, ParameterError
from srscope.images.io import read_image
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.networks.description import LoadedNetwork
from srscope.networks.upscale import UNKNOWN_OVERLAP, count_tiles, upscale, upscale_strips
from srscope.networks.zoo import load_network

PHOTOS = Path(__file__).parents[2] / "src" / "srscope" / "assets" / "photos" / "test"


def loaded(module: nn.Module, *, scale: int = 4, **needs: int | None) -> LoadedNetwork:
    return LoadedNetwork(
        module=module.eval(),
        name="small",
        source="test",
        scale=scale,
        taps=(),
        default_layers=(),
        sha256="",
        untrained=lambda seed: module,
        **needs,
    )


def small(*, blocks: int = 2, scale: int = 4) -> LoadedNetwork:
    torch.manual_seed(0)
    module = SRResNet(SRResNetConfig(blocks=blocks, channels=8, scale=scale))
    for parameter in module.parameters():
        parameter.data.mul_(2.0)  # so that every pixel in reach matters
    return loaded(module, scale=scale, receptive_radius=module.receptive_radius)


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, channels), dtype=np.float32)


class Strided(nn.Module):
    """Halves twice and enlarges again: takes sides that are multiples of 4, at least 12."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 6, 4, stride=4)
        self.up = nn.Conv2d(6, 3 * 64, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[2] % 4 == x.shape[3] % 4 == 0
        assert min(x.shape[2:]) >= 12
        return torch.sigmoid(F.pixel_shuffle(self.up(self.down(x)), 8))


class Attention(nn.Module):
    """Scales the image by its own mean."""

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x * x.mean(dim=(2, 3), keepdim=True), scale_factor=4.0)


class Nearest(nn.Module):
    """Repeats pixels; what goes in comes out."""

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=4.0)


# Seams


@pytest.mark.parametrize("blocks", [1, 4])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_receptive_radius_is_the_reach_of_the_gradient(blocks: int, scale: int) -> None:
    module = SRResNet(SRResNetConfig(blocks=blocks, channels=4, scale=scale))
    for parameter in module.parameters():
        parameter.data.fill_(0.01)  # positive: no ReLU is shut, no path cancels another
    side = 2 * module.receptive_radius + 9
    centre = side // 2
    reach = 0
    for place in range(scale):  # the pixels that one input pixel becomes
        image_NCHW = torch.ones(1, 3, side, side, requires_grad=True)
        output_HW = module(image_NCHW)[0, 0]
        output_HW[centre * scale + place, centre * scale + place].backward()
        rows = image_NCHW.grad[0].abs().sum(dim=(0, 2)).nonzero()[:, 0]
        reach = max(reach, centre - int(rows.min()), int(rows.max()) - centre)
    assert reach == module.receptive_radius


@settings(deadline=None, max_examples=25)  # the time says how busy the machine is
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    tile=st.integers(1, 50),
    more=st.integers(0, 5),
    channels=st.sampled_from([1, 2, 3, 4]),
    scale=st.sampled_from([2, 3, 4]),
)
def test_tiles_equal_the_whole(
    height: int, width: int, tile: int, more: int, channels: int, scale: int
) -> None:
    network = small(blocks=1, scale=scale)
    tile = max(tile, max(height, width) // 6)  # not hundreds of tiles
    image_HWC = noise(height, width, channels)
    whole = upscale(network, image_HWC, tile=0)
    assert whole.shape == (height * scale, width * scale, channels)
    assert network.receptive_radius is not None
    tiled = upscale(network, image_HWC, tile=tile, overlap=network.receptive_radius + more)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(16, 16), (37, 23), (5, 60), (1, 1), (1, 30)])
@pytest.mark.parametrize("tile", [8, 11, 64])
def test_the_default_overlap_is_enough(size: tuple[int, int], tile: int) -> None:
    network = small()
    image_HW3 = noise(*size)
    whole = upscale(network, image_HW3, tile=0)
    np.testing.assert_allclose(upscale(network, image_HW3, tile=tile), whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["srresnet-wgr", "srresnet-wogr"])
def test_bundled_networks_leave_no_seam(name: str) -> None:
    network = load_network(name)
    assert network.receptive_radius == 35
    image_HW3 = read_image(sorted(PHOTOS.glob("*.jpg"))[0])[100:176, 100:176]
    whole = upscale(network, image_HW3, tile=0)
    tiled = upscale(network, image_HW3, tile=38)
    assert count_tiles(network, (76, 76), tile=38) == 4
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-5)


def test_too_little_overlap_shows() -> None:
    network, image_HW3 = small(), noise(32, 32)
    whole = upscale(network, image_HW3, tile=0)
    assert np.abs(upscale(network, image_HW3, tile=8, overlap=0) - whole).max() > 1e-3


def test_global_operations_make_tiles_differ_even_with_the_default_overlap() -> None:
    network, image_HW3 = loaded(Attention()), noise(90, 90)
    assert network.receptive_radius is None
    image_HW3[:45] *= 0.2
    whole = upscale(network, image_HW3, tile=0)
    tiled = upscale(network, image_HW3, tile=10)
    assert np.abs(tiled - whole).max() > 1e-3
    same = upscale(network, image_HW3, tile=10, overlap=UNKNOWN_OVERLAP)
    np.testing.assert_array_equal(tiled, same)


# Sizes


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (12, 16), (21, 38)])
@pytest.mark.parametrize("tile", [5, 8, 100])
def test_a_network_is_given_only_sizes_it_takes(size: tuple[int, int], tile: int) -> None:
    torch.manual_seed(0)
    network = loaded(Strided(), scale=2, receptive_radius=8, multiple=4, smallest=11)
    image_HW3 = noise(*size)
    whole = upscale(network, image_HW3, tile=0)
    assert whole.shape == (size[0] * 2, size[1] * 2, 3)
    np.testing.assert_allclose(upscale(network, image_HW3, tile=tile), whole, rtol=0, atol=1e-5)
    assert upscale(network, image_HW3, tile=tile, overlap=0).shape == whole.shape


def test_images_are_mirrored_up_to_the_size_a_network_needs() -> None:
    network = loaded(Nearest(), receptive_radius=0, multiple=8)
    image_HW3 = noise(3, 9)
    enlarged = image_HW3.repeat(4, axis=0).repeat(4, axis=1)
    np.testing.assert_array_equal(upscale(network, image_HW3), enlarged)


# Channels


def test_grey_is_the_average_of_the_outputs_for_grey() -> None:
    network, image_HW1 = small(), noise(9, 7, 1)
    colour = upscale(network, image_HW1.repeat(3, axis=2))
    grey = upscale(network, image_HW1)
    assert grey.shape == (36, 28, 1)
    inside = (colour > 0).all(axis=2) & (colour < 1).all(axis=2)  # elsewhere values were clipped
    assert inside.any()
    np.testing.assert_allclose(grey[inside, 0], colour.mean(axis=2)[inside], atol=1e-6)


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("tile", [0, 6])
def test_alpha_is_resized_bicubically_and_colours_do_not_depend_on_it(
    channels: int, tile: int
) -> None:
    network, image_HWC = small(), noise(14, 17, channels)
    output = upscale(network, image_HWC, tile=tile)
    alpha = torch.from_numpy(image_HWC[None, None, ..., -1])
    expected = imresize(alpha, 4)[0, 0].clamp(0, 1).numpy()
    np.testing.assert_allclose(output[..., -1], expected, rtol=0, atol=1e-5)
    opaque = upscale(network, image_HWC[..., :-1], tile=tile)
    np.testing.assert_allclose(output[..., :-1], opaque, rtol=0, atol=1e-5)


def test_alpha_has_no_seams_even_without_overlap() -> None:
    image_HW4 = noise(20, 20, 4)
    network = loaded(Nearest(), receptive_radius=0)
    whole, tiled = (upscale(network, image_HW4, tile=tile, overlap=0) for tile in (0, 7))
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("hidden", [0.0, 1.0])
def test_hidden_colours_give_no_halo(hidden: float) -> None:
    y, x = np.mgrid[:24, :24]
    inside = (y - 11.5) ** 2 + (x - 11.5) ** 2 < 64
    image_HW4 = np.full((24, 24, 4), hidden, dtype=np.float32)
    image_HW4[..., 3] = inside
    image_HW4[inside, :3] = (0.8, 0.3, 0.1)
    network = small()
    output = upscale(network, image_HW4)
    flat = np.broadcast_to(np.float32((0.8, 0.3, 0.1)), (24, 24, 3))
    expected = upscale(network, flat)
    seen = output[..., 3] > 0
    assert seen.any()
    np.testing.assert_allclose(output[seen, :3], expected[seen], atol=1e-5)


def test_an_image_without_a_visible_pixel_keeps_its_colours() -> None:
    image_HW4 = noise(4, 4, 4)
    image_HW4[..., 3] = 0
    output = upscale(loaded(Nearest(), receptive_radius=0), image_HW4)
    np.testing.assert_array_equal(output[::4, ::4], image_HW4)


# Strips, tiles, mistakes


def test_strips_are_the_rows_of_the_result_and_every_tile_is_counted() -> None:
    network, image_HW3 = small(blocks=1), noise(20, 33)
    ticks: list[None] = []
    strips = upscale_strips(network, image_HW3, tile=8, after_tile=lambda: ticks.append(None))
    parts = list(strips)
    assert [len(part) for part in parts] == [32, 32, 16]
    np.testing.assert_array_equal(np.concatenate(parts), upscale(network, image_HW3, tile=8))
    assert len(ticks) == count_tiles(network, (20, 33), tile=8) == 15
    assert count_tiles(network, (20, 33), tile=0) == 1


@pytest.mark.parametrize("option", ["tile", "overlap"])
def test_negative_sizes_are_refused(option: str) -> None:
    with pytest.raises(ParameterError, match=f"{option} must be"):
        upscale_strips(small(), np.zeros((8, 8, 3), np.float32), **{option: -1})


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 5), (0, 8, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match=r"image_HWC must be an array of shape \(H, W, C\)"):
        upscale_strips(small(), np.zeros(shape, np.float32))


def test_a_network_that_does_not_upscale_or_gives_nan_is_named() -> None:
    wrong = dataclasses.replace(loaded(Nearest()), scale=2)
    with pytest.raises(NetworkError, match=r"small made .* upscaling needs RGB, 2 times as large"):
        upscale(wrong, noise(4, 4))
    network = small()
    network.module.conv_last.bias.data[0] = torch.nan
    with pytest.raises(NetworkError, match="small returns NaN or infinite values; check its"):
        upscale(network, noise(4, 4))
