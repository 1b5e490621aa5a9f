"""RGB in [0, 1] reaches every network as what it expects, and its image comes back as RGB."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from srscope.networks.adapter import LUMA, AdaptedNetwork, inner_network, layer_modules


class Seen(nn.Module):
    """Keeps what it is given, and returns it or what it is told to."""

    def __init__(self, output: object = None) -> None:
        super().__init__()
        self.given, self.output = torch.empty(0), output

    def forward(self, x_NCHW: Tensor) -> object:
        self.given = x_NCHW.clone()
        return x_NCHW if self.output is None else self.output


def images() -> Tensor:
    return torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))


def test_rgb_in_unit_range_passes_unchanged() -> None:
    network = AdaptedNetwork(Seen())
    assert torch.equal(network(images()), images())
    assert torch.equal(network.inner.given, images())


def test_grey_networks_get_luma_and_return_three_equal_channels() -> None:
    network = AdaptedNetwork(Seen(), channels=1)
    output = network(images())
    red, green, blue = images().unbind(1)
    expected = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    torch.testing.assert_close(network.inner.given[:, 0], expected)
    assert sum(LUMA) == pytest.approx(1)
    assert output.shape == (2, 3, 4, 5)
    assert torch.equal(output[:, 0], output[:, 2])
    output.clamp_(0, 1)  # its channels share no memory


@pytest.mark.parametrize(
    ("mean", "std", "low", "high"),
    [((0.0,), (1 / 255,), 0, 255), ((0.5,), (0.5,), -1, 1), ((0.4, 0.5, 0.6), (0.2,), -3, 3)],
)
def test_ranges_are_made_and_undone(mean, std, low, high) -> None:
    network = AdaptedNetwork(Seen(), mean=mean, std=std)
    torch.testing.assert_close(network(images()), images(), atol=1e-6, rtol=0)
    expected = (images() - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1)
    torch.testing.assert_close(network.inner.given, expected)
    assert low <= network.inner.given.min() < network.inner.given.max() <= high


@pytest.mark.parametrize("output", [torch.ones(2, 10), (torch.ones(1),), {"out": 1}, "text"])
def test_what_is_no_image_is_returned_as_it_is(output: object) -> None:
    network = AdaptedNetwork(Seen(output), mean=(0.5,), std=(0.5,))
    assert network(images()) is output


def test_a_network_that_writes_into_its_input_spares_the_callers() -> None:
    class Rude(nn.Module):
        def forward(self, x_NCHW: Tensor) -> Tensor:
            return x_NCHW.mul_(255)

    x_NCHW = images()
    AdaptedNetwork(Rude())(x_NCHW)
    assert torch.equal(x_NCHW, images())


def test_layers_keep_the_names_they_have_in_the_network() -> None:
    inner = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU())
    network = AdaptedNetwork(inner)
    assert list(layer_modules(network)) == ["0", "1"] == list(layer_modules(inner))
    assert inner_network(network) is inner is inner_network(inner)
    assert "mean" not in network.state_dict()


def test_a_call_of_its_own_gets_the_network_of_the_copy() -> None:
    network = AdaptedNetwork(nn.Conv2d(3, 3, 1), call=lambda inner, x: inner(x) * 2)
    twin = copy.deepcopy(network)
    with torch.no_grad():
        twin.inner.weight.zero_()
        twin.inner.bias.zero_()
    assert not twin(images()).any()
    assert network(images()).any()
