"""What an unknown network takes and returns is found by trying."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import NetworkError
from srscope.networks.structure.probe import Sizes, probe_range, probe_sizes
from support.networks import assert_no_hooks


class Rule(nn.Module):
    """Magnifies; takes sides of at least ``smallest`` in multiples of ``multiple``, or one only."""

    def __init__(
        self,
        *,
        channels: int = 3,
        scale: int = 1,
        multiple: int = 1,
        smallest: int = 1,
        only: int | None = None,
        floors: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)
        self.rule = (scale, multiple, smallest, only, floors)

    def forward(self, x: Tensor) -> Any:
        scale, multiple, smallest, only, floors = self.rule
        side = x.shape[-1]
        if only is not None and side != only:
            raise ValueError(f"side must be {only}")
        if side < smallest or (side % multiple and not floors):
            raise ValueError(f"side {side} is wrong")
        y = F.interpolate(self.conv(x), scale_factor=scale, mode="bilinear")
        kept = side // multiple * multiple * scale
        return y[..., :kept, :kept]


def plain(inner: nn.Module, x: Tensor) -> Any:
    return inner(x)


def probed(network: nn.Module, **options: Any) -> Sizes:
    return probe_sizes(network, plain, **options)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (3, 8, 1, 1)),
        ({"scale": 4}, (3, 8, 1, 4)),
        ({"channels": 1, "scale": 2}, (1, 8, 1, 2)),
        ({"multiple": 8}, (3, 8, 8, 1)),
        ({"multiple": 16, "scale": 2}, (3, 16, 16, 2)),
        ({"multiple": 8, "floors": True}, (3, 8, 8, 1)),
        ({"smallest": 40}, (3, 64, 1, 1)),
        ({"multiple": 64}, (3, 64, 64, 1)),
        ({"only": 224}, (3, 224, 224, 1)),
        ({"only": 32}, (3, 32, 32, 1)),
    ],
)
def test_sizes_channels_and_scale_are_found(options: dict[str, Any], expected: Any) -> None:
    found = probed(Rule(**options))
    assert (found.channels, found.smallest, found.multiple, found.scale) == expected


@pytest.mark.parametrize("output", [torch.ones(1, 5), (torch.ones(1, 3, 9, 9),), {"out": 1}])
def test_what_returns_no_image_magnifies_by_one(output: object) -> None:
    class Other(nn.Module):
        def forward(self, x: Tensor) -> object:
            return output

    found = probed(Other())
    assert (found.scale, found.multiple) == (1, 1)


def test_a_network_that_loses_its_borders_magnifies_by_one() -> None:
    found = probed(nn.Conv2d(3, 3, 5))
    assert (found.scale, found.multiple, found.smallest) == (1, 1, 8)


def test_only_what_is_asked_for_is_tried() -> None:
    with pytest.raises(NetworkError, match="no image of 3 channels and 48 to 48 pixels"):
        probed(Rule(channels=1), channels=(3,), sides=(48,))


def test_the_first_answer_is_told_where_nothing_works_and_nothing_is_left() -> None:
    network = Rule(only=33).train()
    with pytest.raises(
        NetworkError, match=r"\(at first: side must be 33\); say what it takes, e\."
    ):
        probed(network)
    assert network.training
    assert_no_hooks(network)


def test_fitted_sides_are_multiples_from_the_smallest_on() -> None:
    sizes = Sizes(channels=3, smallest=40, multiple=16, scale=1)
    assert [sizes.fitted(side) for side in (1, 40, 48, 49)] == [48, 48, 48, 64]


class Biased(nn.Module):
    """Returns its input enlarged, as a network trained in one range does: elsewhere it is off."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.low, self.high = low, high

    def forward(self, x: Tensor) -> Tensor:
        inside = x.clamp(self.low, self.high)  # saturates outside, and is coarse far inside
        step = (self.high - self.low) / 32
        return F.interpolate((inside / step).round() * step, scale_factor=2, mode="bicubic")


@pytest.mark.parametrize(("low", "high", "expected"), [(0, 1, "1"), (0, 255, "255"), (-1, 1, "1")])
def test_the_range_is_the_one_in_which_it_restores(low: float, high: float, expected: str) -> None:
    network = Biased(low, high)
    assert probe_range(network, plain, probed(network)) == expected


def test_minus_one_to_one_is_found_where_unit_range_does_not_do() -> None:
    class Signed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.where(x.amin((1, 2, 3), keepdim=True) < 0, x, 0 * x)

    network = Signed()
    assert probe_range(network, plain, probed(network)) == "-1..1"


@pytest.mark.parametrize("network", [nn.Conv2d(3, 3, 3), nn.Flatten()])
def test_anything_but_an_image_of_the_right_size_is_fed_unit_range(network: nn.Module) -> None:
    assert probe_range(network, plain, probed(network)) == "1"
