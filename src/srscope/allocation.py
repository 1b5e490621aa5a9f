"""Keep memory that PyTorch frees, instead of giving it back to the system and asking again.

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

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # from malloc.h
_KEPT = 1 << 29
"""Bytes that may be free at the heap's end before they are given back."""
_LARGEST = 1 << 25
"""Bytes of a block from which on the system is asked for it alone: the most glibc takes itself."""

_TUNING = {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_"}
"""Variables by which users set these thresholds themselves: then nothing is changed."""

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
