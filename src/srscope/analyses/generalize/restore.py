"""What a network makes of degraded inputs, against the originals and against its clean output.

Suffixes: M contents, B a batch of them, C channels, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from srscope.degradations.degrade import quantize
from srscope.degradations.resize import imresize
from srscope.errors import NetworkError
from srscope.images.record import Contents
from srscope.networks.description import LoadedNetwork

BORDER = 4
"""LR pixels left out along each side: the network sees nothing beyond a patch."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SetQuality:
    """Of one set, one value a content.

    Args:
        psnr_M: Against the original, in dB.
        ssim_M: Structural similarity to the original.
        same_M: PSNR in dB against the network's own output for the clean input; infinite for the
            clean set itself.
        bicubic_M: PSNR in dB of bicubic enlargement of the same input: the acceptance line.
    """

    psnr_M: NDArray[np.float64]
    ssim_M: NDArray[np.float64]
    same_M: NDArray[np.float64]
    bicubic_M: NDArray[np.float64]


def originals_of(contents: Contents) -> Tensor:
    """Return the contents without their margin, 8-bit RGB in [0, 1], (M, 3, H, W)."""
    inside = slice(contents.margin, -contents.margin or None)
    crops_MHW3 = np.ascontiguousarray(contents.crops_NHW3[:, inside, inside])
    return quantize(torch.from_numpy(crops_MHW3).permute(0, 3, 1, 2))


def qualities(
    network: LoadedNetwork,
    images_by_set: Mapping[str, NDArray[np.float32]],
    originals_MCHW: Tensor,
    *,
    clean: str,
    batch_size: int,
    device: str,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, SetQuality]:
    """Restore every set, and measure.

    Args:
        network: The network.
        images_by_set: Inputs of each set, content by content, (M, 3, H, W).
        originals_MCHW: What the outputs should be.
        clean: Name of the clean set.
        batch_size: Images a forward pass.
        device: Where the network runs.
        progress: Called with the sets done and in all.

    Raises:
        NetworkError: If it does not put out images of the originals' size, or returns an original
            to the bit, so that the loss against it is infinite.
    """
    reference_MCHW = _outputs(network, images_by_set[clean], originals_MCHW, batch_size, device)
    found: dict[str, SetQuality] = {}
    for name, images_MCHW in images_by_set.items():
        if name == clean:
            output_MCHW = reference_MCHW
        else:
            output_MCHW = _outputs(network, images_MCHW, originals_MCHW, batch_size, device)
        large_MCHW = imresize(torch.from_numpy(images_MCHW), float(network.scale))
        border = BORDER * network.scale
        found[name] = SetQuality(
            psnr_M=psnr_of_images(output_MCHW, originals_MCHW, border),
            ssim_M=ssim_of_images(output_MCHW, originals_MCHW, border),
            same_M=psnr_of_images(output_MCHW, reference_MCHW, border),
            bicubic_M=psnr_of_images(quantize(large_MCHW), originals_MCHW, border),
        )
        if not np.isfinite(found[name].psnr_M).all():
            raise NetworkError(f"{network.name} returns originals of set {name} to the bit")
        if progress is not None:
            progress(len(found), len(images_by_set))
    return found


@torch.no_grad()  # not inference mode: there are networks that set weights in their pass
def _outputs(
    network: LoadedNetwork,
    images_MCHW: NDArray[np.float32],
    originals_MCHW: Tensor,
    batch_size: int,
    device: str,
) -> Tensor:
    module = network.module.to(device).eval()
    parts: list[Tensor] = []
    for batch_BCHW in torch.from_numpy(images_MCHW).split(batch_size):
        made: object = module(batch_BCHW.to(device))
        wanted = (len(batch_BCHW), *originals_MCHW.shape[1:])
        if not isinstance(made, Tensor) or made.shape != wanted:
            found = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
            raise NetworkError(
                f"{network.name} puts out {found} where the originals are {wanted}: it restores no "
                "images, so it has no loss of quality"
            )
        parts.append(quantize(made.float().cpu()))
    return torch.cat(parts)


def _inside(images_MCHW: Tensor, border: int) -> Tensor:
    return images_MCHW[..., border : -border or None, border : -border or None]


def psnr_of_images(one_MCHW: Tensor, other_MCHW: Tensor, border: int) -> NDArray[np.float64]:
    """Return each image's PSNR over RGB; infinite where both are equal."""
    one, other = (_inside(each, border).double() for each in (one_MCHW, other_MCHW))
    found = peak_signal_noise_ratio(one, other, data_range=1.0, reduction="none", dim=(1, 2, 3))
    return found.numpy()


def ssim_of_images(one_MCHW: Tensor, other_MCHW: Tensor, border: int) -> NDArray[np.float64]:
    """Return each image's structural similarity over RGB."""
    parts: list[NDArray[np.float64]] = []
    pairs = (_inside(each, border).split(8) for each in (one_MCHW, other_MCHW))
    for one, other in zip(*pairs, strict=True):  # it wants some fifty times the images' memory
        found = structural_similarity_index_measure(
            one.double(), other.double(), data_range=1.0, reduction="none"
        )
        assert isinstance(found, Tensor)
        parts.append(np.atleast_1d(found.numpy()))
    return np.concatenate(parts)
