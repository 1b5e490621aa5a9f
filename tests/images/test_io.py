"""Reading and writing image files: every rule of the module's docstring, and every error."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from PIL import Image

from srscope.errors import ImageError, ParameterError
from srscope.images import opening
from srscope.images.io import read_image, read_size, write_image
from support import pngs
from support.pictures import upright

COLOUR = (255, 51, 102)
UNIT = np.asarray(COLOUR, dtype=np.float32) / np.float32(255)


def save(folder: Path, name: str, image: Image.Image, **options: object) -> Path:
    image.save(folder / name, **options)
    return folder / name


def test_reads_rgb_as_float32_between_0_and_1(tmp_path: Path) -> None:
    levels_HW3 = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    image_HW3 = read_image(save(tmp_path, "a.png", Image.fromarray(levels_HW3)))
    assert image_HW3.dtype == np.float32
    assert image_HW3.flags.c_contiguous
    np.testing.assert_array_equal(image_HW3, levels_HW3.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "bmp", "ppm", "tga"])
def test_reads_lossless_formats(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path, f"a.{suffix}", Image.new("RGB", (6, 4), COLOUR), lossless=True)
    image_HW3 = read_image(path)
    assert image_HW3.shape == (4, 6, 3)
    np.testing.assert_array_equal(image_HW3[2, 3], UNIT)


@pytest.mark.parametrize("suffix", ["jpg", "jp2"])
def test_reads_lossy_formats(tmp_path: Path, suffix: str) -> None:
    image_HW3 = read_image(save(tmp_path, f"a.{suffix}", Image.new("RGB", (16, 8), COLOUR)))
    np.testing.assert_allclose(image_HW3[4, 4], UNIT, atol=0.02)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("depth", [8, 16])
def test_applies_the_exif_orientation(tmp_path: Path, orientation: int, depth: int) -> None:
    upright_HW3 = np.random.default_rng(1).integers(0, 256, (3, 5, 3), dtype=np.uint8)
    # How a camera held that way stores the upright picture: turned the other way.
    stored_HW3 = upright(upright_HW3, {6: 8, 8: 6}.get(orientation, orientation))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a.png"
    if depth == 8:
        Image.fromarray(np.ascontiguousarray(stored_HW3)).save(path, exif=exif)
    else:
        wide = stored_HW3.astype(np.uint16) * 257
        data = pngs.png16(wide, colour=2, filters=[1, 4])
        at = data.index(b"IDAT") - 4
        exif_chunk = pngs.chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\x00\x00"))
        path.write_bytes(data[:at] + exif_chunk + data[at:])
    assert read_size(path) == (3, 5)
    np.testing.assert_array_equal(read_image(path), upright_HW3 / np.float32(255))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "I;16", "I;16B"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_turned_tiff_is_read_as_png_is(
    tmp_path: Path, orientation: int, mode: str, compression: str | None
) -> None:
    random = np.random.default_rng(0)
    if mode.startswith("I;16"):
        values = random.integers(0, 65536, (6, 10), dtype=np.uint16)
        values = values.astype(">u2" if mode.endswith("B") else "<u2")
        image = Image.frombytes(mode, (10, 6), values.tobytes())
    else:
        values = random.integers(0, 256, (6, 10, 3), dtype=np.uint8)
        image = Image.fromarray(values).convert(mode)
    plain, turned = tmp_path / "plain.tif", tmp_path / "turned.tif"
    image.save(plain)
    image.save(turned, tiffinfo={0x0112: orientation}, compression=compression)
    expected = upright(read_image(plain), orientation)
    np.testing.assert_array_equal(read_image(turned), expected)
    assert read_size(turned) == expected.shape[:2]


def test_16_bit_grey_keeps_its_depth(tmp_path: Path) -> None:
    values_HW = np.array([[0, 1, 257], [32768, 65534, 65535]], dtype=np.uint16)
    for name in ("a.png", "a.tif"):
        image_HW3 = read_image(save(tmp_path, name, Image.fromarray(values_HW)))
        np.testing.assert_array_equal(image_HW3[..., 1], values_HW / np.float32(65535))


def test_16_bit_colour_png_keeps_its_depth(tmp_path: Path) -> None:
    values_HW3 = np.array([[[0, 1, 257], [32768, 65534, 65535]]], dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(pngs.png16(values_HW3, colour=2, filters=[4]))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), values_HW3 / np.float32(65535))


def test_16_bit_transparency_is_composited_over_white(tmp_path: Path) -> None:
    values_HW4 = np.array([[[65535, 0, 13107, 32768]]], dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(pngs.png16(values_HW4, colour=6, filters=[0]))
    alpha = 32768 / 65535
    expected = np.array([1.0, 1 - alpha, 0.2 * alpha + 1 - alpha])
    np.testing.assert_allclose(read_image(tmp_path / "a.png")[0, 0], expected, atol=1e-6)


def test_32_bit_integers_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path, "a.tif", Image.fromarray(np.array([[70000]], dtype=np.int32)))
    with pytest.raises(ImageError, match="has signed samples of 32 bits; save it with 8"):
        read_image(path)


def test_floating_point_tiff(tmp_path: Path) -> None:
    good = Image.fromarray(np.array([[0.25, 1.0]], dtype=np.float32))
    np.testing.assert_array_equal(read_image(save(tmp_path, "a.tif", good))[0, 0], [0.25] * 3)
    for wrong in (1.5, -0.1, np.nan):
        bad = Image.fromarray(np.array([[0.5, wrong]], dtype=np.float32))
        with pytest.raises(ImageError, match=r"values outside \[0, 1\]; scale them first"):
            read_image(save(tmp_path, "b.tif", bad))


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGB", (8, 8), (255, 255, 255)).convert(mode)
    suffix = "jpg" if mode in ("CMYK", "YCbCr") else "png"
    image_HW3 = read_image(save(tmp_path, f"a.{suffix}", image))
    np.testing.assert_allclose(image_HW3, np.ones((8, 8, 3)), atol=0.01)


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (Image.new("RGBA", (1, 1), (255, 0, 0, 51)), {}),
        (Image.new("RGB", (1, 1), (0, 0, 0)), {"transparency": (0, 0, 0)}),
        (Image.new("L", (1, 1), 0), {"transparency": 0}),
        (Image.new("P", (1, 1), 0), {"transparency": 0}),
        (Image.new("LA", (1, 1), (0, 0)), {}),
    ],
    ids=["RGBA", "RGB key", "L key", "P key", "LA"],
)
def test_transparency_is_composited_over_white(
    tmp_path: Path, image: Image.Image, options: dict[str, object]
) -> None:
    pixel = read_image(save(tmp_path, "a.png", image, **options))[0, 0]
    expected = [1, 0.8, 0.8] if image.mode == "RGBA" else [1, 1, 1]
    np.testing.assert_allclose(pixel, expected, atol=1e-6)


def test_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    for suffix in ("gif", "png", "webp"):
        path = save(tmp_path, f"a.{suffix}", frames[0], save_all=True, append_images=frames[1:])
        np.testing.assert_allclose(read_image(path)[0, 0], [1, 0, 0], atol=0.02)


# Errors


def test_missing_folder_pipe_and_broken_link(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"a\.png: does not exist$"):
        read_image(tmp_path / "a.png")
    with pytest.raises(ImageError, match="is a folder, not an image file"):
        read_image(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="is not a regular file"):
        read_image(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(ImageError, match="is a broken link"):
        read_size(tmp_path / "link.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission(tmp_path: Path) -> None:
    path = save(tmp_path, "a.png", Image.new("RGB", (2, 2)))
    path.chmod(0)
    with pytest.raises(ImageError, match="may not be read; check its permissions"):
        read_image(path)


def test_permission_error_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, "a.png", Image.new("RGB", (2, 2)))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(ImageError, match="may not be read; check its permissions"):
        read_image(path)


def test_empty_file_and_no_image(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"empty\.png: is empty"):
        read_image(tmp_path / "empty.png")
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(ImageError, match="is not an image srscope can read; give PNG, JPEG"):
        read_image(tmp_path / "text.png")


def test_formats_that_run_programs_are_not_opened(tmp_path: Path) -> None:
    path = save(tmp_path, "a.eps", Image.new("RGB", (4, 4)))
    with pytest.raises(ImageError, match="is a PostScript document; convert it to PNG"):
        read_image(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_truncated_file(tmp_path: Path, suffix: str) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = save(tmp_path, f"a.{suffix}", Image.fromarray(levels))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ImageError, match=r"is damaged: |is not an image srscope can read"):
        read_image(path)


def test_too_many_pixels_are_refused_before_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path, "a.png", Image.new("RGB", (11, 10)))
    monkeypatch.setattr(opening, "MAX_PIXELS", 109)
    for read in (read_image, read_size):
        with pytest.raises(ImageError, match="has 11x10 pixels, more than the 109 allowed; shrink"):
            read(path)


def test_decompression_bomb_is_refused(tmp_path: Path) -> None:
    bomb = pngs.SIGNATURE + pngs.header(100_000, 100_000, depth=8, colour=2)
    (tmp_path / "a.png").write_bytes(bomb + pngs.chunk(b"IDAT", b"") + pngs.chunk(b"IEND", b""))
    with pytest.raises(ImageError, match="far too many pixels, more than the 100,000,000 allowed"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp", "gif", "bmp", "tga", "jp2", "ppm"])
def test_damaged_files_give_pixels_or_an_image_error(tmp_path: Path, suffix: str) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    whole = save(tmp_path, f"a.{suffix}", Image.fromarray(levels)).read_bytes()
    path = tmp_path / f"b.{suffix}"
    chance = random.Random(0)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            data[chance.randrange(min(len(data), 300))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            image_HW3 = read_image(path)
        except ImageError:
            continue
        assert image_HW3.ndim == 3
        assert image_HW3.min() >= 0
        assert image_HW3.max() <= 1


# Writing


@settings(deadline=None)  # the time says how busy the machine is
@given(st_numpy.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_eight_bit_levels_survive_writing(
    tmp_path_factory: pytest.TempPathFactory, levels_HW3: np.ndarray
) -> None:
    path = tmp_path_factory.mktemp("io") / "a.png"
    write_image(path, levels_HW3 / np.float32(255))
    np.testing.assert_array_equal(np.rint(read_image(path) * 255), levels_HW3)


def test_writing_clips_and_rounds(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.array([[[-0.5, 1.5, 100.4 / 255]]]))
    with Image.open(tmp_path / "a.png") as image:
        assert image.getpixel((0, 0)) == (0, 255, 100)


def test_writing_refuses_what_is_no_image(tmp_path: Path) -> None:
    good_HW3 = np.zeros((2, 2, 3))
    with pytest.raises(ParameterError, match=r"path must be a file name ending in \.png"):
        write_image(tmp_path / "a.jpg", good_HW3)
    for shape in ((2, 2), (2, 2, 4), (0, 2, 3)):
        with pytest.raises(ParameterError, match=r"image_HW3 must be an array of shape \(H, W, 3"):
            write_image(tmp_path / "a.png", np.zeros(shape))
    good_HW3[0, 0, 0] = np.nan
    with pytest.raises(ParameterError, match="image_HW3 must be finite"):
        write_image(tmp_path / "a.png", good_HW3)
    assert not list(tmp_path.iterdir())
