"""Training pairs: high-resolution photographs and their bicubic reductions, cropped by a seed.

Which crops iteration t sees depends on the recipe's seed and t alone: a resumed run, or one split
over several processes, sees the same global batches. Suffixes: N images, C channels, H/W sides;
capital H/W of HR photographs are multiples of the scale.
"""

from __future__ import annotations

import hashlib
import logging
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.degradations.resize import imresize
from srscope.errors import ImageError, ParameterError
from srscope.images.downloads import div2k_training
from srscope.images.folder import load_folder
from srscope.images.record import PhotoFile, Photograph, PhotoSet
from srscope.training.config import DataConfig

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """One photograph and its reduction, as 8-bit RGB, as files on disk would be."""

    name: str
    hr_HW3: NDArray[np.uint8]
    lr_HW3: NDArray[np.uint8]


def make_pair(photograph: Photograph | PhotoFile, scale: int) -> Pair:
    """Crop to a multiple of ``scale``, reduce by bicubic, round both to 8 bits."""
    pixels_HW3 = photograph.pixels_HW3
    height, width = (side - side % scale for side in pixels_HW3.shape[:2])
    hr_HW3 = pixels_HW3[:height, :width]
    hr_1CHW = torch.from_numpy(np.ascontiguousarray(hr_HW3)).permute(2, 0, 1)[None]
    if scale == 1:  # one array stands for both
        whole_HW3 = _to_8_bits(hr_HW3)
        return Pair(name=photograph.name, hr_HW3=whole_HW3, lr_HW3=whole_HW3)
    lr_HW3 = imresize(hr_1CHW, 1 / scale)[0].permute(1, 2, 0).numpy()
    return Pair(name=photograph.name, hr_HW3=_to_8_bits(hr_HW3), lr_HW3=_to_8_bits(lr_HW3))


def pairs_sha256(pairs: Sequence[Pair]) -> str:
    """Return a hash of the photographs' names and pixels."""
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(pair.name.encode() + pair.hr_HW3.tobytes())
    return digest.hexdigest()


def _to_8_bits(image_HW3: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(np.clip(image_HW3, 0.0, 1.0) * 255.0).astype(np.uint8)


def training_folder(folder: str | Path) -> PhotoSet:
    """Return the photographs of a folder.

    Raises:
        ImageError: If there are none; where the folder is missing, it says how to get some.
    """
    if not Path(folder).exists():
        remedy = (
            "give your own by --data.folder=FOLDER, or build those of the recipes by "
            "python tools/build_photos.py train --out data/photos/train"
        )
        raise ImageError(folder, "does not exist", remedy)
    return load_folder(folder)


def load_pairs(
    folder: str | Path, scale: int, validation: Sequence[str]
) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Read a folder of photographs into memory.

    Photographs that cannot be read are left out and named in the log; so are those of fewer pixels
    than the scale. A photograph kept apart must be readable.

    Args:
        folder: Searched recursively; ``div2k`` for DIV2K's training set, downloaded once.
        scale: Reduction factor.
        validation: Names, relative to ``folder``, of the photographs to keep apart.

    Returns:
        The training pairs and the validation pairs, each in name order.

    Raises:
        ImageError: If the folder holds no usable photograph, or one kept apart is damaged.
        ParameterError: If a validation name is not in the folder.
    """
    photos = div2k_training() if folder == "div2k" else training_folder(folder)
    names = {photograph.name for photograph in photos.photographs}
    for name in validation:
        if name not in names:
            remedy = "name photographs of it, or none: --data.validation=[]"
            raise ParameterError("data.validation", f"names of files in {folder}", name, remedy)
    # Reading changes the process's filter of warnings, in threads in no order: to ignoring all.
    with (
        warnings.catch_warnings(action="ignore"),
        ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
    ):
        made = list(pool.map(partial(_pair_or_reason, scale=scale), photos.photographs))
    pairs = [pair for pair in made if isinstance(pair, Pair)]
    damaged = [reason for reason in made if not isinstance(reason, Pair)]
    for name, reason in damaged:
        if name in validation:
            raise ImageError(name, reason, "mend it or shorten data.validation")
    log_skipped([*photos.skipped, *damaged], of=len(made) + len(photos.skipped))
    training = tuple(pair for pair in pairs if pair.name not in validation)
    if not training:
        raise ImageError(folder, "no photograph is left for training", "shorten data.validation")
    return training, tuple(pair for pair in pairs if pair.name in validation)


def _pair_or_reason(photograph: Photograph | PhotoFile, scale: int) -> Pair | tuple[str, str]:
    """Return the pair, or the photograph's name and why it makes none."""
    height, width = photograph.size_HW
    if min(height, width) < scale:
        return photograph.name, f"is {width}x{height}, too small to be reduced by {scale}"
    try:
        return make_pair(photograph, scale)
    except ImageError as error:
        return photograph.name, error.problem


def log_skipped(skipped: Sequence[tuple[str, str]], *, of: int) -> None:
    """Name in the log the files that training goes on without, and say how many there are."""
    for name, reason in skipped:
        _LOG.warning("skipped %a: %s", name, reason)
    if skipped:
        _LOG.warning("training goes on without %d of %d images", len(skipped), of)


@dataclass(frozen=True, kw_only=True, slots=True)
class Batches:
    """Random access to the run's batches.

    Args:
        pairs: The training photographs.
        scale: HR pixels per LR pixel, along one side.
        patch: Side of the LR crops.
        batch_size: Pairs in a global batch.
        seed: The recipe's seed.
        noise_sigma: Standard deviation of the Gaussian noise on LR crops, in levels of 0-255.

    Raises:
        ImageError: If no photograph is as large as a crop.
    """

    pairs: tuple[Pair, ...]
    scale: int
    patch: int
    batch_size: int
    seed: int
    noise_sigma: float = 0.0

    @classmethod
    def of(cls, data: DataConfig, pairs: tuple[Pair, ...], scale: int, seed: int) -> Batches:
        """Return the batches that a recipe's ``data`` describes."""
        return cls(
            pairs=pairs,
            scale=scale,
            patch=data.patch,
            batch_size=data.batch_size,
            seed=seed,
            noise_sigma=data.noise_sigma,
        )

    def __post_init__(self) -> None:
        for pair in self.pairs:
            if min(pair.lr_HW3.shape[:2]) < self.patch:
                raise ImageError(
                    pair.name,
                    f"is {pair.lr_HW3.shape[1]}x{pair.lr_HW3.shape[0]} after reduction, smaller "
                    f"than a {self.patch}-pixel crop",
                    "use a smaller data.patch or remove the photograph",
                )

    def batch(self, iteration: int, *, rank: int = 0, world: int = 1) -> tuple[Tensor, Tensor]:
        """Return the LR and HR crops of one process at one iteration.

        Args:
            iteration: Counted from 0.
            rank: This process, from 0.
            world: Number of processes; each takes an equal, contiguous share of the global batch.

        Returns:
            Float RGB in [0, 1]: (N, 3, patch, patch) and (N, 3, scale*patch, scale*patch).
        """
        random = np.random.Generator(np.random.Philox(key=[self.seed, iteration]))
        which_N = random.integers(len(self.pairs), size=self.batch_size)
        where_N2 = random.random((self.batch_size, 2))
        turn_N = random.integers(8, size=self.batch_size)
        share = self.batch_size // world
        mine = range(rank * share, (rank + 1) * share)
        lr, hr = zip(*(self._crop(which_N[n], where_N2[n], turn_N[n]) for n in mine), strict=True)
        if self.noise_sigma > 0:
            noise_N = random.normal(0.0, self.noise_sigma, (self.batch_size, *lr[0].shape))
            noisy_NHW3 = np.stack(lr) + noise_N[mine.start : mine.stop]
            lr = tuple(np.rint(np.clip(noisy_NHW3, 0.0, 255.0)).astype(np.uint8))
        return _to_tensor(lr), _to_tensor(hr)

    def _crop(
        self, which: int, where_2: NDArray[np.float64], turn: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Cut one pair and apply one of the eight symmetries of the square."""
        pair = self.pairs[which]
        room_2 = np.array(pair.lr_HW3.shape[:2]) - self.patch + 1
        top, left = (int(v) for v in where_2 * room_2)
        crops: list[NDArray[np.uint8]] = []
        for image_HW3, factor in ((pair.lr_HW3, 1), (pair.hr_HW3, self.scale)):
            y, x, side = top * factor, left * factor, self.patch * factor
            crop_HW3 = np.rot90(image_HW3[y : y + side, x : x + side], turn % 4)
            crops.append(crop_HW3[:, ::-1] if turn >= 4 else crop_HW3)
        return crops[0], crops[1]


def _to_tensor(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Return images as (N, 3, H, W) in [0, 1].

    By NumPy, as it runs beside the training: PyTorch would start threads of its own for it, which
    get in the way of those that train.
    """
    stacked_NHW3 = np.stack(images).astype(np.float32)
    stacked_NHW3 /= np.float32(255)
    return torch.from_numpy(stacked_NHW3).permute(0, 3, 1, 2)
