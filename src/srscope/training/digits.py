"""Training batches of handwritten digits on photographs, blended anew in every iteration.

Which digits iteration t sees, on which patches and how bent, depends on the recipe's seed and t
alone. Suffixes: N images, C channels, H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from srscope.images.digits import SIDE, WANDER, Digits, PatchPool, blend, enlarge

TURN = math.radians(15)
GROWTH = 0.15
SLANT = 0.2
"""Most that a digit is turned (radians), grown or shrunk (in logarithms) and slanted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DigitBatches:
    """Random access to the run's batches.

    Args:
        digits: The handwritten digits.
        pool: The photographs that they are put on.
        batch_size: Images in a global batch.
        seed: The recipe's seed.
    """

    digits: Digits
    pool: PatchPool
    batch_size: int
    seed: int

    def batch(self, iteration: int, *, rank: int = 0, world: int = 1) -> tuple[Tensor, Tensor]:
        """Return the images and labels of one process at one iteration.

        A digit is not mirrored: some would become others.

        Args:
            iteration: Counted from 0.
            rank: This process, from 0.
            world: Number of processes; each takes an equal, contiguous share of the global batch.

        Returns:
            Float RGB in [0, 1], (N, 3, 32, 32), and classes, (N,).
        """
        random = np.random.Generator(np.random.Philox(key=[self.seed, iteration]))
        size = self.batch_size
        digit_N = random.integers(len(self.digits.labels_N), size=size)
        photo_N = random.integers(len(self.pool.names), size=size)
        where_N2 = random.random((size, 2))
        bend_N5 = random.uniform(-1.0, 1.0, (size, 5))
        share = size // world
        mine = slice(rank * share, (rank + 1) * share)
        levels_NHW3 = self.pool.cut(photo_N[mine], where_N2[mine])
        patches_NHW3 = levels_NHW3.astype(np.float32) / np.float32(255)
        ink_NHW = bent(enlarge(self.digits.ink_N88[digit_N[mine]]), bend_N5[mine])
        images_NCHW = torch.from_numpy(blend(patches_NHW3, ink_NHW)).permute(0, 3, 1, 2)
        labels_N = torch.from_numpy(self.digits.labels_N[digit_N[mine]])
        return images_NCHW.contiguous(), labels_N

    def sha256(self) -> str:
        """Return a hash of the digits, their labels and the photographs."""
        digest = hashlib.sha256()
        for array in (self.digits.ink_N88, self.digits.labels_N, self.pool.pixels_P3):
            digest.update(array.tobytes())
        return digest.hexdigest()


def bent(ink_NHW: NDArray[np.float32], bend_N5: NDArray[np.float64]) -> NDArray[np.float32]:
    """Turn, grow, slant and move digits.

    Args:
        ink_NHW: Ink in [0, 1], (N, 32, 32).
        bend_N5: How much of the most allowed, each in [-1, 1]: turn, growth, slant, and the way
            to the right and down.

    Returns:
        Ink in [0, 1], of the same shape; what comes in from outside is empty.
    """
    turn_N, growth_N, slant_N = bend_N5[:, 0] * TURN, bend_N5[:, 1] * GROWTH, bend_N5[:, 2] * SLANT
    move_N2 = bend_N5[:, 3:] * (2 * WANDER / SIDE)  # the grid runs from -1 to 1
    cosine_N, sine_N = np.cos(turn_N), np.sin(turn_N)
    turned = np.stack([cosine_N, -sine_N, sine_N, cosine_N], axis=-1).reshape(-1, 2, 2)
    slanted = np.tile(np.eye(2), (len(turned), 1, 1))
    slanted[:, 0, 1] = slant_N
    # The grid says where each output pixel comes from, so a digit grows when it is divided.
    source_N22 = turned @ slanted / np.exp(growth_N)[:, None, None]
    shift_N21 = -source_N22 @ move_N2[:, :, None]
    theta_N23 = np.concatenate([source_N22, shift_N21], axis=-1).astype(np.float32)
    ink_N1HW = torch.from_numpy(ink_NHW)[:, None]
    grid = F.affine_grid(torch.from_numpy(theta_N23), list(ink_N1HW.shape), align_corners=False)
    moved_N1HW = F.grid_sample(
        ink_N1HW, grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    return moved_N1HW[:, 0].clamp(0, 1).numpy()
