"""Disks that are full or read-only, and folders that another process is writing to."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from srscope.runtime.files import LOCK, writing_to
from support.disks import make_read_only, small_disk
from support.jobs import Job, results
from support.killer import Killer, Outcome
from support.runs import differences, exported

COMMANDS = ("analyze", "reproduce", "train")


def assert_refused(outcome: Outcome, *words: str) -> None:
    """Fail unless a command ended with code 2 and one line that says why and what to do."""
    lines = [line for line in outcome.errors.splitlines() if line.startswith("srscope: ")]
    assert (outcome.code, len(lines)) == (2, 1), outcome.errors
    assert "Traceback" not in outcome.errors
    assert "; " in lines[0]
    for word in words:
        assert word in lines[0]


def assert_nothing_half_written(folder: Path) -> None:
    left = [path.name for path in folder.rglob("*") if ".part" in path.name or path.name == LOCK]
    assert left == []


@pytest.mark.parametrize("command", COMMANDS)
def test_while_another_process_writes_there_nothing_is_done(
    killer: Killer, inputs: Path, command: str, tmp_path: Path
) -> None:
    with writing_to(tmp_path / "out"):
        assert_refused(
            Job(killer, command, inputs).run(tmp_path), "is being written by another srscope ("
        )
    assert results(tmp_path / "out") == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_read_only_folder_is_refused(
    killer: Killer, inputs: Path, command: str, tmp_path: Path
) -> None:
    job = Job(killer, command, inputs)
    with small_disk(tmp_path / "disk", size=1 << 20) as disk:
        make_read_only(disk)
        assert_refused(job.run(disk), "Read-only file system", "choose a folder")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_in_place_of_the_folder_is_refused(
    killer: Killer, inputs: Path, command: str, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("mine")
    assert_refused(Job(killer, command, inputs).run(tmp_path), "is a file, not a folder")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.slow
@pytest.mark.parametrize(("command", "limit"), [("analyze", 20_000), ("train", 9_000)])
def test_what_was_there_is_whole_after_a_run_without_space(
    killer: Killer, inputs: Path, command: str, limit: int, tmp_path: Path
) -> None:
    job = Job(killer, command, inputs)
    if command == "train":  # it would be done at once on what it left
        assert_refused(job.run(tmp_path, limit=limit), "cannot be written ", "; free some")
        assert_nothing_half_written(tmp_path)
        return
    done = job.run(tmp_path)
    assert done.code == 0, done.errors
    before = results(tmp_path)
    assert_refused(job.run(tmp_path, limit=limit), "cannot be written ", "; free some")
    assert_nothing_half_written(tmp_path)
    after = results(tmp_path)
    finished = [name for name in before if not name.startswith("out/features/")]
    assert [name for name in finished if after.get(name) != before[name]] == []


@pytest.mark.torture
@pytest.mark.parametrize("command", COMMANDS)
def test_a_disk_that_fills_up_at_any_moment(
    killer: Killer, inputs: Path, command: str, tmp_path: Path, tally: Callable[..., None]
) -> None:
    job = Job(killer, command, inputs)
    unbroken = tmp_path / "unbroken"
    assert job.run(unbroken).code == 0
    wanted = results(unbroken)
    whole = sum(p.stat().st_size for p in unbroken.rglob("*") if p.is_file())
    outcomes: Counter[str] = Counter()
    for size in np.linspace(0.02, 1.1, 20) * whole:
        with small_disk(tmp_path / "disk", size=max(int(size), 16_384)) as disk:
            outcome = job.run(disk)
            if outcome.code != 0:
                assert_refused(outcome, "cannot be written ", "free some disk space")
            assert_nothing_half_written(disk)
            subprocess.run(["mount", "-o", f"remount,size={4 * whole}", str(disk)], check=True)
            again = job.run(disk)
            assert again.code == 0, again.errors
            found = results(disk)
            if command == "train":  # curves go on in another file, and cards tell the time
                assert {n for n in wanted if "curves" not in n} <= found.keys()
                runs = (exported(folder / "out", "tiny-sr") for folder in (unbroken, disk))
                assert differences(*runs) == []
            else:
                assert found == wanted
        outcomes["refused in one line, then the same results" if outcome.code else "fitted"] += 1
    tally(f"`srscope {command}` on a disk that fills up, then with space", outcomes)
