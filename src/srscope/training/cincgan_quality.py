"""How well CinCGAN restores: numbers and pictures. Suffixes as in `training.quality`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.images.bundled import load_bundled
from srscope.networks.architectures.cincgan import CinCGAN
from srscope.training.data import Pair, make_pair
from srscope.training.facts import beside_bicubic
from srscope.training.quality import as_saved, as_tensor, psnr_of_pairs, quality
from srscope.training.unpaired import Judged, mild_judged

BORDER = 2
"""LR pixels left out along each side, where shifted content has come in from outside."""


@torch.no_grad()
def lr_psnr(g1: nn.Module | None, judged: Sequence[Judged]) -> float:
    """Return the mean PSNR in dB of low-resolution images against the clean ones, 8-bit RGB.

    Args:
        g1: Restores; ``None`` measures the degraded images themselves.
        judged: At least one photograph.

    Returns:
        The mean over photographs. Identical images count as 1 / 255 off in one pixel of 10^6.
    """
    values: list[float] = []
    for one in judged:
        lr_1CHW = as_tensor(one.pair.lr_HW3)
        if g1 is not None:
            lr_1CHW = g1(lr_1CHW.to(next(g1.parameters()).device))
        saved_1CHW, clean_1CHW = as_saved(lr_1CHW.cpu(), BORDER), as_tensor(one.clean_HW3)
        error = (saved_1CHW - clean_1CHW[..., BORDER:-BORDER, BORDER:-BORDER]).square().mean()
        values.append(float(-10.0 * torch.log10(error.clamp_min(1e-6 / 255.0**2))))
    return sum(values) / len(values)


def pair_numbers(network: CinCGAN, judged: Sequence[Judged], *, scale: int) -> dict[str, float]:
    """Return PSNRs in dB: magnified against originals, G1's output and its input against clean."""
    pairs = [one.pair for one in judged]
    return {
        "psnr": psnr_of_pairs(network, pairs, scale=scale),
        "bicubic_psnr": psnr_of_pairs(None, pairs, scale=scale),
        "g1_psnr": lr_psnr(network.g1, judged),
        "g1_input_psnr": lr_psnr(None, judged),
    }


def pair_facts(network: CinCGAN, scale: int, seed: int) -> dict[str, Any]:
    """Measure on the bundled test photographs, which no recipe trains on, degraded by ``Mild``.

    Beside the whole network stand bicubic magnification of the same degraded inputs, and the
    super-resolution part without G1.
    """
    clean = [make_pair(photograph, scale) for photograph in load_bundled("test").photographs]
    judged = mild_judged(clean, scale=scale, seed=seed)
    degraded = [one.pair for one in judged]
    without_g1 = quality(network.sr, degraded, scale=scale)
    return {
        "photographs": f"bundled test set, {len(clean)} photographs, reductions degraded by mild "
        f"(seed {seed}), originals shifted as they are, 8-bit RGB, border {scale}",
        **beside_bicubic(network, degraded, scale),
        "without_g1_psnr": round(without_g1.psnr, 4),
        "without_g1_ssim": round(without_g1.ssim, 5),
        "g1_psnr": round(lr_psnr(network.g1, judged), 4),
        "g1_input_psnr": round(lr_psnr(None, judged), 4),
    }


@torch.no_grad()
def picture(network: CinCGAN, pair: Pair, *, side: int = 48) -> Tensor:
    """Return degraded, restored, magnified and original of a photograph's centre, side by side.

    Args:
        network: In any mode.
        pair: A photograph and its degraded reduction.
        side: Side of the shown square, in LR pixels; less where the photograph is smaller.

    Returns:
        RGB in [0, 1], (3, H, 4 W); the low-resolution ones by repeated pixels.
    """
    scale = network.config.scale
    height, width = (min(side, length) for length in pair.lr_HW3.shape[:2])
    top, left = (pair.lr_HW3.shape[0] - height) // 2, (pair.lr_HW3.shape[1] - width) // 2
    lr_1CHW = as_tensor(pair.lr_HW3[top : top + height, left : left + width])
    rows = slice(top * scale, (top + height) * scale)
    hr_1CHW = as_tensor(pair.hr_HW3[rows, left * scale : (left + width) * scale])
    g1_1CHW = network.g1(lr_1CHW.to(next(network.parameters()).device))
    sr_1CHW = network.sr(g1_1CHW)
    enlarged = [F.interpolate(i.cpu(), scale_factor=scale) for i in (lr_1CHW, g1_1CHW)]
    shown = [*enlarged, sr_1CHW.cpu(), hr_1CHW]
    return torch.cat([image_1CHW[0].float().clamp(0.0, 1.0) for image_1CHW in shown], dim=-1)
