"""What the package is made of: bounds of its dependencies, and the ways to try them."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DEPENDENCIES = [
    Requirement(text)
    for text in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["parquet"])
]


def pinned(name: str) -> dict[str, Version]:
    lines = (ROOT / "constraints" / f"{name}.txt").read_text("utf-8").splitlines()
    pairs = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {package: Version(version) for package, version in pairs}


@pytest.mark.parametrize("dependency", DEPENDENCIES, ids=lambda each: each.name)
def test_both_bounds_of_a_dependency_are_tested_ones(dependency: Requirement) -> None:
    bounds = {each.operator: Version(each.version) for each in dependency.specifier}
    assert bounds.keys() == {">=", "<"}
    lowest, newest = pinned("lowest")[dependency.name], pinned("newest")[dependency.name]
    assert lowest == bounds[">="]
    assert bounds["<"] == Version(str(newest.major + 1))
    assert lowest <= newest < bounds["<"]


@pytest.mark.parametrize("dependency", DEPENDENCIES, ids=lambda each: each.name)
def test_what_is_installed_is_within_the_bounds(dependency: Requirement) -> None:
    try:
        installed = metadata.version(dependency.name)
    except metadata.PackageNotFoundError:
        pytest.skip("an extra that is not installed")
    assert Version(installed) in dependency.specifier


def test_there_are_ways_to_try_them() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in ("lowest", "audit", "testwheel"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
        assert f"make {target}" in (ROOT / "SECURITY.md").read_text("utf-8")
    assert "constraints/lowest.txt" in makefile
    assert "tools/try_wheel.py" in makefile
