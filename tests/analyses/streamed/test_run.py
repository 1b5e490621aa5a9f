"""What is streamed is what an analysis holds: the same images, features and components."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from srscope.analyses.runner import run_analysis
from srscope.analyses.streamed import Config
from srscope.analyses.streamed.images import streamed_images
from srscope.analyses.streamed.run import _passes  # pyright: ignore[reportPrivateUsage]
from srscope.cli.main import main
from srscope.degradations.catalogue import load_suite
from srscope.errors import ImageError, ParameterError
from srscope.features.arrays import layer_values
from srscope.images.sources import load_photographs
from srscope.networks.description import TapPoint
from srscope.networks.zoo import load_network
from srscope.projection.pca import pca
from srscope.study.config import AnalysisConfig
from srscope.study.inputs import fed_with
from srscope.study.session import Session
from support.tiny import photographs, tiny_checkpoint

OPTIONS = {"contents": 9, "patch": 16, "pca": 4, "batch_size": 5}
TSNE = {"perplexity": 3, "iterations": 250}


def test_the_images_are_those_of_an_analysis(tmp_path: Path) -> None:
    folder, suite = str(photographs(tmp_path / "in", count=3)), load_suite("clean-blur-noise")
    given = {"contents": 7, "seed": 3}
    streamed = streamed_images(load_photographs(folder), suite, patch=16, scale=4, **given)
    whole = fed_with(suite, folder, (4, 16), **given).images
    assert len(streamed) == len(whole.images_NCHW) == 21
    order = np.lexsort((streamed.content_N, streamed.set_N))
    parts = np.concatenate([streamed[start : start + 4] for start in range(0, 21, 4)])
    assert np.array_equal(parts[order], whole.images_NCHW)
    assert np.array_equal(streamed.set_N[order], whole.set_N)
    assert np.array_equal(streamed.photograph_N[order], whole.photograph_M[whole.content_N])
    assert streamed.sets == whole.suite.sets


def test_photographs_that_are_too_small_are_told(tmp_path: Path) -> None:
    folder, suite = str(photographs(tmp_path / "in")), load_suite("clean-blur-noise")
    with pytest.raises(ImageError, match="no photograph is as large as the 400x400 pixels"):
        streamed_images(load_photographs(folder), suite, contents=2, patch=100, scale=4, seed=0)


def test_layers_that_do_not_fit_together_are_read_apart() -> None:
    taps = [
        TapPoint(name=str(i), label=str(i), channels=64, stride=1, shape=(64, 32, 32))
        for i in range(3)
    ]
    sizes = {
        memory: [len(part) for part in _passes(taps, 32, Config(memory=memory))]
        for memory in (0.5, 2.0, 8.0)
    }
    assert sizes == {0.5: [1, 1, 1], 2.0: [2, 1], 8.0: [3]}


def test_streamed_components_are_those_of_the_features(tmp_path: Path) -> None:
    network = str(tiny_checkpoint(tmp_path / "tiny.safetensors"))
    folder, out = str(photographs(tmp_path / "in", count=3)), tmp_path / "out"
    record = run_analysis(
        "stream", network, out=out, images=folder, tsne=TSNE, layers=("Conv1", "ResBlock2"),
        device="cpu", memory=0.1, **OPTIONS,
    )  # fmt: skip
    assert record.passes == (("conv_first",), ("body.1",))
    config = AnalysisConfig(
        images=folder, contents=9, patch=16, pca=4, tsne=TSNE, runs=1, most_runs=1,
        layers=("Conv1", "ResBlock2"), trivial=False,
    )  # fmt: skip
    loaded = load_network(network)
    session = Session(config)
    study = session.study(loaded, controls=False)
    fed = session.fed(loaded).images
    order = np.lexsort((record.content_N, record.set_N))
    for streamed, whole in zip(record.layers, study.layers, strict=True):
        assert streamed.label == whole.label
        exact = pca(_features(loaded, fed.images_NCHW, whole.layer), components=4).points_NC
        assert np.abs(streamed.points_NC[order] - exact).max() < 1e-3 * np.abs(exact).max()
        assert streamed.chi == pytest.approx(whole.feature_space.chi, rel=1e-2)
    told = json.loads((out / "stream.json").read_text())
    assert (told["images"], told["photographs"]) == (27, 3)
    assert {each["layer"] for each in told["controls"]} >= {"pixels", "statistics"}
    assert np.load(out / "points.npz")["body.1_pca"].shape == (27, 4)
    assert "its best layer" in (out / "report.html").read_text()


def _features(network, images, layer: str) -> np.ndarray:
    (values,) = layer_values(network, images, layer, device="cpu").values()
    return values.reshape(len(values), -1)


def test_what_cannot_be_streamed_is_said(tmp_path: Path, capsys) -> None:
    with pytest.raises(ParameterError, match="memory must be above 0 GiB"):
        Config(memory=0)
    network = str(tiny_checkpoint(tmp_path / "tiny.safetensors"))
    assert main(["analyze", network, "--stream", "--profile", "--quiet"]) == 2
    assert main(["analyze", network, "--stream", "--causal", "--quiet"]) == 2
    assert main(["analyze", network, "--stream", "--most-runs=9", "--quiet"]) == 2
    said = capsys.readouterr().err
    for option in ("--profile", "--causal", "--most-runs"):
        assert f"{option} must be left out beside --stream" in said


@pytest.mark.slow
def test_two_processes_stream_what_one_does(tmp_path: Path) -> None:
    network = str(tiny_checkpoint(tmp_path / "tiny.safetensors"))
    words = [f"--{name}={value}" for name, value in OPTIONS.items()]
    words += [f"--images={photographs(tmp_path / 'in', count=3)}", "--tsne.perplexity=3"]
    words += ["--tsne.iterations=250", "--layers=ResBlock2", "--stream", "--quiet", "--no-cache"]
    environment = {k: v for k, v in os.environ.items() if k not in ("RANK", "LOCAL_RANK")}
    for devices in (1, 2):
        command = [sys.executable, "-m", "srscope", "analyze", network, *words]
        done = subprocess.run(
            [*command, f"--devices={devices}", f"--out={tmp_path / str(devices)}"],
            env={**environment, "OMP_NUM_THREADS": "1"},
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("report.html") == 1
    one, two = (np.load(tmp_path / each / "points.npz") for each in "12")
    assert sorted(one.files) == sorted(two.files)
    for name in one.files:
        assert np.array_equal(one[name], two[name]), name
