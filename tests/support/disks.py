"""Disks that are full or read-only, for tests that may mount one."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest


@contextlib.contextmanager
def no_file_above(size: int) -> Generator[None]:
    """Let no file grow above ``size`` bytes, which ends as a full disk does: with an error.

    Hold it around the attempt alone, never in a fixture: pytest's own log is a file too.
    """
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextlib.contextmanager
def small_disk(folder: Path, *, size: int) -> Generator[Path]:
    """Mount a disk of ``size`` bytes at ``folder``; skip the test where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def make_read_only(disk: Path) -> None:
    """Let nobody write to what :func:`small_disk` mounted, not even root."""
    _mount("-o", "remount,ro", str(disk))


def fill(disk: Path) -> Path:
    """Leave no space; return the file to delete for some."""
    path = disk / ".fill"
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    return path


def _mount(*words: str) -> None:
    if shutil.which("mount") is None:
        pytest.skip("there is no mount command")
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk can be mounted: {done.stderr.strip()}")
