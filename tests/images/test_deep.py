"""16-bit colour in full: TIFF against an encoder of our own, PNG likewise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srscope.errors import ImageError
from srscope.images.deep import is_deep, read_deep
from support import pngs, tiffs


def values(channels: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 65536, (7, 6, channels), dtype=np.uint16)


def levels(path: Path) -> np.ndarray:
    return np.rint(read_deep(path) * 65535).astype(np.uint16)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("deflate", "predictor"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("extra", [None, 2])
def test_tiff_of_either_byte_order_packed_or_not(
    tmp_path: Path, order: str, extra: int | None, *, deflate: bool, predictor: bool
) -> None:
    expected_HWC = values(3 if extra is None else 4)
    data = tiffs.tiff16(
        expected_HWC, order=order, deflate=deflate, predictor=predictor, extra=extra
    )
    (tmp_path / "a.tif").write_bytes(data)
    with Image.open(tmp_path / "a.tif") as image:
        assert is_deep(image)
    np.testing.assert_array_equal(levels(tmp_path / "a.tif"), expected_HWC)


@pytest.mark.parametrize("deflate", [False, True])
def test_premultiplied_colours_are_divided_by_alpha(tmp_path: Path, *, deflate: bool) -> None:
    stored_HWC = np.array([[[10000, 20000, 0, 40000], [0, 0, 0, 0]]], dtype=np.uint16)
    (tmp_path / "a.tif").write_bytes(tiffs.tiff16(stored_HWC, deflate=deflate, extra=1))
    expected = [[0.25, 0.5, 0, 40000 / 65535], [0, 0, 0, 0]]
    np.testing.assert_allclose(read_deep(tmp_path / "a.tif")[0], expected, atol=1e-7)


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (6, 4)])
def test_png(tmp_path: Path, colour: int, channels: int) -> None:
    expected_HWC = values(channels)
    data = pngs.png16(expected_HWC, colour=colour, filters=[0, 1, 2, 3, 4])
    (tmp_path / "a.png").write_bytes(data)
    np.testing.assert_array_equal(levels(tmp_path / "a.png"), expected_HWC)


def test_eight_bit_and_grey_files_are_not_deep(tmp_path: Path) -> None:
    for mode in ("L", "RGB", "I;16"):
        for suffix in ("png", "tif"):
            Image.new(mode, (3, 2)).save(tmp_path / f"a.{suffix}")
            with Image.open(tmp_path / f"a.{suffix}") as image:
                assert not is_deep(image)


@pytest.mark.parametrize("deflate", [False, True])
def test_separate_planes_are_refused(tmp_path: Path, *, deflate: bool) -> None:
    (tmp_path / "a.tif").write_bytes(tiffs.tiff16(values(3), deflate=deflate, planes=True))
    with pytest.raises(ImageError, match="separate planes of 16 bits; save it with interleaved"):
        read_deep(tmp_path / "a.tif")


def test_damage_is_an_image_error(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiffs.tiff16(values(3), deflate=True)[:20])
    with pytest.raises(ImageError):
        read_deep(tmp_path / "a.tif")
