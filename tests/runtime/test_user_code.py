"""Modules of the user's are found, after all others, and only while they are looked for."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from srscope.runtime.user_code import one_line, searched


def test_a_folder_is_searched_last_and_no_longer_afterwards(tmp_path: Path) -> None:
    before = list(sys.path)
    with searched(tmp_path):
        assert sys.path == [*before, str(tmp_path)]
    with pytest.raises(ModuleNotFoundError), searched(tmp_path):
        importlib.import_module("no_such_module_of_the_users")
    assert sys.path == before


def test_an_error_is_its_type_and_first_line() -> None:
    assert one_line(ValueError("a\nb")) == "ValueError: a"
    assert one_line(ValueError()) == "ValueError"
