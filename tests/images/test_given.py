"""Arrays, tensors and PIL images in every layout become the same pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from srscope.errors import ParameterError
from srscope.images.given import as_array, pixels_of

LEVELS_HW3 = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
UNIT_HW3 = LEVELS_HW3.astype(np.float32) / 255
UNIT_3HW = np.ascontiguousarray(UNIT_HW3.transpose(2, 0, 1))


@pytest.mark.parametrize(
    "value",
    [
        LEVELS_HW3,
        UNIT_HW3,
        UNIT_3HW,
        UNIT_HW3.astype(np.float64),
        LEVELS_HW3.astype(np.uint16) * 257,
        torch.from_numpy(UNIT_3HW),
        torch.from_numpy(UNIT_3HW).requires_grad_(),
        torch.from_numpy(LEVELS_HW3),
        Image.fromarray(LEVELS_HW3),
    ],
    ids=["levels", "unit", "first", "double", "16 bits", "tensor", "graph", "bytes", "PIL"],
)
def test_one_image_in_every_form(value: Any) -> None:
    (found,) = pixels_of(value)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, UNIT_HW3, atol=1e-6)


def test_a_batch_is_several_images() -> None:
    assert [each.shape for each in pixels_of(np.zeros((2, 3, 8, 9)))] == [(8, 9, 3)] * 2
    assert [each.shape for each in pixels_of(np.zeros((2, 8, 9, 1)))] == [(8, 9, 1)] * 2


def test_where_both_readings_are_possible_arrays_and_tensors_differ() -> None:
    both = np.zeros((3, 8, 3), np.float32)
    both[0] = 1
    assert pixels_of(both)[0][0].min() == 1
    assert pixels_of(torch.from_numpy(both))[0][..., 0].min() == 1


def test_grey_and_alpha_of_pil_images_are_kept() -> None:
    assert pixels_of(Image.new("L", (4, 3), 51))[0].shape == (3, 4, 1)
    assert pixels_of(Image.new("RGBA", (4, 3)))[0].shape == (3, 4, 4)
    deep = pixels_of(Image.fromarray(np.full((3, 4), 65535, np.uint16)))[0]
    assert float(deep.max()) == 1.0


def test_a_pil_image_is_turned_upright(tmp_path: Any) -> None:
    image = Image.new("RGB", (4, 2))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    with Image.open(tmp_path / "turned.jpg") as turned:
        assert pixels_of(turned)[0].shape == (4, 2, 3)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((5, 5, 7)), r"images must be of shape .* but is \(5, 5, 7\)"),
        (np.zeros((0, 4, 3)), "images must be of shape"),
        (np.full((4, 4, 3), 255.0), r"in \[0, 1\], but is '255 to 255'; divide 8-bit values"),
        (np.full((4, 4, 3), np.nan), r"in \[0, 1\]"),
        (np.zeros((4, 4, 3), np.int64), r"floats in \[0, 1\], uint8 or uint16"),
    ],
)
def test_what_is_no_image_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        pixels_of(value)


def test_half_precision_tensors_and_memory_maps_become_arrays(tmp_path: Any) -> None:
    assert as_array(torch.ones(2, dtype=torch.bfloat16)).dtype == np.float32
    np.save(tmp_path / "x.npy", np.zeros((2, 3), np.float32))
    assert isinstance(as_array(np.load(tmp_path / "x.npy", mmap_mode="r")), np.memmap)
