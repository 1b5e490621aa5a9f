"""What a network computes, as a hash: nothing that changes features may leave it the same."""

from __future__ import annotations

import functools
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.networks.structure import identity
from srscope.networks.structure.identity import identity_of
from support.networks import TinySRResNet


def network(**config) -> SRResNet:
    torch.manual_seed(0)
    return SRResNet(SRResNetConfig(blocks=2, channels=4, **config)).eval()


def edited(change) -> SRResNet:
    made = network()
    change(made)
    return made


def double(x):
    return 2 * x


class Recipe:
    """Of no library: plain attributes, as einops keeps its patterns in."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern


def scaled_by(factor):
    return lambda x: factor * x


def _weight(net):
    with torch.no_grad():
        net.conv_first.bias[0] += 1e-6


CHANGES = {
    "weight": _weight,
    "stride": lambda net: setattr(net.conv_first, "stride", (2, 2)),
    "attribute": lambda net: setattr(net, "gain", 0.5),
    "another value": lambda net: setattr(net, "gain", 0.25),
    "hooked": lambda net: setattr(net, "hooked", 1),
    "list": lambda net: setattr(net, "gains", [1, (2, {"a": {3}})]),
    "another list": lambda net: setattr(net, "gains", [1, (2, {"a": {4}})]),
    "tensor": lambda net: setattr(net, "table", torch.arange(3)),
    "tensor's type": lambda net: setattr(net, "table", torch.arange(3.0)),
    "function": lambda net: setattr(net, "act", double),
    "closure": lambda net: setattr(net, "act", scaled_by(2.0)),
    "another closure": lambda net: setattr(net, "act", scaled_by(3.0)),
    "built-in": lambda net: setattr(net, "act", torch.relu),
    "partial": lambda net: setattr(net, "act", functools.partial(torch.clamp, min=0)),
    "another partial": lambda net: setattr(net, "act", functools.partial(torch.clamp, min=1)),
    "plain object": lambda net: setattr(net, "recipe", [Recipe("b c h w")]),
    "another plain object": lambda net: setattr(net, "recipe", [Recipe("b h w c")]),
    "module in a list": lambda net: setattr(net, "more", [nn.ReLU()]),
    "another module": lambda net: setattr(net, "more", [nn.ELU()]),
    "precision": lambda net: net.double(),
    "layout": lambda net: net.to(memory_format=torch.channels_last),
}


def test_every_change_gives_another_hash():
    hashes = {name: identity_of(edited(change)) for name, change in CHANGES.items()}
    hashes["plain"] = identity_of(network())
    hashes["no residual"] = identity_of(network(global_residual=False))
    assert None not in hashes.values()
    assert len(set(hashes.values())) == len(hashes)


def test_mode_and_use_change_nothing():
    net = network()
    before = identity_of(net)
    net(torch.rand(1, 3, 8, 8))
    assert identity_of(net.train()) == before == identity_of(network())


def test_another_process_finds_the_same(monkeypatch):
    # The source may be edited while the tests run.
    monkeypatch.setattr(identity, "program", lambda: "this")
    script = (
        "import torch\nfrom srscope.networks.structure import identity\n"
        "identity.program = lambda: 'this'\n"
        "from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig\n"
        "torch.manual_seed(0)\n"
        "print(identity.identity_of(SRResNet(SRResNetConfig(blocks=2, channels=4)).eval()))\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == identity_of(network())


@pytest.mark.parametrize("what", ["local", "hook", "object", "random", "cycle", "script", "bound"])
def test_what_cannot_be_told_has_no_hash(what):
    net: nn.Module = network()
    if what == "local":

        class Local(nn.Module): ...

        net = nn.Sequential(Local())
    elif what == "hook":
        net.conv_first.register_forward_hook(lambda *_: None)
    elif what == "object":
        net.thing = object()
    elif what == "cycle":
        net.itself = [net]
        net.itself.append(net.itself)
    elif what == "bound":
        net.act = torch.rand(3).add
    else:
        script: Any = torch.jit.script
        net = script(nn.Conv2d(3, 3, 1))
    assert identity_of(net) is None


def test_an_edit_of_ones_own_code_gives_another_hash(tmp_path: Path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    helper = tmp_path / "own_helper.py"
    helper.write_text("GAIN = 2\n", "utf-8")
    (tmp_path / "own_network.py").write_text(
        "import own_helper\nfrom torch import nn\n"
        "class Net(nn.Module):\n"
        "    def forward(self, x):\n"
        "        return own_helper.GAIN * x\n",
        "utf-8",
    )
    try:
        own = importlib.import_module("own_network")
        before = identity_of(own.Net())
        assert before is not None
        assert identity_of(own.Net()) == before
        helper.write_text("GAIN = 3\n", "utf-8")
        assert identity_of(own.Net()) != before
    finally:
        for name in ("own_network", "own_helper"):
            sys.modules.pop(name, None)


def test_an_edit_of_srscope_gives_another_hash(monkeypatch):
    before = identity_of(network())
    monkeypatch.setattr(identity, "program", lambda: "edited")
    assert identity_of(network()) not in (before, None)


@pytest.mark.parametrize("site", ["site-packages", "dist-packages"])
def test_another_version_of_a_package_gives_another_hash(tmp_path: Path, monkeypatch, site: str):
    # In a folder of packages that is not this environment's: a user's, the system's.
    folder = tmp_path / site
    (folder / "own_package-1.0.dist-info").mkdir(parents=True)
    told = folder / "own_package-1.0.dist-info" / "METADATA"
    told.write_text("Metadata-Version: 2.1\nName: own_package\nVersion: 1.0\n", "utf-8")
    (folder / "own_package.py").write_text("from torch import nn\nclass Net(nn.Module): ...\n")
    monkeypatch.syspath_prepend(str(folder))
    try:
        net = importlib.import_module("own_package").Net()
        before = identity_of(net)
        assert before is not None
        (tmp_path / "own_code.py").write_text("GAIN = 2\n", "utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        importlib.import_module("own_code")  # nothing to a package's network
        assert identity_of(net) == before
        told.write_text(told.read_text("utf-8").replace("1.0", "1.1"), "utf-8")
        assert identity_of(net) not in (before, None)
    finally:
        for name in ("own_package", "own_code"):
            sys.modules.pop(name, None)


def test_another_version_of_timm_gives_another_hash(monkeypatch):
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    net = timm.create_model("resnet10t", num_classes=0)
    before = identity_of(net)
    assert before is not None
    monkeypatch.setattr(identity.metadata, "version", lambda name: f"{name} 0.0")
    assert identity_of(net) != before


def test_networks_of_the_tests_that_count_can_be_told_apart():
    assert identity_of(TinySRResNet()) != identity_of(TinySRResNet())  # fresh weights each
