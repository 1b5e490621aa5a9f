"""What a user names becomes photographs of the right place."""

from __future__ import annotations

from pathlib import Path

import pytest

from srscope.errors import SrscopeError
from srscope.images import sources
from srscope.images.bundled import load_bundled
from srscope.images.folder import load_folder
from srscope.images.sources import load_photographs
from support.tiny import photographs


def test_nothing_named_means_the_bundled_test_photographs() -> None:
    found, expected = load_photographs(None), load_bundled("test-crops")
    assert found.source == expected.source == load_photographs("bundled:test-crops").source
    assert [p.name for p in found.photographs] == [p.name for p in expected.photographs]


def test_other_bundled_photographs_are_named_after_a_colon() -> None:
    names = [photo.name for photo in load_photographs("bundled:historic").photographs]
    assert names == [photo.name for photo in load_bundled("historic").photographs]
    with pytest.raises(SrscopeError, match="historic"):
        load_photographs("bundled:holiday")


def test_a_folder_is_searched(tmp_path: Path) -> None:
    folder = str(photographs(tmp_path / "in"))
    found = load_photographs(folder)
    assert found.source == load_folder(folder).source
    assert [photo.name for photo in found.photographs] == ["photo-0.png", "photo-1.png"]
    with pytest.raises(SrscopeError):
        load_photographs(str(tmp_path / "none"))


def test_div2k_is_its_validation_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = load_folder(str(photographs(tmp_path / "in")))
    monkeypatch.setattr(sources, "div2k_validation", lambda: there)
    assert load_photographs("div2k") is there
