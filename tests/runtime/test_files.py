"""Files whole or absent, folders for one process at a time, and what killed processes leave."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from srscope.errors import FileProblem
from srscope.runtime import files
from srscope.runtime.files import LOCK, atomic_path, locked, scratch_folder, writing_to
from support.disks import fill, make_read_only, no_file_above, small_disk

HOLD = """
import sys, time
from srscope.runtime.files import writing_to
with writing_to(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def by_torch(path: Path) -> None:
    with path.open("wb") as file:
        torch.save({"w": torch.ones(9999)}, file)


def by_pillow(path: Path) -> None:
    from PIL import Image

    noise_HW3 = np.random.default_rng(0).integers(0, 256, (99, 99, 3), dtype=np.uint8)
    Image.fromarray(noise_HW3).save(path, format="PNG")


def by_matplotlib(path: Path) -> None:
    figure = Figure()
    figure.subplots().plot(np.random.default_rng(0).random(999))
    figure.savefig(path, format="svg")


WRITERS: dict[str, Callable[[Path], object]] = {
    "bytes": lambda path: path.write_bytes(b"x" * 9999),
    "numpy": lambda path: np.savez(path.open("wb"), a=np.ones(9999)),
    "torch": by_torch,
    "pillow": by_pillow,
    "matplotlib": by_matplotlib,
}


@pytest.mark.parametrize("writer", WRITERS)
def test_without_space_the_old_file_stays_and_one_line_says_why(
    tmp_path: Path, writer: str
) -> None:
    path = tmp_path / "a.npz"
    path.write_text("old")
    message = r"a.npz: cannot be written \(.+\); "
    with (
        no_file_above(4096),
        pytest.raises(FileProblem, match=message) as caught,
        atomic_path(path) as temporary,
    ):
        WRITERS[writer](temporary)
    assert "\n" not in str(caught.value)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.npz"]


def test_an_error_of_the_callers_own_passes(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"), atomic_path(tmp_path / "a"):
        (tmp_path / "nowhere").read_text()
    with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / "a"):
        raise ZeroDivisionError
    assert names(tmp_path) == []


def test_a_folder_that_goes_meanwhile_is_told(tmp_path: Path) -> None:
    message, path = r"a.txt: cannot be written \(No such file", tmp_path / "gone" / "a.txt"
    with pytest.raises(FileProblem, match=message), atomic_path(path) as temporary:
        shutil.rmtree(temporary.parent)


def test_a_disk_that_is_full_or_read_only(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size=64 << 10) as disk:
        space = fill(disk)
        path = disk / "a.bin"
        for attempt in (lambda: files.write_bytes(path, b"x" * 99_999), lambda: hold(disk / "new")):
            with pytest.raises(FileProblem, match=r"No space left on device\); free some disk"):
                attempt()
        space.unlink()
        files.write_bytes(path, b"x")
        make_read_only(disk)
        for attempt in (lambda: files.write_bytes(path, b"y"), lambda: hold(disk)):
            with pytest.raises(FileProblem, match="Read-only file system"):
                attempt()
        assert path.read_bytes() == b"x"
        assert names(disk) == ["a.bin"]


def hold(folder: Path) -> None:
    with writing_to(folder):
        files.write_bytes(folder / "a.bin", b"x" * 99_999)


def test_one_of_two_writes_and_the_other_says_who(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "out"
    with writing_to(out):
        who = rf"another srscope \(process {os.getpid()} on .+\); wait until it is done"
        with pytest.raises(FileProblem, match=f"is being written by {who}"), writing_to(out):
            pytest.fail("both write")
        (out / "result").touch()
    with writing_to(out):
        pass
    assert names(out) == ["result"]


def test_a_lock_goes_with_its_process(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(FileProblem, match=f"process {process.pid} on"), writing_to(tmp_path):
            pass
    finally:
        process.kill()
    assert process.wait(timeout=60) == -signal.SIGKILL
    assert names(tmp_path) == [LOCK]
    with writing_to(tmp_path):
        pass
    assert names(tmp_path) == []


def test_a_folder_with_nothing_in_it_is_not_left_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), writing_to(tmp_path / "a" / "b"):
        raise ZeroDivisionError
    assert names(tmp_path) == []
    (tmp_path / "mine").mkdir()
    with writing_to(tmp_path / "mine"):
        pass
    assert names(tmp_path) == ["mine"]


def test_what_killed_processes_left_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "scores.json") as temporary:
        temporary.touch()
        left = temporary.name
    kept = [".notes.part.txt", ".a-b.part", "photo.part.png", "deep/er/" + left, "figures/a.png"]
    for name in (*kept, left, f"figures/{left}", f"features/network/{left}", f"mine/{left}"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with writing_to(tmp_path, parts=(*files.PARTS, "mine/**")):
        pass
    found = {name for name in names(tmp_path) if (tmp_path / name).is_file()}
    assert found == {*kept, "scores.json"}


def test_a_lock_that_is_deleted_when_let_go_still_keeps_all_others_out(tmp_path: Path) -> None:
    inside, most, rounds = [0], [0], 30

    def take() -> None:
        for _ in range(rounds):
            with locked(tmp_path / "lock") as held:
                assert held is True
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                os.sched_yield()
                inside[0] -= 1

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert names(tmp_path) == []


def test_a_file_system_without_locks_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    (tmp_path / ".a-abcdefgh.part.txt").touch()  # it may be another's that is writing now
    with writing_to(tmp_path), writing_to(tmp_path), locked(tmp_path / "lock") as held:
        assert held is None
    assert names(tmp_path) == [".a-abcdefgh.part.txt"]


def test_scratch_folders_of_killed_processes_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("srscope-abandond", "srscope-youngone", "srscope-not_ours", "another"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "features.npy").touch()
        if name != "srscope-not_ours":
            (tmp_path / name / LOCK).touch()
    os.utime(tmp_path / "srscope-abandond" / LOCK, (0, 0))
    with scratch_folder() as first:
        os.utime(first / LOCK, (0, 0))
        with scratch_folder() as second:
            assert {path.name for path in tmp_path.iterdir()} == {
                "srscope-youngone", "srscope-not_ours", "another", first.name, second.name,
            }  # fmt: skip
    assert not first.exists()
    assert not second.exists()


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_users_mask_decides_who_may_read(tmp_path: Path, mask: int, mode: int) -> None:
    path = tmp_path / "a.txt"
    program = f"""
import os
os.umask({mask})
from srscope.runtime.files import write_text
write_text({str(path)!r}, "whole")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert path.stat().st_mode & 0o777 == mode
