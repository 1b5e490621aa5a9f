"""PSNR and SSIM of a super-resolution network on whole photographs, and of plain bicubic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from srscope.degradations.resize import imresize
from srscope.training.data import Pair


@dataclass(frozen=True, kw_only=True, slots=True)
class Quality:
    """Mean PSNR in dB and SSIM over photographs (8-bit RGB, border of ``scale`` px cut)."""

    psnr: float
    ssim: float


def _tensor(image_HW3: object) -> Tensor:
    return torch.as_tensor(image_HW3).permute(2, 0, 1)[None].float().div(255.0)


def _as_saved(image_NCHW: Tensor, border: int) -> Tensor:
    """Clip, round to 8 bits and cut the border."""
    rounded = (image_NCHW.float().clamp(0.0, 1.0) * 255.0).round() / 255.0
    return rounded[..., border:-border, border:-border]


@torch.no_grad()
def quality(network: nn.Module | None, pairs: Sequence[Pair], *, scale: int) -> Quality:
    """Measure restoration quality.

    Args:
        network: Takes RGB in [0, 1], returns it magnified; ``None`` measures bicubic magnification.
        pairs: Photographs and their reductions.
        scale: Magnification, and the border cut off before measuring, in HR pixels.

    Returns:
        Means over the photographs, in the convention of BasicSR (RGB, crop border).

    Source: protocol of BasicSR's tables: RGB channels, ``crop_border=scale``.
    """
    training = network.training if network is not None else False
    psnr: list[float] = []
    ssim: list[float] = []
    try:
        for pair in pairs:
            lr_1CHW, hr_1CHW = _tensor(pair.lr_HW3), _tensor(pair.hr_HW3)
            if network is None:
                sr_1CHW = imresize(lr_1CHW, float(scale))
            else:
                device = next(network.parameters()).device
                sr_1CHW = network.eval()(lr_1CHW.to(device)).cpu()
            sr_1CHW, hr_1CHW = _as_saved(sr_1CHW, scale), _as_saved(hr_1CHW, scale)
            psnr.append(float(peak_signal_noise_ratio(sr_1CHW, hr_1CHW, data_range=1.0)))
            ssim.append(
                float(structural_similarity_index_measure(sr_1CHW, hr_1CHW, data_range=1.0))  # pyright: ignore[reportArgumentType]
            )
    finally:
        if network is not None:
            network.train(training)
    return Quality(psnr=sum(psnr) / len(psnr), ssim=sum(ssim) / len(ssim))


def psnr_of_pairs(network: nn.Module | None, pairs: Sequence[Pair], *, scale: int) -> float:
    """Return the mean PSNR in dB; see :func:`quality`."""
    return quality(network, pairs, scale=scale).psnr
