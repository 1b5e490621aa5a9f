from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from srscope.degradations.blur import GaussianBlur, convolve
from srscope.errors import ParameterError
from support.pictures import images_NCHW


def blur(sigma: float, images: torch.Tensor, size: int = 15) -> torch.Tensor:
    return GaussianBlur(sigma=sigma, size=size)(images, generator=torch.Generator())


@pytest.mark.parametrize("sigma", [0.5, 1, 2, 4])
@pytest.mark.parametrize("size", [3, 15, 21])
def test_agrees_with_scipy(sigma: float, size: int) -> None:
    images = images_NCHW(2, 40, 33).double()
    expected = ndimage.gaussian_filter(
        images.numpy(), sigma, radius=size // 2, axes=(2, 3), mode="mirror"
    )
    np.testing.assert_allclose(blur(sigma, images, size), expected, atol=1e-12)


def test_impulse_by_hand() -> None:
    image = torch.zeros(1, 1, 9, 9, dtype=torch.float64)
    image[0, 0, 4, 4] = 1
    side = float(np.exp(-0.5 / 2**2))
    total = 1 + 2 * side
    result = blur(2, image, size=3)[0, 0]
    assert result[4, 4] == pytest.approx(1 / total**2)
    assert result[4, 5] == pytest.approx(side / total**2)
    assert result[5, 5] == pytest.approx(side**2 / total**2)
    assert float(result.sum()) == pytest.approx(1)
    assert int((result > 0).sum()) == 9


@pytest.mark.parametrize("sigma", [0.01, 2, 4, 100])
def test_mean_is_kept(sigma: float) -> None:
    constant = torch.full((1, 3, 16, 16), 0.37)
    torch.testing.assert_close(blur(sigma, constant), constant)
    image = torch.zeros(1, 3, 48, 48)
    image[:, :, 16:32, 16:32] = images_NCHW(1, 16, 16)  # far enough from the edges
    torch.testing.assert_close(blur(sigma, image).mean(), image.mean())


def test_tiny_sigma_changes_nothing() -> None:
    images = images_NCHW(1, 20, 20)
    torch.testing.assert_close(blur(0.01, images), images)


def test_convolution_turns_the_kernel() -> None:
    image = torch.zeros(1, 2, 5, 7)
    image[0, 1, 2, 3] = 1
    kernel = torch.arange(15, dtype=torch.float32).view(3, 5)
    result = convolve(image, kernel)
    assert torch.equal(result[0, 1, 1:4, 1:6], kernel)
    assert float(result[0, 0].abs().max()) == 0


@pytest.mark.parametrize("size", [(7, 20), (20, 7)])
def test_image_smaller_than_the_kernel(size: tuple[int, int]) -> None:
    with pytest.raises(ParameterError, match="image size must be above"):
        blur(2, torch.zeros(1, 3, *size))


@pytest.mark.parametrize("sigma", [0, -1, float("nan"), float("inf"), "2", True, (4, 2), None])
def test_wrong_sigma(sigma: object) -> None:
    with pytest.raises(ParameterError, match=r"sigma must be .* 0.01 to 100.*use \[2, 4\]"):
        GaussianBlur(sigma=sigma)


def test_wrong_size() -> None:
    with pytest.raises(ParameterError, match="size must be odd, but is 14; use 15"):
        GaussianBlur(sigma=2, size=14)
    with pytest.raises(ParameterError, match="size must be a whole number from 1 to 101"):
        GaussianBlur(sigma=2, size=15.0)
