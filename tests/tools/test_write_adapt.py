"""The page of guided networks says what is kept, and what was not run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from support.tools import load_tool

tool = load_tool("write_adapt")


def test_the_page_in_the_repository_says_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["write_adapt.py", "--check"])
    assert tool.main() == 0


def test_what_is_kept_is_told_and_the_rest_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = {"iterations": 20_000, "seed": 1, "parameters": 75_747, "seconds": 7200,
             "quality": {"psnr": 31.234}}  # fmt: skip
    section = {"title": "PSNR", "lead": "Means.", "columns": ["Set", "a"],
               "rows": [["noise5", "30.00"]], "figures": ["pictures-sets"],
               "notes": ["A note."]}  # fmt: skip
    told = {"command": "srscope adapt adapt-none", "cards": {"adapt-none": facts},
            "headline": "It gains.", "sections": [section]}  # fmt: skip
    monkeypatch.setattr(tool, "KEPT", tmp_path / "adapt.json")
    monkeypatch.setattr(tool, "PICTURES", tmp_path)
    page = "# Title\n\n<!-- ADAPT -->\nold\n<!-- /ADAPT -->\n\nend\n"
    assert "Nothing was judged yet" in tool.with_results(page)
    (tmp_path / "adapt.json").write_text(json.dumps(told))
    (tmp_path / "pictures-sets.png").write_bytes(b"")
    text = tool.with_results(page)
    assert "| adapt-none | 20,000 | 1 | 75,747 | 31.23 | 2.0 |" in text
    assert "| adapt-oracle | not run yet | | | | |" in text
    assert "| noise5 | 30.00 |" in text
    assert "![pictures sets](images/adapt/pictures-sets.png)" in text
    assert "old" not in text
    assert text.endswith("end\n")
    assert tool.with_results(text) == text


def test_weights_of_a_run_come_before_bundled_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "BUNDLED", tmp_path / "bundled")
    runs = tmp_path / "runs"
    for path in (tmp_path / "bundled" / "adapt-none.safetensors",
                 tmp_path / "bundled" / "adapt-oracle.safetensors",
                 runs / "adapt-none" / "adapt-none.safetensors"):  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    found = tool.trained(runs)
    assert list(found) == ["adapt-none", "adapt-oracle"]
    assert found["adapt-none"].is_relative_to(runs)
