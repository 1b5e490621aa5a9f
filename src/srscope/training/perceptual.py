"""Perceptual losses: VGG19 features, or those of the discriminator itself.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import CheckpointError, DownloadError
from srscope.images.downloads import data_folder
from srscope.runtime.fetch import RemoteFile, fetch

VGG19 = RemoteFile(
    url="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    name="vgg19-dcbb9e9d.pth",
    size=574_673_361,
    algorithm="sha256",
    checksum="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
)
"""torchvision's VGG19, trained on ImageNet."""
CONV5_4 = 34
"""Index of conv5_4 in torchvision's ``vgg19().features``; its output is taken before ReLU."""


class Vgg19Loss(nn.Module):
    """L1 distance of VGG19's conv5_4 activations, before ReLU.

    Args:
        weights: torchvision's VGG19 weights (ImageNet), a local file.

    Raises:
        CheckpointError: If the file does not hold them.

    Source: Wang et al. 2018 (ESRGAN), section 3.3; Liu et al. 2021, supplement section 3.
    """

    mean_C11: Tensor
    std_C11: Tensor

    def __init__(self, weights: Path) -> None:
        super().__init__()
        from torchvision.models import vgg19

        network = vgg19(weights=None)
        try:
            network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        except Exception as error:
            raise CheckpointError(
                weights, "does not hold torchvision's VGG19 weights", f"download {VGG19.url}"
            ) from error
        layers = list(network.features.children())[: CONV5_4 + 1]
        self.layers = nn.Sequential(*layers).eval().requires_grad_(False)
        self.register_buffer("mean_C11", torch.tensor([0.485, 0.456, 0.406])[:, None, None])
        self.register_buffer("std_C11", torch.tensor([0.229, 0.224, 0.225])[:, None, None])

    def forward(self, fake_NCHW: Tensor, real_NCHW: Tensor) -> Tensor:
        """Return the distance, a scalar; gradients reach ``fake_NCHW`` only."""
        fake_NCHW, real_NCHW = (
            self.layers((x_NCHW - self.mean_C11) / self.std_C11)
            for x_NCHW in (fake_NCHW, real_NCHW.detach())
        )
        return F.l1_loss(fake_NCHW, real_NCHW.detach())


def vgg19_weights(
    folder: Path | None = None, *, progress: bool = True, remote: RemoteFile = VGG19
) -> Path:
    """Return torchvision's VGG19 weights, downloaded (575 MB) the first time.

    Args:
        folder: Where they are kept; the data folder unless given.
        progress: Show the download's progress.
        remote: The file, for mirrors.

    Raises:
        DownloadError: If the file cannot be had or is not the published one. The message names
            the way to train without it.
    """
    try:
        return fetch(remote, folder or data_folder(), progress=progress)
    except DownloadError as error:
        raise DownloadError(
            f"{error}; or train without it: --losses.perceptual_features=discriminator"
        ) from error


def feature_matching(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Return the mean over layers of the L1 distance between two images' features.

    Args:
        fake: Activations of a discriminator for what the generator made, one a layer.
        real: Those for the originals; no gradient flows into them.

    Source: Wang et al. 2018 (pix2pixHD), section 3.3.
    """
    distances = [F.l1_loss(f, r.detach()) for f, r in zip(fake, real, strict=True)]
    return torch.stack(distances).mean()
