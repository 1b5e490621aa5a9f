"""What an unknown network takes and returns is found by trying."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import NetworkError
from srscope.networks.structure.probe import Sizes, probe_range, probe_sizes
from support.documented import row_of
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


SIDES = [
    ({}, (3, 8, 1, 1)),
    ({"scale": 4}, (3, 8, 1, 4)),
    ({"channels": 1, "scale": 2}, (1, 8, 1, 2)),
    ({"multiple": 8}, (3, 8, 8, 1)),
    ({"multiple": 16, "scale": 2}, (3, 16, 16, 2)),
    ({"multiple": 8, "floors": True}, (3, 8, 8, 1)),
    ({"smallest": 40}, (3, 40, 1, 1)),
    ({"smallest": 20}, (3, 20, 1, 1)),
    ({"multiple": 64}, (3, 64, 64, 1)),
    ({"multiple": 7, "scale": 2}, (3, 14, 7, 2)),
    ({"multiple": 10}, (3, 10, 10, 1)),
    ({"multiple": 20}, (3, 20, 20, 1)),
    ({"multiple": 20, "floors": True, "scale": 3}, (3, 20, 20, 3)),
    ({"only": 224}, (3, 224, 224, 1)),
    ({"only": 518, "scale": 2}, (3, 518, 518, 2)),
    ({"only": 48, "scale": 2}, (3, 48, 48, 2)),
    ({"only": 32}, (3, 32, 32, 1)),
    ({"only": 28}, (3, 28, 28, 1)),
]


@pytest.mark.parametrize(("options", "expected"), SIDES)
def test_sizes_channels_and_scale_are_found(options: dict[str, Any], expected: Any) -> None:
    found = probed(Rule(**options))
    assert (found.channels, found.smallest, found.multiple, found.scale) == expected
    assert row_of("sides") == (len(SIDES), "found")


@pytest.mark.parametrize("output", [torch.ones(1, 5), (torch.ones(1, 5),), {"out": 1}])
def test_what_returns_no_image_magnifies_by_one(output: object) -> None:
    class Other(nn.Module):
        def forward(self, x: Tensor) -> object:
            return output

    found = probed(Other())
    assert (found.scale, found.multiple) == (1, 1)


def test_features_of_the_images_size_magnify_by_one() -> None:
    assert probed(nn.Conv2d(3, 16, 3, padding=1)).scale == 1
    assert probed(nn.Conv2d(3, 16, 3, padding=1, stride=2)).scale == 1


def test_of_a_network_that_loses_its_borders_growth_tells_the_magnification() -> None:
    found = probed(nn.Conv2d(3, 3, 5))
    assert (found.scale, found.multiple, found.smallest) == (1, 1, 8)
    assert found.told == "returns an image 4 pixels smaller a side than 1 times its input"
    twice = probed(nn.Sequential(nn.Conv2d(3, 3, 5), nn.Upsample(scale_factor=2)))
    assert (twice.scale, twice.multiple) == (2, 1)
    assert "8 pixels smaller a side than 2 times" in twice.told


class Resized(nn.Module):
    """Enlarges by any factor, or to a fixed side; or moves its channels to the end."""

    def __init__(self, factor: float = 1.0, side: int | None = None, *, last: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.to, self.last = (side, None if side else factor), last

    def forward(self, x: Tensor) -> Tensor:
        y = F.interpolate(self.conv(x), size=self.to[0], scale_factor=self.to[1])
        return y.permute(0, 2, 3, 1) if self.last else y


UNCLEAR = [
    (Resized(1.5), r"makes 48 pixels a side of 32, and 49 of 33, which is no whole magnification"),
    (Resized(0.5), r"makes 16 pixels a side of 32, and 16 of 33, which does not grow"),
    (Resized(side=96), r"96 pixels a side of 32, and 96 of 33.* may have its example's size baked"),
    (Resized(2, last=True), r"makes \(64, 64, 3\) of 32 pixels a side and \(66, 66, 3\) of 33, wh"),
    (nn.Flatten(), r"makes \(3072,\) of 32 pixels a side"),
]


@pytest.mark.parametrize(("network", "words"), UNCLEAR)
def test_no_magnification_is_taken_for_granted_and_the_remedy_works(
    network: nn.Module, words: str
) -> None:
    with pytest.raises(NetworkError, match=rf"{words}.*; say by how much .* with \?scale=N"):
        probed(network)
    found = probed(network, scale=2)
    assert (found.scale, found.channels) == (2, 3)
    assert row_of("magnification that is not whole")[0] == len(UNCLEAR)


def test_only_what_is_asked_for_is_tried() -> None:
    with pytest.raises(NetworkError, match="no image of 3 channels and 48 to 48 pixels"):
        probed(Rule(channels=1), channels=(3,), sides=(48,))


def test_the_first_answer_is_told_where_nothing_works_and_nothing_is_left() -> None:
    network = Rule(only=2000).train()
    with pytest.raises(
        NetworkError, match=r"\(at first: side must be 2000\); say what it takes, e\."
    ):
        probed(network)
    assert network.training
    assert_no_hooks(network)


class Fixed(nn.Module):
    """Ends in a linear map or has positions, as for images of 224 pixels."""

    def __init__(self, *, positions: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 16, stride=16)
        self.head = None if positions else nn.Linear(4 * 14 * 14, 5)
        self.places = torch.zeros(1, 197, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        if self.head is not None:
            return self.head(y.flatten(1))
        tokens = torch.cat([torch.zeros(len(y), 1, 4), y.flatten(2).transpose(1, 2)], dim=1)
        return tokens + self.places


@pytest.mark.parametrize("positions", [True, False])
def test_a_fixed_size_is_found_by_the_words_of_the_refusal(positions: bool) -> None:
    found = probed(Fixed(positions=positions))
    assert (found.smallest, found.scale) == (224, 1)


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
    assert probe_range(network, plain, probed(network, scale=1)) == "1"
