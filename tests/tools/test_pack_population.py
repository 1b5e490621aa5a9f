"""A population is packed with the networks at matched PSNR, and measured from there alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.reproduction.lab import Lab, LabConfig
from srscope.reproduction.population import load_of_population
from srscope.reproduction.records import Estimate
from srscope.reproduction.second_evidence import POPULATION
from srscope.reproduction.second_measure import Asked, Measured
from srscope.study.cache import Stages
from support.conditions import estimate
from support.labs import save_network
from support.tools import load_tool

tool = load_tool("pack_population")


class Planted(Measured):
    """PSNR by name: networks with the residual are better, and reach the others at 1,000."""

    def __getitem__(self, key: str) -> Estimate:
        name = Asked.of(key).network
        return estimate(
            27.0 if "~2000" in name or ("-wgr-seed" in name and "~" not in name) else 26.0
        )

    def __iter__(self) -> Iterator[str]:
        return iter(())


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    for members in POPULATION.members.values():
        for name in members:
            network = SRResNet(SRResNetConfig(blocks=1, channels=4))
            save_network(tmp_path / "runs" / name, name, network)
            for iteration in (1000, 2000):
                save_network(tmp_path / "runs" / name, f"net_{iteration}", network)
    return tmp_path / "runs"


def test_networks_and_their_earlier_states_are_packed(runs: Path, tmp_path: Path) -> None:
    lab = Lab(stages=Stages(), config=LabConfig(population=str(runs)))
    numbers, out = Planted(lab), tmp_path / "packed"
    packed = tool.pack(runs, out, numbers)
    assert len(packed) == 20 + 10
    pair = "gan-wgr-seed4@gan-wogr-seed4"
    assert pair in packed
    assert numbers.taken[pair] == "gan-wgr-seed4~1000"
    with safe_open(out / f"{pair}.safetensors", "pt") as file:
        assert file.get_tensor("conv_first.weight").dtype == torch.float16
    assert load_of_population(str(out), pair).name == pair


def test_an_unfinished_run_is_not_packed(runs: Path, tmp_path: Path) -> None:
    (runs / "l1-wgr-seed2" / "l1-wgr-seed2.safetensors").unlink()
    lab = Lab(stages=Stages(), config=LabConfig(population=str(runs)))
    with pytest.raises(FileNotFoundError, match="l1-wgr-seed2"):
        tool.pack(runs, tmp_path / "packed", Planted(lab))
