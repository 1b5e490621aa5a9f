"""The files round the code agree with it and with one another."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import srscope

ROOT = Path(__file__).resolve().parents[1]


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


PROJECT: dict[str, Any] = tomllib.loads(read("pyproject.toml"))
VERSION: str = PROJECT["project"]["version"]
LICENCES: list[str] = PROJECT["project"]["license"].split(" AND ")


def test_installed_version_is_the_project_files() -> None:
    assert srscope.__version__ == VERSION, "run `make test`, which installs again"


def test_changelog_has_a_dated_entry_for_the_version() -> None:
    heading = rf"^## \[{re.escape(VERSION)}\] - \d{{4}}-\d\d-\d\d$"
    assert re.search(heading, read("CHANGELOG.md"), re.MULTILINE)


def test_changelog_keeps_to_its_format() -> None:
    text = read("CHANGELOG.md")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    kinds = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_citation_is_of_this_version_and_names_the_paper() -> None:
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == VERSION
    assert citation["license"] == LICENCES[0]
    dates = re.search(rf"\[{re.escape(VERSION)}\] - (\S+)", read("CHANGELOG.md"))
    assert dates is not None
    assert str(citation["date-released"]) == dates[1]
    paper = citation["references"][0]
    assert paper["identifiers"][0]["value"] == "arXiv:2108.00406"


def test_licence_is_the_whole_of_apache_2() -> None:
    text = read("LICENSE")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert LICENCES[0] == "Apache-2.0"


def test_project_file_names_the_licence_of_every_bundled_photograph() -> None:
    spdx = {"GPL-2+": "GPL-2.0-or-later", "LGPLv3": "LGPL-3.0-only"}
    manifest = json.loads(read("src/srscope/assets/photos/manifest.json"))
    found = {photograph["licence"] for photograph in manifest["photographs"]}
    assert {spdx.get(name, name) for name in found} == set(LICENCES[1:])
    for pattern in PROJECT["project"]["license-files"]:
        assert list(ROOT.glob(pattern)), f"no file {pattern}"


def test_package_declares_its_types() -> None:
    assert (ROOT / "src/srscope/py.typed").exists()


def test_every_extra_the_makefile_installs_exists() -> None:
    wanted = set(re.findall(r"--editable '\.\[(\w+)\]'", read("Makefile")))
    assert wanted
    assert wanted <= set(PROJECT["project"]["optional-dependencies"])


def test_make_help_lists_every_phony_target() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)
    assert phony is not None
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert set(re.findall(r"^  make (\w+)", shown, re.MULTILINE)) == set(phony[1].split())


def test_make_demo_runs_the_main_job_and_nothing_after_it() -> None:
    demo = re.search(r"^demo:.*\n((?:\t.*\n)+)", read("Makefile"), re.MULTILINE)
    assert demo is not None
    job = "\t$(BIN)/srscope analyze srresnet-wgr --out srscope-out/demo\n"
    assert demo[1].endswith(job), "its last line is the path of the report, printed by the job"


@pytest.mark.parametrize(
    ("python", "word"),
    [("no-such-python", "no 'no-such-python' on this machine"), ("./old", "is Python 3.9.2")],
)
def test_make_says_which_python_it_needs(tmp_path: Path, python: str, word: str) -> None:
    for name in ("Makefile", "pyproject.toml"):
        (tmp_path / name).write_text(read(name))
    old = tmp_path / "old"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    old.chmod(0o755)
    run = subprocess.run(
        ["make", f"PYTHON={python}", "demo"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert word in run.stderr
    assert "make PYTHON=" in run.stderr
    assert not (tmp_path / ".venv").exists()


def test_ci_script_is_sound_bash_and_lints_before_it_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", script], check=True)
    text = script.read_text("utf-8")
    assert text.index("make lint") < text.index("make test")
    assert "set -euo pipefail" in text


def test_hooks_use_the_environments_own_tools() -> None:
    hooks = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"]
    assert all(hook["entry"].startswith(".venv/bin/") for hook in hooks[0]["hooks"])


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_to_files_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", read(page))
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing


def test_no_tracked_file_names_a_package_registry() -> None:
    files = subprocess.run(
        [
            "git",
            "grep",
            "-lIE",
            r"(files\.)?pythonhosted\.org|pypi\.org|registry\.npmjs|deb\.debian",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if files.returncode == 128:
        pytest.skip("not a git clone: " + files.stderr.strip())
    assert set(files.stdout.split()) <= {"tests/test_repository.py"}
