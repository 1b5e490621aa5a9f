"""What this process takes of the machine, for tests that look for leaks."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Usage:
    """Memory that is resident, in bytes; open files; threads, Python's and the system's."""

    memory: int
    files: int
    threads: int
    tasks: int

    @classmethod
    def now(cls) -> Usage:
        """Measure, after garbage was collected and what is free was given back."""
        own = Path("/proc/self")
        if not (own / "statm").exists():
            pytest.skip("this system has no /proc/self")
        gc.collect()
        with contextlib.suppress(AttributeError, OSError):  # another C library than glibc
            ctypes.CDLL(None).malloc_trim(0)
        pages = int((own / "statm").read_text().split()[1])
        return cls(
            memory=pages * 4096,
            files=len(list((own / "fd").iterdir())),
            threads=threading.active_count(),
            tasks=len(list((own / "task").iterdir())),
        )
