"""Whole photographs as patches: every pixel is covered, one photograph in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srscope.errors import ImageError, ParameterError
from srscope.images.folder import load_folder
from srscope.images.patches import cut_patches
from srscope.images.record import Photograph, PhotoSet
from srscope.images.sources import load_photographs
from support.tiny import photographs


def photo(height: int, width: int, name: str = "a", start: int = 0) -> Photograph:
    values = np.arange(start, start + height * width * 3, dtype=np.float32)
    return Photograph(name=name, pixels_HW3=values.reshape(height, width, 3))


@settings(max_examples=30, deadline=None)
@given(height=st.integers(4, 30), width=st.integers(4, 30), patch=st.integers(1, 4))
def test_patches_cover_every_pixel_and_lie_inside(height: int, width: int, patch: int) -> None:
    whole = photo(height, width)
    patches = cut_patches(PhotoSet(photographs=(whole,), source="x"), patch=patch)
    covered = np.full((height, width, 3), -1.0, np.float32)
    for (top, left), each in zip(patches.place_N2, patches[:], strict=True):
        covered[top : top + patch, left : left + patch] = each.transpose(1, 2, 0)
    np.testing.assert_array_equal(covered, whole.pixels_HW3)
    assert len(patches) == -(-height // patch) * -(-width // patch)  # no more than are needed


def test_a_range_may_span_photographs(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "in", count=3, size=(40, 36))
    patches = cut_patches(load_folder(folder), patch=16)
    assert len(patches) == 27
    assert np.bincount(patches.photograph_N).tolist() == [9, 9, 9]
    np.testing.assert_array_equal(
        np.concatenate([patches[i : i + 4] for i in range(0, 27, 4)]), patches[:]
    )
    assert patches[:].dtype == np.float32
    assert len(patches._decoded) == 1


def test_what_gives_no_patch_is_told(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "in", count=3, size=(40, 36))
    photographs(tmp_path / "small", count=1, size=(40, 10))
    (tmp_path / "small" / "photo-0.png").rename(folder / "small.png")
    damaged = folder / "photo-1.png"
    damaged.write_bytes(damaged.read_bytes()[:-200])
    patches = cut_patches(load_folder(folder), patch=16)
    assert [each.name for each in patches.photographs] == ["photo-0.png", "photo-2.png"]
    assert [name for name, _ in patches.skipped] == ["photo-1.png", "small.png"]
    assert patches.skipped[1][1] == "40x10 is smaller than 16x16"
    with pytest.raises(ImageError, match=r"no photograph can be used; the last: small\.png"):
        cut_patches(load_folder(folder), patch=64)
    with pytest.raises(ParameterError, match="patch must be 1 pixel or more"):
        cut_patches(load_folder(folder), patch=0)


def test_one_file_is_a_photograph_and_a_changed_one_is_noticed(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "in", count=1, size=(40, 36))
    patches = cut_patches(load_photographs(folder / "photo-0.png"), patch=16)
    assert len(patches) == 9
    photographs(folder, count=1, size=(24, 24))
    with pytest.raises(ImageError, match=r"photo-0\.png: has changed"):
        _ = patches[:2]


def test_equal_photographs_give_patches_once() -> None:
    twins = [photo(16, 16, "a"), photo(16, 16, "b"), photo(16, 16, "c", start=1)]
    patches = cut_patches(PhotoSet(photographs=tuple(twins), source="x"), patch=16)
    assert [each.name for each in patches.photographs] == ["a", "c"]
    assert patches.skipped == (("b", "is the same picture as a"),)
