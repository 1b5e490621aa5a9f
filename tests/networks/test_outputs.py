"""The image in what a network returns is found, or asked for."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import NetworkError
from srscope.networks.adapter import inner_network
from srscope.networks.outputs import image_of, tensors_in, told_of
from srscope.networks.zoo import load_network
from support.documented import row_of


class Pair(NamedTuple):
    restored: Tensor
    features: Tensor


@dataclass
class Result:
    sr: Tensor
    loss: float = 0.0


class Wrapping(nn.Module):
    """Magnifies by 2, and returns that among other things."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.body = nn.Sequential(*(nn.Conv2d(6, 6, 3, padding=1) for _ in range(5)))
        self.last = nn.Conv2d(6, 12, 3, padding=1)
        self.how = how

    def forward(self, x: Tensor) -> Any:
        features = self.body(self.first(x))
        image = F.pixel_shuffle(self.last(features), 2)
        mask = image.mean(1, keepdim=True)
        return {
            "tuple": (image, features),
            "list": [features, [image]],
            "dict": {"aux": {"mask": mask}, "sr": image},
            "named": Pair(image, features),
            "dataclass": Result(image),
            "two": {"coarse": 0 * image, "fine": image},
            "features": (features, features),
            "object": SimpleNamespace(sr=image),
            "long tensor": (features, image.long().float().unsqueeze(1)),
        }[self.how]


PLACES = {"tuple": "0", "list": "1.0", "dict": "sr", "named": "restored", "dataclass": "sr"}


def made(how: str) -> Wrapping:
    return Wrapping(how)


def spec(how: str) -> str:
    return f"{__name__}:made?how={how}"


@pytest.mark.parametrize(("how", "place"), PLACES.items())
def test_the_one_image_is_taken_and_it_is_said_which(how: str, place: str) -> None:
    network = load_network(spec(how))
    assert (network.scale, len(network.remarks)) == (2, 1)
    assert network.remarks[0].endswith(f"), {place} is taken")
    assert row_of("outputs that wrap the image")[0] == len(PLACES)
    images_NCHW = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        expected = tensors_in(inner_network(network.module)(images_NCHW))[place]
        assert torch.equal(network.module(images_NCHW), expected)


def test_of_several_images_one_is_asked_for() -> None:
    words = r"a dict with 2 images \(coarse \(3, 64, 64\), fine \(3, 64, 64\)\); .* \?output=coarse"
    with pytest.raises(NetworkError, match=words):
        load_network(spec("two"))
    assert not load_network(f"{spec('two')}&output=coarse").module(torch.rand(1, 3, 8, 8)).any()
    network = load_network(f"{spec('two')}&output=fine")
    assert network.scale == 2
    assert network.module(torch.rand(1, 3, 8, 8)).any()
    with pytest.raises(NetworkError, match="that the network returns has no 'best', but coarse"):
        load_network(f"{spec('two')}&output=best")
    with pytest.raises(NetworkError, match=r"one tensor; leave \?output=sr out"):
        load_network("support.foreign:Transformer?output=sr")


def test_without_an_image_it_is_said_that_photographs_are_not_reduced() -> None:
    for how, kind in (("features", "tuple"), ("object", "SimpleNamespace")):
        network = load_network(spec(how))
        assert network.scale == 1
        assert network.remarks[0].startswith(f"returns a {kind} (")
        assert network.remarks[0].endswith("not reduced for it (?scale= says otherwise)")
        chosen = load_network(f"{spec(how)}&scale=2")
        assert chosen.scale == 2
        assert chosen.remarks[0].endswith("which is no image")
    with pytest.raises(NetworkError, match=r"\(1, 3, 64, 64\) of 32 pixels a side .*\?scale=N"):
        load_network(spec("long tensor"))


def test_a_mask_beside_a_colour_image_is_no_second_image() -> None:
    image, mask = torch.ones(1, 3, 4, 4), torch.ones(1, 1, 4, 4)
    assert image_of((mask, image), 3) is image
    assert image_of((mask, image), 1) is mask
    assert isinstance(image_of((image, image), 3), tuple)
    assert told_of(image, 3) == told_of(torch.ones(1, 5), 3) == ""
