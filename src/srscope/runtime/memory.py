"""What memory there is; and keeping what PyTorch frees, instead of asking for it again.

A network's pass frees and takes tensors of megabytes hundreds of times. The GNU C library returns
such blocks to the system, so that every one of their pages is mapped and cleared anew: a quarter of
the time of a pass on a CPU. Other C libraries, and users' own settings, are left as they are.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # from malloc.h
_KEPT = 1 << 29
"""Bytes that may be free at the heap's end before they are given back."""
_LARGEST = 1 << 25
"""Bytes of a block from which on the system is asked for it alone: the most glibc takes itself."""

_TUNING = {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_"}
"""Variables by which users set these thresholds themselves: then nothing is changed."""

_SYSTEM = Path("/")
_GROUPS = (
    ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    (
        "sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)
"""Of both versions of control groups: where it is told what one may take, what it has taken, and in
``memory.stat`` how much of that are files that it need not keep."""

_lock = threading.Lock()
_users = 0


@contextlib.contextmanager
def reusing_memory() -> Generator[None]:
    """Let the C library keep up to 512 MiB of what is freed while the block lasts.

    Where blocks are nested or overlap in several threads, the last one to end undoes it: what is
    free is given back, and the thresholds are those that glibc would at most have come to itself.

    Example:
        >>> with reusing_memory():
        ...     freed = [bytearray(1 << 23) for _ in range(3)]
    """
    global _users
    glibc = _glibc()
    if glibc is None:
        yield
        return
    with _lock:
        _users += 1
    try:
        glibc.mallopt(_MMAP_THRESHOLD, _LARGEST)
        glibc.mallopt(_TRIM_THRESHOLD, _KEPT)
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                glibc.mallopt(_TRIM_THRESHOLD, 2 * _LARGEST)
                glibc.malloc_trim(0)


def available_memory() -> int | None:
    """Return the bytes that can be taken before the system swaps or ends processes.

    On Linux, with the limit of a container taken into account: of the control group that it sees as
    its own, not of one further down, as clusters give to jobs. Elsewhere ``None``, for not known.

    Example:
        >>> available = available_memory()
        >>> available is None or available > 0
        True
    """
    try:
        available = 1024 * int(_told(_SYSTEM / "proc/meminfo")["MemAvailable:"])
    except (OSError, KeyError, ValueError):
        return None
    for folder, limit, used, spare in _GROUPS:
        group = _SYSTEM / folder
        with contextlib.suppress(OSError, KeyError, ValueError):  # no such group, or no limit
            room = int((group / limit).read_text("ascii"))
            taken = int((group / used).read_text("ascii"))
            taken -= int(_told(group / "memory.stat")[spare])
            available = min(available, max(0, room - taken))
    return available


def _told(path: Path) -> dict[str, str]:
    """Return the number beside every name in a file of the system's."""
    lines = (line.split() for line in path.read_text("ascii").splitlines())
    return {words[0]: words[1] for words in lines if len(words) > 1}


class _Glibc:
    """The two functions of the GNU C library that are needed."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.mallopt: Callable[[int, int], int] = library.mallopt
        self.malloc_trim: Callable[[int], int] = library.malloc_trim


@functools.cache
def _glibc() -> _Glibc | None:
    """Return the running program's C library if it is GNU's, and the user did not tune it."""
    tuned = "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")
    if not sys.platform.startswith("linux") or tuned or not _TUNING.isdisjoint(os.environ):
        return None
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):  # musl has a mallopt-less malloc
        return None
    return _Glibc(library)
