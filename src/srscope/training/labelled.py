"""Images with classes for training and testing a classifier, from either source.

Suffixes: N images, C channels, H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.errors import ParameterError
from srscope.images.cifar10 import ClassImages, ClassLevels
from srscope.images.digits import PatchPool, digits_test, training_digits
from srscope.images.downloads import cifar10_test, cifar10_training
from srscope.training.data import log_skipped, training_folder
from srscope.training.digits import DigitBatches

PADDING = 4
"""Pixels by which CIFAR-10's images are widened before a window of their size is cut again."""


@dataclass(frozen=True, kw_only=True)
class ClassDataConfig:
    """Where a classifier's images come from.

    Args:
        source: ``digits``, handwritten ones on photographs, or ``cifar10``, downloaded if absent.
        folder: For ``digits``, the folder of training photographs, searched recursively; for
            ``cifar10``, where the archive is kept, empty for the usual place.
        batch_size: Images an iteration, over all devices together.

    Raises:
        ParameterError: If ``batch_size`` is below 1.
    """

    source: Literal["digits", "cifar10"] = "digits"
    folder: str = "data/photos/train"
    batch_size: int = 64

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ParameterError("data.batch_size", "at least 1", self.batch_size)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageBatches:
    """Batches of whole images, each shifted at random and mirrored every other time.

    Args:
        levels_NHW3: The images, widened by ``PADDING`` black pixels on every side.
        labels_N: Their classes.
        batch_size: Images in a global batch.
        seed: The recipe's seed.

    Source: He et al. 2016, section 4.2.
    """

    levels_NHW3: NDArray[np.uint8]
    labels_N: NDArray[np.int64]
    batch_size: int
    seed: int

    @classmethod
    def of(cls, images: ClassLevels, *, batch_size: int, seed: int) -> ImageBatches:
        """Widen the images once, for all iterations."""
        sides = (PADDING, PADDING)
        levels_NHW3 = np.pad(images.levels_NHW3, ((0, 0), sides, sides, (0, 0)))
        return cls(
            levels_NHW3=levels_NHW3, labels_N=images.labels_N, batch_size=batch_size, seed=seed
        )

    def batch(self, iteration: int, *, rank: int = 0, world: int = 1) -> tuple[Tensor, Tensor]:
        """Return the images and labels of one process at one iteration.

        Args:
            iteration: Counted from 0.
            rank: This process, from 0.
            world: Number of processes; each takes an equal, contiguous share of the global batch.

        Returns:
            Float RGB in [0, 1], (N, 3, H, W), and classes, (N,).
        """
        random = np.random.Generator(np.random.Philox(key=[self.seed, iteration]))
        size = self.batch_size
        which_N = random.integers(len(self.labels_N), size=size)
        corner_N2 = random.integers(2 * PADDING + 1, size=(size, 2))
        mirrored_N = random.random(size) < 0.5
        share = size // world
        mine = slice(rank * share, (rank + 1) * share)
        height, width = (side - 2 * PADDING for side in self.levels_NHW3.shape[1:3])
        rows_NH = corner_N2[mine, :1] + np.arange(height)
        columns_NW = corner_N2[mine, 1:] + np.arange(width)
        columns_NW = np.where(mirrored_N[mine, None], columns_NW[:, ::-1], columns_NW)
        cut_NHW3 = self.levels_NHW3[
            which_N[mine, None, None], rows_NH[:, :, None], columns_NW[:, None, :]
        ]
        images_NCHW = torch.from_numpy(cut_NHW3).permute(0, 3, 1, 2).float().div_(255)
        return images_NCHW.contiguous(), torch.from_numpy(self.labels_N[which_N[mine]])

    def sha256(self) -> str:
        """Return a hash of the widened images and their classes."""
        return hashlib.sha256(self.levels_NHW3.tobytes() + self.labels_N.tobytes()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassData:
    """What a classifier is trained and tested on.

    Args:
        batches: The training batches.
        test: The test images, which no batch holds.
        facts: What a model card says of the training data, without its hash.
    """

    batches: ImageBatches | DigitBatches
    test: ClassImages
    facts: dict[str, Any]


def load_class_data(data: ClassDataConfig, *, seed: int) -> ClassData:
    """Read training and test images into memory.

    Args:
        data: Which, and the size of the batches.
        seed: Decides the batches; the test images do not depend on it.

    Raises:
        ImageError: If the folder of photographs has no usable one.
        DownloadError: If CIFAR-10 cannot be had.
    """
    if data.source == "cifar10":
        folder = Path(data.folder) if data.folder else None
        images = cifar10_training(folder)
        return ClassData(
            batches=ImageBatches.of(images, batch_size=data.batch_size, seed=seed),
            test=cifar10_test(folder, per_class=1000),
            facts={"source": "CIFAR-10 training images", "images": len(images.labels_N)},
        )
    digits, pool = training_digits(), PatchPool.of(training_folder(data.folder))
    log_skipped(pool.skipped, of=len(pool.names) + len(pool.skipped))
    return ClassData(
        batches=DigitBatches(digits=digits, pool=pool, batch_size=data.batch_size, seed=seed),
        test=digits_test(),
        facts={
            "source": "scikit-learn's handwritten digits of the training sheets, on photographs",
            "digits": len(digits.labels_N),
            "photographs": len(pool.names),
            "names": list(pool.names),
        },
    )
