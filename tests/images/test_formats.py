"""What is told about pictures that are not read, and what is read where a package is there."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image, features

from srscope.errors import ImageError
from srscope.images import folder, formats
from srscope.images.folder import load_folder
from srscope.images.formats import has_heif, is_raw, pillow_formats, unread, unread_suffix
from srscope.images.io import read_image, read_size

needs_heif = pytest.mark.skipif(not has_heif(), reason="pillow-heif is not installed")
needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
# Smooth, as lossy formats halve the colours' resolution.
_ROWS, _COLUMNS = np.mgrid[:48, :64]
LEVELS_HW3 = np.dstack([_ROWS * 4 + 20, _COLUMNS * 3 + 30, 230 - _ROWS * 2 - _COLUMNS]).astype(
    np.uint8
)


def turned_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@needs_avif
def test_avif(tmp_path: Path) -> None:
    Image.fromarray(LEVELS_HW3).save(tmp_path / "a.avif", quality=100)
    np.testing.assert_allclose(read_image(tmp_path / "a.avif"), LEVELS_HW3 / 255, atol=0.04)
    Image.fromarray(LEVELS_HW3).save(tmp_path / "b.avif", quality=100, exif=turned_exif())
    turned_HW3 = read_image(tmp_path / "b.avif")
    assert read_size(tmp_path / "b.avif") == turned_HW3.shape[:2] == (64, 48)
    np.testing.assert_allclose(turned_HW3, np.rot90(LEVELS_HW3, -1) / 255, atol=0.04)
    assert len(load_folder(tmp_path).photographs) == 2


@needs_heif
def test_heic(tmp_path: Path) -> None:
    assert "HEIF" in pillow_formats()  # and so Pillow writes it too
    Image.fromarray(LEVELS_HW3).save(tmp_path / "a.heic", quality=100)
    np.testing.assert_allclose(read_image(tmp_path / "a.heic"), LEVELS_HW3 / 255, atol=0.06)
    # As bytes: of an object pillow-heif writes no turn into the file.
    exif = turned_exif().tobytes()
    Image.fromarray(LEVELS_HW3).save(tmp_path / "b.heic", quality=100, exif=exif)
    turned_HW3 = read_image(tmp_path / "b.heic")
    assert read_size(tmp_path / "b.heic") == turned_HW3.shape[:2] == (64, 48)
    np.testing.assert_allclose(turned_HW3, np.rot90(LEVELS_HW3, -1) / 255, atol=0.06)
    data = (tmp_path / "a.heic").read_bytes()
    (tmp_path / "c.heic").write_bytes(data[:200])
    assert len(load_folder(tmp_path).photographs) == 2
    with pytest.raises(ImageError, match="is damaged or no still picture; save it again"):
        read_image(tmp_path / "c.heic")


def test_without_the_packages_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("has_heif", "has_raw"):
        monkeypatch.setattr(formats, name, lambda: False)
    monkeypatch.setattr(features, "check", lambda _: False)
    heic, avif = (b"\0\0\0\x1cftyp" + brand for brand in (b"heic", b"avif"))
    problem, remedy = unread(Path("a.heic"), heic)
    assert problem == "is a HEIC picture, which srscope does not read as it is installed"
    assert remedy == "pip install 'srscope[formats]', or convert it to PNG"
    problem, remedy = unread(Path("a.jpg"), avif)
    assert problem == "is an AVIF picture, which this Pillow does not read"
    assert remedy == "pip install 'pillow>=11.3'"
    extra = "files are not read without pip install 'srscope[formats]'"
    assert unread_suffix(".heic") == f".heic {extra}"
    assert unread_suffix(".nef") == f".nef {extra}"
    assert unread_suffix(".avif") == ".avif files are not read without pip install 'pillow>=11.3'"
    assert unread_suffix(".psd") == ".psd files are not read"
    assert unread_suffix(".png") == ""


def test_a_folder_names_what_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("has_heif", "has_raw"):
        monkeypatch.setattr(formats, name, lambda: False)
    Image.fromarray(LEVELS_HW3).save(tmp_path / "a.png")
    for name in ("b.HEIC", "c.cr2", "d.svg", "e.txt"):
        (tmp_path / name).write_bytes(b"x")
    photos = load_folder(tmp_path)
    assert [photo.name for photo in photos.photographs] == ["a.png"]
    assert dict(photos.skipped) == {
        "b.HEIC": ".heic files are not read without pip install 'srscope[formats]'",
        "c.cr2": ".cr2 files are not read without pip install 'srscope[formats]'",
        "d.svg": ".svg files are not read",
    }
    assert folder.SUFFIXES is formats.SUFFIXES


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"8BPS\0\1", "a Photoshop document"),
        (b"gimp xcf v011", "a GIMP document"),
        (b"v/1\x01\2", "an OpenEXR picture"),
        (b"#?RADIANCE\n", "a Radiance HDR picture"),
        (b"%!PS-Adobe", "a PostScript document"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\n<svg xmlns=", "an SVG drawing"),
        (b"\x93NUMPY\1\0", "a NumPy array"),
    ],
)
def test_others_are_named_whatever_their_suffix(tmp_path: Path, start: bytes, what: str) -> None:
    (tmp_path / "a.png").write_bytes(start + bytes(200))
    with pytest.raises(ImageError, match=f"a.png: is {what}; convert it to PNG"):
        read_image(tmp_path / "a.png")


def test_jpeg_of_12_bits_is_named_and_the_remedy_works(tmp_path: Path) -> None:
    deep_HW3 = LEVELS_HW3.astype(np.uint16) * 16
    try:
        data = imagecodecs.jpeg8_encode(deep_HW3, level=99, bitspersample=12)
    except ValueError:
        pytest.skip("this imagecodecs writes no JPEG of 12 bits")
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(ImageError, match=r"a JPEG of a kind that is not read.*; convert it to PNG"):
        read_image(tmp_path / "a.jpg")
    levels_HW3 = imagecodecs.jpeg8_decode(data).astype(float) / 4095 * 255
    Image.fromarray(np.rint(levels_HW3).astype(np.uint8)).save(tmp_path / "a.png")
    np.testing.assert_allclose(read_image(tmp_path / "a.png"), LEVELS_HW3 / 255, atol=0.05)


@pytest.mark.parametrize(
    ("name", "head", "raw"),
    [
        ("a.DNG", b"II*\0", True),
        ("a.jpg", b"FUJIFILMCCD-RAW 0201", True),
        ("a.jpg", b"IIU\0\x08\0\0\0", True),
        ("a.jpg", struct.pack(">I4s4s", 24, b"ftyp", b"crx "), True),
        ("a.tif", b"II*\0\x10\0\0\0CR\2\0", True),
        ("a.tif", b"II*\0\x08\0\0\0\x0b\0", False),
        ("a.png", b"\x89PNG", False),
    ],
)
def test_camera_raw_is_told_by_suffix_and_first_bytes(name: str, head: bytes, raw: bool) -> None:
    assert is_raw(Path(name), head) is raw


def test_formats_are_asked_for_once() -> None:
    assert pillow_formats() is pillow_formats()
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "PNG")
    assert Image.open(file, formats=pillow_formats()).format == "PNG"
