"""Degradations: one family a file, named suites of them, and the images they make.

Every name is loaded on first use: records of finished studies are read without torch.

>>> from srscope.degradations import GaussianNoise, load_suite
>>> load_suite("noise-10-20").sets[0].steps
(GaussianNoise(sigma=10),)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srscope.degradations.blur import GaussianBlur
    from srscope.degradations.catalogue import list_suites, load_suite, register_suite
    from srscope.degradations.clean import Clean
    from srscope.degradations.degrade import DegradedImages, degrade
    from srscope.degradations.family import Degradation, Family, register
    from srscope.degradations.jpeg import Jpeg
    from srscope.degradations.mild import Mild
    from srscope.degradations.noise import GaussianNoise
    from srscope.degradations.registry import registered
    from srscope.degradations.resize import imresize
    from srscope.degradations.suite import DegradedSet, Suite
    from srscope.degradations.write import WrittenSuite, write_degraded

_HOME = {
    "Clean": "clean",
    "Degradation": "family",
    "DegradedImages": "degrade",
    "DegradedSet": "suite",
    "Family": "family",
    "GaussianBlur": "blur",
    "GaussianNoise": "noise",
    "Jpeg": "jpeg",
    "Mild": "mild",
    "Suite": "suite",
    "WrittenSuite": "write",
    "degrade": "degrade",
    "imresize": "resize",
    "list_suites": "catalogue",
    "load_suite": "catalogue",
    "register": "family",
    "register_suite": "catalogue",
    "registered": "registry",
    "write_degraded": "write",
}

__all__ = [
    "Clean",
    "Degradation",
    "DegradedImages",
    "DegradedSet",
    "Family",
    "GaussianBlur",
    "GaussianNoise",
    "Jpeg",
    "Mild",
    "Suite",
    "WrittenSuite",
    "degrade",
    "imresize",
    "list_suites",
    "load_suite",
    "register",
    "register_suite",
    "registered",
    "write_degraded",
]


def __getattr__(name: str) -> Any:
    """Load a name from its module, and keep it."""
    if name not in _HOME:
        raise AttributeError(f"module 'srscope.degradations' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"srscope.degradations.{_HOME[name]}"), name)
    globals()[name] = value
    return value
