"""Folders of images: order, names, what is skipped and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srscope.errors import ImageError, ParameterError
from srscope.images.folder import load_folder
from srscope.images.record import Contents, Photograph, PhotoSet
from srscope.images.sources import load_photographs


def picture(path: Path, size: tuple[int, int] = (8, 6)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (10, 20, 30)).save(path)
    return path


def names(folder: Path) -> list[str]:
    return [photo.name for photo in load_folder(folder).photographs]


def test_order_is_by_relative_path_without_regard_to_case(tmp_path: Path) -> None:
    for name in ("b.png", "Zoo/1.png", "a.png", "A.png", "zebra/2.png", "C.JPG", "a/9.png"):
        picture(tmp_path / name)
    expected = ["A.png", "a.png", "a/9.png", "b.png", "C.JPG", "zebra/2.png", "Zoo/1.png"]
    assert names(tmp_path) == expected


def test_unicode_names_are_kept(tmp_path: Path) -> None:
    for name in ("тест.png", "海.png", "e\u0301.png", "\u00e9.png", "<script>.png", "x y.png"):
        picture(tmp_path / name)
    expected = {"тест.png", "海.png", "e\u0301.png", "\u00e9.png", "<script>.png", "x y.png"}
    assert set(names(tmp_path)) == expected


def test_names_that_are_no_unicode_can_still_be_written(tmp_path: Path) -> None:
    image = picture(tmp_path / "a.png")
    image.rename(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    photo = load_folder(tmp_path).photographs[0]
    assert photo.name == r"\xff.png"
    assert photo.name.encode("utf-8")
    assert photo.pixels_HW3.shape == (6, 8, 3)


def test_pixels_and_size_are_those_of_the_file(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", (8, 6))
    photo = load_folder(tmp_path).photographs[0]
    assert photo.size_HW == (6, 8)
    np.testing.assert_allclose(photo.pixels_HW3[0, 0] * 255, [10, 20, 30], atol=1e-4)


def test_size_is_that_of_the_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 6)).save(tmp_path / "a.jpg", exif=exif)
    photo = load_folder(tmp_path).photographs[0]
    assert photo.size_HW == photo.pixels_HW3.shape[:2] == (8, 6)


def test_hidden_files_and_folders_are_ignored(tmp_path: Path) -> None:
    for name in ("a.png", ".b.png", ".hidden/c.png", "._d.png"):
        picture(tmp_path / name)
    assert names(tmp_path) == ["a.png"]


@pytest.mark.parametrize("name", ["@eaDir", "__MACOSX", "Thumbs", "thumbnails", "$RECYCLE.BIN"])
def test_folders_that_systems_leave_are_skipped(tmp_path: Path, name: str) -> None:
    for path in ("a.png", f"{name}/a.png", f"trip/{name}/deep/b.png", "trip/c.png"):
        picture(tmp_path / path)
    for hidden in (".thumbnails/d.png", ".Trash/e.png", "._a.png", f"{name}/._f.png"):
        picture(tmp_path / hidden)
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    photos = load_folder(tmp_path)
    assert [photo.name for photo in photos.photographs] == ["a.png", "trip/c.png"]
    reason = "is a folder of thumbnails or system files"
    assert sorted(photos.skipped) == sorted([(name, reason), (f"trip/{name}", reason)])
    assert names(tmp_path / name) == ["a.png"]  # where that folder itself is given


@pytest.mark.parametrize("name", ["[1].png", "a*.png", "b?.png", "?scale=2.png", "{x,y}.png"])
def test_names_are_no_patterns(tmp_path: Path, name: str) -> None:
    for each in (name, "1.png", "ab.png", "b1.png"):
        picture(tmp_path / "[in]*?" / each)
    assert name in names(tmp_path / "[in]*?")
    assert load_photographs(tmp_path / "[in]*?" / name).photographs[0].name == name


def test_unreadable_files_are_skipped_with_the_reason(tmp_path: Path) -> None:
    picture(tmp_path / "good.png")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "bad.png").write_text("no image")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "layers.PSD").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("not listed")
    (tmp_path / "link.png").symlink_to("gone.png")
    os.mkfifo(tmp_path / "pipe.png")
    photos = load_folder(tmp_path)
    assert [photo.name for photo in photos.photographs] == ["good.png"]
    assert photos.skipped == (
        ("empty.jpg", "is empty"),
        ("layers.PSD", ".psd files are not read"),
        ("link.png", "is a broken link"),
        ("pipe.png", "is not a regular file"),
        ("sub/bad.png", "is not an image srscope can read"),
    )
    assert photos.source == str(tmp_path)


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    picture(tmp_path / "elsewhere" / "x.png")
    folder = tmp_path / "photos"
    picture(folder / "a.png")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "again").symlink_to(tmp_path / "elsewhere")
    (folder / "loop").symlink_to(folder)
    (folder / "self").symlink_to("self")
    assert names(folder) == ["a.png", "again/x.png"]


def test_folder_that_may_not_be_read_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "locked" / "b.png")
    scan = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name in ("locked", "all-locked"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    photos = load_folder(tmp_path)
    assert photos.skipped == (("locked", "folder cannot be read: Permission denied"),)
    (tmp_path / "all-locked").mkdir()
    with pytest.raises(ImageError, match="cannot be read: Permission denied; check its perm"):
        load_folder(tmp_path / "all-locked")


def test_missing_folder_and_file_instead_of_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="gone: does not exist; give a folder of images"):
        load_folder(tmp_path / "gone")
    with pytest.raises(ImageError, match="is not a folder; give the folder the image is in"):
        load_folder(picture(tmp_path / "a.png"))
    with pytest.raises(ImageError, match="cannot be opened: File name too long"):
        load_folder(tmp_path / ("x" * 300))


def test_folder_without_images(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is empty; give a folder with PNG"):
        load_folder(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ImageError, match="holds no images, only 1 other file; give a folder with"):
        load_folder(tmp_path)
    (tmp_path / "bad.png").write_text("x")
    with pytest.raises(
        ImageError, match=r"holds no readable image; 1 skipped, the first: bad\.png is not an image"
    ):
        load_folder(tmp_path)


def test_image_that_disappears_is_an_image_error(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png")
    photos = load_folder(tmp_path)
    path.unlink()
    with pytest.raises(ImageError, match="does not exist"):
        _ = photos.photographs[0].pixels_HW3


# The records


def test_photograph_must_be_float32_rgb() -> None:
    for wrong in (np.zeros((2, 2, 3)), np.zeros((2, 2), np.float32), np.zeros((0, 2, 3), "f4")):
        with pytest.raises(ParameterError, match=r"pixels_HW3 must be a float32 array of shape"):
            Photograph(name="a", pixels_HW3=wrong)


def test_photographs_have_unique_names() -> None:
    photo = Photograph(name="a", pixels_HW3=np.zeros((2, 2, 3), np.float32))
    with pytest.raises(ParameterError, match="photographs must be unique names, but is 'a'"):
        PhotoSet(photographs=(photo, photo), source="x")


def test_contents_fit_together() -> None:
    good = {
        "crops_NHW3": np.zeros((2, 8, 8, 3), np.float32),
        "names": ("a#1", "a#2"),
        "photographs": ("a", "a"),
        "source": "x",
        "skipped": (),
        "margin": 3,
        "requested": 2,
    }
    assert Contents(**good).margin == 3
    for wrong, match in (
        ({"crops_NHW3": np.zeros((2, 8, 8, 3))}, r"crops_NHW3 must be a float32 array"),
        ({"margin": 4}, "margin must be at least 0 and under half of the crops' 8, but is 4"),
        ({"margin": -1}, "margin must be at least 0"),
        ({"names": ("a#1",)}, r"names must be one per crop \(2\), but is 1"),
        ({"photographs": ()}, r"photographs must be one per crop \(2\), but is 0"),
        ({"names": ("a#1", "a#1")}, "names must be unique names, but is 'a#1'; rename"),
    ):
        with pytest.raises(ParameterError, match=match):
            Contents(**(good | wrong))


def test_a_link_too_long_to_follow_spoils_no_folder(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "link.png").symlink_to("x" * 300)
    photos = load_folder(tmp_path)
    assert [photo.name for photo in photos.photographs] == ["a.png"]
    assert [name for name, _ in photos.skipped] == ["link.png"]
