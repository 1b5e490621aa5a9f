"""Compiling a loop with numba, and keeping what was compiled for the next start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")

# Sums may be split into lanes, quotients become products; infinities and NaN keep their meaning,
# for that is how a descent that diverged is recognised.
FAST = frozenset({"reassoc", "contract", "arcp", "afn", "nsz"})


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile ``function`` at its first call; it then runs without Python's lock.

    The machine code is kept beside the source or, where that folder cannot be written, in the
    user's cache folder (or in ``NUMBA_CACHE_DIR``, if set), so that only the first start on a
    machine waits for the compiler. Where nothing can be written, every start compiles.

    The order of all sums is fixed when it is compiled: same machine, same numbers.
    """
    options: dict[str, Any] = {"nogil": True, "fastmath": set(FAST), "error_model": "numpy"}
    decorate: Callable[..., Any] = njit
    try:
        done = decorate(cache=True, **options)(function)
    except RuntimeError:  # numba: no locator available
        done = decorate(**options)(function)
    return cast("Callable[P, R]", done)
