"""Features that are no function of the image alone are refused, or warned of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.cli.main import main
from srscope.errors import NetworkError
from srscope.features.extract import extract
from srscope.networks.adapter import AdaptedNetwork
from srscope.networks.structure.alone import check_alone
from srscope.networks.zoo import load_network
from support.documented import row_of
from support.networks import assert_no_hooks
from support.tiny import FAST_WORDS, photographs


class Net(nn.Module):
    """A residual network with something in its middle."""

    def __init__(self, middle: nn.Module | None = None) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.middle = nn.Identity() if middle is None else middle
        self.body = nn.Sequential(*(nn.Conv2d(6, 6, 3, padding=1) for _ in range(5)))
        self.last = nn.Conv2d(6, 12, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.last(self.body(self.middle(self.first(x)))), 2)


class Noise(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 0.1 * torch.randn_like(x)


class Always(nn.Module):
    """Dropout by a function."""

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, 0.2, training=True)


class Stubborn(Net):
    """Stays in training mode whatever it is told."""

    def train(self, mode: bool = True) -> Stubborn:
        super().train(True)
        return self


class OwnGenerator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(0)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.randn(x.shape, generator=self.generator)


class Fixed(OwnGenerator):
    """The same noise in every pass, but another at each place of a batch."""

    def forward(self, x: Tensor) -> Tensor:
        self.generator.manual_seed(0)
        return super().forward(x)


class Brightest(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x / x.abs().max()


class BrightestMended(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x / x.abs().amax((1, 2, 3), keepdim=True)


class Attention(nn.Module):
    def __init__(self, *, batch_first: bool = False) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(6, 2, batch_first=batch_first)

    def forward(self, x: Tensor) -> Tensor:
        y = x.flatten(2).transpose(1, 2)
        return self.inner(y, y, y)[0].transpose(1, 2).reshape(x.shape)


def stubborn_dropout() -> nn.Module:
    return Stubborn(nn.Dropout(0.3))


def stubborn_norm() -> nn.Module:
    return Stubborn(nn.BatchNorm2d(6))


def noisy() -> nn.Module:
    return Net(Noise())


def told(network: nn.Module) -> str:
    torch.manual_seed(0)
    adapted = AdaptedNetwork(network).eval()
    state = torch.random.get_rng_state()
    said = check_alone(adapted, (16, 16))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert_no_hooks(adapted)
    return said


@pytest.mark.parametrize(
    "middle",
    [
        nn.Identity(),
        nn.Dropout(0.5),
        nn.BatchNorm2d(6),
        nn.InstanceNorm2d(6),
        nn.GroupNorm(2, 6),
        Attention(batch_first=True),
        BrightestMended(),
    ],
)
def test_nothing_is_said_of_what_sees_the_image_alone(middle: nn.Module) -> None:
    assert told(Net(middle)) == ""


RANDOM = [
    (noisy(), "first seen at layer middle (Noise): its features are those of one seed"),
    (Net(Always()), "first seen at layer middle (Always): its features"),
    (
        stubborn_dropout(),
        "layer middle (Dropout), which stays in training mode after eval(), as "
        "Stubborn.train() is overridden: its features",
    ),
]


@pytest.mark.parametrize(("network", "words"), RANDOM)
def test_random_numbers_are_said_with_layer_and_cause(network: nn.Module, words: str) -> None:
    said = told(network)
    assert said.startswith("draws random numbers in its pass, ")
    assert words in said
    assert row_of("random numbers in the pass")[0] == len(RANDOM)


# What goes wrong, the words for it, and what the remedy in these words makes of it.
REFUSED = [
    (
        stubborn_norm(),
        r"other images of its batch.* layer middle \(BatchNorm2d\), which stays in training mode "
        r"after eval\(\), as Stubborn\.train\(\) is overridden; let eval\(\) reach that layer",
        Net(nn.BatchNorm2d(6)),
    ),
    (
        Net(nn.BatchNorm2d(6, track_running_stats=False)),
        r"layer middle \(BatchNorm2d\), which has no running statistics and takes those of the "
        r"batch; use InstanceNorm2d.*track_running_stats=True",
        Net(nn.InstanceNorm2d(6, affine=True)),
    ),
    (
        Net(Attention()),
        r"batch, first seen at layer middle\.inner \(MultiheadAttention\); .*batch_first=True",
        Net(Attention(batch_first=True)),
    ),
    (
        Net(Brightest()),
        r"first seen at layer middle \(Brightest\); compute every image of a batch by itself",
        Net(BrightestMended()),
    ),
    (
        Net(OwnGenerator()),
        r"other features when the same images pass again, first seen at layer middle "
        r"\(OwnGenerator\); .* draw random numbers from PyTorch's own generator",
        Net(Noise()),
    ),
    (
        Net(Fixed()),
        r"depend on its place in the batch, first seen at layer middle \(Fixed\); compute every",
        Net(),
    ),
]


@pytest.mark.parametrize(("network", "words", "mended"), REFUSED)
def test_what_depends_on_pass_or_batch_is_refused_and_the_remedy_works(
    network: nn.Module, words: str, mended: nn.Module
) -> None:
    with pytest.raises(NetworkError, match=words):
        told(network)
    assert row_of("features that are no function of the image")[0] == len(REFUSED)
    assert told(mended).startswith("draws random" if mended.middle.__class__ is Noise else "")


def test_without_running_statistics_one_image_alone_is_normalised_alike() -> None:
    norm, image_1CHW = nn.BatchNorm2d(6, track_running_stats=False), torch.rand(1, 6, 5, 5)
    expected = norm.eval()(image_1CHW)
    torch.testing.assert_close(nn.InstanceNorm2d(6)(image_1CHW), expected)


def test_random_numbers_are_the_same_in_every_run_with_and_without_adapter(tmp_path: Path) -> None:
    images_NCHW = torch.rand(4, 3, 8, 8).numpy()
    torch.manual_seed(3)
    for network in (noisy(), AdaptedNetwork(noisy())):
        one, two = (
            extract(network, images_NCHW, ["middle"], store=tmp_path / "s", batch_size=2)
            .read("middle")
            .copy()
            for _ in range(2)
        )
        assert (one == two).all()
        assert (one[0] != one[1]).any()


def test_the_warning_reaches_terminal_report_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = f"{__name__}:noisy"
    words = "draws random numbers in its pass, first seen at layer middle (Noise)"
    assert words in load_network(spec).info.remarks[0]
    photos = photographs(tmp_path / "photos")
    out = ["--out", str(tmp_path / "out"), "--images", str(photos)]
    assert main(["analyze", spec, "--no-cache", *out, *FAST_WORDS]) == 0
    assert f"srscope: {spec}: {words}" in capsys.readouterr().err
    record = json.loads((tmp_path / "out" / "scores.json").read_text("utf-8"))
    assert words in record["network"]["remarks"][0]
    assert words in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert main(["layers", spec]) == 0
    assert words in capsys.readouterr().out
