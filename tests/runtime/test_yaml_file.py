"""YAML files that people write by hand: plain values, and aliases only where they stay small."""

from __future__ import annotations

from pathlib import Path

import pytest

from srscope.errors import FileProblem
from srscope.runtime.yaml_file import read_yaml


def write(folder: Path, text: str) -> Path:
    (folder / "a.yaml").write_text(text, "utf-8")
    return folder / "a.yaml"


def test_aliases_are_written_out_where_they_are_allowed(tmp_path: Path) -> None:
    path = write(tmp_path, "a: &x {rate: 1}\nb: *x\nc: {<<: *x, more: 2}\n")
    assert read_yaml(path, what="recipe", aliases=True) == {
        "a": {"rate": 1}, "b": {"rate": 1}, "c": {"rate": 1, "more": 2}
    }  # fmt: skip
    with pytest.raises(FileProblem, match=r"line 2 uses an alias \(\*\); write it out"):
        read_yaml(path, what="suite")


def test_aliases_that_grow_without_bounds_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    path = write(tmp_path, "\n".join(lines))
    with pytest.raises(FileProblem, match="comes to more than 10,000 values"):
        read_yaml(path, what="recipe", aliases=True)
    path = write(tmp_path, "a: &a {b: [*a]}")
    with pytest.raises(FileProblem, match="holds a value that contains itself"):
        read_yaml(path, what="recipe", aliases=True)


def test_an_absent_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="does not exist; give another"):
        read_yaml(tmp_path / "none.yaml", what="recipe", absent="give another")
