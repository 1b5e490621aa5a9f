"""The gallery's pages and thumbnails: named, small, and shown by README and site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from srscope.cli.main import main as srscope
from support.tools import load_tool

gallery = load_tool("gallery")
ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("item", gallery.ITEMS, ids=lambda item: item.name)
def test_every_thumbnail_is_there_and_small(item: object) -> None:
    path = gallery.THUMBNAILS / f"{item.name}.png"
    assert path.stat().st_size < gallery.LARGEST
    with Image.open(path) as picture:
        assert max(picture.size) <= gallery.WIDTH


def test_each_row_of_the_readme_shows_its_analysis() -> None:
    rows = re.findall(r"^\| `srscope (\w+)[^|]*\|[^|]*\| (.*?) \|$", README, re.MULTILINE)
    assert len(rows) == len(gallery.ITEMS)
    for command, cell in rows:
        shown = re.fullmatch(r'<img src="(docs/images/gallery/(\w+)\.png)" [^>]*alt="[^"]+">', cell)
        assert shown, command
        (item,) = (each for each in gallery.ITEMS if each.name == shown[2])
        assert item.command == command
        assert (ROOT / shown[1]).is_file()


@pytest.mark.parametrize("item", gallery.ITEMS, ids=lambda item: item.name)
def test_its_command_has_the_options_it_gives(
    item: object, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        srscope([item.command, "--help"])
    shown = capsys.readouterr().out
    options = {word.partition("=")[0] for word in item.words if word.startswith("--")}
    missing = [each for each in sorted(options) if not re.search(rf"{each}(?![\w-])", shown)]
    assert missing == []


def test_a_thumbnail_is_made_smaller_until_it_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "MADE", tmp_path)
    monkeypatch.setattr(gallery, "THUMBNAILS", tmp_path / "small")
    (tmp_path / "maps").mkdir()
    Image.effect_noise((900, 600), 80).convert("RGB").save(tmp_path / "maps" / "maps.png")
    (item,) = (each for each in gallery.ITEMS if each.name == "maps")
    made = gallery.thumbnail(item)
    with Image.open(made) as picture:
        assert 60 < picture.width <= gallery.WIDTH
    assert made.stat().st_size < gallery.LARGEST


def test_the_scorecard_is_that_of_the_kept_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "figures_of", lambda names: [])
    page = gallery.scorecard()
    kept = (ROOT / "docs" / "results" / "reproduction" / "scorecard.json").read_text("utf-8")
    holds = kept.count('"verdict": "holds"')
    assert f'<h1 id="headline">{holds} of 18 claims hold' in page
    assert 'id="second"' not in page
    assert page.count('class="experiment"') > 10


def test_a_page_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        gallery.main(["nothing"])
    assert "no such page: nothing" in capsys.readouterr().err
