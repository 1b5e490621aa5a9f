"""srscope: which image degradations do a super-resolution network's features tell apart?

Every public name is loaded on first use, so that ``import srscope`` loads neither torch nor numpy.
A new one goes into the ``TYPE_CHECKING`` block (for type checkers and editors), ``_HOME`` and
``__all__``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srscope.analysis import analyze
    from srscope.degradations.suite import list_suites, load_suite
    from srscope.networks.zoo import list_networks, load_network

    __version__: str

# Public name -> the module that defines it.
_HOME = {
    "analyze": "srscope.analysis",
    "list_networks": "srscope.networks.zoo",
    "list_suites": "srscope.degradations.suite",
    "load_network": "srscope.networks.zoo",
    "load_suite": "srscope.degradations.suite",
}

__all__ = [
    "__version__",
    "analyze",
    "list_networks",
    "list_suites",
    "load_network",
    "load_suite",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home and keep it."""
    if name == "__version__":
        value: Any = importlib.import_module("importlib.metadata").version("srscope")
    elif name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module 'srscope' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
