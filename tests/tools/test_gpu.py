"""`make gpu`, as far as a machine without a GPU can try it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from support.tools import load_tool

gpu = load_tool("gpu")
PHOTOGRAPHS = str(gpu.ROOT / "src/srscope/assets/photos/test")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main([]) == 2
    assert "no CUDA device here" in capsys.readouterr().err


def test_the_benchmark_names_the_device_and_measures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "training_speed", lambda *_: {"iterations_per_second": 1.0})
    words = ["--steps", "benchmark", "--device", "cpu", "--patches", "8", "--out", str(tmp_path)]
    assert gpu.main(words) == 0
    found = json.loads((tmp_path / "benchmark.json").read_text("utf-8"))
    assert found["card"] == "cpu"
    assert found["patches_per_second"] > 0


def test_the_training_speed_is_that_of_the_second_half(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([10.0, 14.0])
    asked: list[int] = []

    def train(recipe, *, out, report):
        asked.append(recipe.iterations)
        report(0, {})
        report(0, {})

    monkeypatch.setattr(gpu, "train", train)
    monkeypatch.setattr(gpu.time, "perf_counter", lambda: next(ticks))
    monkeypatch.setattr(gpu, "build_network", lambda _: torch.nn.Conv2d(3, 1, 1))
    monkeypatch.setattr(gpu, "matrix_speed", lambda *_: 1e9)
    found = gpu.training_speed("cpu", PHOTOGRAPHS, 8)
    assert asked == [16]
    assert found["iterations_per_second"] == 2.0
    assert 0 < found["share_of_bf16_matrix_product"] < 1


def test_trainings_go_on_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []

    class Done:
        returncode = 0

    def run(words: list[str], **_: object) -> Done:
        given.append(words)
        return Done()

    monkeypatch.setattr(gpu.subprocess, "run", run)
    words = ["--steps", "train", "--device", "cpu", "--minutes", "2", "--out", str(tmp_path)]
    assert gpu.main(words) == 0
    assert [Path(each[4]).stem for each in given] == ["srresnet-wgr", "srresnet-wogr"]
    assert {"--minutes=2", "--resume", "--accelerator=cpu"} <= set(given[0])
    weights = tmp_path / "srresnet-wgr" / "srresnet-wgr.safetensors"
    weights.parent.mkdir()
    weights.touch()
    given.clear()
    assert gpu.main(words) == 0
    assert [Path(each[4]).stem for each in given] == ["srresnet-wogr", "srgan-wgr"]
    assert f"--init={weights}" in given[1]
