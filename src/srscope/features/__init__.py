"""What layers of a network put out: tapped, reduced to vectors, stored on disk.

Import from the modules: reading a store needs no torch, and must not load it. The package itself
can be called, ``srscope.features(network, images, layers)``: that is
:func:`srscope.features.arrays.features`, which has the package's name.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import Any


class _Callable(types.ModuleType):
    def __call__(self, *given: Any, **named: Any) -> Any:
        """Return what layers make of images."""
        arrays = importlib.import_module("srscope.features.arrays")
        return arrays.features(*given, **named)


sys.modules[__name__].__class__ = _Callable
