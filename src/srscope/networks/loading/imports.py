"""Import spandrel without ``torch._dynamo``, which takes most of the time and is not used.

torchvision asks for one function of it, for compiled operators that srscope does not run.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import types
from collections.abc import Generator
from typing import Any

_NAME = "torch._dynamo.utils"


class _OnDemand(types.ModuleType):
    """Stands for the module until something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if name == "is_compile_supported":
            return _is_compile_supported
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_real(), name)


def _is_compile_supported(*given: Any) -> Any:
    return _real().is_compile_supported(*given)


def _real() -> Any:
    if isinstance(sys.modules.get(_NAME), _OnDemand):
        del sys.modules[_NAME]
    return importlib.import_module(_NAME)


@contextlib.contextmanager
def without_dynamo() -> Generator[None]:
    """Let ``torch._dynamo.utils`` be imported on demand while the block lasts."""
    if _NAME in sys.modules:
        yield
        return
    standing = sys.modules[_NAME] = _OnDemand(_NAME)
    try:
        yield
    finally:
        if sys.modules.get(_NAME) is standing:
            del sys.modules[_NAME]
