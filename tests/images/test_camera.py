"""Camera RAW: developed where rawpy is, and refused with the remedy where it is not."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import tifffile

from srscope.errors import ImageError
from srscope.images import camera, tiff
from srscope.images.folder import load_folder
from srscope.images.formats import has_raw
from srscope.images.io import read_image, read_size

needs_rawpy = pytest.mark.skipif(not has_raw(), reason="rawpy is not installed")
# Camera colours are made linear sRGB: the inverse of sRGB's matrix to XYZ at D65.
MATRIX = (3.2405, -1.5371, -0.4985, -0.9693, 1.8760, 0.0416, 0.0556, -0.2040, 1.0572)


def dng(path: Path, *, orientation: int = 1) -> np.ndarray:
    """Write a ramp as a mosaic of red, green and blue; return it as it should be shown."""
    ramp_HW = np.tile(np.linspace(0.1, 0.9, 96), (64, 1))
    # The inverse of LibRaw's tone curve, that of ITU-R BT.709.
    linear_HW = np.where(ramp_HW < 0.081, ramp_HW / 4.5, ((ramp_HW + 0.099) / 1.099) ** (1 / 0.45))
    rationals = [part for value in MATRIX for part in (round(value * 10_000), 10_000)]
    tags = [
        (274, 3, 1, orientation), (50706, 1, 4, (1, 4, 0, 0)), (50707, 1, 4, (1, 1, 0, 0)),
        (50708, 2, 0, "Test"), (33421, 3, 2, (2, 2)), (33422, 1, 4, (0, 1, 1, 2)),
        (50721, 10, 9, tuple(rationals)), (50728, 5, 3, (1, 1, 1, 1, 1, 1)),
        (50778, 3, 1, 21), (50717, 3, 1, 65535), (50714, 3, 1, 0),
    ]  # fmt: skip
    tifffile.imwrite(
        path, np.rint(linear_HW * 65535).astype(np.uint16), photometric=32803,
        extratags=[(*tag, True) for tag in tags],
    )  # fmt: skip
    return ramp_HW


@needs_rawpy
def test_a_mosaic_is_developed_as_its_header_says(tmp_path: Path) -> None:
    ramp_HW = dng(tmp_path / "a.dng")
    image_HW3 = read_image(tmp_path / "a.dng")
    assert read_size(tmp_path / "a.dng") == image_HW3.shape[:2] == (64, 96)
    np.testing.assert_allclose(image_HW3[:, 8:-8], ramp_HW[:, 8:-8, None].repeat(3, 2), atol=0.02)
    dng(tmp_path / "turned.dng", orientation=6)
    turned_HW3 = read_image(tmp_path / "turned.dng")
    assert read_size(tmp_path / "turned.dng") == turned_HW3.shape[:2] == (96, 64)
    np.testing.assert_allclose(turned_HW3, np.rot90(image_HW3, -1), atol=0.01)
    assert [photo.name for photo in load_folder(tmp_path).photographs] == ["a.dng", "turned.dng"]


@needs_rawpy
def test_by_another_name_it_is_no_tiff(tmp_path: Path) -> None:
    dng(tmp_path / "a.tif")
    with pytest.raises(ImageError, match=r"a camera RAW file by another name; rename it to \.dng"):
        read_image(tmp_path / "a.tif")
    renamed = (tmp_path / "a.tif").rename(tmp_path / "a.dng")
    assert read_image(renamed).shape == (64, 96, 3)


@needs_rawpy
def test_what_libraw_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "a.nef").write_bytes(b"no RAW file")
    for read in (read_image, read_size):
        with pytest.raises(ImageError, match="is no camera RAW file that LibRaw can develop"):
            read(tmp_path / "a.nef")


def test_without_rawpy_the_converter_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ramp_HW = dng(tmp_path / "a.tif")
    (tmp_path / "a.dng").write_bytes((tmp_path / "a.tif").read_bytes())
    for module in (camera, tiff):
        monkeypatch.setattr(module, "has_raw", lambda: False)
    for name in ("a.tif", "a.dng"):
        for read in (read_image, read_size):
            with pytest.raises(ImageError, match=r"pip install 'srscope\[formats\]', or export it"):
                read(tmp_path / name)
    # The other remedy: what a converter exports is read.
    exported_HW3 = np.rint(ramp_HW * 65535).astype(np.uint16)[..., None].repeat(3, 2)
    tifffile.imwrite(tmp_path / "b.tif", exported_HW3, photometric="rgb")
    np.testing.assert_allclose(read_image(tmp_path / "b.tif")[..., 1], ramp_HW, atol=1e-5)


def test_it_is_told_by_whether_the_package_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for found in (None, object()):
        monkeypatch.setattr(importlib.util, "find_spec", lambda _, found=found: found)
        assert has_raw() is (found is not None)
