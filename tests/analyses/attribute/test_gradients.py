from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor, nn

from srscope.analyses.attribute.gradients import Window, WindowDetail, detail, frozen
from srscope.errors import DegenerateError, NetworkError, ParameterError
from support.interventions import described
from support.networks import TinySRResNet, assert_no_hooks

WINDOW = Window(top=0, left=0, side=2)


def convolutions(*, seed: int = 0) -> nn.Sequential:
    """Return a network that looks 2 pixels far."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(4, 3, 3, padding=1)
    )


class Broken(nn.Module):
    """Fails in its pass, in a training mode and with gradients of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Dropout())
        self.inner[0].bias.requires_grad_(False)
        self.inner[0].weight.grad = torch.full_like(self.inner[0].weight, 5.0)

    def forward(self, x: Tensor) -> Tensor:
        assert not any(module.training for module in self.modules())
        assert not any(p.requires_grad for p in self.parameters())
        raise KeyError("its own failure")


class Ungradable(nn.Module):
    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return x * 2


def test_detail_is_the_length_of_the_gradient_of_luma():
    image = torch.rand(1, 3, 4, 5, dtype=torch.float64)
    grey = 0.299 * image[0, 0] + 0.587 * image[0, 1] + 0.114 * image[0, 2]
    found = detail(image)
    assert found.shape == (1, 3, 4)
    for i in range(3):
        for j in range(4):
            length = math.hypot(grey[i, j + 1] - grey[i, j], grey[i + 1, j] - grey[i, j])
            assert float(found[0, i, j]) == pytest.approx(length)


def test_the_part_of_the_image_that_is_run_gives_what_the_whole_does():
    network = described(convolutions(), "0", scale=1)
    near = dataclasses.replace(network, receptive_radius=2, multiple=2, smallest=4)
    image, window = torch.rand(1, 3, 24, 21), Window(top=9, left=11, side=5)
    sizes: list[tuple[int, ...]] = []
    handle = network.module.register_forward_hook(lambda _, given, __: sizes.append(given[0].shape))
    (value, whole), (same, part) = (
        WindowDetail(each, window, (24, 21)).gradient(image) for each in (network, near)
    )
    handle.remove()
    assert sizes == [(1, 3, 24, 21), (1, 3, 12, 12)]  # 6, 2 more on each side, even
    assert same == pytest.approx(value, rel=1e-6)
    torch.testing.assert_close(part, whole, rtol=1e-5, atol=1e-6)
    assert int((part.abs().sum(dim=(0, 1)) > 0).sum()) <= 10 * 10


def test_gradient_is_that_of_finite_differences_with_a_mirrored_border():
    """7 x 6 pixels become 8 x 8: pixels at the border count twice."""
    network = dataclasses.replace(described(convolutions(seed=3).double(), "0"), multiple=4)
    asked = WindowDetail(network, Window(top=2, left=1, side=4), (7, 6))
    image = torch.rand(1, 3, 7, 6, dtype=torch.float64, requires_grad=True)
    value = asked.value(image)
    (gradient,) = torch.autograd.grad(value, image)
    direction = torch.randn_like(image)
    with torch.no_grad():
        slope = asked.value(image + 1e-6 * direction) - asked.value(image - 1e-6 * direction)
    assert float((gradient * direction).sum()) == pytest.approx(float(slope) / 2e-6, rel=1e-6)


def test_a_failing_network_is_left_as_it_was():
    module = Broken()
    module.inner[1].eval()
    modes = [each.training for each in module.modules()]
    network = dataclasses.replace(described(Broken(), "inner"), module=module)
    with pytest.raises(KeyError, match="its own failure"):
        WindowDetail(network, WINDOW, (6, 6)).gradient(torch.rand(1, 3, 6, 6))
    assert [each.training for each in module.modules()] == modes
    wanted = {name: p.requires_grad for name, p in module.named_parameters()}
    assert wanted.pop("inner.0.bias") is False
    assert all(wanted.values())
    assert float(module.inner[0].weight.grad.min()) == 5.0
    assert module.inner[1].weight.grad is None
    assert_no_hooks(module)


def test_frozen_leaves_no_gradient_on_a_parameter():
    module = TinySRResNet(blocks=1)
    image = torch.rand(1, 3, 5, 5, requires_grad=True)
    with torch.no_grad(), frozen(module):
        module(image).sum().backward()
    assert image.grad is not None
    assert all(p.grad is None and p.requires_grad for p in module.parameters())


def test_what_has_no_gradient_or_image_is_refused():
    image = torch.rand(1, 3, 6, 6)
    with pytest.raises(NetworkError, match="small computes no gradients by its input"):
        WindowDetail(described(Ungradable(), ""), WINDOW, (6, 6)).gradient(image)
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(108, 10))
    with pytest.raises(NetworkError, match=r"small puts out \(1, 10\) where an image is"):
        WindowDetail(described(classifier, "1"), WINDOW, (6, 6)).gradient(image)
    broken = nn.Conv2d(3, 3, 1)
    nn.init.constant_(broken.weight, math.nan)
    with pytest.raises(DegenerateError, match="it is not finite; check the network's weights"):
        WindowDetail(described(broken, ""), WINDOW, (6, 6)).gradient(image)


@pytest.mark.parametrize(("top", "left", "name"), [(-1, 0, "top"), (0, 8, "left")])
def test_a_window_beyond_the_output_is_refused(top, left, name):
    network = described(TinySRResNet(blocks=1), "body", scale=2)
    with pytest.raises(ParameterError, match=f"{name} must be from 0 to 7"):
        WindowDetail(network, Window(top=top, left=left, side=4), (6, 6))
