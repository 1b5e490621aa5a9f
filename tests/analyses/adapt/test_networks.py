"""Photographs through guided networks: restored, given a degradation, and refused with a remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srscope.analyses.adapt import networks as adapt
from srscope.cli.main import main
from srscope.errors import CheckpointError, FileProblem, ParameterError, UnknownNameError
from srscope.features.guide import mark_picture
from srscope.images.folder import load_folder
from srscope.images.io import read_image
from srscope.networks.architectures.guided import LEVELS
from support.guided import CONFIGS, save_guided
from support.tiny import photographs, tiny_checkpoint


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guided")
    for name in CONFIGS:
        save_guided(folder, name)
    random = np.random.default_rng(0)
    smooth = mark_picture()[0].permute(1, 2, 0).numpy().repeat(3, axis=0).repeat(3, axis=1)
    noisy = np.clip(smooth + random.normal(0, 20 / 255, smooth.shape), 0, 1)
    for name, image in (("clean", smooth), ("noisy", noisy)):
        Image.fromarray(np.rint(image * 255).astype(np.uint8)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def run(files: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(*words: str) -> tuple[int, str]:
        code = main([word.replace("@", f"{files}/") for word in words])
        return code, "".join(capsys.readouterr())

    return run


def test_a_photograph_is_restored_and_its_levels_are_printed(
    files: Path, tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    out = tmp_path / "out.png"
    words = ("restore", "@statistics.safetensors", "@noisy.png", str(out), "--quiet")
    code, told = run(*words, "--tile=40")
    assert code == 0
    assert "noisy.png: blur width about 0.0 px, noise sigma about " in told
    assert 15 < float(told.split("sigma about ")[1].split(" ")[0]) < 25
    tiled = read_image(out)
    assert run(*words, "--tile=0")[0] == 0
    np.testing.assert_allclose(tiled, read_image(out), atol=1 / 255)
    restored = adapt.restore(files / "statistics.safetensors", files / "noisy.png")
    np.testing.assert_allclose(tiled, restored.pixels_HWC, atol=1 / 255)
    assert restored.levels is not None
    assert 15 < restored.levels[LEVELS.index("noise sigma")] < 25


def test_an_unguided_network_estimates_nothing(files: Path) -> None:
    assert adapt.restore(files / "none.safetensors", files / "noisy.png").levels is None


def test_a_network_can_be_told_the_levels_by_hand(
    files: Path, tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    made = [
        adapt.restore(files / "oracle.safetensors", files / "noisy.png", levels=(0.0, sigma))
        for sigma in (0.0, 30.0)
    ]
    assert not np.array_equal(made[0].pixels_HWC, made[1].pixels_HWC)
    out = str(tmp_path / "out.png")
    code, told = run("restore", "@oracle.safetensors", "@noisy.png", out, "--noise=30", "--quiet")
    assert code == 0
    assert "about" not in told
    np.testing.assert_allclose(read_image(out), made[1].pixels_HWC, atol=1 / 255)
    code, told = run("restore", "@oracle.safetensors", "@noisy.png", out, "--quiet")
    assert code == 2
    assert "say --blur WIDTH --noise SIGMA" in told
    words = ("restore", "@statistics.safetensors", "@noisy.png", out, "--blur=1", "--quiet")
    assert "leave --blur and --noise out" in run(*words)[1]


def test_a_degradation_is_transferred(
    files: Path, tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    out, network = str(tmp_path / "out.png"), "--network=@transfer.safetensors"
    assert run("transfer", "@clean.png", "@noisy.png", out, network)[0] == 0
    made = read_image(out)
    assert made.shape == read_image(files / "clean.png").shape
    assert run("transfer", "@clean.png", "@noisy.png", out, network, "--seed=1")[0] == 0
    assert not np.array_equal(made, read_image(out))  # other noise
    assert run("transfer", "@clean.png", "@clean.png", out, network)[0] == 0
    assert not np.array_equal(made, read_image(out))  # another degradation


def test_rows_make_up_the_whole(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = (files / "clean.png", files / "noisy.png")
    whole = adapt.transfer(*arguments, network=files / "transfer.safetensors")
    monkeypatch.setattr(adapt, "_ROWS", 17)
    parts = adapt.transfer(*arguments, network=files / "transfer.safetensors")
    np.testing.assert_allclose(whole, parts, atol=1e-5)


def test_a_strip_of_levels_is_edited(
    files: Path,
    tmp_path: Path,
    run: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = load_folder(photographs(tmp_path / "photos", count=2, size=(200, 190)))
    monkeypatch.setattr(adapt, "load_bundled", lambda _: few)
    out, network = str(tmp_path / "out.png"), "--network=@transfer.safetensors"
    words = ("edit-degradation", "@clean.png", "--family", "noise", "--level", "0,10,30", out)
    assert run(*words, network)[0] == 0
    strip = read_image(out)
    height, width = read_image(files / "clean.png").shape[:2]
    assert strip.shape == (height, 3 * width, 3)
    assert not np.array_equal(strip[:, :width], strip[:, 2 * width :])
    for options, remedy in (
        (("--family=noise", "--level=31"), "level of noise sigma must be from 0 to 30"),
        (("--family=blue", "--level=3"), "did you mean 'blur'"),
        (("--family=blur", "--level=much"), "say --level 5,15,30"),
    ):
        code, told = run("edit-degradation", "@clean.png", out, network, *options)
        assert code == 2
        assert remedy in told


def test_what_cannot_be_used_is_refused_with_the_remedy(
    files: Path, tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    with pytest.raises((UnknownNameError, FileProblem), match=r"tools/train_adapt\.py"):
        adapt.load_guided("adapt-nothing")
    other = tiny_checkpoint(tmp_path / "sr.safetensors", blocks=1)
    with pytest.raises(CheckpointError, match="run it by srscope upscale"):
        adapt.load_guided(other)
    with pytest.raises(ParameterError, match="use srscope restore"):
        adapt.transfer_network(files / "none.safetensors")
    clean = files / "clean.png"
    with pytest.raises(ParameterError, match="use srscope transfer"):
        adapt.restore(files / "transfer.safetensors", clean)
    network = "--network=@transfer.safetensors"
    code, told = run("transfer", "@clean.png", "@noisy.png", "@clean.png", network)
    assert code == 2
    assert "give another OUT" in told
    code, told = run("transfer", "@clean.png", "@noisy.png", "@out.jpg", network)
    assert code == 2
    assert "written as PNG" in told
