"""CIFAR-10's archive: the right images, and nothing but arrays out of a pickle."""

from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from srscope.errors import DownloadError, ParameterError
from srscope.images import cifar10
from srscope.images.cifar10 import CLASSES, read_test_images, read_training_images
from support import cifar


def test_first_images_of_each_class(tmp_path: Path) -> None:
    batch = cifar.batch(per_class=3)
    archive = cifar.write_archive(tmp_path / "a.tar.gz", cifar.pickled(batch))
    images = read_test_images(archive, per_class=2)
    assert images.labels_N.tolist() == [label for label in range(10) for _ in range(2)]
    assert images.classes == CLASSES
    assert images.contents.names[:3] == ("airplane#1", "airplane#2", "automobile#1")
    assert images.contents.photographs[:3] == ("test_batch 0", "test_batch 10", "test_batch 1")
    assert images.contents.margin == 0
    crops_NHW3 = images.contents.crops_NHW3
    assert crops_NHW3.shape == (20, 32, 32, 3)
    assert crops_NHW3.dtype == np.float32
    # Row 10 of the batch: red, green, blue planes of 32 rows each.
    second = batch[b"data"][10]
    assert crops_NHW3[1, 4, 7, 2] == np.float32(second[2 * 1024 + 4 * 32 + 7]) / np.float32(255)


def test_reads_what_python_2_wrote(tmp_path: Path) -> None:
    """The published file: protocol 2, byte strings as Python 2's str, NumPy's old module name."""

    def text(value: bytes) -> bytes:
        return b"T" + struct.pack("<I", len(value)) + value

    count = 10
    pixels = np.arange(count * 3072, dtype=np.uint64).astype(np.uint8)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85" + text(b"b") + b"tR"
        b"(K\x01K\x0aM\x00\x0c\x86cnumpy\ndtype\n(" + text(b"u1") + b"K\x00K\x01tR"
        b"(K\x03" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + text(pixels.tobytes()) + b"tb"
    )  # fmt: skip
    labels = b"](" + b"".join(bytes([ord("K"), i]) for i in range(count)) + b"e"
    data = b"\x80\x02}(" + text(b"data") + array + text(b"labels") + labels + b"u."
    archive = cifar.write_archive(tmp_path / "a.tar.gz", data)
    images = read_test_images(archive, per_class=1)
    levels = np.rint(images.contents.crops_NHW3 * 255).astype(np.uint8)
    expected = pixels.reshape(10, 3, 32, 32).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(levels, expected)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("pwned",)


@pytest.mark.parametrize("place", ["whole", "inside"])
def test_pickle_that_would_run_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    content = Evil() if place == "whole" else cifar.batch() | {b"labels": Evil()}
    data = cifar.pickled(content)
    archive = cifar.write_archive(tmp_path / "a.tar.gz", data)
    with pytest.raises(
        DownloadError, match=r"not CIFAR-10's Python archive: posix\.mkdir has no place in it; del"
    ):
        read_test_images(archive)
    assert not (tmp_path / "pwned").exists()
    pickle.loads(data)  # the attack works where nothing stops it
    assert (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "content",
    [
        ["a", "list"],
        {},
        7,
        cifar.batch() | {b"data": np.zeros((30, 7), np.uint8)},
        cifar.batch() | {b"data": np.zeros((30, 3072), np.float32)},
        cifar.batch() | {b"labels": [1, 2]},
        cifar.batch() | {b"labels": ["x"] * 30},
    ],
)
def test_other_content(tmp_path: Path, content: object) -> None:
    archive = cifar.write_archive(tmp_path / "a.tar.gz", cifar.pickled(content))
    with pytest.raises(DownloadError, match=r"is not CIFAR-10's Python archive: .*; delete it and"):
        read_test_images(archive, per_class=1)


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x04", b"\x80\x04K", b"x", b"\x80\x04\x8e" + b"\xff" * 8, b"0."]
)
def test_broken_pickles(tmp_path: Path, data: bytes) -> None:
    archive = cifar.write_archive(tmp_path / "a.tar.gz", data)
    with pytest.raises(DownloadError, match="is not CIFAR-10's Python archive"):
        read_test_images(archive)


def test_other_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "a.tar.gz"
    with pytest.raises(DownloadError, match="is not CIFAR-10's Python archive"):
        read_test_images(archive)
    archive.write_bytes(b"no archive")
    with pytest.raises(DownloadError, match="is not CIFAR-10's Python archive"):
        read_test_images(archive)
    cifar.write_archive(archive, cifar.pickled(cifar.batch()), member="elsewhere/test_batch")
    with pytest.raises(DownloadError, match="'cifar-10-batches-py/test_batch' not found"):
        read_test_images(archive)
    cifar.write_archive(archive, cifar.pickled(cifar.batch()))
    monkeypatch.setattr(cifar10, "_MOST_BYTES", 1000)
    with pytest.raises(DownloadError, match="test_batch has more than 1,000 bytes"):
        read_test_images(archive)
    archive.write_bytes(archive.read_bytes()[:5000])
    monkeypatch.undo()
    with pytest.raises(DownloadError, match="is not CIFAR-10's Python archive"):
        read_test_images(archive)


def test_number_of_images(tmp_path: Path) -> None:
    archive = cifar.write_archive(tmp_path / "a.tar.gz", cifar.pickled(cifar.batch(per_class=2)))
    for wrong in (0, 1001):
        with pytest.raises(ParameterError, match="per_class must be between 1 and 1000"):
            read_test_images(archive, per_class=wrong)
    with pytest.raises(DownloadError, match="has only 2 images of class airplane"):
        read_test_images(archive, per_class=3)


def test_training_images_are_all_five_batches(tmp_path: Path) -> None:
    batches = [cifar.batch(per_class=n) for n in (1, 2, 1, 1, 3)]
    members = {
        f"cifar-10-batches-py/data_batch_{n}": cifar.pickled(batch)
        for n, batch in enumerate(batches, start=1)
    }
    archive = cifar.write_members(tmp_path / "a.tar.gz", members)
    images = read_training_images(archive)
    assert images.classes == CLASSES
    assert images.labels_N.tolist() == [*range(10)] * 8
    assert images.levels_NHW3.shape == (80, 32, 32, 3)
    assert images.levels_NHW3.dtype == np.uint8
    # The second image of the last batch, its blue plane.
    assert images.levels_NHW3[51, 4, 7, 2] == batches[4][b"data"][1][2 * 1024 + 4 * 32 + 7]
    del members["cifar-10-batches-py/data_batch_5"]
    archive = cifar.write_members(tmp_path / "b.tar.gz", members)
    with pytest.raises(DownloadError, match="'cifar-10-batches-py/data_batch_5' not found"):
        read_training_images(archive)


def test_training_images_of_unknown_classes(tmp_path: Path) -> None:
    wrong = cifar.batch() | {b"labels": [10] * 30}
    members = {f"cifar-10-batches-py/data_batch_{n}": cifar.pickled(wrong) for n in range(1, 6)}
    archive = cifar.write_members(tmp_path / "a.tar.gz", members)
    with pytest.raises(DownloadError, match="has images of classes beyond its 10"):
        read_training_images(archive)
