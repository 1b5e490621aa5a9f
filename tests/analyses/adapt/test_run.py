"""Guided networks judged: what is planted is found, and the files of the analysis are written."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor

import srscope
from srscope.analyses.adapt import Config, transferring
from srscope.analyses.adapt.config import UNSEEN
from srscope.analyses.adapt.record import headline, sections
from srscope.analyses.adapt.restoring import over_photographs
from srscope.analyses.adapt.run import take
from srscope.analyses.adapt.transferring import KINDS, Contents
from srscope.errors import DegenerateError, ParameterError
from srscope.images.folder import load_folder
from srscope.training.mixture import MARGIN
from support.guided import save_guided
from support.tiny import photographs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged")
    photographs(folder / "photographs", count=4, size=(200, 190))
    return folder


def empty_figure(figure: Figure, path: Path) -> None:
    """Stand in for saving, which takes longer than all the rest."""
    assert figure.axes
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')


def test_twins_are_compared_and_the_files_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = load_folder(folder / "photographs")
    monkeypatch.setattr(sys.modules[take.__module__], "load_bundled", lambda _: few)
    for name, count in (("_EDITS", 2), ("_GRID", 5), ("_CROPS", 2)):
        monkeypatch.setattr(transferring, name, count)
    monkeypatch.setattr("srscope.figures.save.save_figure", empty_figure)
    names = ("none", "statistics", "oracle", "transfer")
    networks = [save_guided(folder, name, strength=0) for name in names[:2]]
    networks += [save_guided(folder, name) for name in names[2:]]
    record = srscope.adapt(
        networks, images=str(folder / "photographs"), contents=4, patch=32, historic=1,
        out=tmp_path / "out",
    )  # fmt: skip
    rows = {(each.network, each.set): each for each in record.qualities}
    sets = tuple(record.sets)
    assert rows["input", "noise30"].psnr == pytest.approx(18.7, abs=1)
    assert rows["input", "clean"].psnr == 60
    for name in sets:
        same, gain = rows["statistics", name], rows["statistics", name].gain_psnr
        assert gain is not None
        assert gain.value == gain.low == gain.high == 0  # a new modulation changes nothing
        assert same.psnr == rows["none", name].psnr
        assert ("oracle", name) in rows or name in UNSEEN
    gains = {each.network: each for each in record.gains}
    assert gains.keys() == {"statistics", "oracle"}
    assert gains["oracle"].closed is None
    expected = np.mean([rows["oracle", s].psnr - rows["none", s].psnr for s in record.known])
    assert gains["oracle"].psnr.value == pytest.approx(float(expected))
    steered = {each.told_by: each for each in record.steered}
    assert steered["truth"].error == 0
    assert steered["fixed, 15"].error == pytest.approx((10 + 0 + 15) / 3)
    best = [each for each in record.steered if each.beyond_fixed is None]
    assert len(best) == 1
    assert best[0].psnr == max(e.psnr for e in record.steered if e.told_by.startswith("fixed"))
    assert {(e.family, e.kind) for e in record.transfers} == {
        (family, kind) for family in ("noise", "blur") for kind in KINDS
    }
    told = json.loads((tmp_path / "out" / "adapt.json").read_text())
    assert told["headline"] == headline(record)
    assert "transfer follows the level of noise" in told["headline"]
    assert not told["reliable"]
    figures = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert {"pictures-sets.svg", "pictures-historic.svg"} <= figures
    titles = [each.title for each in sections(record)]
    assert titles == [
        "PSNR in dB, by degradation", "SSIM, by degradation", "What guidance gains",
        "A denoiser that is told sigma", "Transfer of degradations", "Pictures",
    ]  # fmt: skip


class Perfect:
    """Reads the noise of a flat source, and gives exactly that."""

    name = "perfect"

    def embedding(self, image_1CHW: Tensor) -> Tensor:
        return (image_1CHW - 0.5).std().reshape(1, 1) * 255

    def levels(self, embedding_NE: Tensor) -> np.ndarray:
        return np.concatenate([np.zeros((len(embedding_NE), 1)), embedding_NE.numpy()], axis=1)


def flat(count: int = 8) -> Contents:
    side = 16 + 2 * MARGIN
    wide = np.full((count, 3, side, side), 0.5, np.float32)
    return Contents(wide_MCHW=wide, photograph_M=np.arange(count))


@pytest.mark.parametrize("follows", [True, False])
def test_who_follows_the_level_is_told_from_who_does_not(
    follows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def given(_: object, content: np.ndarray, like: Tensor, *, noise_3HW: np.ndarray) -> np.ndarray:
        sigma = float(like) if follows else 9.0
        return content + (noise_3HW * sigma / 255).transpose(1, 2, 0)

    monkeypatch.setattr(transferring, "given", given)
    found = transferring._judged(Perfect(), flat(), "noise", KINDS[0], 0)  # pyright: ignore[reportArgumentType]
    assert (found.rho.value > 0.97) == follows
    assert (found.gain.low > 0) == follows
    if follows:
        assert found.rho_read.value > 0.9
        assert found.psnr > 40
        assert found.exchanged < 1.0
    else:
        assert found.rho.value == 0


def test_a_leak_is_the_part_of_the_error_that_is_the_source() -> None:
    random = torch.Generator().manual_seed(0)
    source, error = (torch.randn(4, 3, 16, 16, generator=random) for _ in range(2))
    leak = transferring._correlation(error + source, source)
    np.testing.assert_allclose(leak, 2**-0.5, atol=0.08)
    assert np.abs(transferring._correlation(error, source)).max() < 0.15
    assert transferring._correlation(error, torch.ones(4, 3, 16, 16)).tolist() == [0, 0, 0, 0]


def test_sources_are_of_other_photographs() -> None:
    contents = Contents(wide_MCHW=flat(6).wide_MCHW, photograph_M=np.array([0, 0, 1, 1, 2, 2]))
    for shift in (0, 2, 3):
        others = contents.photograph_M[contents.others(shift)]
        assert (others != contents.photograph_M).all()
    with pytest.raises(ParameterError, match="give more photographs"):
        Contents(wide_MCHW=flat(2).wide_MCHW, photograph_M=np.zeros(2, int)).others(1)


def test_an_interval_leaves_photographs_out() -> None:
    values = np.array([1.0, 1.0, 3.0, 3.0, 2.0, 2.0])
    found = over_photographs(lambda kept: float(values[kept].mean()), np.array([5, 5, 6, 6, 7, 7]))
    assert found.value == 2
    assert found.low == pytest.approx(2 - 4.303 / 3**0.5, abs=1e-3)  # Student's, of three
    with pytest.raises((ParameterError, DegenerateError), match="2 or more"):
        over_photographs(lambda kept: 1.0, np.zeros(3, int))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patch": 16}, "patch must be at least 32"),
        ({"layers": ("Conv1",)}, "layers must be left out"),
        ({"pictures": -1}, "pictures must be 0 or more"),
    ],
)
def test_impossible_parameters_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Config(**changes)  # pyright: ignore[reportArgumentType]


def test_two_networks_of_one_name_are_refused(folder: Path) -> None:
    path = save_guided(folder, "none")
    with pytest.raises(ParameterError, match="rename a file"):
        take([path, path])
