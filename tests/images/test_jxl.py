"""JPEG XL: sizes from the header, depths, channels, and what is refused."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from srscope.errors import ImageError
from srscope.images import opening
from srscope.images.io import read_image, read_size
from srscope.images.jxl import _Bits, _header
from srscope.images.picture import read_picture


def written(folder: Path, values: np.ndarray, **options: object) -> Path:
    path = folder / "a.jxl"
    path.write_bytes(imagecodecs.jpegxl_encode(values, lossless=True, **options))
    return path


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("container", [False, True])
def test_depths_and_channels(tmp_path: Path, channels: int, bits: int, *, container: bool) -> None:
    kind = np.uint16 if bits > 8 else np.uint8
    values_HWC = np.random.default_rng(0).integers(0, 2**bits, (9, 13, channels)).astype(kind)
    values_HWC[0, 0] = 2**bits - 1
    path = written(tmp_path, values_HWC, bitspersample=bits, usecontainer=container)
    picture = read_picture(path)
    assert picture.bits == (16 if bits > 8 else 8)
    np.testing.assert_allclose(picture.pixels_HWC, values_HWC / (2**bits - 1), atol=1e-7)


@pytest.mark.parametrize(
    "size", [(1, 1), (8, 8), (16, 24), (300, 200), (257, 257), (64, 48), (9, 2000), (320, 400)]
)
def test_sizes_are_read_from_the_header(tmp_path: Path, size: tuple[int, int]) -> None:
    path = written(tmp_path, np.zeros(size, np.uint8))
    assert read_size(path) == size
    path.write_bytes(path.read_bytes()[:12])  # nothing but the header is needed
    assert read_size(path) == size


def test_floats(tmp_path: Path) -> None:
    values_HW3 = np.random.default_rng(0).uniform(0, 1, (9, 13, 3)).astype(np.float32)
    np.testing.assert_allclose(read_image(written(tmp_path, values_HW3)), values_HW3, atol=1e-6)
    with pytest.raises(ImageError, match=r"outside \[0, 1\]; scale them first, or convert"):
        read_image(written(tmp_path, values_HW3 * 2))


def test_the_header_tells_how_a_picture_is_turned(tmp_path: Path) -> None:
    # Not all default (1 bit), extra fields (1), orientation 6 (3), no size, preview or animation
    # (3), whole numbers (1), 8 bits (2).
    fields = [(1, 1), (0, 5), (0, 3), (1, 5), (0, 1), (1, 1), (5, 3), (0, 3), (0, 1), (0, 2)]
    number, place = 0, 0
    for value, count in fields:
        number |= value << place
        place += count
    path = tmp_path / "a.jxl"
    path.write_bytes(b"\xff\x0a" + number.to_bytes(40, "little"))
    assert read_size(path) == (16, 8)
    animated = number | 1 << (1 + 5 + 3 + 5 + 1 + 1 + 3 + 2)
    path.write_bytes(b"\xff\x0a" + animated.to_bytes(40, "little"))
    with pytest.raises(ImageError, match="is a JPEG XL animation or has a preview; convert it to"):
        read_size(path)


def test_numbers_of_few_bits() -> None:
    bits = _Bits(bytes([0b11010011, 0b1]))
    assert [bits.take(2), bits.take(3), bits.take(4)] == [0b11, 0b100, 0b1110]


def test_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, np.zeros((64, 48, 3), np.uint8), usecontainer=True)
    whole = path.read_bytes()
    for spoilt in (whole[:-9], whole[:30], whole.replace(b"jxlc\xff\x0a", b"jxlc\xff\x0b")):
        path.write_bytes(spoilt)
        with pytest.raises(ImageError, match="is damaged"):
            read_image(path)
    path.write_bytes(whole)
    assert _header(path).bits == 8
    monkeypatch.setattr(opening, "MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(ImageError, match="has 48x64 pixels, more than the"):
        read_image(path)
