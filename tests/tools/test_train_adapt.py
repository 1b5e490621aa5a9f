"""Trainings are started some at a time, with one thread each, and failures are named."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.tools import load_tool

tool = load_tool("train_adapt")
population = load_tool("train_population")


@dataclass(frozen=True)
class Fake:
    name: str
    code: int = 0

    def needs(self, out: Path) -> None:
        del out

    def command(self, out: Path) -> list[str]:
        del out
        say = f"import os, sys; print(os.environ['OMP_NUM_THREADS']); sys.exit({self.code})"
        return [sys.executable, "-c", say]


def test_runs_have_one_thread_and_failures_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(population.time, "sleep", lambda _: None)
    assert population.train([Fake("good"), Fake("bad", 3)], tmp_path / "out", 1) == ["bad"]
    assert (tmp_path / "out" / "good.log").read_text() == "1\n"
    told = capsys.readouterr().out
    assert "good: finished" in told
    assert "bad: failed (3)" in told
    assert told.index("good: finished") < told.index("bad: started")


def test_every_recipe_has_its_place_and_goes_on_where_it_was(tmp_path: Path) -> None:
    recipes = {path.stem for path in tool.RECIPES.glob("*.yaml")}
    assert set(tool.ORDER) == recipes
    words = tool.Run("adapt-none", Path("photos")).command(tmp_path)
    assert words[2:] == ["--alone", "adapt-none", "--out", str(tmp_path), "--data", "photos"]


def test_what_cannot_be_trained_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["train_adapt.py", "adapt-nothing", "--data", str(tmp_path)])
    assert tool.main() == 2
    assert "no recipe adapt-nothing; recipes: adapt-none" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["train_adapt.py", "--data", str(tmp_path / "away")])
    assert tool.main() == 2
    assert "give --data" in capsys.readouterr().err
