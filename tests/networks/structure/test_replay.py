"""TorchScript carried out node by node gives what TorchScript gives, bit for bit."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import Tensor, nn

from srscope.networks.structure.replay import Replayed
from srscope.networks.structure.trace import trace_network


def script_of(network: nn.Module) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(network.eval())


def images() -> Tensor:
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Kinds(nn.Module):
    """Constants, branches, tuples, functions, a method, an attribute and an error."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(3, 3, 1) for _ in range(2))
        self.gain = nn.Parameter(torch.tensor(2.0))
        self.split = _Split()
        self.limit = 3

    def helper(self, x: Tensor, factor: float) -> Tensor:
        return self.convs[1](x) * factor

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] != self.limit:
            raise ValueError("three channels")
        y = nn.functional.leaky_relu(self.convs[0](x), 0.1)
        one, two = self.split(y)
        z = torch.cat([one, two, x[:, :1] + self.gain], dim=1)
        values, _ = torch.max(z, dim=1, keepdim=True)
        if y.numel() > 10:  # noqa: SIM108 (a branch of the graph)
            z = z + values
        else:
            z = z - values
        return self.helper(z, 0.5)


class _Split(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Identity()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.scale(x[:, :1]), x[:, 1:2]


def test_results_are_torchscripts_and_inner_calls_are_seen() -> None:
    script = script_of(Kinds())
    replayed = Replayed(script)
    with torch.no_grad():
        assert torch.equal(replayed(images()), script(images()))
    calls = [call.name for call in trace_network(replayed, (8, 8)).calls]
    assert calls == ["convs.0", "split", "split.scale", "convs.1"]
    kinds = [call.kind for call in trace_network(replayed, (8, 8)).calls]
    assert kinds == ["Conv2d", "_Split", "Identity", "Conv2d"]


def test_errors_that_the_network_raises_are_raised() -> None:
    with pytest.raises(RuntimeError, match="three channels"):
        Replayed(script_of(Kinds()))(torch.ones(1, 4, 8, 8))


class Loops(nn.Module):
    """A loop and a growing list: not carried out here, but by TorchScript."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept: list[Tensor] = []
        for _ in range(x.shape[0]):
            x = self.conv(x)
            kept.append(x)
        return torch.cat(kept)


def test_what_is_not_known_runs_as_it_is() -> None:
    script = script_of(nn.Sequential(Loops(), nn.ReLU()))
    replayed = Replayed(script)
    with torch.no_grad():
        assert torch.equal(replayed(images()), script(images()))
    assert [call.name for call in trace_network(replayed, (8, 8)).calls] == ["0", "1"]


def test_parameters_modes_and_copies() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout())
    replayed = Replayed(script_of(network))
    assert {n: p.shape for n, p in replayed.named_parameters()} == {
        n: p.shape for n, p in network.named_parameters()
    }
    assert not any(module.training for module in replayed.modules())
    replayed.train()
    assert replayed.script[0].training
    replayed.eval()
    twin = copy.deepcopy(replayed)
    with torch.no_grad():
        assert torch.equal(twin(images()), replayed(images()))
    assert replayed.to(torch.float64)(images().double()).dtype == torch.float64
