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
    """Means over photographs (8-bit RGB, border of ``scale`` px cut).

    Args:
        psnr: In dB.
        ssim: Structural similarity.
        detail: Energy of the luma beyond the LR image's Nyquist frequency (1 / (2 scale) cycles per
            HR pixel), which magnification must invent, over that of the original: 1 is as sharp.
    """

    psnr: float
    ssim: float
    detail: float


def as_tensor(image_HW3: object) -> Tensor:
    """Return an 8-bit image as (1, 3, H, W) in [0, 1]."""
    return torch.as_tensor(image_HW3).permute(2, 0, 1)[None].float().div(255.0)


def as_saved(image_NCHW: Tensor, border: int) -> Tensor:
    """Clip, round to 8 bits and cut the border."""
    rounded = (image_NCHW.float().clamp(0.0, 1.0) * 255.0).round() / 255.0
    return rounded[..., border:-border, border:-border]


def _detail_energy(image_1CHW: Tensor, scale: int) -> float:
    """Return the energy of the luma above 1 / (2 scale) cycles per pixel, along either axis."""
    luma_HW = (image_1CHW[0] * image_1CHW.new_tensor((0.299, 0.587, 0.114))[:, None, None]).sum(0)
    height, width = luma_HW.shape
    # A window keeps the jump between opposite borders from counting as detail.
    window_HW = torch.hann_window(height)[:, None] * torch.hann_window(width)[None]
    power_HW = torch.fft.fft2((luma_HW - luma_HW.mean()) * window_HW).abs().square()
    limit = 1 / (2 * scale)
    high_H = torch.fft.fftfreq(height).abs() > limit
    high_W = torch.fft.fftfreq(width).abs() > limit
    return float(power_HW[high_H[:, None] | high_W[None]].sum())


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
    detail: list[float] = []
    try:
        for pair in pairs:
            lr_1CHW, hr_1CHW = as_tensor(pair.lr_HW3), as_tensor(pair.hr_HW3)
            sr_1CHW = magnified(network, lr_1CHW, scale)
            sr_1CHW, hr_1CHW = as_saved(sr_1CHW, scale), as_saved(hr_1CHW, scale)
            psnr.append(float(peak_signal_noise_ratio(sr_1CHW, hr_1CHW, data_range=1.0)))
            ssim.append(
                float(structural_similarity_index_measure(sr_1CHW, hr_1CHW, data_range=1.0))  # pyright: ignore[reportArgumentType]
            )
            detail.append(_detail_energy(sr_1CHW, scale) / _detail_energy(hr_1CHW, scale))
    finally:
        if network is not None:
            network.train(training)
    return Quality(psnr=_mean(psnr), ssim=_mean(ssim), detail=_mean(detail))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def magnified(network: nn.Module | None, lr_1CHW: Tensor, scale: int) -> Tensor:
    """Magnify by a network in evaluation mode, or by bicubic where it is ``None``; on the CPU."""
    if network is None:
        return imresize(lr_1CHW, float(scale))
    device = next(network.parameters()).device
    return network.eval()(lr_1CHW.to(device)).float().cpu()


def psnr_of_pairs(network: nn.Module | None, pairs: Sequence[Pair], *, scale: int) -> float:
    """Return the mean PSNR in dB; see :func:`quality`."""
    return quality(network, pairs, scale=scale).psnr


@torch.no_grad()
def comparison(network: nn.Module, pair: Pair, *, scale: int, side: int = 192) -> Tensor:
    """Return bicubic, output and original of a photograph's centre, side by side.

    Args:
        network: Takes RGB in [0, 1], returns it magnified.
        pair: The photograph and its reduction.
        scale: Magnification.
        side: Side of the shown square, in HR pixels, a multiple of ``scale``.

    Returns:
        RGB in [0, 1], (3, H, 3 W).
    """
    training = network.training
    lr_1CHW, hr_1CHW = as_tensor(pair.lr_HW3), as_tensor(pair.hr_HW3)
    height, width = (min(side // scale, length) for length in lr_1CHW.shape[-2:])
    top, left = ((lr_1CHW.shape[-2] - height) // 2, (lr_1CHW.shape[-1] - width) // 2)
    lr_1CHW = lr_1CHW[..., top : top + height, left : left + width]
    hr_1CHW = hr_1CHW[
        ..., top * scale : (top + height) * scale, left * scale : (left + width) * scale
    ]
    shown = (magnified(None, lr_1CHW, scale), magnified(network, lr_1CHW, scale), hr_1CHW)
    network.train(training)
    return torch.cat([image_1CHW[0].clamp(0.0, 1.0) for image_1CHW in shown], dim=-1)
