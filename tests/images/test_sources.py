"""What a user names becomes photographs of the right place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srscope.errors import SrscopeError
from srscope.images import sources
from srscope.images.bundled import load_bundled
from srscope.images.folder import load_folder
from srscope.images.io import read_image
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


def test_a_file_or_a_list_of_files_will_do(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "in")
    first = folder / "photo-0.png"
    assert [photo.name for photo in load_photographs(first).photographs] == ["photo-0.png"]
    both = load_photographs([str(first), folder / "photo-1.png"])
    assert [photo.name for photo in both.photographs] == ["photo-0.png", "photo-1.png"]
    assert both.source == "2 files given"
    assert load_photographs(both) is both


def test_images_of_a_program_are_photographs(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "in")
    with Image.open(folder / "photo-0.png") as image:
        found = load_photographs([image, np.zeros((1, 8, 9, 1)), np.ones((4, 3, 7, 6))])
    names = [photo.name for photo in found.photographs]
    assert names == ["photo-0.png", "image 2", "image 3", "image 4", "image 5", "image 6"]
    assert found.photographs[0].pixels_HW3.tolist() == read_image(folder / "photo-0.png").tolist()
    assert found.source == "6 images given"


def test_files_of_one_name_are_told_by_their_folders(tmp_path: Path) -> None:
    files = [photographs(tmp_path / name, count=1) / "photo-0.png" for name in ("a", "b")]
    names = [photo.name for photo in load_photographs(files).photographs]
    assert names == [file.as_posix() for file in files]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (42, "images must be a folder, files, arrays, tensors or PIL images, but is 'int'"),
        ([42], "or a list of them, but is 'int'"),
        ([], "images must be one image or more"),
    ],
)
def test_what_is_no_image_is_refused(images: object, message: str) -> None:
    with pytest.raises(SrscopeError, match=message):
        load_photographs(images)
