"""Turning pictures upright, keeping C libraries quiet, and sizes; errors are in test_io."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from srscope.errors import ImageError
from srscope.images.opening import check_size, is_tiff, quiet, reading, turned
from support.pictures import upright


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_as_the_orientation_says(orientation: int) -> None:
    stored_HWC = np.arange(2 * 3 * 2).reshape(2, 3, 2)
    np.testing.assert_array_equal(turned(stored_HWC, orientation), upright(stored_HWC, orientation))


def test_nothing_reaches_stderr_from_any_thread(capfd: pytest.CaptureFixture[str]) -> None:
    def told(number: int) -> None:
        with quiet():
            os.write(2, f"{number}".encode())

    with quiet(), ThreadPoolExecutor(4) as pool:
        list(pool.map(told, range(20)))
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_sizes(tmp_path: Path) -> None:
    check_size(tmp_path, 10_000, 10_000)
    for size, match in (((0, 5), "it has no pixels"), ((10_000, 10_001), "has 10001x10000 pixels")):
        with pytest.raises(ImageError, match=match):
            check_size(tmp_path, *size)


def test_what_a_decoder_does_not_support_is_not_called_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x")

    def read(error: Exception) -> None:
        with reading(path) as head:
            assert head == b"x"
            raise error

    with pytest.raises(ImageError, match="a kind that is not read: Unsupported x; save it as PNG"):
        read(OSError("Unsupported x"))
    with pytest.raises(ImageError, match=r"is damaged: broken$"):
        read(RuntimeError("broken"))


def test_tiff_is_told_by_its_first_bytes() -> None:
    for head in (b"II*\0", b"MM\0*", b"II+\0\x08", b"MM\0+\0"):
        assert is_tiff(head)
    assert not is_tiff(b"II*")
