"""What a network restores of the contents it is analysed with.

Suffixes: N images, C channels, H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from srscope.degradations.degrade import downsample, quantize
from srscope.degradations.resize import imresize
from srscope.errors import NetworkError
from srscope.images.record import Contents
from srscope.networks.description import LoadedNetwork
from srscope.networks.upscale import upscale
from srscope.study.record import Restoration

NO_ORIGINAL = "the images are taken as they are: there is no original to compare with"
NOT_ASKED = "not measured, as asked for"
NOT_MAGNIFIED = "it does not magnify: its clean images are the originals themselves"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reduced:
    """Contents reduced for networks of one scale; made once for any number of networks.

    Args:
        lr_NHW3: Each content with its margin, as networks are fed it.
        bicubic: PSNR of bicubic magnification, the mean over the contents.
    """

    lr_NHW3: tuple[NDArray[np.float32], ...]
    bicubic: float


def reduced(contents: Contents, scale: int, *, quantized: bool) -> Reduced:
    """Reduce contents with their margin, and measure what bicubic magnification makes of them.

    Args:
        contents: The HR crops.
        scale: Of the networks.
        quantized: Whether the reductions are rounded to 8 bits, as the suite says.
    """
    lr_NHW3: list[NDArray[np.float32]] = []
    bicubic: list[float] = []
    for hr_HW3 in contents.crops_NHW3:
        hr_1CHW = torch.from_numpy(np.ascontiguousarray(hr_HW3.transpose(2, 0, 1))[None])
        lr_1CHW = downsample(hr_1CHW, scale=scale, quantized=quantized)
        lr_NHW3.append(np.ascontiguousarray(lr_1CHW[0].permute(1, 2, 0).numpy()))
        enlarged_1CHW = imresize(lr_1CHW, float(scale))
        bicubic.append(_psnr(enlarged_1CHW[0].permute(1, 2, 0).numpy(), hr_HW3, contents.margin))
    return Reduced(lr_NHW3=tuple(lr_NHW3), bicubic=float(np.mean(bicubic)))


def restoration(
    network: LoadedNetwork,
    contents: Contents | None,
    lr: Reduced | None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Restoration:
    """Measure PSNR on the clean set, beside bicubic magnification.

    Each content is reduced with its margin, magnified, cut to the patch that the analysis shows
    the network, clipped and rounded to 8 bits; PSNR is of its RGB values, averaged over contents.
    One content at a time: a batch of them takes the same time on a CPU, for the arithmetic is all.

    Args:
        network: What to measure.
        contents: The HR crops with their margin; ``None`` where there are none.
        lr: Their reductions, for a network that magnifies: :func:`reduced`.
        progress: Called with the contents done and in all.
    """
    if contents is None:
        return Restoration(why=NO_ORIGINAL)
    if network.scale == 1 or lr is None:
        return Restoration(why=NOT_MAGNIFIED)
    psnr: list[float] = []
    for hr_HW3, lr_HW3 in zip(contents.crops_NHW3, lr.lr_NHW3, strict=True):
        try:
            sr_HW3 = upscale(network, lr_HW3, tile=0)
        except NetworkError as error:
            return Restoration(why=str(error))
        psnr.append(_psnr(sr_HW3, hr_HW3, contents.margin))
        if progress is not None:
            progress(len(psnr), len(lr.lr_NHW3))
    mean = float(np.mean(psnr))
    if not math.isfinite(mean):
        return Restoration(why="it returns an original to the bit")
    return Restoration(psnr=mean, bicubic=lr.bicubic)


def _psnr(restored_HW3: NDArray[np.float32], hr_HW3: NDArray[np.float32], margin: int) -> float:
    """Return PSNR in dB of the 8-bit patches within the margin; infinite where they are equal."""
    inside = slice(margin, -margin or None)
    one, other = (
        quantize(torch.from_numpy(np.ascontiguousarray(image[inside, inside]))).double()
        for image in (restored_HW3, hr_HW3)
    )
    error = float((one - other).square().mean())
    return 10 * math.log10(1 / error) if error > 0 else math.inf
