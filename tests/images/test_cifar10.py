"""CIFAR-10's images: the right ones in the right order, and nothing of files that were changed."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from srscope.errors import DownloadError, ParameterError
from srscope.images.cifar10 import read_test_images, read_training_images
from support import cifar


def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **batches: object) -> Path:
    archive = cifar.write_archive(tmp_path / "a.tar.gz", monkeypatch, **batches)
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "out", filter="data")
    return tmp_path / "out"


def test_first_images_of_each_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = read_test_images(unpacked(tmp_path, monkeypatch), per_class=2)
    assert images.labels_N.tolist() == [label for label in range(10) for _ in range(2)]
    assert images.labels_N.dtype == np.int64
    assert images.classes == cifar.CLASSES
    assert images.contents.names[:3] == ("airplane#1", "airplane#2", "automobile#1")
    assert images.contents.photographs[:3] == ("test_batch 0", "test_batch 10", "test_batch 1")
    assert images.contents.margin == 0
    crops_NHW3 = images.contents.crops_NHW3
    assert crops_NHW3.shape == (20, 32, 32, 3)
    assert crops_NHW3.dtype == np.float32
    # Row 10 of the batch: red, green, blue planes of 32 rows each.
    second = cifar.batch(3)["data"][10]
    assert crops_NHW3[1, 4, 7, 2] == np.float32(second[2 * 1024 + 4 * 32 + 7]) / np.float32(255)


def test_training_images_are_all_five_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = unpacked(tmp_path, monkeypatch, training=(1, 2, 1, 1, 3))
    images = read_training_images(folder)
    assert images.classes == cifar.CLASSES
    assert images.labels_N.tolist() == [*range(10)] * 8
    assert images.levels_NHW3.shape == (80, 32, 32, 3)
    assert images.levels_NHW3.dtype == np.uint8
    # The second image of the last batch, its blue plane.
    assert images.levels_NHW3[51, 4, 7, 2] == cifar.batch(3)["data"][1][2 * 1024 + 4 * 32 + 7]


@pytest.mark.parametrize("name", ["data_batch_3", "batches.meta"])
def test_files_that_were_changed_or_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = unpacked(tmp_path, monkeypatch)
    file = folder / cifar.ROOT / name
    file.write_bytes(file.read_bytes() + b"x")
    message = r"out does not hold CIFAR-10's published files; delete it and run again"
    with pytest.raises(DownloadError, match=message):
        read_test_images(folder)
    file.unlink()
    with pytest.raises(DownloadError, match=message):
        read_training_images(folder)


def test_number_of_images(tmp_path: Path) -> None:
    for wrong in (0, 1001):
        with pytest.raises(ParameterError, match="per_class must be between 1 and 1000"):
            read_test_images(tmp_path, per_class=wrong)
