"""Unpaired training data: degraded images of some photographs, clean ones of others.

The photographs are split into two halves. From the first come degraded low-resolution crops, from
the second clean ones with their originals: no content is ever seen both degraded and clean. Which
crops iteration t sees, and how they are degraded, depends on the seed and t alone.
Suffixes: N images, C channels, H/W sides, 3 red, green and blue.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.degradations.degrade import generator_for, quantize
from srscope.degradations.degree import fixed
from srscope.degradations.mild import Mild
from srscope.errors import ImageError, ParameterError
from srscope.images.folder import load_folder
from srscope.images.record import Photograph
from srscope.training.config import require_positive
from srscope.training.data import Batches, Pair, log_skipped, make_pair

_SPLIT = 2**63 - 1
"""Stands where iterations stand in the key of the random numbers: no run gets that far."""


@dataclass(frozen=True, kw_only=True)
class UnpairedDataConfig:
    """Where unpaired images come from.

    Args:
        folder: Folder of high-resolution training photographs, searched recursively.
        validation: File names (relative to ``folder``) kept out of training.
        degraded: Folder of degraded low-resolution images of the same photographs, such as
            DIV2K's official mild ones. A file belongs to the photograph whose name its own begins
            with (``0001x4m.png`` to ``0001.png``). Empty degrades crops with ``Mild``.
        batch_size: Degraded crops an iteration, over all devices together; as many clean ones.
        patch: Side of the low-resolution crops, in LR pixels, at least 16.

    Raises:
        ParameterError: If ``batch_size`` is below 1, or ``patch`` below 16.
    """

    folder: str = "data/photos/train"
    validation: tuple[str, ...] = ()
    degraded: str = ""
    batch_size: int = 16
    patch: int = 32

    def __post_init__(self) -> None:
        require_positive("data.batch_size", self.batch_size)
        if self.patch < 16:  # what one verdict of the discriminators looks at
            raise ParameterError("data.patch", "at least 16", self.patch)


def split_halves(pairs: Sequence[Pair], *, seed: int) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Split photographs at random; the two parts share none.

    Args:
        pairs: At least two.
        seed: Decides which photograph goes where.

    Returns:
        Those to be seen degraded and those to be seen clean, each in the order given. Of an odd
        number the clean part has one more.

    Raises:
        ParameterError: If there are fewer than two photographs.
    """
    if len(pairs) < 2:
        raise ParameterError("data.folder", "a folder of two photographs or more", len(pairs))
    random = np.random.Generator(np.random.Philox(key=[seed, _SPLIT]))
    chosen = set(random.permutation(len(pairs))[: len(pairs) // 2].tolist())
    degraded = tuple(pair for n, pair in enumerate(pairs) if n in chosen)
    return degraded, tuple(pair for n, pair in enumerate(pairs) if n not in chosen)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A degraded photograph with what it should become.

    Args:
        pair: The degraded reduction, and the original at the place where the content now is.
        clean_HW3: The clean reduction there.
    """

    pair: Pair
    clean_HW3: NDArray[np.uint8]


def mild_judged(pairs: Sequence[Pair], *, scale: int, seed: int) -> tuple[Judged, ...]:
    """Degrade photographs by ``Mild``, one draw each, and move the originals along.

    ``Mild`` shifts the content by an amount that nothing in the image tells, and a sharp image
    beside its place has a lower PSNR than a blurred one. So the original is shifted too, by whole
    HR pixels, its border repeated: what a restoration can be held to.

    Args:
        pairs: Clean photographs.
        scale: HR pixels per LR pixel, along one side.
        seed: With the position in ``pairs``, decides the draw.

    Source: NTIRE 2018 likewise compares at the best of many shifts (Timofte et al. 2018).
    """
    judged: list[Judged] = []
    for number, pair in enumerate(pairs):
        generator = generator_for(seed, "mild", number)
        mild = Mild().drawn(generator)
        right, down = (round(scale * fixed(shift)) for shift in (mild.shift_x, mild.shift_y))
        moved = make_pair(_moved(pair, right, down), scale)
        lr_HW3 = _degraded(pair.lr_HW3, mild, generator)
        found = Pair(name=pair.name, hr_HW3=moved.hr_HW3, lr_HW3=lr_HW3)
        judged.append(Judged(pair=found, clean_HW3=moved.lr_HW3))
    return tuple(judged)


def _moved(pair: Pair, right: int, down: int) -> Photograph:
    """Return the original with its content shifted by whole pixels."""
    height, width = pair.hr_HW3.shape[:2]
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    moved_HW3 = pair.hr_HW3[rows][:, columns].astype(np.float32) / np.float32(255.0)
    return Photograph(name=pair.name, pixels_HW3=moved_HW3)


def _degraded(
    image_HW3: NDArray[np.uint8], mild: Mild, generator: torch.Generator
) -> NDArray[np.uint8]:
    image_1CHW = torch.from_numpy(np.ascontiguousarray(image_HW3)).permute(2, 0, 1)[None] / 255.0
    degraded_1CHW = quantize(mild(image_1CHW, generator=generator)) * 255.0
    return degraded_1CHW[0].permute(1, 2, 0).round().to(torch.uint8).numpy()


def folder_pairs(folder: str | Path, pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """Return the pairs with degraded images of a folder as reductions.

    Args:
        folder: Searched recursively. A photograph may have several images; each makes a pair.
        pairs: The photographs.

    Returns:
        Pairs in the order of ``pairs``, and of the folder where a photograph has several.

    Raises:
        ParameterError: If a photograph has no image in the folder.
        ImageError: If an image has another size than the photograph's reduction, or all those of
            a photograph are damaged; other damaged ones are left out and named in the log.
    """
    photos = load_folder(folder)
    files, skipped = photos.photographs, list(photos.skipped)
    found: list[Pair] = []
    for pair in pairs:
        stem = Path(pair.name).stem
        mine = [f for f in files if re.fullmatch(re.escape(stem) + r"(\D.*)?", Path(f.name).stem)]
        if not mine:
            raise ParameterError(
                "data.degraded", f"a folder with an image of {pair.name}", str(folder)
            )
        before = len(found)
        for file in mine:
            try:
                lr_HW3 = np.rint(file.pixels_HW3 * 255.0).astype(np.uint8)
            except ImageError as error:  # damage shows only when pixels are decoded
                skipped.append((file.name, error.problem))
                continue
            if lr_HW3.shape != pair.lr_HW3.shape:
                raise ImageError(
                    file.name,
                    f"is {lr_HW3.shape[1]}x{lr_HW3.shape[0]}, not the "
                    f"{pair.lr_HW3.shape[1]}x{pair.lr_HW3.shape[0]} of {pair.name}'s reduction",
                    "give low-resolution images of the recipe's scale",
                )
            found.append(Pair(name=pair.name, hr_HW3=pair.hr_HW3, lr_HW3=lr_HW3))
        if len(found) == before:
            name, reason = skipped[-1]
            raise ImageError(
                name, reason, f"it is the last image of {pair.name}; mend or remove it"
            )
    log_skipped(skipped, of=len(files) + len(photos.skipped))
    return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class UnpairedBatches:
    """Random access to the run's batches.

    Args:
        degraded: Photographs to be seen degraded; only their reductions are looked at.
        clean: Photographs to be seen clean.
        synthesize: Degrade the crops of ``degraded`` with ``Mild``, each with a draw of its own;
            else they are degraded already.
        scale: HR pixels per LR pixel, along one side.
        patch: Side of the LR crops.
        batch_size: Crops of each kind in a global batch.
        seed: The recipe's seed.

    Raises:
        ImageError: If a photograph is smaller than a crop, with the margin that blurring needs.
        ParameterError: If a photograph is on both sides.
    """

    degraded: tuple[Pair, ...]
    clean: tuple[Pair, ...]
    synthesize: bool
    scale: int
    patch: int
    batch_size: int
    seed: int

    def __post_init__(self) -> None:
        shared = {pair.name for pair in self.degraded} & {pair.name for pair in self.clean}
        if shared:
            raise ParameterError("degraded and clean", "without a common photograph", min(shared))
        self._clean_batches()  # checks the sizes of the clean half
        for pair in self.degraded:
            if min(pair.lr_HW3.shape[:2]) < self._window:
                raise ImageError(
                    pair.name,
                    f"is {pair.lr_HW3.shape[1]}x{pair.lr_HW3.shape[0]} after reduction, smaller "
                    f"than a {self.patch}-pixel crop with its margin ({self._window} pixels)",
                    "use a smaller data.patch or remove the photograph",
                )

    @property
    def _margin(self) -> int:
        """Pixels round a crop that the blur reaches, so that it sees real neighbours."""
        return Mild().size // 2 if self.synthesize else 0

    @property
    def _window(self) -> int:
        return self.patch + 2 * self._margin

    def _clean_batches(self) -> Batches:
        return Batches(
            pairs=self.clean,
            scale=self.scale,
            patch=self.patch,
            batch_size=self.batch_size,
            seed=self.seed,
        )

    def batch(
        self, iteration: int, *, rank: int = 0, world: int = 1
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the crops of one process at one iteration.

        Args:
            iteration: Counted from 0.
            rank: This process, from 0.
            world: Number of processes; each takes an equal, contiguous share of the global batch.

        Returns:
            Float RGB in [0, 1]: degraded and clean crops (N, 3, patch, patch), unrelated to each
            other, and the clean ones' originals (N, 3, scale*patch, scale*patch).
        """
        # The clean half's crops are drawn with the same key; the counter makes this stream another.
        random = np.random.Generator(
            np.random.Philox(key=[self.seed, iteration], counter=[0, 0, 0, 1])
        )
        which_N = random.integers(len(self.degraded), size=self.batch_size)
        where_N2 = random.random((self.batch_size, 2))
        turn_N = random.integers(8, size=self.batch_size)
        seed_N = random.integers(2**32, size=self.batch_size)
        share = self.batch_size // world
        degraded_NHW3 = np.stack(
            [
                self._crop(which_N[n], where_N2[n], turn_N[n], int(seed_N[n]))
                for n in range(rank * share, (rank + 1) * share)
            ]
        )
        degraded_NCHW = torch.from_numpy(degraded_NHW3).permute(0, 3, 1, 2).float().div_(255.0)
        clean_NCHW, hr_NCHW = self._clean_batches().batch(iteration, rank=rank, world=world)
        return degraded_NCHW, clean_NCHW, hr_NCHW

    def _crop(
        self, which: int, where_2: NDArray[np.float64], turn: int, seed: int
    ) -> NDArray[np.uint8]:
        """Cut one crop, apply one of the eight symmetries of the square, degrade it."""
        image_HW3 = self.degraded[which].lr_HW3
        top, left = (int(v) for v in where_2 * (np.array(image_HW3.shape[:2]) - self._window + 1))
        crop_HW3 = np.rot90(
            image_HW3[top : top + self._window, left : left + self._window], turn % 4
        )
        crop_HW3 = np.ascontiguousarray(crop_HW3[:, ::-1] if turn >= 4 else crop_HW3)
        if not self.synthesize:
            return crop_HW3
        margin = self._margin
        degraded_HW3 = _degraded(crop_HW3, Mild(), torch.Generator().manual_seed(seed))
        return degraded_HW3[margin:-margin, margin:-margin]
