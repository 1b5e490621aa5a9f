"""Each refusal's remedy fits its cause, and works; what can be mended is."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.cli.main import main
from srscope.errors import CheckpointError, NetworkError
from srscope.features.tap import FeatureTap
from srscope.networks.adapter import inner_network
from srscope.networks.structure.causes import remedy_for
from srscope.networks.structure.select import select_layers
from srscope.networks.zoo import load_network
from support.documented import row_of
from support.foreign import scripted


class Net(nn.Module):
    """Magnifies by 2."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, 6, 3, padding=1)
        self.body = nn.Sequential(*(nn.Sequential(nn.Conv2d(6, 6, 1), nn.ReLU()) for _ in range(6)))
        self.last = nn.Conv2d(6, 12, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.last(self.body(self.first(x))), 2)


class Told(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Net()

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.inner(x + sigma)


class Given(nn.Module):
    """What the remedy says to write."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Told()

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x, torch.zeros(1))


class Four(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Net(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(torch.cat([x, 0 * x[:, :1]], dim=1))


class Halving(Net):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.half())


class Single(Net):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.view(1, 3, x.shape[2], x.shape[3]))


class Baked(Net):
    """Has the size of its output from its example where it is traced."""

    def forward(self, x: Tensor) -> Tensor:
        side = int(x.shape[2])
        return F.interpolate(super().forward(x), size=(2 * side, 2 * side))


def told() -> nn.Module:
    return Told()


def four() -> nn.Module:
    return Net(4)


def half() -> nn.Module:
    return Net().half()


def double() -> nn.Module:
    return Net().double()


def halving() -> nn.Module:
    return Halving()


def single() -> nn.Module:
    return Single()


def meta() -> nn.Module:
    with torch.device("meta"):
        return Net()


def compiled() -> nn.Module:
    return torch.compile(Net())  # pyright: ignore[reportReturnType]


def compiled_blocks() -> nn.Module:
    network = Net()
    for index, block in enumerate(network.body):
        network.body[index] = torch.compile(block)  # pyright: ignore[reportArgumentType]
    network.last.compile()
    return network


def spec(make: object) -> str:
    return f"{__name__}:{getattr(make, '__name__', '')}"


MODULES = [
    (
        told,
        r"missing 1 required .*'sigma'\); it takes more than an image; give the rest",
        Given,
    ),
    (four, r"takes 4 channels, srscope feeds 1 or 3; give the rest in code of your own", Four),
    (halving, r"in another precision than float32: save it from network\.float\(\)", Net),
    (single, r"two images at a time: let forward\(\) take any number of images", Net),
    (meta, r"no values for first\.weight \(meta device\); .* or build it on the CPU", Net),
]


@pytest.mark.parametrize(("make", "words", "mended"), MODULES)
def test_a_remedy_fits_its_cause_and_works(make: object, words: str, mended: object) -> None:
    with pytest.raises(NetworkError, match=words):
        load_network(spec(make))
    assert load_network(spec(mended)).scale == 2
    assert row_of("modules that do not run as they are")[0] == len(MODULES)


def test_a_network_without_values_gets_them_from_a_checkpoint(tmp_path: Path) -> None:
    state = Net().state_dict()
    torch.save(state, tmp_path / "net.pth")
    network = load_network(f"{spec(meta)}?checkpoint={tmp_path / 'net.pth'}")
    found = inner_network(network.module).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


@pytest.mark.parametrize(("make", "kind"), [(half, "float16"), (double, "float64")])
def test_other_precisions_become_float32(make: object, kind: str, tmp_path: Path) -> None:
    network = load_network(spec(make))
    assert {p.dtype for p in network.module.parameters()} == {torch.float32}
    assert f"its weights in {kind} are run as float32" in network.notes
    script = scripted(Net().to(getattr(torch, kind)).eval(), tmp_path / "net.pt")
    assert load_network(str(script)).scale == 2


@pytest.mark.parametrize("make", [compiled, compiled_blocks])
def test_layers_and_analyze_agree_on_compiled_networks(
    make: object, capsys: pytest.CaptureFixture[str]
) -> None:
    network = load_network(spec(make))
    assert "is run without torch.compile, whose modules cannot be tapped" in network.notes
    taps = select_layers(network, ())
    assert [tap.name for tap in taps][:2] == ["first", "body.0"]
    with FeatureTap(network.module, [tap.name for tap in taps]) as tap:
        assert len(tap.run(torch.rand(1, 3, 8, 8))) == len(taps)
    assert main(["layers", spec(make)]) == 0
    assert "body.0" in capsys.readouterr().out


def test_a_frozen_program_is_told_as_such_and_one_that_is_not_works(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.script(Net().eval())
        torch.jit.save(torch.jit.freeze(script), tmp_path / "frozen.pt")
        script.save(str(tmp_path / "net.pt"))
    with pytest.raises(
        CheckpointError,
        match=r"is frozen \(torch\.jit\.freeze\).*before it is frozen: torch\.jit\.script\(",
    ):
        load_network(str(tmp_path / "frozen.pt"))
    assert load_network(str(tmp_path / "net.pt")).scale == 2


def test_a_size_baked_into_a_traced_program_is_found_out(tmp_path: Path) -> None:
    path = scripted(Baked().eval(), tmp_path / "net.pt", trace=torch.rand(1, 3, 48, 48))
    with pytest.raises(NetworkError, match=r"96 pixels a side of 32, and 96 of 33.*\?scale=N"):
        load_network(str(path))
    assert load_network(f"{path}?scale=2").scale == 2


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("Found no NVIDIA driver on your system.", "its program names a device: trace or export"),
        ("Expected all tensors to be on the same device, but found", "its program names a device"),
        ("expected args[0].shape[0] to be equal to 4, but got 1", "it takes a fixed number of im"),
        ("size mismatch", "say what it takes, e.g. ?channels=1 or ?smallest=640"),
    ],
)
def test_what_cannot_be_made_here_has_its_remedy_too(said: str, remedy: str) -> None:
    assert remedy_for(said).startswith(remedy)
