"""Packages of another release: apt gets a configuration of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from support.tools import load_tool

debian_releases = load_tool("debian_releases")


def test_package_is_downloaded_from_this_machines_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **options: object) -> SimpleNamespace:
        commands.append(command)
        if "indextargets" in command:
            return SimpleNamespace(stdout="http://example.org/debian\nhttp://example.org/debian\n")
        if "update" in command:
            (tmp_path / "apt/lists/x_Packages").write_text("")
        else:
            assert options["cwd"] == tmp_path
        return SimpleNamespace()

    monkeypatch.setattr(debian_releases.subprocess, "run", run)
    debian_releases.download("trixie", "tuxpaint-data", tmp_path)
    debian_releases.download("trixie", "budgie-backgrounds", tmp_path)
    kinds = [next(w for w in c if w in ("indextargets", "update", "download")) for c in commands]
    assert kinds == ["indextargets", "update", "download", "indextargets", "download"]
    assert commands[2][-2:] == ["download", "tuxpaint-data"]
    sources = (tmp_path / "apt/sources/debian.sources").read_text()
    assert "URIs: http://example.org/debian\nSuites: trixie\n" in sources
    for command in (commands[1], commands[2]):
        assert f"-oDir::Etc::SourceParts={tmp_path}/apt/sources" in command
        assert f"-oDir::State::Lists={tmp_path}/apt/lists" in command
        assert "-oDir::Etc::SourceList=/dev/null" in command


def test_machine_without_a_debian_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        debian_releases.subprocess, "run", lambda *_, **__: SimpleNamespace(stdout="")
    )
    with pytest.raises(OSError, match="this machine's apt has no Debian archive"):
        debian_releases.download("trixie", "p", tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(100, "apt-get")

    monkeypatch.setattr(debian_releases.subprocess, "run", fail)
    with pytest.raises(subprocess.CalledProcessError):
        debian_releases.download("trixie", "p", tmp_path)
