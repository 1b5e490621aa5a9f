"""16-bit colour PNG, against an encoder of our own and Pillow's upper 8 bits."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from srscope.images.png16 import decode_png16, is_png16_colour
from support import pngs

CHANNELS = {2: 3, 4: 2, 6: 4}


def values(channels: int, *, height: int = 7, width: int = 5) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 65536, (height, width, channels), dtype=np.uint16)


@pytest.mark.parametrize("colour", CHANNELS)
@pytest.mark.parametrize("filters", [[0], [1], [2], [3], [4], [4, 1, 3, 0, 2]])
def test_every_filter_and_colour_type(colour: int, filters: list[int]) -> None:
    expected_HWC = values(CHANNELS[colour])
    data = pngs.png16(expected_HWC, colour=colour, filters=filters)
    np.testing.assert_array_equal(decode_png16(data), expected_HWC)


def test_upper_bytes_are_pillows() -> None:
    data = pngs.png16(values(3, height=20, width=31), colour=2, filters=[4, 3, 1])
    with Image.open(io.BytesIO(data)) as image:
        assert is_png16_colour(image)
        np.testing.assert_array_equal(decode_png16(data) >> 8, np.asarray(image))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
def test_narrow_images(size: tuple[int, int]) -> None:
    expected_HWC = values(3, height=size[0], width=size[1])
    data = pngs.png16(expected_HWC, colour=2, filters=[4, 2, 1])
    np.testing.assert_array_equal(decode_png16(data), expected_HWC)


def test_eight_bit_and_grey_files_are_left_to_pillow() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 3)).save(buffer, "PNG")
    with Image.open(buffer) as image:
        assert not is_png16_colour(image)
    with pytest.raises(ValueError, match="not a 16-bit colour PNG"):
        decode_png16(buffer.getvalue())
    with Image.open(io.BytesIO(pngs.png16(values(1), colour=0, filters=[0]))) as image:
        assert not is_png16_colour(image)


def test_damage_is_noticed() -> None:
    good = pngs.png16(values(3), colour=2, filters=[0])
    start, idat = pngs.SIGNATURE, good.index(b"IDAT")
    head = start + pngs.header(5, 7, depth=16, colour=2)

    with pytest.raises(ValueError, match="no PNG signature"):
        decode_png16(b"x" + good)
    with pytest.raises(ValueError, match="checksum of PNG chunk IDAT is wrong"):
        decode_png16(good[: idat + 9] + bytes([good[idat + 9] ^ 1]) + good[idat + 10 :])
    with pytest.raises(ValueError, match="without header or data"):
        decode_png16(head)
    with pytest.raises(ValueError, match="broken PNG data"):
        decode_png16(head + pngs.chunk(b"IDAT", b"rubbish"))
    short = zlib.compress(bytes(10))
    with pytest.raises(ValueError, match="ends too early"):
        decode_png16(head + pngs.chunk(b"IDAT", short))
    with pytest.raises(ValueError, match="ends too early"):
        decode_png16(good[:-40])
    unknown = zlib.compress(struct.pack("31B", 9, *[0] * 30) * 7)
    with pytest.raises(ValueError, match="unknown PNG filter"):
        decode_png16(head + pngs.chunk(b"IDAT", unknown))
