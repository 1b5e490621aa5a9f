"""TIFF: pages, compression, damage, and what is left to Pillow; traits are in test_odd_pictures."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from srscope.errors import ImageError
from srscope.images import opening
from srscope.images.io import read_image, read_size
from srscope.images.picture import read_picture
from support import tiffs
from support.odd_tiffs import numbers

RNG = np.random.default_rng(0)
LEVELS_HW3 = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)


def saved(folder: Path, data: bytes) -> Path:
    (folder / "a.tif").write_bytes(data)
    return folder / "a.tif"


def by_pillow(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "TIFF", **options)
    return file.getvalue()


def changed(data: bytes, tag: int, value: int, *, to: int) -> bytes:
    """Return a file with another number in an entry of one LONG."""
    old, new = (struct.pack("<HHII", tag, 4, 1, number) for number in (value, to))
    assert old in data
    return data.replace(old, new)


def test_the_first_page_that_is_no_thumbnail_or_mask_is_read(tmp_path: Path) -> None:
    small_HW3, other_HW3 = LEVELS_HW3[:2, :2], 255 - LEVELS_HW3
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(small_HW3, photometric="rgb", subfiletype=1)
        writer.write(small_HW3[..., 0] > 9, photometric="mask", subfiletype=4)
        writer.write(LEVELS_HW3, photometric="rgb")
        writer.write(other_HW3, photometric="rgb")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), LEVELS_HW3 / np.float32(255))
    assert read_size(tmp_path / "a.tif") == (6, 8)
    tifffile.imwrite(tmp_path / "b.tif", small_HW3, photometric="rgb", subfiletype=1)
    assert read_size(tmp_path / "b.tif") == (2, 2)  # there is nothing else


@pytest.mark.parametrize("compression", ["zstd", "lzma", "lzw", "packbits", "zlib"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_compressions_with_their_predictors(tmp_path: Path, compression: str, kind: type) -> None:
    unit_HW3 = RNG.uniform(0, 1, (40, 50, 3))
    most = 1 if kind is np.float32 else np.iinfo(kind).max
    values_HW3 = (unit_HW3 * most).astype(kind)
    predictor = compression != "packbits"
    tifffile.imwrite(
        tmp_path / "a.tif", values_HW3, photometric="rgb", compression=compression,
        predictor=predictor, tile=(16, 32),
    )  # fmt: skip
    np.testing.assert_allclose(read_image(tmp_path / "a.tif"), values_HW3 / most, atol=1e-7)


@pytest.mark.parametrize("depth", [8, 16])
def test_undefined_samples_are_unsigned_and_one_number_may_stand_for_all(
    tmp_path: Path, depth: int
) -> None:
    values_HW3 = numbers(RNG, depth, 3)
    path = saved(tmp_path, tiffs.tiff(values_HW3, bits=depth, more={339: [4], 258: [depth]}))
    np.testing.assert_allclose(read_image(path), values_HW3 / (2**depth - 1), atol=1e-7)


def test_a_channel_without_a_meaning_is_no_alpha(tmp_path: Path) -> None:
    values_HW4 = numbers(RNG, 8, 4)
    path = saved(tmp_path, tiffs.tiff(values_HW4))  # no tag for the fourth
    assert read_picture(path).pixels_HWC.shape[2] == 3
    np.testing.assert_allclose(read_image(path), values_HW4[..., :3] / 255, atol=1e-7)


def test_profile_and_bits(tmp_path: Path) -> None:
    profile = bytes(16) + b"RGB " + bytes(128)
    for bits, said in ((4, 8), (8, 8), (10, 16), (16, 16)):
        data = tiffs.tiff(numbers(RNG, bits, 3), bits=bits)
        assert read_picture(saved(tmp_path, data)).bits == said
    tifffile.imwrite(tmp_path / "b.tif", LEVELS_HW3, photometric="rgb", iccprofile=profile)
    assert read_picture(tmp_path / "b.tif").icc_profile == profile
    tifffile.imwrite(tmp_path / "b.tif", LEVELS_HW3[..., 0], iccprofile=profile)
    assert read_picture(tmp_path / "b.tif").icc_profile is None


# What Pillow decodes


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr", "CMYK"])
def test_jpeg_in_tiff(tmp_path: Path, mode: str) -> None:
    shades = Image.linear_gradient("L").resize((32, 32))
    rgb = Image.merge("RGB", (shades, shades.rotate(90), shades.rotate(180)))
    image = rgb.convert(mode)
    path = saved(tmp_path, by_pillow(image, compression="jpeg", quality=95))
    expected_HW3 = np.asarray(image.convert("RGB")) / 255
    np.testing.assert_allclose(read_image(path), expected_HW3, atol=0.06)
    assert read_picture(path).pixels_HWC.shape[2] == (1 if mode == "L" else 3)


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
@pytest.mark.parametrize("photometric", [0, 1])
def test_fax(tmp_path: Path, compression: str, photometric: int) -> None:
    ink_HW = RNG.integers(0, 2, (16, 24), dtype=np.uint8).repeat(2, axis=1)
    data = by_pillow(Image.fromarray(ink_HW * 255).convert("1"), compression=compression)
    entry = struct.pack("<HHIHH", 262, 3, 1, 1, 0)
    assert entry in data
    path = saved(tmp_path, data.replace(entry, struct.pack("<HHIHH", 262, 3, 1, photometric, 0)))
    shown_HW = ink_HW if photometric else 1 - ink_HW
    np.testing.assert_array_equal(read_image(path)[..., 0], shown_HW)


def test_compressed_ycbcr(tmp_path: Path) -> None:
    shades = Image.linear_gradient("L").resize((16, 16))
    rgb = Image.merge("RGB", (shades, shades.rotate(90), shades.rotate(180)))
    values_HW3 = np.asarray(rgb.convert("YCbCr"))
    data = tiffs.tiff(values_HW3, photometric=6, compression=tiffs.LZW, more={530: [1, 1]})
    path = saved(tmp_path, data)
    np.testing.assert_allclose(read_image(path), np.asarray(rgb) / 255, atol=0.015)


# Damage


@pytest.mark.parametrize("compression", [tiffs.NONE, tiffs.LZW, tiffs.DEFLATE, tiffs.PACKBITS])
def test_values_that_are_missing_are_no_zeros(tmp_path: Path, compression: int) -> None:
    values_HW3 = np.pad(numbers(RNG, 8, 3), ((0, 9), (0, 9), (0, 0)), mode="reflect")
    data = tiffs.tiff(values_HW3, compression=compression)
    length = struct.unpack_from("<I", data, data.index(struct.pack("<HHI", 279, 4, 1)) + 8)[0]
    spoilt_ones = [
        changed(data, 273, 8, to=0),
        changed(data, 273, 8, to=len(data) - 3),
        changed(data, 279, length, to=0),
        changed(data, 278, 14, to=7),
        data[: len(data) - 60],
    ]
    if compression != tiffs.NONE:  # there the values are, whatever the number says
        spoilt_ones.append(changed(data, 279, length, to=length // 2))
    for spoilt in spoilt_ones:
        with pytest.raises(ImageError, match="is damaged"):
            read_image(saved(tmp_path, spoilt))


def test_tiles_far_larger_than_the_image_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, tiffs.tiff(numbers(RNG, 8, 3), tile=64, compression=tiffs.DEFLATE))
    read_image(path)
    monkeypatch.setattr(opening, "MAX_PIXELS", 64 * 64 - 1)
    with pytest.raises(ImageError, match="has 64x64 pixels, more than the 4,095 allowed"):
        read_image(path)


def test_a_palette_that_is_missing_or_too_short(tmp_path: Path) -> None:
    values_HW1 = numbers(RNG, 4, 1)
    for more in ({}, {320: [7] * 24}):
        data = tiffs.tiff(values_HW1, bits=4, photometric=3, more=more)
        with pytest.raises(ImageError, match="its palette is missing or of another length"):
            read_image(saved(tmp_path, data))


def test_a_directory_that_is_cut_off(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is damaged"):
        read_size(saved(tmp_path, tiffs.tiff(LEVELS_HW3)[:20]))


def test_nothing_is_printed_about_damage(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = tiffs.tiff(LEVELS_HW3).replace(b"\x01\x01\x04", b"\x01\x01\xff")
    for spoilt in (data, data[:-9], data[:60] + bytes(99)):
        try:
            read_image(saved(tmp_path, spoilt))
        except ImageError:
            continue
    assert capfd.readouterr().err == ""
