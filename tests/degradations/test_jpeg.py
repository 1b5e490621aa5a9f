from __future__ import annotations

import pytest
import torch

from srscope.degradations.jpeg import Jpeg
from srscope.errors import ParameterError
from support.pictures import images_NCHW


def compress(quality: int, images: torch.Tensor, **options: str) -> torch.Tensor:
    return Jpeg(quality=quality, **options)(images, generator=torch.Generator())


def test_error_falls_with_quality() -> None:
    images = images_NCHW(2, 64, 64)
    errors = [float((compress(q, images) - images).square().mean()) for q in (5, 20, 50, 90, 100)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 5 * errors[-1]


def test_best_quality_without_thinning_is_nearly_lossless() -> None:
    images = images_NCHW(1, 64, 64)
    error = (compress(100, images, subsampling="4:4:4") - images).abs()
    assert float(error.mean()) * 255 < 1
    assert float(error.max()) * 255 < 6


def test_rounds_to_the_nearest_level_first() -> None:
    grey = torch.full((1, 1, 16, 16), 100.7 / 255)
    torch.testing.assert_close(compress(100, grey), torch.full_like(grey, 101 / 255))


def test_thinning_blurs_the_colour() -> None:
    image = torch.zeros(1, 3, 16, 16)
    image[:, 0, :, ::2] = 1  # red stripes
    full, thin = (compress(95, image, subsampling=s) for s in ("4:4:4", "4:2:0"))
    assert (thin - image).abs().mean() > 3 * (full - image).abs().mean()


def test_blocks_are_of_eight_from_the_corner() -> None:
    image = torch.zeros(1, 1, 24, 24)
    image[..., 9, 9] = 1
    changed = (compress(10, image)[0, 0] != image[0, 0]).nonzero()
    assert changed.min() >= 8
    assert changed.max() < 16


def test_values_beyond_the_range_are_clipped() -> None:
    images = images_NCHW(1, 16, 16) * 4 - 1.5
    assert torch.equal(compress(50, images), compress(50, images.clamp(0, 1)))


@pytest.mark.parametrize("channels", [1, 3])
def test_sides_need_no_multiple_of_eight(channels: int) -> None:
    images = images_NCHW(1, 13, 9)[:, :channels]
    assert compress(90, images).shape == images.shape


def test_wrong_channels() -> None:
    with pytest.raises(ParameterError, match="channels must be 1 or 3 for JPEG, but is 4"):
        compress(90, torch.zeros(1, 4, 8, 8))


@pytest.mark.parametrize("quality", [0, 101, 50.5, "50", True, (90, 20), (1.0, 20)])
def test_wrong_quality(quality: object) -> None:
    with pytest.raises(ParameterError, match="quality must be a whole number from 1 to 100"):
        Jpeg(quality=quality)


def test_wrong_subsampling() -> None:
    with pytest.raises(ParameterError, match="subsampling must be one of 4:4:4, 4:2:2, 4:2:0"):
        Jpeg(quality=50, subsampling="4:1:1")
