"""Crops of photographs under a mixture of blur and noise of levels drawn anew for every crop.

What iteration t sees depends on the recipe's seed and t alone: every twin of an experiment sees
the same crops, levels and noise, bit for bit, whatever guides it.

Suffixes: N images, C channels, H/W sides, L levels (blur width, noise sigma), K kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.errors import ParameterError
from srscope.training.config import DataConfig
from srscope.training.data import Batches, Pair

KERNEL = 15
"""Side of the blur's kernel, in pixels, as in the suites."""
MARGIN = KERNEL // 2


@dataclass(frozen=True, kw_only=True)
class MixtureConfig(DataConfig):
    """Where crops come from, and how they are degraded.

    Args:
        reduction: Photographs are reduced by this factor (bicubic) before crops are cut, so that
            these are sharp where nothing was done to them.
        blur: Largest standard deviation of the Gaussian blur, in pixels; drawn evenly from 0.
        noise: Largest standard deviation of the Gaussian noise, in 8-bit grey levels; likewise.
        absent: Chance of each of the two to be left out.

    Raises:
        ParameterError: If a number is out of its range, or ``noise_sigma`` is given.
    """

    reduction: int = 4
    blur: float = 2.5
    noise: float = 30.0
    absent: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.reduction <= 8:
            raise ParameterError("data.reduction", "from 1 to 8", self.reduction)
        for name, highest in (("blur", 5), ("noise", 255)):
            if not 0 <= getattr(self, name) <= highest:
                raise ParameterError(f"data.{name}", f"from 0 to {highest}", getattr(self, name))
        if not 0 <= self.absent <= 1:
            raise ParameterError("data.absent", "from 0 to 1", self.absent)
        if self.noise_sigma:
            remedy = "write data.noise for the largest sigma of the mixture"
            raise ParameterError("data.noise_sigma", "0 in a mixture", self.noise_sigma, remedy)


class Mixed(NamedTuple):
    """Crops with what was done to them; RGB in [0, 1], in steps of 1/255."""

    clean_NCHW: Tensor
    """The crops as they were."""
    degraded_NCHW: Tensor
    """Blurred, then noisy."""
    levels_NL: Tensor
    """Blur width and noise sigma of each; 0 where it was left out."""
    noise_NCHW: Tensor
    """Further standard normal noise."""
    given_NCHW: Tensor
    """Each crop with its partner's levels and this further noise."""


def partner(count: int) -> Tensor:
    """Return each crop's partner, whose degradation it is to be given: 1, 0, 3, 2, ...

    Example:
        >>> partner(4)
        tensor([1, 0, 3, 2])
    """
    return torch.arange(count) ^ 1


@dataclass(frozen=True, kw_only=True)
class MixtureBatches:
    """Random access to a run's batches.

    Args:
        data: How crops are cut and degraded.
        photographs: Reduced already, as pairs of scale 1.
        seed: The recipe's seed.

    Raises:
        ImageError: If a photograph is smaller than a crop with the margin that blurring needs.
    """

    data: MixtureConfig
    photographs: tuple[Pair, ...]
    seed: int

    @classmethod
    def of(cls, data: MixtureConfig, pairs: Sequence[Pair], seed: int) -> MixtureBatches:
        """Return the batches of the reductions in pairs."""
        reduced = (Pair(name=pair.name, hr_HW3=pair.lr_HW3, lr_HW3=pair.lr_HW3) for pair in pairs)
        return cls(data=data, photographs=tuple(reduced), seed=seed)

    def __post_init__(self) -> None:
        _ = self._crops  # checks the photographs' sizes

    @cached_property
    def _crops(self) -> Batches:
        return Batches(
            pairs=self.photographs,
            scale=1,
            patch=self.data.patch + 2 * MARGIN,
            batch_size=self.data.batch_size,
            seed=self.seed,
        )

    def batch(self, iteration: int, *, rank: int = 0, world: int = 1) -> Mixed:
        """Return the share of one process at one iteration.

        Args:
            iteration: Counted from 0.
            rank: This process, from 0.
            world: Number of processes; shares are equal, contiguous, and of whole partners.
        """
        data, size = self.data, self.data.batch_size
        # The crops are drawn with the same key; the counter makes this stream another.
        random = np.random.Generator(
            np.random.Philox(key=[self.seed, iteration], counter=[0, 0, 0, 1])
        )
        levels_NL = random.random((size, 2)) * (data.blur, data.noise)
        levels_NL[random.random((size, 2)) < data.absent] = 0.0
        shape = (2, size, 3, data.patch, data.patch)
        noise_2NCHW = random.standard_normal(shape, dtype=np.float32)
        share = size // world
        mine = slice(rank * share, (rank + 1) * share)
        wide_NCHW = self._crops.batch(iteration, rank=rank, world=world)[0].numpy()
        levels_NL, noise_2NCHW = levels_NL[mine], noise_2NCHW[:, mine]
        given_NL = levels_NL[partner(share).numpy()]
        clean_NCHW = np.ascontiguousarray(wide_NCHW[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN])
        arrays = (
            clean_NCHW,
            degraded(wide_NCHW, levels_NL, noise_2NCHW[0]),
            levels_NL.astype(np.float32),
            noise_2NCHW[1],
            degraded(wide_NCHW, given_NL, noise_2NCHW[1]),
        )
        return Mixed(*(torch.from_numpy(np.ascontiguousarray(each)) for each in arrays))


def degraded(
    wide_NCHW: NDArray[np.float32], levels_NL: NDArray[np.float64], noise_NCHW: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Blur crops, cut their margin, add noise, clip and round to 8 bits.

    Args:
        wide_NCHW: RGB in [0, 1], with a margin of ``MARGIN`` pixels on every side.
        levels_NL: Blur width in pixels and noise sigma in 8-bit grey levels; 0 leaves it out.
        noise_NCHW: Standard normal, of the size without margin.

    Returns:
        RGB in [0, 1], in steps of 1/255. By NumPy, as :class:`~srscope.training.data.Batches`.
    """
    images: list[NDArray[np.float32]] = []
    for wide_CHW, (width, sigma), noise_CHW in zip(wide_NCHW, levels_NL, noise_NCHW, strict=True):
        image_CHW = wide_CHW[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
        if width > 0:
            down, across = (_blur_matrix(side, float(width)) for side in image_CHW.shape[1:])
            image_CHW = down @ wide_CHW @ across.T
        images.append(image_CHW + noise_CHW * np.float32(sigma / 255))
    levels_NCHW = np.clip(np.stack(images), 0, 1) * np.float32(255)
    return np.rint(levels_NCHW).astype(np.float32) / np.float32(255)


def _blur_matrix(side: int, width: float) -> NDArray[np.float32]:
    """Return the matrix (side, side + 2 MARGIN) that blurs a row, its margin included."""
    # A width near 0 blurs nothing, and would divide by it.
    offset_K = (np.arange(KERNEL) - MARGIN) / max(width, 0.01)
    kernel_K = np.exp(-0.5 * offset_K**2)
    kernel_K /= kernel_K.sum()
    matrix = np.zeros((side, side + 2 * MARGIN), dtype=np.float32)
    for place, weight in enumerate(kernel_K):
        matrix[np.arange(side), np.arange(side) + place] = weight
    return matrix
