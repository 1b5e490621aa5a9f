"""Commands killed at any moment and run again: what an undisturbed run gives, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from support.jobs import Job, damage, results
from support.killer import Killer


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, pytest.param(20, marks=pytest.mark.torture)])
@pytest.mark.parametrize("command", ["analyze", "reproduce"])
def test_killed_at_any_moment_and_run_again(
    killer: Killer,
    inputs: Path,
    command: str,
    count: int,
    tmp_path: Path,
    tally: Callable[..., None],
) -> None:
    job, random = Job(killer, command, inputs), np.random.default_rng(count)
    unbroken = tmp_path / "unbroken"
    undisturbed = job.run(unbroken)
    assert undisturbed.code == 0, undisturbed.errors
    wanted = results(unbroken)
    flipped = 0
    for number in range(count):
        folder = tmp_path / str(number)
        # One moment in each part of the run's file operations: at the operation itself, or later,
        # where it computes.
        at = 1 + int((number + random.random()) * undisturbed.operations / count)
        delay = float(random.uniform(0.0, 0.5)) if number % 2 else 0.0
        for after in (delay, delay / 5, 0.0):  # it may be done before
            shutil.rmtree(folder, ignore_errors=True)
            if number % 4 == 3:  # over what an earlier run left
                shutil.copytree(unbroken / "out", folder / "out")
            first = job.run(folder, kill_at=at, delay=after)
            if first.killed:
                break
        assert first.killed, first.errors
        flipped += damage(folder / "cache", random)
        again = job.run(folder)
        assert again.code == 0, again.errors
        found = results(folder)
        assert found.keys() == wanted.keys()
        assert [name for name in wanted if found[name] != wanted[name]] == []
        shutil.rmtree(folder)
    what = f"`srscope {command}` killed (SIGKILL) at random moments, then run again"
    tally(what, {"the same results": count})
    assert flipped
    what = f"a bit flipped in an entry of the cache of `srscope {command}`"
    tally(what, {"noticed, and computed anew": flipped})


@pytest.mark.torture
def test_reproduce_over_processes_killed_from_outside(
    killer: Killer, inputs: Path, tmp_path: Path, tally: Callable[..., None]
) -> None:
    job, random = Job(killer, "reproduce", inputs), np.random.default_rng(1)

    def start(folder: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "srscope", *job.words(folder, jobs=2)],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    begun = time.monotonic()
    assert start(tmp_path / "unbroken").wait(600) == 0
    seconds = time.monotonic() - begun
    wanted = results(tmp_path / "unbroken")
    for number in range(5):
        folder = tmp_path / str(number)
        process = start(folder)
        time.sleep(float(random.uniform(0.1, 0.9)) * seconds)
        process.kill()
        process.wait(60)
        assert start(folder).wait(600) == 0  # at once: the workers of the first may still compute
        deadline = time.monotonic() + seconds
        while (found := results(folder)).keys() != wanted.keys() and time.monotonic() < deadline:
            time.sleep(1)  # for files that such a worker writes now
        assert [name for name in wanted if found.get(name) != wanted[name]] == []
        assert found.keys() == wanted.keys()
    tally("`srscope reproduce --jobs 2` killed from outside, its workers not", {"same results": 5})
