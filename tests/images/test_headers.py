"""Headers of TGA and BMP that are damaged or say little; what they say is in test_odd_pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srscope.errors import ImageError
from srscope.images.headers import alpha_of
from srscope.images.io import read_image, read_size
from support.bitmaps import bmp, tga

LEVELS_HW4 = np.random.default_rng(0).integers(0, 256, (4, 6, 4), dtype=np.uint8)
ROWS = [row.tobytes() for row in LEVELS_HW4]


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("compression", [None, "tga_rle"])
def test_what_pillow_writes_as_tga(tmp_path: Path, mode: str, compression: str | None) -> None:
    image = Image.fromarray(LEVELS_HW4 if "A" in mode else LEVELS_HW4[..., :3]).convert(mode)
    image.save(tmp_path / "a.tga", compression=compression)
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tga"), read_image(tmp_path / "a.png"))


@pytest.mark.parametrize("offset", [0, 10**6])
def test_an_extension_area_that_is_not_there_says_nothing(tmp_path: Path, offset: int) -> None:
    data = bytearray(tga(ROWS, 6, 32, alpha_bits=8, attributes=0))
    data[-26:-22] = offset.to_bytes(4, "little")
    (tmp_path / "a.tga").write_bytes(data)
    with Image.open(tmp_path / "a.tga") as image:
        assert alpha_of(image, tmp_path / "a.tga") == "straight"


def test_a_palette_of_16_bits_with_alpha_is_refused(tmp_path: Path) -> None:
    rows, palette = [bytes([0, 1, 2])] * 2, bytes(range(6))
    options = {"kind": 1, "palette": palette, "entries": 3, "entry_bits": 16}
    (tmp_path / "a.tga").write_bytes(tga(rows, 3, 8, alpha_bits=1, **options))
    for read in (read_image, read_size):
        with pytest.raises(ImageError, match=r"one bit of alpha in 16 bits.*; save it with 24 or"):
            read(tmp_path / "a.tga")
    (tmp_path / "a.tga").write_bytes(tga(rows, 3, 8, alpha_bits=0, **options))
    assert read_image(tmp_path / "a.tga").shape == (2, 3, 3)


def test_the_oldest_bmp_header_and_a_bare_bitmap(tmp_path: Path) -> None:
    rows = [row.tobytes() for row in LEVELS_HW4[..., :3]]
    data = bmp(rows, 6, 24)
    (tmp_path / "a.dib").write_bytes(data[14:])
    expected_HW3 = LEVELS_HW4[..., 2::-1] / np.float32(255)
    np.testing.assert_array_equal(read_image(tmp_path / "a.dib"), expected_HW3)
    old = b"BM" + bytes(8) + (26).to_bytes(4, "little") + b"\x0c\0\0\0\6\0\4\0\1\0\x18\0"
    (tmp_path / "a.bmp").write_bytes(old + data[54:])
    np.testing.assert_array_equal(read_image(tmp_path / "a.bmp"), expected_HW3)
