"""Checkpoints: BasicSR's wrappers, safetensors, and files that must be refused."""

import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from srscope.errors import CheckpointError
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.networks.loading.checkpoints import load_weights, read_state_dict
from srscope.networks.zoo import load_network


@pytest.fixture
def network() -> SRResNet:
    torch.manual_seed(0)
    return SRResNet(SRResNetConfig(blocks=2, channels=8))


def same(network: SRResNet, other: SRResNet) -> bool:
    x_NCHW = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    return torch.equal(network(x_NCHW), other(x_NCHW))


@pytest.mark.parametrize("wrapper", ["params", "params_ema", "state_dict", None])
def test_wrapped_checkpoints_load_unchanged(
    tmp_path: Path, network: SRResNet, wrapper: str | None
) -> None:
    state = network.state_dict()
    torch.save(state if wrapper is None else {wrapper: state}, tmp_path / "net.pth")
    assert same(load_weights(tmp_path / "net.pth"), network)


def test_the_running_average_is_preferred(tmp_path: Path, network: SRResNet) -> None:
    other = {name: tensor + 1 for name, tensor in network.state_dict().items()}
    torch.save({"params": other, "params_ema": network.state_dict()}, tmp_path / "net.pth")
    assert same(load_weights(tmp_path / "net.pth"), network)


def test_prefixes_of_data_parallel_training_are_taken_off(
    tmp_path: Path, network: SRResNet
) -> None:
    state = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save({"params": state}, tmp_path / "net.pth")
    assert same(load_weights(tmp_path / "net.pth"), network)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_structure_is_read_off_the_weights(tmp_path: Path, scale: int) -> None:
    config = SRResNetConfig(blocks=3, channels=12, scale=scale)
    torch.save(SRResNet(config).state_dict(), tmp_path / "net.pth")
    assert load_weights(tmp_path / "net.pth").config == config


def test_residual_comes_from_argument_then_metadata_then_basicsr(
    tmp_path: Path, network: SRResNet
) -> None:
    path = tmp_path / "net.safetensors"
    save_file(network.state_dict(), path, metadata={"global_residual": "false"})
    assert load_weights(path).config.global_residual is False
    assert load_weights(path, global_residual=True).config.global_residual is True
    save_file(network.state_dict(), path)
    assert load_weights(path).config.global_residual is True


class _Malicious:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.target,))


def test_a_checkpoint_with_code_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    trap, path = tmp_path / "executed", tmp_path / "evil.pth"
    torch.save({"params": _Malicious(trap)}, path)
    with pytest.raises(CheckpointError, match="could run code: refused"):
        read_state_dict(path)
    path.write_bytes(pickle.dumps(_Malicious(trap)))
    with pytest.raises(CheckpointError):
        read_state_dict(path)
    assert not trap.exists()
    pickle.loads(path.read_bytes())  # the trap is a real one
    assert trap.exists()


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_unreadable_files_are_refused_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        read_state_dict(tmp_path / name)
    (tmp_path / name).write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="is not a readable checkpoint"):
        read_state_dict(tmp_path / name)


def test_files_without_weights_or_of_another_structure_are_refused(
    tmp_path: Path, network: SRResNet
) -> None:
    torch.save({"epoch": 3}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="holds no plain state dict"):
        load_weights(tmp_path / "a.pth")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "b.pth")
    with pytest.raises(CheckpointError, match="is not an SRResNet checkpoint"):
        load_weights(tmp_path / "b.pth")
    state = network.state_dict()
    state["conv_last.weight"] = torch.zeros(3, 5, 3, 3)
    torch.save(state, tmp_path / "c.pth")
    with pytest.raises(CheckpointError, match=r"does not fit SRResNet.*conv_last\.weight"):
        load_weights(tmp_path / "c.pth")


def test_an_archive_that_only_pytorch_can_list_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    torch.save({"params": {"weight": torch.zeros(4)}}, path)
    data = bytearray(path.read_bytes())
    record = data.rindex(b"PK\1\2")
    data[record + 6] = 99  # the version needed to unpack it, which Python's zipfile heeds
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="is a damaged archive"):
        read_state_dict(path)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"pipe{suffix}"
    os.mkfifo(path)
    with pytest.raises(CheckpointError, match="is not a regular file"):
        load_network(str(path))
