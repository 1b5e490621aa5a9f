from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from srscope.degradations.noise import GaussianNoise
from srscope.errors import ParameterError


@pytest.mark.parametrize("sigma", [5, 20, 30])
def test_is_white_and_normal_with_that_sigma(sigma: float) -> None:
    images = torch.full((1, 3, 200, 200), 0.02)  # clipping at 0 would show
    generator = torch.Generator().manual_seed(7)
    noise = (GaussianNoise(sigma=sigma)(images, generator=generator) - images)[0] * 255
    count = noise.numel()
    assert abs(float(noise.mean())) < 4 * sigma / math.sqrt(count)
    assert abs(float(noise.std()) / sigma - 1) < 4 / math.sqrt(2 * count)
    assert stats.kstest(noise.flatten().numpy() / sigma, "norm").pvalue > 1e-3
    channels = np.corrcoef(noise.reshape(3, -1).numpy())
    assert abs(channels - np.eye(3)).max() < 4 / math.sqrt(count / 3)
    neighbours = np.corrcoef(noise[:, :, 1:].flatten(), noise[:, :, :-1].flatten())[0, 1]
    assert abs(neighbours) < 4 / math.sqrt(count)


def test_sigma_is_in_255ths_of_the_range() -> None:
    images = torch.full((1, 3, 8, 8), 0.5)
    noise = GaussianNoise(sigma=51)(images, generator=torch.Generator().manual_seed(3)) - images
    expected = torch.randn((1, 3, 8, 8), generator=torch.Generator().manual_seed(3)) / 5
    torch.testing.assert_close(noise, expected)


def test_range_draws_one_sigma_an_image() -> None:
    images = torch.zeros(60, 1, 40, 40)
    generator = torch.Generator().manual_seed(1)
    sigmas = GaussianNoise(sigma=(5, 30))(images, generator=generator).std(dim=(1, 2, 3)) * 255
    assert float(sigmas.min()) > 4.5
    assert float(sigmas.max()) < 31.5
    assert float(sigmas.std()) > 5


@pytest.mark.parametrize("sigma", [-1, 256, float("nan"), "20", (30, 5)])
def test_wrong_sigma(sigma: object) -> None:
    with pytest.raises(ParameterError, match=r"sigma must be .* 0 to 255.*8-bit grey levels"):
        GaussianNoise(sigma=sigma)
