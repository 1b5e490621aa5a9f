"""imresize against MATLAB's published values, a slow implementation of the definition, Pillow."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from srscope.degradations.resize import imresize
from srscope.errors import ParameterError
from support.pictures import images_NCHW


def keys(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def slow_1d(values: list[float], scale: float, size_out: int) -> list[float]:
    """The definition, one pixel at a time: kernel widened by 1/scale, borders mirrored."""
    widen = max(1.0, 1 / scale)
    result: list[float] = []
    for out in range(size_out):
        centre = (out + 0.5) / scale - 0.5
        total = weight = 0.0
        for pixel in range(math.floor(centre - 2 * widen) - 1, math.ceil(centre + 2 * widen) + 2):
            mirrored = pixel
            while not 0 <= mirrored < len(values):
                mirrored = -1 - mirrored if mirrored < 0 else 2 * len(values) - 1 - mirrored
            w = keys((centre - pixel) / widen)
            total += w * values[mirrored]
            weight += w
        result.append(total / weight)
    return result


def slow_imresize(image_HW: np.ndarray, scale: float) -> np.ndarray:
    height, width = (math.ceil(side * scale - 1e-9) for side in image_HW.shape)
    rows = np.array([slow_1d(list(column), scale, height) for column in image_HW.T]).T
    return np.array([slow_1d(list(row), scale, width) for row in rows])


@pytest.mark.parametrize("axis", [2, 3])
def test_matlab_enlarging_two_pixels(axis: int) -> None:
    # imresize([10 6], [3 3], 'cubic') in MATLAB, as GNU Octave's test-suite quotes it.
    image = torch.tensor([10.0, 6.0], dtype=torch.float64).view(1, 1, 1, 2)
    row = imresize(image.transpose(3, axis), 1.5).transpose(3, axis)[0, 0, 0]
    np.testing.assert_allclose(row, [10.27777777777777, 8, 5.72222222222222], atol=1e-12)


def test_matlab_shrinking_with_antialiasing() -> None:
    # A 4x4 ramp to 3x3, as an implementation that was checked against MATLAB R2019b documents.
    image = torch.arange(16, dtype=torch.float64).view(1, 1, 4, 4)
    expected = [[0.7506, 2.1004, 3.4503], [6.1501, 7.5, 8.8499], [11.5497, 12.8996, 14.2494]]
    np.testing.assert_allclose(imresize(image, 3 / 4)[0, 0], expected, atol=1e-4)


def test_quarter_impulse_by_hand() -> None:
    # At 1/4 the pixels lie at (2k+1)/8 of the widened kernel: Keys' polynomial in 1024ths.
    near = [3 * Fraction(k, 8) ** 3 / 2 - 5 * Fraction(k, 8) ** 2 / 2 + 1 for k in (1, 3, 5, 7)]
    far = [
        -(Fraction(k, 8) ** 3) / 2 + 5 * Fraction(k, 8) ** 2 / 2 - 4 * Fraction(k, 8) + 2
        for k in (9, 11, 13, 15)
    ]
    hand = [w * 1024 for w in near + far]
    assert hand == [987, 745, 399, 93, -49, -75, -45, -7]
    image = torch.zeros(1, 1, 1, 32, dtype=torch.float64)
    weights = []
    for offset in range(8):
        image.zero_()
        image[..., 18 + offset] = 1  # output 4 is centred on 17.5
        weights.append(float(imresize(image, 1 / 4)[0, 0, 0, 4]))
    np.testing.assert_allclose(weights, [float(w) / 4096 for w in hand], atol=1e-12)


@pytest.mark.parametrize("scale", [1 / 4, 1 / 3, 1 / 2, 3 / 4, 1.5, 4])
@pytest.mark.parametrize("size", [(16, 24), (9, 13), (3, 5)])
def test_agrees_with_the_definition(scale: float, size: tuple[int, int]) -> None:
    image_HW = np.random.default_rng(3).uniform(size=size)
    slow = slow_imresize(image_HW, scale)
    exact = imresize(torch.from_numpy(image_HW)[None, None], scale)[0, 0]
    single = imresize(torch.from_numpy(image_HW).float()[None, None], scale)[0, 0]
    assert exact.shape == slow.shape
    np.testing.assert_allclose(exact, slow, atol=1e-12)
    np.testing.assert_allclose(single, slow, atol=1e-5)


def test_interior_agrees_with_pillow() -> None:
    # Pillow's antialiased bicubic has the same kernel; only its borders differ.
    image_HW = images_NCHW(1, 64, 96)[0, 0].numpy()
    pillow = np.asarray(Image.fromarray(image_HW).resize((24, 16), Image.Resampling.BICUBIC))
    ours = imresize(torch.from_numpy(image_HW)[None, None], 1 / 4)[0, 0].numpy()
    np.testing.assert_allclose(ours[2:-2, 2:-2], pillow[2:-2, 2:-2], atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), scale=st.sampled_from([0.25, 0.5, 2]))
def test_properties(height: int, width: int, scale: float) -> None:
    image = torch.rand(1, 2, height, width, generator=torch.Generator().manual_seed(height))
    small = imresize(image, scale)
    assert small.shape == (1, 2, math.ceil(height * scale), math.ceil(width * scale))
    assert small.dtype == image.dtype
    constant = imresize(torch.full_like(image, 0.3), scale)
    torch.testing.assert_close(constant, torch.full_like(constant, 0.3))
    turned = imresize(image.transpose(2, 3), scale).transpose(2, 3)
    torch.testing.assert_close(turned, small, atol=1e-5, rtol=0)
    if height * scale % 1 == 0 and width * scale % 1 == 0:
        torch.testing.assert_close(
            imresize(image.flip(2, 3), scale).flip(2, 3), small, atol=1e-5, rtol=0
        )


def test_shrinking_a_ramp_keeps_it() -> None:
    ramp = torch.arange(64, dtype=torch.float64).view(1, 1, 1, 64)
    inside = imresize(ramp, 1 / 4)[0, 0, 0, 2:-2]
    np.testing.assert_allclose(inside, np.arange(2, 14) * 4 + 1.5, atol=1e-12)


def test_overshoot_is_not_clipped() -> None:
    edge = torch.cat([torch.zeros(1, 1, 16, 16), torch.ones(1, 1, 16, 16)], dim=3)
    assert float(imresize(edge, 1 / 4).min()) < -0.01


@pytest.mark.parametrize("scale", [0, -1, math.nan, math.inf])
def test_wrong_scale(scale: float) -> None:
    with pytest.raises(ParameterError, match="scale must be a finite number above 0, but is"):
        imresize(torch.zeros(1, 1, 4, 4), scale)


@pytest.mark.parametrize(
    "image", [torch.zeros(3, 4, 4), torch.zeros(1, 3, 4, 4, dtype=torch.uint8)]
)
def test_wrong_images(image: torch.Tensor) -> None:
    with pytest.raises(ParameterError, match="images_NCHW must be a 4-D float tensor"):
        imresize(image, 0.5)
