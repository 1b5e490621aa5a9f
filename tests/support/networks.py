"""Small networks of many kinds, and the assertion that nothing was left in a network."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def traces(network: nn.Module) -> list[str]:
    """List every hook, and every method shadowed on the instance, in a tree of modules.

    Goes by what is in the instance dictionaries, so that kinds of hooks that later versions of
    PyTorch may add are found too.
    """
    found = []
    for name, module in network.named_modules(remove_duplicate=False):
        for key, value in vars(module).items():
            if "hook" in key and isinstance(value, dict) and value:
                found.append(f"{name or 'network'}.{key}")
            if callable(getattr(type(module), key, None)):
                found.append(f"{name or 'network'}.{key} shadows the class's")
    found += [f"parameter {n}" for n, p in network.named_parameters() if p._backward_hooks]
    return found


def assert_no_hooks(network: nn.Module) -> None:
    """Assert that no hook and no shadowed method is left anywhere in ``network``."""
    assert traces(network) == []


class Counted(nn.Module):
    """Passes its input on and counts its calls; raises in the call with the number ``fail_at``."""

    def __init__(self, fail_at: int | None = None) -> None:
        super().__init__()
        self.calls, self.fail_at = 0, fail_at

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls == self.fail_at:
            raise KeyError("the network's own failure")
        return x


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(self.relu(self.conv1(x)))


class TinySRResNet(nn.Module):
    """SRResNet's shape with global residual, in-place activations and a counter in its tail."""

    def __init__(self, *, blocks: int = 3, channels: int = 8, fail_at: int | None = None) -> None:
        super().__init__()
        self.conv_first = nn.Conv2d(3, channels, 3, padding=1)
        self.act = nn.LeakyReLU(0.1, inplace=True)
        self.body = nn.Sequential(*(_Block(channels) for _ in range(blocks)))
        self.upconv = nn.Conv2d(channels, channels * 16, 3, padding=1)
        self.tail = Counted(fail_at)
        self.conv_last = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(self.act(self.conv_first(x)))
        y = self.act(F.pixel_shuffle(self.upconv(y), 4))
        y = self.conv_last(self.tail(y))
        return y + F.interpolate(x, scale_factor=4, mode="bilinear", align_corners=False)


class _Classifier(nn.Module):
    """Batch normalisation and dropout, whose results depend on the mode; modules out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(6, 4)  # defined first, runs last
        self.drop = nn.Dropout(0.5)
        self.norm = nn.BatchNorm2d(6)
        self.conv = nn.Conv2d(3, 6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.drop(F.relu(self.norm(self.conv(x))).mean(dim=(2, 3))))


class _Unet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 4, 2, stride=2)
        self.up = nn.ConvTranspose2d(4, 4, 2, stride=2)
        self.out = nn.Conv2d(7, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.cat([x, self.up(self.down(x))], dim=1))


class _Recurrent(nn.Module):
    """One module run three times, and known under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 3, 3, padding=1)
        self.alias = self.first

    def forward(self, x: Tensor) -> Tensor:
        return self.alias(self.first(self.first(x)))


class _Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 4, stride=4)
        self.encoder = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.encoder(self.embed(x).flatten(2).transpose(1, 2)))


class _Branches(nn.Module):
    """A module dictionary of which one branch runs, and outputs that are no tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.split = _Split()
        self.branches = nn.ModuleDict({"used": nn.Conv2d(1, 2, 1), "idle": nn.Conv2d(1, 2, 1)})

    def forward(self, x: Tensor) -> Tensor:
        return self.branches["used"](self.split(x)[0])


class _Split(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x[:, :1], x[:, 1:]


# Name -> (how to make it, a layer to tap). Each takes (N, 3, 8, 8).
ARCHITECTURES: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "srresnet": (TinySRResNet, "body.1"),
    "classifier": (_Classifier, "norm"),
    "unet": (_Unet, "up"),
    "recurrent": (_Recurrent, "alias:2"),
    "transformer": (_Transformer, "encoder.linear1"),
    "branches": (_Branches, "branches.used"),
}


def build(name: str, *, seed: int = 0) -> nn.Module:
    """Make one of :data:`ARCHITECTURES` with weights drawn from ``seed``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ARCHITECTURES[name][0]()
