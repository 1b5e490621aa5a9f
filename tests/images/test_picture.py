"""Pictures as their files have them: channels, depth, alpha, profile, and what is dropped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srscope.images.io import read_image, read_size
from srscope.images.picture import read_picture
from support import pngs, tiffs
from support.pictures import upright


def profile(space: bytes) -> bytes:
    return bytes(16) + space + bytes(128)


@pytest.mark.parametrize(
    ("image", "options", "channels"),
    [
        (Image.new("1", (2, 1), 1), {}, 1),
        (Image.new("L", (2, 1), 51), {}, 1),
        (Image.new("L", (2, 1), 51), {"transparency": 51}, 2),
        (Image.new("LA", (2, 1), (51, 102)), {}, 2),
        (Image.new("RGB", (2, 1), (51, 51, 51)), {}, 3),
        (Image.new("P", (2, 1), 0), {}, 3),
        (Image.new("P", (2, 1), 0), {"transparency": 0}, 4),
        (Image.new("RGB", (2, 1), (51, 0, 0)), {"transparency": (51, 0, 0)}, 4),
        (Image.new("RGBA", (2, 1), (51, 0, 0, 102)), {}, 4),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else str(value),
)
def test_channels_of_8_bit_files(
    tmp_path: Path, image: Image.Image, options: dict[str, object], channels: int
) -> None:
    image.save(tmp_path / "a.png", **options)
    picture = read_picture(tmp_path / "a.png")
    assert picture.pixels_HWC.shape == (1, 2, channels)
    assert picture.pixels_HWC.dtype == np.float32
    assert picture.bits == 8
    if options:
        assert (picture.pixels_HWC[..., -1] == 0).all()
    elif image.mode in ("LA", "RGBA"):
        np.testing.assert_allclose(picture.pixels_HWC[0, 0, [0, -1]], [0.2, 0.4], atol=1e-7)


def test_cmyk_becomes_rgb_and_its_profile_is_dropped(tmp_path: Path) -> None:
    image = Image.new("RGB", (8, 8), "white").convert("CMYK")
    image.save(tmp_path / "a.jpg", icc_profile=profile(b"CMYK"))
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.pixels_HWC.shape == (8, 8, 3)
    assert picture.icc_profile is None


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp"])
def test_the_profile_is_kept_if_it_fits(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    for space, kept in ((b"RGB ", True), (b"GRAY", False)):
        Image.new("RGB", (4, 4)).save(path, icc_profile=profile(space))
        assert (read_picture(path).icc_profile == profile(space)) is kept
    if suffix != "webp":
        Image.new("L", (4, 4)).save(path, icc_profile=profile(b"GRAY"))
        assert read_picture(path).icc_profile == profile(b"GRAY")


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey(tmp_path: Path, suffix: str) -> None:
    values_HW = np.array([[0, 1, 257], [32768, 65534, 65535]], dtype=np.uint16)
    Image.fromarray(values_HW).save(tmp_path / f"a.{suffix}")
    picture = read_picture(tmp_path / f"a.{suffix}")
    assert picture.bits == 16
    np.testing.assert_array_equal(np.rint(picture.pixels_HWC[..., 0] * 65535), values_HW)


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_16_bit_colour_png(tmp_path: Path, colour: int, channels: int) -> None:
    values_HWC = np.random.default_rng(0).integers(0, 65536, (3, 4, channels), dtype=np.uint16)
    data = pngs.png16(values_HWC, colour=colour, filters=[4, 1])
    (tmp_path / "a.png").write_bytes(data)
    picture = read_picture(tmp_path / "a.png")
    assert picture.bits == 16
    np.testing.assert_array_equal(np.rint(picture.pixels_HWC * 65535), values_HWC)


@pytest.mark.parametrize(("colour", "key"), [(0, [700]), (2, [700, 1, 65535])])
def test_a_transparent_colour_of_16_bits_is_compared_in_full(
    tmp_path: Path, colour: int, key: list[int]
) -> None:
    values_HWC = np.array([[key, [key[0] + 1, *key[1:]]]], dtype=np.uint16)
    data = pngs.png16(values_HWC, colour=colour, filters=[0])
    at = data.index(b"IDAT") - 4
    transparent = pngs.chunk(b"tRNS", np.array(key, dtype=">u2").tobytes())
    (tmp_path / "a.png").write_bytes(data[:at] + transparent + data[at:])
    picture = read_picture(tmp_path / "a.png")
    assert picture.bits == 16
    assert picture.pixels_HWC.shape == (1, 2, len(key) + 1)
    assert picture.pixels_HWC[0, :, -1].tolist() == [0, 1]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["tif8", "tif16", "png8", "png16"])
def test_both_readers_turn_a_picture_upright(tmp_path: Path, orientation: int, kind: str) -> None:
    stored_HW3 = np.random.default_rng(1).integers(0, 256, (3, 5, 3), dtype=np.uint8)
    wide_HW3 = stored_HW3.astype(np.uint16) * 257
    expected_HW3 = upright(stored_HW3, orientation)
    path = tmp_path / f"a.{kind[:3]}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    if kind == "tif16":
        path.write_bytes(tiffs.tiff16(wide_HW3, orientation=orientation))
    elif kind == "png16":
        data = pngs.png16(wide_HW3, colour=2, filters=[2])
        at = data.index(b"IDAT") - 4
        chunk = pngs.chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\x00\x00"))
        path.write_bytes(data[:at] + chunk + data[at:])
    else:
        Image.fromarray(stored_HW3).save(path, exif=exif)
    assert read_size(path) == expected_HW3.shape[:2]
    np.testing.assert_allclose(read_picture(path).pixels_HWC * 255, expected_HW3, atol=1e-4)
    np.testing.assert_allclose(read_image(path) * 255, expected_HW3, atol=1e-4)


def test_premultiplied_colours_are_divided_by_alpha(tmp_path: Path) -> None:
    stored_HWC = np.array([[[10000, 20000, 0, 40000], [0, 0, 0, 0]]], dtype=np.uint16)
    (tmp_path / "a.tif").write_bytes(tiffs.tiff16(stored_HWC, extra=1))
    expected = [[0.25, 0.5, 0, 40000 / 65535], [0, 0, 0, 0]]
    picture = read_picture(tmp_path / "a.tif")
    np.testing.assert_allclose(picture.pixels_HWC[0], expected, atol=1e-7)
