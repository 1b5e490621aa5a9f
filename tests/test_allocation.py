"""Freed memory is kept while a network runs, and given back afterwards."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from srscope import allocation
from srscope.allocation import reusing_memory

FAULTS = """
import contextlib, resource, sys
from srscope.allocation import reusing_memory

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
