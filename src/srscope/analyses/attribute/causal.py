"""What a window of the output loses when blocks of the input are those of other photographs.

Suffixes: N images, M contents, R block rows, Q block columns, C channels, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.analyses.attribute.gradients import Window, batch_of, output_of
from srscope.errors import DegenerateError
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.trace import undisturbed
from srscope.networks.upscale import padded

BLOCK = 8
"""Side of a block, in input pixels."""
COARSE = 3
"""Trials of every block; only where they matter there are more."""
MATTERS = 0.01
"""In dB: mean change of PSNR from which a block is tried further."""
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CausalMap:
    """How much each block of one version of the image helps the window.

    Args:
        version: Its name.
        psnr: PSNR of the window in dB, all blocks as they are.
        effect_RQ: PSNR lost with other content in the block, in dB, mean over trials; below 0 where
            the window gains.
        error_RQ: Standard error of that mean.
        trials_RQ: How often the block was replaced.
    """

    version: str
    psnr: float
    effect_RQ: Floats
    error_RQ: Floats
    trials_RQ: NDArray[np.int64]


def causal_map(
    network: LoadedNetwork,
    version: str,
    input_HW3: NDArray[np.float32],
    original_HW3: NDArray[np.float32],
    others_MCHW: NDArray[np.float32],
    window: Window,
    *,
    trials: int,
    seed: int,
    batch_size: int,
    device: str,
    report: Callable[[int, int], None],
) -> CausalMap:
    """Replace each block of an input by parts of other images, and measure the window's PSNR.

    Args:
        network: The network.
        version: Name of the input.
        input_HW3: What the network is fed.
        original_HW3: What its output should be.
        others_MCHW: Other images, degraded alike, no smaller than a block.
        window: Of the output.
        trials: Of a block that matters; others get 3, or as many as that if they are fewer.
        seed: Of which parts are taken.
        batch_size: Images a forward pass.
        device: Where to compute.
        report: Called with the blocks done and in all.

    Raises:
        DegenerateError: If the window of the output is the original to the bit.

    Source: Hu et al. 2024 (causal effect map).
    """
    fed_1CHW = batch_of(padded(network, input_HW3)).float()
    rows, columns = (slice(at, at + window.side) for at in (window.top, window.left))
    wanted_CHW = torch.from_numpy(original_HW3.transpose(2, 0, 1).copy())[:, rows, columns].double()

    def psnr_of(images_NCHW: Tensor) -> NDArray[np.float64]:
        parts: list[Tensor] = []
        with undisturbed(network.module):
            for batch_BCHW in images_NCHW.split(batch_size):
                output_BCHW = output_of(network, batch_BCHW.to(device))[..., rows, columns]
                error_BCHW = output_BCHW.clamp(0, 1).cpu().double() - wanted_CHW
                parts.append(error_BCHW.square().mean(dim=(1, 2, 3)))
        error_N = torch.cat(parts).numpy()
        if not (error_N > 0).all():
            raise DegenerateError("PSNR", "the window of an output is the original to the bit")
        return -10 * np.log10(error_N)

    (unedited,) = psnr_of(fed_1CHW)
    height, width = input_HW3.shape[:2]
    corners = [(top, left) for top in range(0, height, BLOCK) for left in range(0, width, BLOCK)]
    shape_RQ = (-(-height // BLOCK), -(-width // BLOCK))
    effects, errors, counts = list[float](), list[float](), list[int]()
    for number, (top, left) in enumerate(corners):
        random = np.random.default_rng((seed, number))
        box = (slice(top, min(top + BLOCK, height)), slice(left, min(left + BLOCK, width)))
        first = min(COARSE, trials)
        lost_N = unedited - psnr_of(_replaced(fed_1CHW, box, others_MCHW, first, random))
        if abs(lost_N.mean()) >= MATTERS and trials > first:
            more_NCHW = _replaced(fed_1CHW, box, others_MCHW, trials - first, random)
            lost_N = np.concatenate([lost_N, unedited - psnr_of(more_NCHW)])
        effects.append(float(lost_N.mean()))
        errors.append(float(lost_N.std(ddof=1) / np.sqrt(len(lost_N))))
        counts.append(len(lost_N))
        report(number + 1, len(corners))
    return CausalMap(
        version=version,
        psnr=float(unedited),
        effect_RQ=np.array(effects).reshape(shape_RQ),
        error_RQ=np.array(errors).reshape(shape_RQ),
        trials_RQ=np.array(counts).reshape(shape_RQ),
    )


def _replaced(
    image_1CHW: Tensor,
    box: tuple[slice, slice],
    others_MCHW: NDArray[np.float32],
    count: int,
    random: np.random.Generator,
) -> Tensor:
    """Return copies of an image, each with another part of another image in the box."""
    images_NCHW = image_1CHW.repeat(count, 1, 1, 1)
    height, width = (side.stop - side.start for side in box)
    for image_CHW in images_NCHW:
        other_CHW = others_MCHW[random.integers(len(others_MCHW))]
        y, x = (int(random.integers(side - BLOCK + 1)) for side in other_CHW.shape[1:])
        part_CHW = other_CHW[:, y : y + height, x : x + width]
        image_CHW[:, *box] = torch.from_numpy(part_CHW.copy())
    return images_NCHW
