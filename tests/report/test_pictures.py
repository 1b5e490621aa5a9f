from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from srscope.report.pictures import Sprite, picture, sprite


def noise(count: int, height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def opened(uri: str) -> NDArray[np.uint8]:
    data = base64.b64decode(uri.partition("base64,")[2])
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def tile(sheet: Sprite, index: int) -> NDArray[np.uint8]:
    row, column = divmod(index, sheet.columns)
    top, left = row * sheet.height, column * sheet.width
    return opened(sheet.uri)[top : top + sheet.height, left : left + sheet.width]


@pytest.mark.parametrize("shape", [(1, 8, 8), (7, 8, 12), (30, 16, 5)])
def test_every_patch_stands_unchanged_at_its_place(shape: tuple[int, int, int]) -> None:
    patches_NHW3 = noise(*shape)
    sheet = sprite(patches_NHW3)
    assert sheet.lossless
    for index in range(len(patches_NHW3)):
        np.testing.assert_array_equal(tile(sheet, index), patches_NHW3[index])


def test_a_large_sheet_is_compressed_to_the_limit() -> None:
    patches_NHW3 = noise(50, 32, 32)
    whole = sprite(patches_NHW3)
    lossy = sprite(patches_NHW3, limit=90_000)
    smaller = sprite(patches_NHW3, limit=12_000)
    assert whole.lossless
    assert not lossy.lossless
    assert (lossy.height, lossy.width) == (32, 32)
    assert (smaller.height, smaller.width) == (16, 16)
    assert len(base64.b64decode(smaller.uri.partition(",")[2])) <= 12_000
    # The same picture still: a smaller one has the colours of what it stands for.
    mean = patches_NHW3[49].mean()
    assert abs(tile(smaller, 49).mean() - mean) < 12


def test_an_impossible_limit_still_ends() -> None:
    sheet = sprite(noise(4, 8, 8), limit=1)
    assert min(sheet.height, sheet.width) < 4


def test_a_picture_is_lossless() -> None:
    patch_HW3 = noise(1, 9, 7)[0]
    uri = picture(patch_HW3)
    assert uri.startswith("data:image/png;base64,")
    np.testing.assert_array_equal(opened(uri), patch_HW3)
