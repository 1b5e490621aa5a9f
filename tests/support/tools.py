"""The scripts of tools/, which are no package."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def load_tool(name: str) -> ModuleType:
    """Import ``tools/NAME.py``; skip the calling test module where there are no tools."""
    if not (TOOLS / f"{name}.py").exists():
        pytest.skip("tools/ is not part of this distribution", allow_module_level=True)
    if str(TOOLS) not in sys.path:
        sys.path.insert(0, str(TOOLS))
    return importlib.import_module(name)
