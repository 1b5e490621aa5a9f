"""Small made-up photographs and contents."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.images.record import Contents, Photograph, PhotoSet


def picture_HW3(height: int, width: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Return smooth coloured waves with a little texture, in [0.1, 0.9]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    waves = [
        np.sin(x * rng.uniform(0.02, 0.3) + y * rng.uniform(0.02, 0.3) + rng.uniform(0, 6))
        for _ in range(3)
    ]
    image_HW3 = 0.5 + 0.3 * np.stack(waves, axis=-1) + rng.normal(0, 0.03, (height, width, 3))
    return np.clip(image_HW3, 0.1, 0.9).astype(np.float32)


def upright(stored: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return a picture as a camera that stored it so wants it shown (EXIF 2.3, tag 0x0112)."""
    return {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.swapaxes(0, 1),
        6: np.rot90(stored, -1),
        7: stored[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(stored),
    }[orientation]


def images_NCHW(count: int, height: int, width: int, *, seed: int = 0) -> Tensor:
    """Return such pictures as a batch."""
    pictures = [picture_HW3(height, width, seed=seed * 1000 + i) for i in range(count)]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


def make_contents(
    count: int, *, patch: int = 16, scale: int = 4, margin: int = 8, first: int = 0
) -> Contents:
    """Return contents as ``crop_contents`` cuts them; ``margin`` is in LR pixels."""
    side = (patch + 2 * margin) * scale
    indices = range(first, first + count)
    return Contents(
        crops_NHW3=np.stack([picture_HW3(side, side, seed=i) for i in indices]),
        names=tuple(f"waves.png#{i}" for i in indices),
        photographs=("waves.png",) * count,
        source="made-up waves",
        skipped=(),
        margin=margin * scale,
        requested=count,
    )


def make_photos(*sizes: tuple[str, int, int]) -> PhotoSet:
    """Return photographs of the given (name, height, width)."""
    return PhotoSet(
        photographs=tuple(
            Photograph(name=name, pixels_HW3=picture_HW3(height, width, seed=i))
            for i, (name, height, width) in enumerate(sizes)
        ),
        source="made-up waves",
    )
