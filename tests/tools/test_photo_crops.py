"""Which squares of a photograph become crops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from support.tools import load_tool

photo_crops = load_tool("photo_crops")


@pytest.fixture(autouse=True)
def small_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_crops, "SIDE", 32)


def noise(width: int, height: int) -> Image.Image:
    random = np.random.default_rng(0)
    coarse_HW = random.integers(0, 256, (height // 4, width // 4), dtype=np.uint8)
    return Image.fromarray(np.kron(coarse_HW, np.ones((4, 4), np.uint8))).convert("RGB")


def test_grid_is_centred_and_never_overlaps() -> None:
    assert photo_crops.grid((70, 40)) == [(3, 4), (35, 4)]
    assert photo_crops.grid((32, 64)) == [(0, 0), (0, 32)]
    assert photo_crops.grid((31, 64)) == []


def test_first_is_nearest_to_the_middle_and_the_others_far_from_one_another() -> None:
    places = photo_crops.places(noise(5 * 32, 3 * 32))
    assert places[0] == (64, 32)
    assert set(places[1:]) < {(0, 0), (128, 0), (0, 64), (128, 64)}
    assert len(places) == len(set(places)) == 4
    assert places == photo_crops.places(noise(5 * 32, 3 * 32))


def test_small_photograph_gives_what_it_has() -> None:
    assert photo_crops.places(noise(64, 40)) == [(0, 4), (32, 4)]


def test_flat_squares_are_left_out() -> None:
    pixels_HW3 = np.asarray(noise(5 * 32, 3 * 32)).copy()
    pixels_HW3[:32] = 200  # a sky
    pixels_HW3[32:64, 64:96] = 90  # the middle
    places = photo_crops.places(Image.fromarray(pixels_HW3))
    assert all(top > 0 and place != (64, 32) for place in places for top in [place[1]])
    assert len(places) == 4
    assert photo_crops.places(Image.new("RGB", (160, 96), (200, 0, 0))) == []


def test_detail_is_that_of_the_middle_half_shrunk_by_4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_crops, "SIDE", 256)
    pixels_HW3 = np.asarray(noise(256, 256)).copy()
    pixels_HW3[64:192, 64:192] = 100  # the network's window
    assert photo_crops.detail(Image.fromarray(pixels_HW3)) == 0
    # A ramp of 1 level a column is one of 4 once shrunk, along one of the two axes.
    ramp_HW = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    ramp = Image.fromarray(ramp_HW).convert("RGB")
    assert photo_crops.detail(ramp) == pytest.approx(4 / math.sqrt(2), rel=0.02)


def test_cut_is_the_square() -> None:
    image = noise(96, 64)
    square_HW3 = np.asarray(photo_crops.cut(image, (40, 8)))
    np.testing.assert_array_equal(square_HW3, np.asarray(image)[8:40, 40:72])
