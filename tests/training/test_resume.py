"""Runs killed at any moment go on to the same bits; damaged checkpoints are passed over."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from srscope.training.checkpoint import load_newest_checkpoint, remove_leftovers
from support.killer import Killer
from support.runs import checkpoint, differences, exported, files, tiny_recipe
from support.tiny import photographs

LAST = 20


@dataclasses.dataclass(frozen=True)
class Unbroken:
    """A recipe and the run that nobody killed."""

    task: str
    recipe: Path
    out: Path
    operations: int

    def assert_same(self, out: Path) -> None:
        """Fail unless ``out`` holds the same files, weights and final state, bit for bit."""
        assert files(out) == files(self.out)
        name = f"tiny-{self.task}"
        assert differences(exported(self.out, name), exported(out, name)) == []
        states = [checkpoint(folder, LAST) for folder in (self.out, out)]
        for state in states:
            del state["seconds"]  # wall-clock time
            del state["commit"]  # in a checkout that somebody works in, one may be made meanwhile
        assert differences(*states) == []


@pytest.fixture(scope="module")
def killer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    folder = tmp_path_factory.mktemp("killer")
    test = photographs(folder / "test", count=1, size=(96, 80))
    with Killer(test, folder / "log.txt") as killer:
        yield killer


def run_unbroken(killer: Killer, folder: Path, task: str) -> Unbroken:
    recipe = tiny_recipe(folder, task)
    done = killer.train(recipe, folder / "unbroken")
    assert done.code == 0, done.errors
    return Unbroken(task, recipe, folder / "unbroken", done.operations)


@pytest.fixture(scope="module")
def unbroken_sr(killer: Killer, tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    return run_unbroken(killer, tmp_path_factory.mktemp("sr"), "sr")


@pytest.fixture(scope="module")
def unbroken_gan(killer: Killer, tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    return run_unbroken(killer, tmp_path_factory.mktemp("gan"), "gan")


@pytest.mark.slow
@pytest.mark.parametrize("kills", [10, pytest.param(20, marks=pytest.mark.torture)])
@pytest.mark.parametrize("task", ["sr", "gan"])
def test_a_run_killed_at_any_moment_resumes_to_the_same_bits(
    killer: Killer,
    task: str,
    kills: int,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    tally: Callable[..., None],
) -> None:
    unbroken: Unbroken = request.getfixturevalue(f"unbroken_{task}")
    random = np.random.default_rng(20)
    for number in range(kills):
        # One moment in each part of the run's file operations: at the operation itself, or up
        # to a tenth of a second later, in the iterations, a checkpoint or the export.
        at = 1 + int((number + random.random()) * unbroken.operations / kills)
        delay = random.uniform(0.0, 0.1) if number % 2 else 0.0
        out = tmp_path / str(number)
        first = killer.train(unbroken.recipe, out, kill_at=at, delay=delay)
        if not first.killed:  # it was done before
            shutil.rmtree(out)
            first = killer.train(unbroken.recipe, out, kill_at=at)
        assert first.killed, first.errors
        again = killer.train(unbroken.recipe, out, "--resume")
        assert again.code == 0, again.errors
        unbroken.assert_same(out)
    what = f"`srscope train` ({task}) killed (SIGKILL) at random moments, then resumed"
    tally(what, {"the same bits": kills})


@pytest.mark.slow
def test_a_run_killed_again_and_again_resumes_to_the_same_bits(
    killer: Killer, unbroken_gan: Unbroken, tmp_path: Path
) -> None:
    random = np.random.default_rng(21)
    for _ in range(6):
        at = int(random.integers(1, unbroken_gan.operations // 3))
        killer.train(unbroken_gan.recipe, tmp_path / "out", "--resume", kill_at=at)
    done = killer.train(unbroken_gan.recipe, tmp_path / "out", "--resume")
    assert done.code == 0, done.errors
    unbroken_gan.assert_same(tmp_path / "out")


@pytest.mark.slow
def test_a_command_of_its_own_killed_from_outside_resumes_to_the_same_bits(
    killer: Killer, unbroken_sr: Unbroken, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["-m", "srscope", "train", str(unbroken_sr.recipe), "--out", str(out), "--quiet"]
    process = subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )
    try:
        while process.poll() is None and not list(out.glob("checkpoint-*.pt")):
            time.sleep(0.002)
    finally:
        process.kill()
    assert process.wait(timeout=60) == -signal.SIGKILL
    done = killer.train(unbroken_sr.recipe, out, "--resume")
    assert done.code == 0, done.errors
    unbroken_sr.assert_same(out)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "no hash", "both"])
def test_training_goes_on_from_the_checkpoint_before_a_damaged_one(
    killer: Killer, unbroken_sr: Unbroken, tmp_path: Path, damage: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(unbroken_sr.out, out, ignore=shutil.ignore_patterns("tiny-*", "curves"))
    newest = out / f"checkpoint-{LAST:08d}.pt"
    data = bytearray(newest.read_bytes())
    if damage in ("truncated", "both"):
        newest.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        data[len(data) // 2] ^= 1
        newest.write_bytes(data)
    elif damage == "empty":
        newest.write_bytes(b"")
    if damage in ("no hash", "both"):
        newest.with_suffix(".sha256").unlink()
    done = killer.train(unbroken_sr.recipe, out, "--resume")
    assert done.code == 0, done.errors
    assert f"{newest.name} is damaged; going back to the one before" in done.errors
    unbroken_sr.assert_same(out)


@pytest.mark.parametrize("keep", [1, 2])
def test_every_operation_of_a_save_may_be_the_last(
    killer: Killer, tmp_path: Path, keep: int
) -> None:
    start = tmp_path / "start"
    killer.save(start, 10, keep=keep)
    killer.save(start, 20, keep=keep)
    shutil.copytree(start, tmp_path / "whole")
    operations = killer.save(tmp_path / "whole", 30, keep=keep).operations
    assert operations >= 8
    seen: set[int] = set()
    for at in range(1, operations + 1):
        folder = tmp_path / str(at)
        shutil.copytree(start, folder)
        assert killer.save(folder, 30, keep=keep, kill_at=at).killed
        state = load_newest_checkpoint(folder)  # a warning would fail the test
        assert state is not None
        seen.add(state["done"])
        remove_leftovers(folder)
        assert killer.save(folder, 30, keep=keep).code == 0
        assert files(folder) == files(tmp_path / "whole")
    assert seen == {20, 30}


def test_damaged_newer_checkpoints_do_not_push_out_the_one_just_saved(
    killer: Killer, tmp_path: Path
) -> None:
    for iteration in (10, 30, 40):
        killer.save(tmp_path, iteration, keep=3)
    for iteration in (30, 40):
        (tmp_path / f"checkpoint-{iteration:08d}.pt").write_bytes(b"damaged")
    killer.save(tmp_path, 20, keep=1)
    assert files(tmp_path) == ["checkpoint-00000020.pt", "checkpoint-00000020.sha256"]


def test_leftovers_of_a_killed_run_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    kept = [
        "recipe.yaml",
        ".notes.part.txt",
        "checkpoint-00000010.pt",
        "checkpoint-00000010.sha256",
    ]
    left = [".checkpoint-00000020-a1b2c3d4.part.pt", "checkpoint-00000020.sha256"]
    for name in (*kept, *left):
        (tmp_path / name).write_text("x")
    remove_leftovers(tmp_path)
    assert files(tmp_path) == sorted(kept)
