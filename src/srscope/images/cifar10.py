"""CIFAR-10's images, by torchvision, which checks the hash of every file before it reads it.

Suffixes: N images, H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DownloadError, ParameterError
from srscope.images.record import Contents


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


def read_test_images(folder: Path, *, per_class: int = 100) -> ClassImages:
    """Read the first images of each class from CIFAR-10's test batch.

    Args:
        folder: Holds ``cifar-10-batches-py``, the unpacked archive.
        per_class: Images of each class, 1 to 1,000.

    Returns:
        ``10 * per_class`` images, class by class, each class in the order of the archive.

    Raises:
        DownloadError: If a file is missing or not the published one.
        ParameterError: If ``per_class`` is out of range.
    """
    if not 1 <= per_class <= 1000:
        raise ParameterError("per_class", "between 1 and 1000", per_class)
    read = _read(folder, train=False)
    picks_N = np.concatenate(
        [np.flatnonzero(read.labels_N == k)[:per_class] for k in range(len(read.classes))]
    )
    labels_N = read.labels_N[picks_N]
    names = tuple(
        f"{read.classes[label]}#{number % per_class + 1}" for number, label in enumerate(labels_N)
    )
    contents = Contents(
        crops_NHW3=read.levels_NHW3[picks_N].astype(np.float32) / np.float32(255),
        names=names,
        photographs=tuple(f"test_batch {pick}" for pick in picks_N),
        source="CIFAR-10 test images",
        skipped=(),
        margin=0,
        requested=len(names),
    )
    return ClassImages(contents=contents, labels_N=labels_N, classes=read.classes)


def read_training_images(folder: Path) -> ClassLevels:
    """Read CIFAR-10's five training batches, 50,000 images, in the order of the batches.

    Args:
        folder: Holds ``cifar-10-batches-py``, the unpacked archive.

    Raises:
        DownloadError: If a file is missing or not the published one.
    """
    return _read(folder, train=True)


def _read(folder: Path, *, train: bool) -> ClassLevels:
    from torchvision.datasets import CIFAR10

    try:
        data = CIFAR10(str(folder), train=train)
    except RuntimeError as error:
        problem = f"{folder} does not hold CIFAR-10's published files"
        raise DownloadError(f"{problem}; delete it and run again") from error
    return ClassLevels(
        levels_NHW3=np.ascontiguousarray(data.data),
        labels_N=np.array(data.targets, dtype=np.int64),
        classes=tuple(data.classes),
    )
