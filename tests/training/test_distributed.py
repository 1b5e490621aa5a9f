"""Two CPU processes train as one does with the same global batch; wrong requests are refused.

The commands are started as a user starts them. Tolerances: in float32 the processes only add up in
another order, so over 20 iterations losses agree within 1e-5, and weights within 1e-4 of the
largest of their tensor.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.fabric.strategies.ddp import DDPStrategy
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from srscope.cli.main import main
from srscope.errors import ParameterError, TrainingError
from srscope.images.folder import load_folder
from srscope.training import launch
from srscope.training.recipes import load_recipe
from support.runs import checkpoint, differences, exported, files, tiny_recipe
from support.tiny import photographs

TWO = ("--devices", "2", "--strategy", "ddp", "--accelerator", "cpu")
EXACT = {"precision": "32-true", "log_every": 1, "keep_checkpoints": 9}
LAST = 20
SUPPORT = Path(__file__).resolve().parents[1] / "support"


@pytest.fixture(scope="module", autouse=True)
def few_photographs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Measure on one small photograph, here and in commands."""
    test = photographs(tmp_path_factory.mktemp("test"), count=1, size=(96, 80))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("srscope.training.facts.load_bundled", lambda _: load_folder(test))
        patch.setenv("TEST_PHOTOGRAPHS", str(test))
        patch.setenv("PYTHONPATH", str(SUPPORT / "fewer"), prepend=os.pathsep)
        patch.setenv("OMP_NUM_THREADS", "1")  # of commands; here it is too late
        for name in ("WORLD_SIZE", "LOCAL_RANK", "RANK"):
            patch.delenv(name, raising=False)
        yield


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    command = [str(word) for word in words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def curve(out: Path, name: str) -> list[float]:
    """Read a curve from TensorBoard's files; each step once."""
    events = EventAccumulator(str(out / "curves"), size_guidance={"scalars": 0}).Reload()
    scalars: list[Any] = events.Scalars(name)
    steps = [point.step for point in scalars]
    assert steps == sorted(set(steps)), "somebody else wrote curves too"
    return [point.value for point in scalars]


def assert_close(first: Path, second: Path) -> None:
    """Compare exported weights, relative to the largest of each tensor."""
    a, b = (load_file(out / "tiny-sr.safetensors") for out in (first, second))
    assert a.keys() == b.keys()
    for name in a:
        limit = 1e-4 * float(a[name].abs().max())
        torch.testing.assert_close(a[name], b[name], rtol=0.0, atol=limit)


@dataclasses.dataclass(frozen=True)
class Runs:
    """The same recipe, trained by one process and by two."""

    recipe: Path
    one: Path
    two: Path
    printed: str


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("distributed")
    recipe = tiny_recipe(folder, "sr", **EXACT)
    assert main(["train", str(recipe), "--out", str(folder / "one"), "--quiet"]) == 0
    command = Path(sys.executable).parent / "srscope"  # as installed, beside the interpreter
    two = run(command, "train", recipe, "--out", folder / "two", "--quiet", *TWO)
    assert two.returncode == 0, two.stderr
    return Runs(recipe, folder / "one", folder / "two", two.stdout)


@pytest.mark.slow
def test_two_processes_have_the_losses_and_weights_of_one(runs: Runs) -> None:
    one, two = (curve(out, "loss") for out in (runs.one, runs.two))
    assert len(two) == LAST
    assert two == pytest.approx(one, rel=1e-5)
    assert one[-1] != pytest.approx(one[0], rel=1e-2)  # it does train
    assert_close(runs.one, runs.two)


@pytest.mark.slow
def test_only_the_main_process_prints_and_writes(runs: Runs) -> None:
    assert runs.printed.splitlines() == [str(runs.two / "tiny-sr.safetensors")]
    assert files(runs.two) == files(runs.one)
    assert len(list((runs.two / "curves").iterdir())) == 1


def cut(runs: Runs, out: Path, at: int = 8) -> None:
    """Copy the run of two processes as it was after iteration ``at``."""
    shutil.copytree(runs.two, out, ignore=shutil.ignore_patterns("curves", "tiny-*"))
    for path in out.glob("checkpoint-*"):
        if int(path.stem.removeprefix("checkpoint-")) > at:
            path.unlink()


@pytest.mark.slow
def test_two_processes_resume_to_the_same_bits(runs: Runs, tmp_path: Path) -> None:
    out = tmp_path / "out"
    cut(runs, out)
    words = ("train", runs.recipe, "--out", out, "--quiet", "--resume", *TWO)
    done = run(sys.executable, "-m", "srscope", *words)
    assert done.returncode == 0, done.stderr
    states = [checkpoint(folder, LAST) for folder in (runs.two, out)]
    for state in states:
        del state["seconds"]
    assert differences(*states) == []
    assert differences(exported(runs.two, "tiny-sr"), exported(out, "tiny-sr")) == []


@pytest.mark.slow
def test_one_process_goes_on_where_two_stopped(runs: Runs, tmp_path: Path) -> None:
    out = tmp_path / "out"
    cut(runs, out)
    assert main(["train", str(runs.recipe), "--out", str(out), "--quiet", "--resume"]) == 0
    assert curve(out, "loss") == pytest.approx(curve(runs.one, "loss")[8:], rel=1e-5)
    assert_close(runs.one, out)


@pytest.mark.slow
def test_torchrun_starts_adversarial_training_too(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, "gan")
    out = tmp_path / "out"
    words = ("-m", "srscope", "train", recipe, "--out", out, "--quiet", *TWO)
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    done = run(sys.executable, *torchrun, *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(out / "tiny-gan.safetensors")]
    assert len(curve(out, "loss_discriminator")) == 7
    saved = checkpoint(out, LAST)["players"]["discriminator"]["network"]
    assert int(saved["norms.1.num_batches_tracked"]) == 2 * LAST  # a pass for each player


def run_sharded(*words: str | Path) -> None:
    """Train in two processes that share the weights out; fail unless both succeed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    place = {"NODE_RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    started = [
        subprocess.Popen(
            [sys.executable, SUPPORT / "sharded.py", "train", *words, "--quiet", "--devices", "2"],
            env={**os.environ, **place, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in ("0", "1")
    ]  # fmt: skip
    try:
        ended = [process.communicate(timeout=300) for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 0], ended


@pytest.mark.slow
def test_sharded_weights_train_and_are_exported_whole(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, "sr", **EXACT, ema_decay=0.0)
    one, two = tmp_path / "one", tmp_path / "two"
    assert main(["train", str(recipe), "--out", str(one), "--quiet"]) == 0
    run_sharded(recipe, "--out", two)
    assert curve(two, "loss") == pytest.approx(curve(one, "loss"), rel=1e-5)
    assert curve(two, "validation_psnr") == pytest.approx(curve(one, "validation_psnr"), rel=1e-5)
    assert files(two) == files(one)
    assert_close(one, two)


@pytest.mark.slow
def test_sharded_weights_resume_to_the_same_bits(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, "sr", **EXACT, ema_decay=0.0)
    out = tmp_path / "out"
    run_sharded(recipe, "--out", out)
    whole = checkpoint(out, LAST)
    for path in out.glob("checkpoint-*"):
        if int(path.stem.removeprefix("checkpoint-")) > 8:
            path.unlink()
    run_sharded(recipe, "--out", out, "--resume")
    again = checkpoint(out, LAST)
    assert differences(whole["players"], again["players"]) == []


# --- wrong requests, and those that cannot be tried here


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--accelerator", "gpx"], "invalid accelerator name"),
        (["--strategy", "dpp"], "invalid strategy name"),
        (["--strategy", "fsdp", "--ema-decay", "0"], "FSDP is only available on GPU"),
        (["--strategy", "ddp_spawn", "--devices", "2"], "launch"),
        (["--devices", "3"], "data.batch_size must be a multiple of devices x num_nodes = 3"),
        (["--strategy", "fsdp"], "ema_decay must be 0 with strategy fsdp"),
        (["--devices", "0"], "devices must be at least 1"),
    ],
)
def test_a_wrong_request_is_one_line_and_code_2(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tiny_recipe(tmp_path, "sr")
    out = str(tmp_path / "out")
    assert main(["train", str(recipe), "--out", out, "--quiet", *words]) == 2
    printed = capsys.readouterr().err.strip().splitlines()
    assert says in printed[-1]
    assert sum(line.startswith("srscope: ") for line in printed) == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is such a device here")
def test_an_absent_accelerator_is_one_line_and_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tiny_recipe(tmp_path, "sr")
    words = ["--out", str(tmp_path / "out"), "--accelerator", "cuda", "--devices", "2"]
    assert main(["train", str(recipe), *words]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "accelerator, devices, num_nodes, strategy must be what this machine" in line
    assert "but is 'cuda, 2, 1, auto'; Lightning Fabric says: " in line


def test_processes_that_a_launcher_started_must_be_those_of_the_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = load_recipe(tiny_recipe(tmp_path, "sr"))
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(ParameterError, match="devices x num_nodes must be 4, the number of proc"):
        launch._check_launcher(recipe)
    launch._check_launcher(dataclasses.replace(recipe, devices=2, num_nodes=2))


class FakeFabric:
    """Keeps what it is given, and fails to launch where told so."""

    given: dict[str, Any]
    failure: Exception | None = None

    def __init__(self, **given: Any) -> None:
        FakeFabric.given = given

    def launch(self) -> None:
        if self.failure is not None:
            raise self.failure


def test_the_recipe_reaches_fabric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "Fabric", FakeFabric)
    words = ["--devices=2", "--num_nodes=2", "--accelerator=cuda", "--precision=16-mixed"]
    recipe = load_recipe(tiny_recipe(tmp_path, "sr"), [*words, "--ema_decay=0"])
    launch.launch(recipe, logger=None)
    given = FakeFabric.given
    assert (given["devices"], given["num_nodes"]) == (2, 2)
    assert (given["accelerator"], given["precision"]) == ("cuda", "16-mixed")
    assert isinstance(given["strategy"], DDPStrategy)
    assert given["strategy"]._ddp_kwargs == {"broadcast_buffers": False}
    for strategy in ("fsdp", "deepspeed"):
        launch.launch(dataclasses.replace(recipe, strategy=strategy), logger=None)
        assert FakeFabric.given["strategy"] == strategy
    launch.launch(dataclasses.replace(recipe, devices=1, num_nodes=1), logger=None)
    assert FakeFabric.given["strategy"] == "auto"


def test_processes_that_do_not_meet_are_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "Fabric", FakeFabric)
    monkeypatch.setattr(FakeFabric, "failure", RuntimeError("timed out after 1800 s\nat TCPStore"))
    recipe = load_recipe(tiny_recipe(tmp_path, "sr"))
    with pytest.raises(TrainingError, match="could not be joined: timed out after 1800 s; check"):
        launch.launch(recipe, logger=None)
