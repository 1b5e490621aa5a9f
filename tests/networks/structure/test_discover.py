"""Tap points proposed by structure: on networks whose right answer is plain."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from srscope.networks.structure.discover import MOST, SHOWN, Discovery, discover
from srscope.networks.structure.trace import trace_network
from support.networks import TinySRResNet


def found(network: nn.Module, side: int = 16) -> Discovery:
    return discover(trace_network(network, (side, side), wider=(side, 2 * side)))


def labels(network: nn.Module) -> list[str]:
    return [tap.label for tap in found(network).taps]


class Block(nn.Module):
    """A residual block whose parts have names that say nothing."""

    def __init__(self, width: int = 4, out: int = 4) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(width, out, 3, padding=1), nn.ReLU(inplace=True)
        self.c = nn.Conv2d(out, out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.c(self.b(self.a(x)))
        return y + x if x.shape == y.shape else y


class Chain(nn.Module):
    """First convolution, ``body``, last convolution, magnification by 2, two more at full size."""

    def __init__(self, body: nn.Module, width: int = 4) -> None:
        super().__init__()
        self.x, self.y, self.z = (
            nn.Conv2d(3, width, 1), body, nn.Conv2d(width, 4 * width, 1),
        )  # fmt: skip
        self.shuffle, self.hr = nn.PixelShuffle(2), nn.Conv2d(width, width, 1)
        self.end = nn.Conv2d(width, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.hr(self.shuffle(self.z(self.y(self.x(x))))))


class Inside(nn.Module):
    """Runs blocks and a closing convolution, as residual groups do."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList(Block() for _ in range(count))
        self.close = nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for part in self.parts:
            y = part(y)
        return x + self.close(y)


class Hands(nn.Module):
    """Only hands on what its blocks return."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList(Block() for _ in range(count))

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x


def test_blocks_in_a_sequence_are_found_and_the_magnified_tail_is_not() -> None:
    network = Chain(nn.Sequential(*(Block() for _ in range(7))))
    assert labels(network) == ["Conv1", *(f"Block{i}" for i in range(1, 8))]
    assert [tap.name for tap in found(network).taps] == ["x", *(f"y.{i}" for i in range(7))]


def test_a_group_that_is_nearly_all_of_the_network_is_opened_and_kept() -> None:
    assert labels(Chain(Inside(7))) == [
        "Conv1", *(f"Block{i}" for i in range(1, 8)), "y.close", "y",
    ]  # fmt: skip


def test_beside_many_blocks_a_group_is_opened_where_it_is_more_than_half_of_the_network() -> None:
    def chain(count: int) -> nn.Module:
        return Chain(nn.Sequential(*(Block() for _ in range(6)), Inside(count)))

    assert labels(chain(5)) == ["Conv1", *(f"Block{i}" for i in range(1, 7)), "y.6"]
    blocks = [f"Block{i}" for i in range(1, 16)]
    assert labels(chain(9)) == ["Conv1", *blocks, "y.6.close", "y.6"]


def test_a_group_that_only_hands_on_is_not_a_tap_beside_its_last_block() -> None:
    assert labels(Chain(Hands(7))) == ["Conv1", *(f"Block{i}" for i in range(1, 8))]


def test_many_equal_groups_are_the_taps_and_few_are_opened() -> None:
    many = Chain(nn.Sequential(*(Inside(4) for _ in range(6))))
    assert labels(many) == ["Conv1", *(f"Inside{i}" for i in range(1, 7))]
    few = Chain(nn.Sequential(*(Inside(3) for _ in range(2))))
    assert labels(few) == [
        "Conv1", "Block1", "Block2", "Block3", "y.0.close", "Inside1",
        "Block4", "Block5", "Block6", "y.1.close", "Inside2",
    ]  # fmt: skip


def test_stages_of_different_width_count_as_one_chain() -> None:
    widths = [(4, 4), (4, 4), (4, 6), (6, 6), (6, 8), (8, 4)]
    stages = nn.Sequential(
        *(nn.Sequential(*(Block(*w) for w in widths[i : i + 2])) for i in (0, 2, 4))
    )
    assert labels(Chain(stages)) == ["Conv1", *(f"Block{i}" for i in range(1, 7))]


def test_a_chain_of_single_layers_is_tapped_after_their_activations() -> None:
    network = nn.Sequential(
        *(
            part
            for i in range(7)
            for part in (nn.Conv2d(3 if i == 0 else 5, 5, 1), nn.BatchNorm2d(5), nn.ReLU())
        ),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(5 * 64, 4),
    )
    discovery = discover(trace_network(network, (16, 16)))
    assert [tap.name for tap in discovery.taps] == [str(3 * i + 2) for i in range(7)]
    assert [tap.label for tap in discovery.taps] == [f"Conv{i}" for i in range(1, 8)]


def test_every_call_of_one_module_is_a_tap_of_its_own() -> None:
    class Recursive(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.block, self.last = nn.Conv2d(3, 4, 1), Block(), nn.Conv2d(4, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            y = self.first(x)
            for _ in range(6):
                y = self.block(y)
            return self.last(y)

    taps = found(Recursive()).taps
    assert [tap.name for tap in taps] == ["first", "block", *(f"block:{i}" for i in range(1, 6))]
    assert [tap.label for tap in taps] == ["Conv1", *(f"Block{i}" for i in range(1, 7))]


@pytest.mark.parametrize("count", [9, 12, 16, 40])
def test_of_many_the_first_the_last_and_evenly_spaced_ones_are_shown(count: int) -> None:
    discovery = found(Chain(nn.Sequential(*(Block() for _ in range(count)))))
    names = [tap.name for tap in discovery.taps]
    assert len(names) == count + 1
    shown = [names.index(name) for name in discovery.proposed]
    assert len(shown) == (count + 1 if count + 1 <= MOST else SHOWN)
    assert (shown[0], shown[-1]) == (0, count)
    steps = [after - before for before, after in itertools.pairwise(shown)]
    assert max(steps) - min(steps) <= 1


def test_of_many_those_before_a_change_of_size_are_shown() -> None:
    widths = [(4, 4)] * 5 + [(4, 8)] + [(8, 8)] * 6 + [(8, 4)]
    discovery = found(Chain(nn.Sequential(*(Block(*w) for w in widths))))
    assert {"y.4", "y.11", "x", "y.12"} <= set(discovery.proposed)
    assert len(discovery.proposed) == SHOWN


def test_layers_are_all_that_can_be_recorded_in_depth_order() -> None:
    network = TinySRResNet(blocks=7)
    discovery = found(network)
    names = [layer.name for layer in discovery.layers]
    assert names[:5] == ["conv_first", "act", "body.0.conv1", "body.0.relu", "body.0.conv2"]
    assert set(names) == {name for name, _ in network.named_modules() if name} | {"act:1"}
    by_name = {layer.name: layer for layer in discovery.layers}
    assert all(by_name[tap.name] == tap for tap in discovery.taps)
    assert by_name["conv_last"].shape == (3, 64, 64)


def test_strides_are_input_pixels_per_position() -> None:
    class Patches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Conv2d(3, 8, 4, stride=4)
            self.blocks = nn.Sequential(*(nn.Sequential(nn.Linear(8, 8)) for _ in range(6)))
            self.head = nn.Linear(8, 5)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.blocks(self.embed(x).flatten(2).transpose(1, 2)).mean(1))

    taps = found(Patches()).taps
    assert {tap.stride for tap in taps} == {4}
    assert {tap.channels for tap in taps} == {8}


def test_a_network_of_functions_has_no_taps() -> None:
    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3, 3, 1, 1))

        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.conv2d(x, self.weight)

    assert found(Bare()) == Discovery(taps=(), proposed=(), layers=())
