"""An example pass: calls, order, layouts; and what cannot be a feature is said to be so."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from srscope.errors import NetworkError
from srscope.networks.adapter import AdaptedNetwork
from srscope.networks.structure.trace import LayerCall, constant_layers, trace_network
from support.networks import ARCHITECTURES, assert_no_hooks, build


def calls_of(network: nn.Module, side: int = 8) -> dict[str, LayerCall]:
    trace = trace_network(network, (side, side), wider=(side, 2 * side))
    return {call.name: call for call in trace.calls}


def test_calls_come_in_the_order_they_begin_with_parents_and_ends() -> None:
    network = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()), nn.Conv2d(4, 5, 1))
    trace = trace_network(network, (8, 6))
    assert [call.name for call in trace.calls] == ["0", "0.0", "0.1", "1"]
    assert [call.parent for call in trace.calls] == [None, 0, 0, None]
    assert [call.end for call in trace.calls] == [2, 0, 1, 3]
    assert [call.shape for call in trace.calls] == [(4, 8, 6)] * 3 + [(5, 8, 6)]
    assert [call.weighted for call in trace.calls] == [False, True, False, True]
    assert [call.sequence for call in trace.calls] == [True, False, False, False]
    assert [call.same_as_inner for call in trace.calls] == [True, False, False, False]
    assert (trace.input, trace.output) == ((3, 8, 6), (5, 8, 6))


def test_a_module_run_again_is_another_call_under_its_first_name() -> None:
    assert list(calls_of(build("recurrent"))) == ["first", "first:1", "first:2"]


def test_input_and_output_are_the_networks_own() -> None:
    trace = trace_network(AdaptedNetwork(nn.Sequential(nn.Conv2d(1, 1, 1)), channels=1), (8, 8))
    assert (trace.input, trace.output) == ((1, 8, 8), (1, 8, 8))


class Layouts(nn.Module):
    """The same features in every layout, told by growth alone: all sides are equal at 8 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 1)
        self.last, self.tokens, self.turned, self.pooled = (nn.Identity() for _ in range(4))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        y_NCHW = self.conv(x_NCHW)
        self.last(y_NCHW.permute(0, 2, 3, 1))
        self.tokens(y_NCHW.flatten(2).transpose(1, 2))
        self.turned(y_NCHW.flatten(2))
        return self.pooled(y_NCHW.mean((2, 3)))


def test_channels_are_told_by_what_does_not_grow_with_the_image() -> None:
    axes = {name: call.channel_axis for name, call in calls_of(Layouts()).items()}
    assert axes == {"conv": 1, "last": 3, "tokens": 2, "turned": 1, "pooled": 1}


def test_where_a_second_pass_is_impossible_layouts_are_told_by_rule() -> None:
    class Fixed(Layouts):
        def forward(self, x_NCHW: Tensor) -> Tensor:
            assert x_NCHW.shape[2] == x_NCHW.shape[3]
            return super().forward(x_NCHW)

    axes = {name: call.channel_axis for name, call in calls_of(Fixed(), side=6).items()}
    assert axes == {"conv": 1, "last": 3, "tokens": 2, "turned": 2, "pooled": 1}


class Odd(nn.Module):
    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value

    def forward(self, x_NCHW: Tensor) -> object:
        return self.value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ((torch.ones(2, 3), torch.ones(2, 3)), "tuple of 2"),
        ({"a": torch.ones(2, 3)}, "dict of 1"),
        (None, "NoneType"),
        (torch.ones(2, 3, dtype=torch.int64), "int64"),
        (torch.ones(2), "shape (2,)"),
        (torch.ones(2, 0), "shape (2, 0)"),
        (torch.ones(5, 3), "5 rows for 2 images"),
    ],
)
def test_what_cannot_be_a_feature_is_said_to_be_so(value: object, why: str) -> None:
    assert calls_of(nn.Sequential(Odd(value)))["0"].why_not == why


def test_windows_in_the_first_axis_are_seen_though_one_window_looks_like_images() -> None:
    class Windows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = nn.Identity()

        def forward(self, x_NCHW: Tensor) -> Tensor:
            parts = x_NCHW.unflatten(3, (-1, 8)).permute(0, 3, 1, 2, 4).flatten(0, 1)
            return self.inside(parts)

    why = calls_of(Windows())["inside"].why_not
    assert why == "its first axis does not always count images"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_nothing_is_left_in_a_network_also_when_it_fails(architecture: str) -> None:
    network = build(architecture).train()
    trace_network(network, (8, 8), wider=(8, 16))
    assert_no_hooks(network)
    assert all(module.training for module in network.modules())
    assert all(p.grad is None and p.requires_grad for p in network.parameters())


def test_a_network_that_fails_is_named_with_its_reason_and_left_alone() -> None:
    network = nn.Sequential(nn.Conv2d(5, 3, 1), nn.Dropout())
    with pytest.raises(NetworkError, match=r"fails on RGB images of 6x8 pixels: .*5 channels"):
        trace_network(network, (8, 6))
    assert_no_hooks(network)
    assert network.training


def test_random_numbers_drawn_in_a_pass_are_not_the_callers() -> None:
    class Noisy(nn.Module):
        def forward(self, x_NCHW: Tensor) -> Tensor:
            return x_NCHW + torch.randn_like(x_NCHW)

    state = torch.random.get_rng_state()
    trace_network(nn.Sequential(Noisy()), (8, 8))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_layers_that_do_not_depend_on_the_image_are_found() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 3, 1))
    nn.init.zeros_(network[1].weight)
    assert constant_layers(network, ["0", "1", "2"], (8, 8)) == ("1", "2")
    nn.init.constant_(network[0].weight, torch.nan)
    assert constant_layers(network, ["0"], (8, 8)) == ("0",)
    assert_no_hooks(network)
