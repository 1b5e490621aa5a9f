"""Digits on photographs: sheets that stay apart, 100 a class, the blend, the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from srscope.errors import ImageError, ParameterError
from srscope.images.digits import (
    DIGIT,
    SHEET_STARTS,
    SIDE,
    TEST_SHEETS,
    WANDER,
    PatchPool,
    blend,
    digits_test,
    enlarge,
    held_out_digits,
    training_digits,
)
from srscope.images.folder import load_folder
from srscope.images.io import write_image
from support.pictures import make_photos, picture_HW3

PHOTOS = make_photos(("a.png", 140, 180), ("b.png", 200, 128), ("tiny.png", 127, 300))


def sheet_of(rows_N: np.ndarray) -> np.ndarray:
    return np.searchsorted(SHEET_STARTS, rows_N, side="right") - 1


def test_no_sheet_is_on_both_sides_and_no_digit_is_lost() -> None:
    test, training = held_out_digits(), training_digits()
    assert set(sheet_of(test.rows_N)) == set(TEST_SHEETS)
    assert not set(sheet_of(test.rows_N)) & set(sheet_of(training.rows_N))
    together = np.concatenate([test.rows_N, training.rows_N])
    assert sorted(together) == list(range(1797))
    assert (len(test.rows_N), len(training.rows_N)) == (1027, 770)
    assert np.bincount(test.labels_N).min() >= 100


def test_every_sheet_begins_the_same_text() -> None:
    parts = (held_out_digits(), training_digits())
    labels = dict(zip(*(np.concatenate([getattr(p, name) for p in parts]).tolist()
                        for name in ("rows_N", "labels_N")), strict=True))  # fmt: skip
    for sheet, start in enumerate(SHEET_STARTS):
        first = 1 if sheet == 7 else 0  # one lacks its first 0
        assert [labels[start + n] for n in range(10 - first)] == list(range(first, 10)), sheet
        end = [*SHEET_STARTS[1:], 1797][sheet]
        assert 120 <= end - start <= 130


def test_sheets_hold_handwritings() -> None:
    """The nearest neighbour is on the same sheet far more often than by chance."""
    parts = (held_out_digits(), training_digits())
    ink_NP = np.concatenate([part.ink_N88.reshape(-1, 64) for part in parts])
    sheet_N = sheet_of(np.concatenate([part.rows_N for part in parts]))
    square_N = (ink_NP**2).sum(1)
    distance_NN = square_N[:, None] + square_N - 2 * ink_NP @ ink_NP.T
    np.fill_diagonal(distance_NN, np.inf)
    same_N = sheet_N[distance_NN.argmin(1)] == sheet_N
    assert all(same_N[sheet_N == sheet].mean() > 0.35 for sheet in range(14))


def test_enlarged_digits_are_smooth_centred_and_in_range() -> None:
    ink_N88 = np.zeros((2, 8, 8), dtype=np.float32)
    ink_N88[0] = 1
    ink_N88[1, 3:5, 3:5] = 1
    large_NHW = enlarge(ink_N88)
    assert large_NHW.shape == (2, SIDE, SIDE)
    assert large_NHW.dtype == np.float32
    assert large_NHW.min() == 0
    assert large_NHW.max() == 1
    edge = (SIDE - DIGIT) // 2
    assert not large_NHW[:, :edge].any()
    assert not large_NHW[:, :, -edge:].any()
    assert large_NHW[0, 8:24, 8:24].min() > 0.9
    np.testing.assert_allclose(large_NHW[1], large_NHW[1, ::-1, ::-1], atol=1e-6)
    assert np.abs(np.diff(large_NHW[1], axis=0)).max() < 0.6  # no staircase of 3 px


def test_blend_inverts_where_there_is_ink() -> None:
    patches_NHW3 = np.full((1, 2, 1, 3), 0.25, dtype=np.float32)
    ink_NHW = np.array([[[0.0], [1.0]]], dtype=np.float32)
    np.testing.assert_allclose(blend(patches_NHW3, ink_NHW)[0, :, 0, 0], [0.25, 0.75])


def test_patches_are_cut_where_they_should_be() -> None:
    pool = PatchPool.of(PHOTOS)
    assert pool.names == ("a.png", "b.png")
    pixels_HW3 = PHOTOS.photographs[1].pixels_HW3
    reduced_HW3 = pixels_HW3.reshape(50, 4, 32, 4, 3).mean((1, 3)) * 255
    where = np.array([[0.0, 0.5], [0.9999, 0.0], [10.5 / 19, 0.0]])
    patches_NHW3 = pool.cut(np.array([1, 1, 1]), where)
    for patch_HW3, top in zip(patches_NHW3, (0, 18, 10), strict=True):
        assert np.abs(patch_HW3 - reduced_HW3[top : top + SIDE]).max() <= 0.5 + 1e-3
    other_HW3 = PHOTOS.photographs[0].pixels_HW3.reshape(35, 4, 45, 4, 3).mean((1, 3)) * 255
    corner_HW3 = pool.cut(np.array([0]), np.array([[0.9999, 0.9999]]))[0]
    assert np.abs(corner_HW3 - other_HW3[-SIDE:, -SIDE:]).max() <= 0.5 + 1e-3


def test_photographs_too_small_for_a_patch_are_named() -> None:
    with pytest.raises(ImageError, match="no photograph is as large as 128x128 pixels; give larg"):
        PatchPool.of(make_photos(("tiny.png", 127, 300)))


def test_damaged_photographs_are_left_out_and_named(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_image(tmp_path / name, picture_HW3(128, 128))
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:-2000])
    pool = PatchPool.of(load_folder(tmp_path))
    assert pool.names == ("a.png",)
    ((name, reason),) = pool.skipped
    assert name == "b.png"
    assert reason.startswith("is damaged: ")
    (tmp_path / "a.png").write_bytes((tmp_path / "b.png").read_bytes())
    with pytest.raises(ImageError, match="no photograph can be read; the last"):
        PatchPool.of(load_folder(tmp_path))


def test_the_test_set_is_whole_and_the_same_every_time() -> None:
    images = digits_test(photos=PHOTOS)
    assert np.bincount(images.labels_N).tolist() == [100] * 10
    assert (np.diff(images.labels_N) >= 0).all()
    contents = images.contents
    assert contents.crops_NHW3.shape == (1000, SIDE, SIDE, 3)
    levels = contents.crops_NHW3 * 255
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
    assert set(contents.photographs) == {"a.png", "b.png"}
    assert abs(contents.photographs.count("a.png") - 500) <= 1
    rows = [int(name.split("#")[1]) for name in contents.names]
    assert len(set(rows)) == 1000
    assert set(rows) <= set(held_out_digits().rows_N.tolist())
    assert [int(name.split("#")[0]) for name in contents.names] == images.labels_N.tolist()
    again = digits_test(photos=PHOTOS)
    np.testing.assert_array_equal(again.contents.crops_NHW3, contents.crops_NHW3)
    other = digits_test(photos=PHOTOS, seed=1)
    assert not np.array_equal(other.contents.crops_NHW3, contents.crops_NHW3)


def test_an_image_is_its_digit_on_its_patch() -> None:
    flat = make_photos(("flat.png", 128, 128))
    flat.photographs[0].pixels_HW3[:] = 0.0
    images = digits_test(per_class=2, photos=flat)
    digits = held_out_digits()
    for name, crop_HW3 in zip(images.contents.names, images.contents.crops_NHW3, strict=True):
        row = int(name.split("#")[1])
        ink_HW = enlarge(digits.ink_N88[digits.rows_N == row])[0]
        shifts = [(y, x) for y in range(-WANDER, WANDER + 1) for x in range(-WANDER, WANDER + 1)]
        nearest = min(np.abs(np.roll(ink_HW, by, (0, 1)) - crop_HW3[..., 0]).max() for by in shifts)
        assert nearest <= 0.5 / 255 + 1e-6


def test_the_default_photographs_are_the_bundled_ones() -> None:
    images = digits_test(per_class=1)
    assert images.contents.source == "handwritten digits on bundled test photographs"
    assert len(set(images.contents.photographs)) == 10


@pytest.mark.parametrize("wrong", [0, 101])
def test_number_of_images(wrong: int) -> None:
    with pytest.raises(ParameterError, match="per_class must be between 1 and 100, but is"):
        digits_test(per_class=wrong, photos=PHOTOS)
