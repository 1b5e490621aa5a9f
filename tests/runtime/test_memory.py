"""Freed memory is kept while a network runs, and given back afterwards."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from srscope.runtime import memory as allocation
from srscope.runtime.memory import available_memory, reusing_memory

FAULTS = """
import contextlib, resource, sys
from srscope.runtime.memory import reusing_memory

def work():
    for _ in range(40):
        blocks = [bytearray(6 << 20) for _ in range(4)]  # cleared, so every page is touched

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

work()
plain = faults()
with reusing_memory():
    work()
    reused = faults()
print(plain, reused)
"""

SETTINGS = [
    {},
    {"MALLOC_TRIM_THRESHOLD_": "1000000"},
    {"MALLOC_MMAP_THRESHOLD_": "1000000"},
    {"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=1000000"},
]

glibc = pytest.mark.skipif(allocation._glibc() is None, reason="not on the GNU C library")


@glibc
def test_memory_is_taken_from_the_system_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True
    )
    plain, reused = map(int, done.stdout.split())
    assert reused < plain / 10, f"{reused} page faults against {plain}"


@glibc
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_users_own_settings_are_left_alone(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    allocation._glibc.cache_clear()
    try:
        assert (allocation._glibc() is None) == bool(settings)
    finally:
        monkeypatch.undo()
        allocation._glibc.cache_clear()


class Recorder:
    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []
        self.trimmed = 0

    def mallopt(self, option: int, value: int) -> int:
        self.calls.append((option, value))
        return 1

    def malloc_trim(self, _: int) -> int:
        self.trimmed += 1
        return 1


def test_the_last_block_to_end_undoes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr(allocation, "_glibc", lambda: recorder)
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with reusing_memory():
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=other, daemon=True)

    def fail_beside_another() -> None:
        with reusing_memory():
            assert recorder.calls == [(-3, 1 << 25), (-1, 1 << 29)]
            thread.start()
            assert inside.wait(60)
            raise KeyError

    with pytest.raises(KeyError):
        fail_beside_another()
    assert recorder.calls[2:] == recorder.calls[:2]  # of the other block
    assert recorder.trimmed == 0
    leave.set()
    thread.join()
    assert recorder.calls[4:] == [(-1, 1 << 26)]
    assert recorder.trimmed == 1


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocation, "_glibc", lambda: None)
    with reusing_memory():
        pass
    assert allocation._users == 0


def group(root: Path, version: int, room: str, taken: int, spare: int) -> None:
    """Write what a control group tells."""
    folder = root / ("sys/fs/cgroup" if version == 2 else "sys/fs/cgroup/memory")
    folder.mkdir(parents=True, exist_ok=True)
    limit, used, name = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        2: ("memory.max", "memory.current", "inactive_file"),
    }[version]
    (folder / limit).write_text(f"{room}\n")
    (folder / used).write_text(f"{taken}\n")
    (folder / "memory.stat").write_text(f"anon 7\n{name} {spare}\n")


@pytest.mark.parametrize("version", [1, 2])
def test_what_memory_there_is(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allocation, "_SYSTEM", tmp_path)
    assert available_memory() is None
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    4000 kB\nX:\n")
    assert available_memory() == 4_096_000
    group(tmp_path, version, "max", 500_000, 100_000)
    assert available_memory() == 4_096_000
    group(tmp_path, version, "900000", 500_000, 100_000)  # files could be let go
    assert available_memory() == 500_000
    group(tmp_path, version, "300000", 500_000, 100_000)
    assert available_memory() == 0
