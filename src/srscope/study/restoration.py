"""What a network restores of the contents it is analysed with.

Suffixes: N images, C channels, H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

import math
from collections.abc import Callable

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
NOT_MAGNIFIED = "it does not magnify: its clean images are the originals themselves"


def restoration(
    network: LoadedNetwork,
    contents: Contents | None,
    *,
    quantized: bool,
    progress: Callable[[int, int], None] | None = None,
) -> Restoration:
    """Measure PSNR on the clean set, beside bicubic magnification.

    Each content is reduced with its margin, magnified, cut to the patch that the analysis shows
    the network, clipped and rounded to 8 bits; PSNR is of its RGB values, averaged over contents.

    Args:
        network: What to measure.
        contents: The HR crops with their margin; ``None`` where there are none.
        quantized: Whether the reductions are rounded to 8 bits, as the suite says.
        progress: Called with the contents done and in all.
    """
    if contents is None:
        return Restoration(why=NO_ORIGINAL)
    if network.scale == 1:
        return Restoration(why=NOT_MAGNIFIED)
    psnr: list[float] = []
    bicubic: list[float] = []
    for index, hr_HW3 in enumerate(contents.crops_NHW3):
        hr_1CHW = torch.from_numpy(np.ascontiguousarray(hr_HW3.transpose(2, 0, 1))[None])
        lr_1CHW = downsample(hr_1CHW, scale=network.scale, quantized=quantized)
        lr_HW3 = np.ascontiguousarray(lr_1CHW[0].permute(1, 2, 0).numpy())
        try:
            sr_HW3 = upscale(network, lr_HW3, tile=0)
        except NetworkError as error:
            return Restoration(why=str(error))
        enlarged_1CHW = imresize(lr_1CHW, float(network.scale))
        psnr.append(_psnr(sr_HW3, hr_HW3, contents.margin))
        bicubic.append(_psnr(enlarged_1CHW[0].permute(1, 2, 0).numpy(), hr_HW3, contents.margin))
        if progress is not None:
            progress(index + 1, len(contents.crops_NHW3))
    mean = float(np.mean(psnr))
    if not math.isfinite(mean):
        return Restoration(why="it returns an original to the bit")
    return Restoration(psnr=mean, bicubic=float(np.mean(bicubic)))


def _psnr(restored_HW3: NDArray[np.float32], hr_HW3: NDArray[np.float32], margin: int) -> float:
    """Return PSNR in dB of the 8-bit patches within the margin; infinite where they are equal."""
    inside = slice(margin, -margin or None)
    one, other = (
        quantize(torch.from_numpy(np.ascontiguousarray(image[inside, inside]))).double()
        for image in (restored_HW3, hr_HW3)
    )
    error = float((one - other).square().mean())
    return 10 * math.log10(1 / error) if error > 0 else math.inf
