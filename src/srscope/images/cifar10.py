"""CIFAR-10's images, read from the published archive without trusting it.

The archive holds pickles, and unpickling can run any program; here nothing but arrays can come
out. Suffixes: N images, H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

import io
import pickle
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DownloadError, ParameterError
from srscope.images.record import Contents

CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
_SIDE = 32
_TEST_BATCHES = ("cifar-10-batches-py/test_batch",)
_TRAINING_BATCHES = tuple(f"cifar-10-batches-py/data_batch_{n}" for n in range(1, 6))
# The published batch has 31 MB; a forged one shall not fill the memory.
_MOST_BYTES = 64_000_000
# What reading a broken or forged archive raises.
_DAMAGE = (
    tarfile.TarError,
    zlib.error,
    pickle.UnpicklingError,
    EOFError,
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassImages:
    """Images with a class each.

    Args:
        contents: The images, without margin.
        labels_N: Index into ``classes``.
        classes: Names of the classes.
    """

    contents: Contents
    labels_N: NDArray[np.int64]
    classes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassLevels:
    """Many images with a class each, as bytes: what a network is trained on.

    Args:
        levels_NHW3: RGB in levels of 0-255.
        labels_N: Index into ``classes``.
        classes: Names of the classes.
    """

    levels_NHW3: NDArray[np.uint8]
    labels_N: NDArray[np.int64]
    classes: tuple[str, ...]


class _ArrayUnpickler(pickle.Unpickler):
    """An unpickler that makes plain NumPy arrays and built-in containers, nothing else."""

    # Under the old and the new name of the module that NumPy's arrays are rebuilt by.
    _ALLOWED: dict[tuple[str, str], Any] = {  # noqa: RUF012
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
        ("numpy._core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    }

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Return an allowed name; refuse every other."""
        try:
            return self._ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"{module_name}.{global_name} has no place in it"
            ) from None


def read_test_images(archive: Path, *, per_class: int = 100) -> ClassImages:
    """Read the first images of each class from CIFAR-10's test batch.

    Args:
        archive: ``cifar-10-python.tar.gz``.
        per_class: Images of each class, 1 to 1,000.

    Returns:
        ``10 * per_class`` images, class by class, each class in the order of the archive.

    Raises:
        DownloadError: If the archive is not CIFAR-10's, or is damaged.
        ParameterError: If ``per_class`` is out of range.
    """
    if not 1 <= per_class <= 1000:
        raise ParameterError("per_class", "between 1 and 1000", per_class)
    levels_NHW3, labels_N = _read_batches(archive, _TEST_BATCHES)
    chosen: list[NDArray[np.intp]] = []
    for label in range(len(CLASSES)):
        of_class = np.flatnonzero(labels_N == label)[:per_class]
        if len(of_class) < per_class:
            raise DownloadError(
                f"{archive} has only {len(of_class)} images of class {CLASSES[label]}"
            )
        chosen.append(of_class)
    picks_N = np.concatenate(chosen)
    levels_NHW3 = levels_NHW3[picks_N]
    labels_N = labels_N[picks_N]
    names = tuple(
        f"{CLASSES[label]}#{number % per_class + 1}" for number, label in enumerate(labels_N)
    )
    contents = Contents(
        crops_NHW3=levels_NHW3.astype(np.float32) / np.float32(255),
        names=names,
        photographs=tuple(f"test_batch {pick}" for pick in picks_N),
        source="CIFAR-10 test images",
        skipped=(),
        margin=0,
        requested=len(names),
    )
    return ClassImages(contents=contents, labels_N=labels_N, classes=CLASSES)


def read_training_images(archive: Path) -> ClassLevels:
    """Read CIFAR-10's five training batches, 50,000 images.

    Args:
        archive: ``cifar-10-python.tar.gz``.

    Returns:
        All of them, in the order of the batches.

    Raises:
        DownloadError: If the archive is not CIFAR-10's, or is damaged.
    """
    levels_NHW3, labels_N = _read_batches(archive, _TRAINING_BATCHES)
    if not ((labels_N >= 0) & (labels_N < len(CLASSES))).all():
        raise DownloadError(f"{archive} has images of classes beyond its {len(CLASSES)}")
    return ClassLevels(levels_NHW3=levels_NHW3, labels_N=labels_N, classes=CLASSES)


def _read_batches(
    archive: Path, names: Sequence[str]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the images (N, 32, 32, 3) and labels of the batches, one after the other."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            batches = [_read_batch(tar, name) for name in names]
    except _DAMAGE as error:
        raise DownloadError(
            f"{archive} is not CIFAR-10's Python archive: {error}; delete it and run again"
        ) from error
    pixels_NP = np.concatenate([pixels for pixels, _ in batches])
    levels_NHW3 = pixels_NP.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(levels_NHW3), np.concatenate([labels for _, labels in batches])


def _read_batch(tar: tarfile.TarFile, name: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return one batch's pixels (N, 3072), channel by channel, and labels."""
    member = tar.extractfile(name)
    if member is None:
        raise ValueError(f"{name} is no file")
    data = member.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"{name} has more than {_MOST_BYTES:,} bytes")
    batch = _ArrayUnpickler(io.BytesIO(data), encoding="bytes").load()
    pixels_NP = batch[b"data"]
    labels_N = np.asarray(batch[b"labels"], dtype=np.int64)
    if (
        not isinstance(pixels_NP, np.ndarray)
        or pixels_NP.dtype != np.uint8
        or pixels_NP.shape != (len(labels_N), 3 * _SIDE * _SIDE)
    ):
        raise ValueError("its images are not 32x32 RGB")
    return pixels_NP, labels_N
