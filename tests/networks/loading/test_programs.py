"""TorchScript files and torch.export archives: tapped like the network they were made from."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.export.unflatten import InterpreterModule

from srscope.errors import CheckpointError, NetworkError, UnknownNameError
from srscope.features.tap import FeatureTap
from srscope.networks.description import LoadedNetwork
from srscope.networks.loading.programs import program_kind
from srscope.networks.zoo import load_network
from support.foreign import Swapped, Transformer, scripted
from support.networks import TinySRResNet, assert_no_hooks, traces
from support.tiny import tiny_checkpoint


def images() -> Tensor:
    return torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(5)
    return TinySRResNet(blocks=6).eval()


@pytest.fixture(scope="module")
def exported(network: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "net.pt2"
    auto = torch.export.Dim.AUTO
    network.tail = nn.Identity()  # what it is counts calls, which cannot be exported
    program = torch.export.export(
        network, (images(),), dynamic_shapes=({0: auto, 2: auto, 3: auto},)
    )
    torch.export.save(program, path)
    return path


def same_features(loaded: LoadedNetwork, network: nn.Module) -> None:
    layers = [tap.name for tap in loaded.taps]
    own = traces(loaded.module)  # PyTorch puts a hook of its own on an exported program
    with FeatureTap(network, layers) as one, FeatureTap(loaded.module, layers) as other:
        expected, found = one.run(images()), other.run(images())
    for name in layers:
        torch.testing.assert_close(found[name], expected[name])
    assert traces(loaded.module) == own


def test_kinds_are_told_by_content(tmp_path: Path, network: nn.Module) -> None:
    weights = tmp_path / "weights.pt"
    torch.save(network.state_dict(), weights)
    assert program_kind(weights) is None
    assert program_kind(tiny_checkpoint(tmp_path / "tiny.safetensors")) is None
    assert program_kind(tmp_path / "absent.pt") is None
    script = scripted(nn.Sequential(nn.Conv2d(3, 3, 1)), tmp_path / "net.pth")
    assert program_kind(script) == "TorchScript"


@pytest.mark.parametrize("traced", [True, False])
def test_layers_of_torchscript_are_those_of_the_network(tmp_path: Path, traced: bool) -> None:
    network = Swapped().eval()
    grey = torch.rand(2, 1, 16, 16)
    path = scripted(network, tmp_path / "net.pt", trace=grey if traced else None)
    loaded = load_network(str(path))
    assert loaded.source == "TorchScript file net.pt"
    assert [tap.label for tap in loaded.taps] == ["Conv1", *(f"_Last{i}" for i in range(1, 7))]
    assert {tap.channel_axis for tap in loaded.taps[1:]} == {3}
    assert loaded.info.parameters == sum(p.numel() for p in network.parameters())
    x_NCHW = images()
    luma = (x_NCHW * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)
    with FeatureTap(network, ["blocks.2", "blocks.5"]) as recorder:
        expected = recorder.run(luma)
    with FeatureTap(loaded.module, ["blocks.2", "blocks.5"]) as recorder:
        found = recorder.run(x_NCHW)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert_no_hooks(loaded.module)


def test_a_traced_transformer_and_repeated_calls(tmp_path: Path) -> None:
    network = Transformer().eval()
    loaded = load_network(str(scripted(network, tmp_path / "net.pt", trace=images())))
    assert loaded.scale == 2
    assert "blocks.0:1" in {layer.name for layer in loaded.layers}
    same_features(loaded, network)
    with torch.no_grad():
        torch.testing.assert_close(loaded.module(images()), network(images()))


@pytest.mark.slow
def test_layers_of_an_exported_program_are_those_of_the_network(
    exported: Path, network: nn.Module
) -> None:
    loaded = load_network(str(exported))
    assert loaded.source == "torch.export file net.pt2"
    assert loaded.scale == 4
    assert [tap.name for tap in loaded.taps][:2] == ["act", "body.0"]
    named = hasattr(InterpreterModule, "type_name")  # from PyTorch 2.7
    assert loaded.taps[-1].label == ("_Block6" if named else "body.5")
    same_features(loaded, network)
    modes = [module.training for module in loaded.module.modules()]
    assert modes == [False] * len(modes)


def test_a_program_has_no_untrained_control_and_says_why(tmp_path: Path) -> None:
    loaded = load_network(str(scripted(Swapped().eval(), tmp_path / "net.pt")))
    assert loaded.untrained is None
    assert loaded.no_untrained == "a TorchScript file holds no code that makes fresh weights"


def test_what_takes_one_image_only_is_refused_with_the_remedy(tmp_path: Path) -> None:
    class Single(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x.view(1, 3, 32, 32))

    path = scripted(Single(), tmp_path / "net.pt")
    with pytest.raises(NetworkError, match="must take two images at a time: make it with more"):
        load_network(str(path))


def test_options_are_those_of_a_program(tmp_path: Path) -> None:
    path = scripted(Swapped().eval(), tmp_path / "net.pt")
    assert load_network(f"{path}?scale=2").scale == 2
    with pytest.raises(UnknownNameError, match="option of this network 'checkpoint'"):
        load_network(f"{path}?checkpoint=x.pth")


# --- what must not run


class Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (
            (os.utime, (str(self.target),))
            if self.target.exists()
            else (Path.touch, (self.target,))
        )


def rewritten(path: Path, target: Path, changes: dict[str, bytes]) -> Path:
    """Copy an archive with the members whose names end as the keys do replaced."""
    used = set()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            key = next((key for key in changes if name.endswith(key)), None)
            new.writestr(name, old.read(name) if key is None else changes[key])
            used.add(key)
    assert set(changes) <= used
    return target


def malicious(trap: Path) -> bytes:
    buffer = io.BytesIO()
    torch.save((Trap(trap), {}), buffer)
    return buffer.getvalue()


@pytest.mark.slow
def test_an_archive_with_pickled_code_is_refused_and_runs_nothing(
    exported: Path, tmp_path: Path
) -> None:
    trap = tmp_path / "executed"
    inputs = _member(exported, "sample_inputs/model.pt", "serialized_example_inputs.pt")
    evil = rewritten(exported, tmp_path / "evil.pt2", {inputs: malicious(trap)})
    with pytest.raises(CheckpointError, match=r"carries Python objects.* could run code: refused"):
        load_network(str(evil))
    assert not trap.exists()
    assert os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD") is None
    torch.load(io.BytesIO(malicious(trap)), weights_only=False)
    assert trap.exists()  # a real trap


@pytest.mark.slow
@pytest.mark.parametrize(
    "size", ["__import__('os').system('x')", "exec(chr(1))", "().a", "open('x','w')"]
)
def test_an_archive_with_code_in_place_of_a_size_is_refused(
    exported: Path, tmp_path: Path, size: str
) -> None:
    name = _member(exported, "models/model.json", "serialized_exported_program.json")
    with zipfile.ZipFile(exported) as archive:
        text = archive.read(name).decode()
    assert '"expr_str"' in text
    changed = json.loads(text)
    found = _first_size(changed)
    found["expr_str"] = size
    evil = rewritten(exported, tmp_path / "e.pt2", {name: json.dumps(changed).encode()})
    with pytest.raises(CheckpointError, match=r"size that is no arithmetic .* refused"):
        load_network(str(evil))


def _member(path: Path, *endings: str) -> str:
    """Return the name of an archive's member, which PyTorch 2.6 calls something else."""
    with zipfile.ZipFile(path) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(endings)]
    return name


def _first_size(value: object) -> dict[str, object]:
    queue = [value]
    while queue:
        entry = queue.pop()
        if isinstance(entry, dict):
            if "expr_str" in entry:
                return entry
            queue += entry.values()
        elif isinstance(entry, list):
            queue += entry
    raise AssertionError("no size that varies")


def test_a_script_with_pickled_code_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    trap = tmp_path / "executed"
    good = scripted(Swapped().eval(), tmp_path / "net.pt")
    evil = rewritten(
        good, tmp_path / "evil.pt", {"/data.pkl": pickle.dumps(Trap(trap), protocol=2)}
    )
    with pytest.raises(CheckpointError, match="is no TorchScript file that PyTorch can read"):
        load_network(str(evil))
    assert not trap.exists()


def test_a_damaged_program_is_named(tmp_path: Path) -> None:
    good = scripted(Swapped().eval(), tmp_path / "net.pt")
    evil = rewritten(good, tmp_path / "evil.pt", {"/data.pkl": b"nothing"})
    with pytest.raises(CheckpointError, match=r"evil\.pt: is no TorchScript file that PyTorch"):
        load_network(str(evil))


def test_an_archive_with_damaged_records_is_refused(exported: Path, tmp_path: Path) -> None:
    data = bytearray(exported.read_bytes())
    with zipfile.ZipFile(exported) as archive:
        for record in archive.infolist():
            if record.filename.endswith(".json"):
                data[record.header_offset : record.header_offset + 4] = b"none"
    (tmp_path / "net.pt2").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"is no torch\.export file that PyTorch can read"):
        load_network(str(tmp_path / "net.pt2"))
