"""Networks built by the user's own code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from srscope.errors import CheckpointError, NetworkError, ParameterError, UnknownNameError
from srscope.networks.adapter import inner_network
from srscope.networks.zoo import load_network
from support.foreign import Transformer

CODE = """
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self, scale=2, width=4, **more):
        super().__init__()
        self.scale, self.more = scale, more
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.body = nn.Sequential(*(nn.Sequential(nn.Conv2d(width, width, 1), nn.ReLU())
                                    for _ in range(6)))
        self.last = nn.Conv2d(width, 3, 1)

    def forward(self, x):
        y = self.last(self.body(self.first(x)))
        return F.interpolate(y, scale_factor=self.scale)


class Holder:
    net = Net


net = Net()
answer = 42


def text():
    return "no network"


def broken(depth):
    raise ValueError("depth too great")
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder that holds the user's code as ``usercode.py``."""
    (tmp_path / "usercode.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("usercode", None)


def test_a_module_of_the_current_folder_is_found_and_its_arguments_are_given(here: Path) -> None:
    path = list(sys.path)
    network = load_network("usercode:Net?width=5&flag=true&note=text")
    assert sys.path == path
    assert network.name == "usercode:Net"
    assert network.source == "made by usercode:Net"
    assert network.scale == 2
    assert {tap.channels for tap in network.taps} == {5}
    assert inner_network(network.module).more == {"flag": True, "note": "text"}


def test_words_that_the_factory_has_are_its_own(here: Path) -> None:
    assert load_network("usercode:Net?scale=3").scale == 3
    network = load_network("usercode:Net?scale=3&srscope.scale=1")
    assert network.scale == 1
    assert inner_network(network.module).scale == 3
    assert load_network("usercode:Net?channels=3&smallest=48").smallest == 48


@pytest.mark.parametrize("target", ["usercode:Holder.net", "usercode:net"])
def test_attributes_and_finished_networks_are_taken(here: Path, target: str) -> None:
    assert len(load_network(target).default_layers) == 7


def test_weights_come_from_a_checkpoint_and_must_fit(here: Path) -> None:
    torch.manual_seed(9)
    torch.save({"params": Transformer(width=4).state_dict()}, "best.pth")
    network = load_network("support.foreign:Transformer?width=4&checkpoint=best.pth")
    assert network.source == "made by support.foreign:Transformer, weights of best.pth (params)"
    found = inner_network(network.module).state_dict()
    expected = torch.load("best.pth", weights_only=True)["params"]
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    with pytest.raises(
        CheckpointError, match=r"best\.pth: does not fit Transformer: .*size mismatch"
    ):
        load_network("support.foreign:Transformer?width=8&checkpoint=best.pth")
    with pytest.raises(CheckpointError, match="no such file"):
        load_network("support.foreign:Transformer?checkpoint=absent.pth")
    with pytest.raises(ParameterError, match="checkpoint must be a file, but is 3"):
        load_network("support.foreign:Transformer?checkpoint=3")


def test_random_weights_are_the_same_each_time_and_torchs_state_stays() -> None:
    state = torch.random.get_rng_state()
    one, two = (load_network("support.foreign:Transformer") for _ in range(2))
    assert one.sha256 == two.sha256
    assert torch.equal(torch.random.get_rng_state(), state)


def test_its_constructor_makes_the_untrained_control() -> None:
    network = load_network("support.foreign:Transformer")
    assert network.untrained is not None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        expected = Transformer().state_dict()
    found = inner_network(network.untrained(4)).state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_classifiers_of_torchvision_get_imagenets_normalisation() -> None:
    network = load_network("torchvision.models:squeezenet1_1?num_classes=3")
    assert network.notes[0].startswith(
        "magnifies by 1; is fed RGB, normalised with mean 0.485 0.456 0.406"
    )
    assert (
        "in [0, 255]"
        in load_network("torchvision.models:squeezenet1_1?num_classes=3&range=255").notes[0]
    )


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        ("no_such_module:build", NetworkError, r"'no_such_module' cannot be imported.*its folder"),
        ("usercode:Nett", UnknownNameError, "factory of usercode 'Nett'; did you mean 'Net'"),
        ("usercode:answer", NetworkError, "usercode:answer is a int, not callable"),
        ("usercode:text", NetworkError, r"makes a str, not a torch\.nn\.Module"),
        ("usercode:broken?depth=9", NetworkError, "fails: ValueError: depth too great"),
        ("usercode:broken", NetworkError, "fails: TypeError: .*missing 1 required"),
        ("usercode:Net?srscope.scalee=2", UnknownNameError, r"did you mean 'srscope\.scale'"),
        ("usercode:Net?srscope.scale=0", ParameterError, "scale must be a whole number from 1 on"),
        ("usercode:Net?channels=4", ParameterError, r"channels must be 1 \(grey\) or 3 \(RGB\)"),
        ("usercode:Net?range=2", ParameterError, r"range must be 1, 255, -1\.\.1 or imagenet"),
    ],
)
def test_mistakes_are_named(here: Path, spec: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        load_network(spec)


def test_an_error_in_the_users_module_is_named(here: Path) -> None:
    (here / "userbroken.py").write_text("import absent_package\n")
    with pytest.raises(NetworkError, match="ModuleNotFoundError: No module named 'absent_package'"):
        load_network("userbroken:build")
