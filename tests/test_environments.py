"""The Dockerfile and the conda environment: parsed, and held to what the project says."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NEEDED = {r.name: r.specifier for r in map(Requirement, PROJECT["dependencies"])}
INSTRUCTIONS = {"ARG", "CMD", "COPY", "ENTRYPOINT", "FROM", "RUN", "USER", "WORKDIR"}


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(a, b.strip()) for a, _, b in (line.partition(" ") for line in lines if line)]


def of(name: str) -> list[str]:
    return [rest for each, rest in instructions() if each == name]


def test_the_dockerfile_has_instructions_that_docker_knows() -> None:
    found = instructions()
    assert found[0][0] == "FROM"
    assert {name for name, _ in found} == INSTRUCTIONS
    assert all(rest for _, rest in found)


def test_its_python_is_one_that_the_project_runs_on() -> None:
    (image,) = of("FROM")
    version = re.fullmatch(r"python:(3\.\d+)-slim", image)
    assert version is not None
    assert version[1] in SpecifierSet(PROJECT["requires-python"])
    named = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if ":: Python :: 3." in c]
    assert version[1] in named


def test_what_it_copies_is_there_and_is_all_that_the_build_needs() -> None:
    copied = {source for line in of("COPY") for source in line.split()[:-1]}
    assert all((ROOT / source).exists() for source in copied)
    assert {"pyproject.toml", PROJECT["readme"], "LICENSE", "src"} == copied
    kept = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"
    }
    assert kept == copied


def test_it_installs_pytorch_within_the_bounds_and_runs_the_command_as_a_user() -> None:
    first, second, _ = of("RUN")
    wanted = [Requirement(word) for word in shlex.split(first) if re.match(r"torch\w*[<>]", word)]
    assert {r.name: r.specifier for r in wanted} == {
        name: NEEDED[name] for name in ("torch", "torchvision")
    }
    assert second.endswith("install --no-cache-dir .")
    (entry,) = of("ENTRYPOINT")
    assert json.loads(entry) == list(PROJECT["scripts"])
    names = [name for name, _ in instructions()]
    assert names.index("USER") < names.index("ENTRYPOINT")


@pytest.mark.parametrize(
    ("conda", "ours"), [("pytorch-cpu", "torch"), ("torchvision", "torchvision")]
)
def test_the_conda_environment_has_the_projects_bounds(conda: str, ours: str) -> None:
    made = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    assert made["channels"] == ["conda-forge", "nodefaults"]
    *plain, pip = made["dependencies"]
    assert pip == {"pip": ["."]}
    bounds = {name: SpecifierSet(rest) for name, _, rest in (p.partition(" ") for p in plain)}
    assert bounds[conda] == NEEDED[ours]
    assert str(bounds["python"]).split(",")[-1] in PROJECT["requires-python"]
    assert "3.13.1" in bounds["python"]
    assert "3.14" not in bounds["python"]
