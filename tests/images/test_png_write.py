"""PNG written strip by strip, against Pillow and the decoder of 16-bit files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from srscope.errors import ParameterError
from srscope.images import png_write
from srscope.images.picture import read_picture
from srscope.images.png_write import write_png

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def strips(pixels_HWC: np.ndarray, rows: int) -> Iterator[np.ndarray]:
    for first in range(0, len(pixels_HWC), rows):
        yield pixels_HWC[first : first + rows]


def write(path: Path, pixels_HWC: np.ndarray, bits: int, rows: int = 3, **more: object) -> None:
    height, width, channels = pixels_HWC.shape
    write_png(
        path,
        strips(pixels_HWC, rows),
        size_HW=(height, width),
        channels=channels,
        bits=bits,
        **more,
    )


@settings(deadline=None, max_examples=40)  # the time says how busy the machine is
@given(
    size_HW=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    channels=st.sampled_from([1, 2, 3, 4]),
    bits=st.sampled_from([8, 16]),
    rows=st.integers(1, 9),
    smooth=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_levels_survive(
    tmp_path_factory: pytest.TempPathFactory,
    size_HW: tuple[int, int],
    channels: int,
    bits: int,
    rows: int,
    seed: int,
    *,
    smooth: bool,
) -> None:
    path = tmp_path_factory.mktemp("png") / "a.png"
    levels_HWC = np.random.default_rng(seed).integers(0, 2**bits, (*size_HW, channels))
    if smooth:
        levels_HWC = np.cumsum(levels_HWC // 200, axis=seed % 2) % 2**bits
    write(path, levels_HWC / np.float32(2**bits - 1), bits, rows)
    picture = read_picture(path)
    assert picture.bits == bits
    np.testing.assert_array_equal(np.rint(picture.pixels_HWC * (2**bits - 1)), levels_HWC)
    if bits == 8:
        with Image.open(path) as image:
            assert image.mode == MODES[channels]
            np.testing.assert_array_equal(np.asarray(image).reshape(levels_HWC.shape), levels_HWC)


def test_strips_are_cut_for_filtering_without_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels_HWC = np.random.default_rng(0).random((20, 7, 3), dtype=np.float32)
    write(tmp_path / "a.png", pixels_HWC, 8, rows=20)
    monkeypatch.setattr(png_write, "_STRIP", 50)
    write(tmp_path / "b.png", pixels_HWC, 8, rows=6)
    a, b = (read_picture(tmp_path / f"{name}.png").pixels_HWC for name in "ab")
    np.testing.assert_array_equal(a, b)


def test_filtering_makes_smooth_pictures_small(tmp_path: Path) -> None:
    y, x = np.mgrid[:200, :200]
    waves = 0.5 + 0.4 * np.sin(x / 23.0 + y / 31.0)
    pixels_HWC = np.stack([waves, waves**2, waves / 2], axis=2).astype(np.float32)
    write(tmp_path / "a.png", pixels_HWC, 8)
    levels = np.rint(pixels_HWC * 255).astype(np.uint8)
    Image.fromarray(levels).save(tmp_path / "pillow.png")
    sizes = [(tmp_path / f"{name}.png").stat().st_size for name in ("a", "pillow")]
    assert sizes[0] < 1.1 * sizes[1]


def test_values_are_clipped_and_the_profile_is_kept(tmp_path: Path) -> None:
    profile = bytes(16) + b"RGB " + bytes(range(200))
    write(tmp_path / "a.png", np.array([[[-0.5, 1.5, 100.4 / 255]]]), 8, icc_profile=profile)
    with Image.open(tmp_path / "a.png") as image:
        assert image.getpixel((0, 0)) == (0, 255, 100)
        assert image.info["icc_profile"] == profile


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": "a.jpg"}, r"path must be a file name ending in \.png"),
        ({"channels": 5}, "channels must be 1 to 4, but is 5"),
        ({"bits": 12}, "bits must be 8 or 16, but is 12"),
        ({"size_HW": (4, 2)}, "strips_RWC must be 4 rows in all, but is 3"),
        ({"size_HW": (2, 2)}, "strips_RWC must be 2 rows in all, but is 3"),
        ({"size_HW": (3, 3)}, r"strips_RWC must be of shape \(R, 3, 3\)"),
        ({"value": np.nan}, "strips_RWC must be finite"),
    ],
)
def test_mistakes_leave_no_file(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    options = {"path": "a.png", "size_HW": (3, 2), "channels": 3, "bits": 8, "value": 0.5}
    options |= changes
    pixels_HWC = np.full((3, 2, 3), options.pop("value"), dtype=np.float32)
    path = tmp_path / str(options.pop("path"))
    with pytest.raises(ParameterError, match=message):
        write_png(path, strips(pixels_HWC, 2), **options)
    assert not list(tmp_path.iterdir())
