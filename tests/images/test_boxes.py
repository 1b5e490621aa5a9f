"""Boxes of JPEG 2000 files: what names alpha, what is decoded by whom; depths in odd_pictures."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from srscope.errors import ImageError
from srscope.images.boxes import boxes, jpeg2000_header
from srscope.images.io import read_image, read_size
from srscope.images.picture import read_picture

LEVELS_HW4 = np.random.default_rng(0).integers(1, 256, (12, 20, 4), dtype=np.uint8)


def test_boxes_of_every_length() -> None:
    long = struct.pack(">I4sQ", 1, b"long", 18) + b"ab"
    data = struct.pack(">I4s", 11, b"abcd") + b"xyz" + long + struct.pack(">I4s", 0, b"rest") + b"!"
    found = [(kind, data[start:end]) for kind, start, end in boxes(io.BytesIO(data), 0, len(data))]
    assert found == [(b"abcd", b"xyz"), (b"long", b"ab"), (b"rest", b"!")]
    with pytest.raises(ValueError, match="a box is shorter than its header"):
        list(boxes(io.BytesIO(struct.pack(">I4s", 7, b"abcd")), 0, 8))


def with_alpha(folder: Path, meaning: int) -> Path:
    """Write RGBA of which the box says that the fourth channel is of this meaning."""
    Image.fromarray(LEVELS_HW4).save(folder / "a.jp2")
    data = (folder / "a.jp2").read_bytes()
    at = data.index(b"cdef") + 4
    (count,) = struct.unpack_from(">H", data, at)
    entries = [struct.unpack_from(">3H", data, at + 2 + 6 * n) for n in range(count)]
    entries = [(c, meaning if kind == 1 else kind, place) for c, kind, place in entries]
    new = b"".join(struct.pack(">3H", *entry) for entry in entries)
    (folder / "a.jp2").write_bytes(data[: at + 2] + new + data[at + 2 + 6 * count :])
    return folder / "a.jp2"


def test_the_box_says_what_the_fourth_channel_is(tmp_path: Path) -> None:
    unit_HW4 = LEVELS_HW4 / np.float32(255)
    np.testing.assert_allclose(
        read_picture(with_alpha(tmp_path, 1)).pixels_HWC, unit_HW4, atol=1e-7
    )
    unknown = with_alpha(tmp_path, 65535)
    np.testing.assert_allclose(read_picture(unknown).pixels_HWC, unit_HW4[..., :3], atol=1e-7)
    found_HW4 = read_picture(with_alpha(tmp_path, 2)).pixels_HWC
    straight_HW3 = np.minimum(unit_HW4[..., :3] / unit_HW4[..., 3:], 1)
    np.testing.assert_allclose(found_HW4[..., :3], straight_HW3, atol=1e-6)


def test_colours_that_are_not_read(tmp_path: Path) -> None:
    path = with_alpha(tmp_path, 1)
    assert jpeg2000_header(path).bits == 8
    data = path.read_bytes()
    at = data.index(b"colr") + 7
    path.write_bytes(data[:at] + struct.pack(">I", 14) + data[at + 4 :])  # CIELAB
    for read in (read_image, read_size):
        with pytest.raises(ImageError, match=r"of a kind that is not read \(number 14 of JPEG 20"):
            read(path)


def test_white_of_more_than_8_bits_is_white(tmp_path: Path) -> None:
    values_HW3 = np.full((8, 8, 3), 1023, np.uint16)
    data = imagecodecs.jpeg2k_encode(values_HW3, reversible=True, level=0, bitspersample=10)
    (tmp_path / "a.jp2").write_bytes(data)
    assert (read_image(tmp_path / "a.jp2") == 1).all()
    assert read_picture(tmp_path / "a.jp2").bits == 16
