"""The package's public names: all of them resolve, and type checkers see the same ones."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
from pathlib import Path

import pytest

import srscope

LAZY = sorted(set(srscope.__all__) - {"__version__"})


@pytest.mark.parametrize("name", LAZY)
def test_name_resolves_to_its_home(name: str) -> None:
    module, _, attribute = srscope._HOME[name].partition(":")
    value = getattr(srscope, name)
    home = getattr(importlib.import_module(module), attribute)
    if name == "features":  # the stage of that name, which calls it
        home = importlib.import_module("srscope.features")
    assert value is home
    assert callable(value)
    assert inspect.getdoc(value), f"srscope.{name} has no docstring"


def test_table_and_all_agree() -> None:
    assert sorted(srscope._HOME) == LAZY
    assert list(srscope.__all__) == sorted(srscope.__all__)


def test_type_checkers_see_the_same_names_from_the_same_homes() -> None:
    tree = ast.parse(Path(srscope.__file__).read_text("utf-8"))
    block = next(
        n for n in tree.body if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)
    )
    seen = {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == srscope._HOME


def test_dir_lists_the_public_names_before_they_are_loaded() -> None:
    assert set(srscope.__all__) <= set(dir(srscope))


def test_version_is_the_installed_one() -> None:
    assert srscope.__version__ == importlib.metadata.version("srscope")


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'srscope' has no attribute 'analyse'"):
        _ = srscope.analyse
