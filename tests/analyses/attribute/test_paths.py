from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor, nn

from srscope.analyses.attribute.gradients import Window, WindowDetail
from srscope.analyses.attribute.paths import along, blur_path, straight_path
from srscope.errors import DegenerateError
from srscope.scores.attribution import diffusion_index
from support.interventions import described
from support.networks import TinySRResNet

SIDE, WINDOW = 12, Window(top=14, left=17, side=16)


def image(*, seed: int = 0, side: int = SIDE) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, side, side, dtype=torch.float64, generator=generator)


def small(*, double: bool = False) -> nn.Module:
    torch.manual_seed(11)
    network = TinySRResNet(blocks=2).eval()
    return network.double() if double else network


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    if sigma < 1e-9:
        return picture
    x = np.arange(-4, 5)
    kernel = np.exp(-(x[:, None] ** 2 + x[None] ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    return np.stack([ndimage.correlate(each, kernel, mode="mirror") for each in picture])


def plain_lam(network: nn.Module, picture: np.ndarray, steps: int) -> np.ndarray:
    """LAM by its formula, one pixel after the other, in double precision."""
    total = np.zeros_like(picture)
    for k in range(steps):
        before, after = (blurred(picture, 1.2 * (1 - n / steps)) for n in (k, k + 1))
        given = torch.tensor(after[None], requires_grad=True)
        output = network(given)[0]
        grey = 0.299 * output[0] + 0.587 * output[1] + 0.114 * output[2]
        length = torch.zeros((), dtype=torch.float64)
        for i in range(WINDOW.top, WINDOW.top + 16):
            for j in range(WINDOW.left, WINDOW.left + 16):
                dx, dy = grey[i, j + 1] - grey[i, j], grey[i + 1, j] - grey[i, j]
                length = length + (dx**2 + dy**2) ** 0.5
        length.backward()
        total += given.grad[0].numpy() * (after - before) * steps
    return total / steps


def test_lam_is_the_plain_formula_in_double_precision():
    expected = plain_lam(small(double=True), image()[0].numpy(), steps=6)
    gradient = WindowDetail(described(small(), "body", scale=4), WINDOW, (SIDE, SIDE)).gradient
    found = along(blur_path(image()), gradient, steps=6, most=6)
    most = np.abs(expected).max()
    np.testing.assert_allclose(found.attribution_CHW, expected, rtol=0, atol=1e-5 * most)
    map_HW = np.abs(expected.sum(axis=0))
    np.testing.assert_allclose(found.map_HW, map_HW / map_HW.max(), rtol=0, atol=1e-5)
    assert found.steps == 6
    assert found.error == found.first_error


@pytest.mark.parametrize("path_of", [blur_path, straight_path])
def test_steps_are_halved_until_the_sum_is_complete(path_of):
    gradient = WindowDetail(described(small(), "body", scale=4), WINDOW, (SIDE, SIDE)).gradient
    taken: list[int] = []
    found = along(path_of(image()), gradient, steps=4, tolerance=0.01, report=taken.append)
    assert found.first_error > 0.02
    assert found.error < 0.01
    assert taken == list(range(1, found.steps + 2))  # each gradient once
    change = found.end - found.start
    missing = abs(found.attribution_CHW.sum() - change)
    assert missing / abs(change) == pytest.approx(found.error, abs=1e-9)
    assert found.end == pytest.approx(gradient(image())[0])


def test_steps_end_at_the_most_and_the_error_is_told():
    def gradient(given: Tensor) -> tuple[float, Tensor]:  # not that of the value
        return float(given.sum()), torch.zeros_like(given)

    found = along(straight_path(image()), gradient, steps=3, most=8)
    assert (found.steps, found.error) == (8, 1.0)
    with pytest.raises(DegenerateError, match="no pixel of the input has any attribution"):
        _ = found.map_HW


def test_paths_share_their_ends():
    picture = image()
    blur, line = blur_path(picture), straight_path(picture)
    for path in (blur, line):
        assert torch.equal(path(1.0), picture)
        expected = blurred(picture[0].numpy(), 1.2)
        np.testing.assert_allclose(path(0.0)[0].numpy(), expected, atol=1e-12)
    middle = (line(0.0) + picture) / 2
    torch.testing.assert_close(line(0.5), middle)
    np.testing.assert_allclose(blur(0.5)[0].numpy(), blurred(picture[0].numpy(), 0.6), atol=1e-12)


def test_where_nothing_changes_there_is_nothing_to_attribute():
    flat = torch.full((1, 3, 8, 8), 0.5, dtype=torch.float64)
    network = described(nn.Conv2d(3, 3, 1), "")
    gradient = WindowDetail(network, Window(top=0, left=0, side=4), (8, 8)).gradient
    with pytest.raises(DegenerateError, match="as much detail at both ends"):
        along(blur_path(flat), gradient, steps=2)


class Sum(nn.Module):
    """Every output pixel looks at the whole image: its sum with the signs of a chessboard."""

    def forward(self, x_NCHW: Tensor) -> Tensor:
        total = (x_NCHW * chessboard(x_NCHW.shape[-1]).to(x_NCHW)).mean(dim=(1, 2, 3))
        return total.view(-1, 1, 1, 1) * torch.arange(32.0).to(x_NCHW).view(1, 1, 1, 32).expand(
            len(x_NCHW), 3, 32, 32
        )


def chessboard(side: int) -> Tensor:
    return torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(side // 2, side // 2).double()


def test_diffusion_index_of_a_global_and_of_a_pixelwise_network():
    board = (0.5 + 0.3 * chessboard(32)).expand(1, 3, 32, 32)
    window = Window(top=8, left=8, side=16)
    everywhere = WindowDetail(described(Sum(), ""), window, (32, 32)).gradient
    found = along(blur_path(board), everywhere, steps=3, most=3)
    assert found.error < 1e-5
    assert diffusion_index(found.map_HW) == pytest.approx(100, abs=1e-3)

    torch.manual_seed(0)
    pixelwise = WindowDetail(described(nn.Conv2d(3, 3, 1), ""), window, (32, 32)).gradient
    found = along(blur_path(board), pixelwise, steps=3, most=3)
    # A pixel counts twice as the corner of a difference, once each as its right and lower end.
    expected = np.zeros((32, 32))
    expected[8:24, 8:24] += 2
    expected[8:24, 9:25] += 1
    expected[9:25, 8:24] += 1
    np.testing.assert_allclose(found.map_HW, expected / 4, atol=1e-5)
    assert diffusion_index(found.map_HW) == pytest.approx(diffusion_index(expected), abs=1e-3)
    assert diffusion_index(expected) <= 100 * 17**2 / 32**2  # of a map that is even over the window
