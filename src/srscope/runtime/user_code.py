"""Running code that the user names: modules of theirs are found, and their errors told.

Importing a module or calling what is in it runs it. That happens only where the user names it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator
from pathlib import Path


@contextlib.contextmanager
def searched(folder: Path) -> Generator[None]:
    """Let modules of a folder be found while the block lasts, after all others.

    Args:
        folder: That of the user's file; or the current one, as Python itself does.
    """
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def one_line(error: BaseException) -> str:
    """Return the type of an error of the user's code, and its first line.

    Example:
        >>> one_line(ValueError("too large")), one_line(KeyError())
        ('ValueError: too large', 'KeyError')
    """
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".rstrip(": ")
