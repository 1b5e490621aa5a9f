"""Networks of the atlas whose packages hold weights that no other reader takes.

Run from this folder, or with it on the path: ``atlas_networks:ffdnet?checkpoint=FILE``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_CHANNELS, _LAYERS = 96, 12


class FFDNet(nn.Module):
    """FFDNet for colour images: convolutions at half the size, beside a map of the noise level.

    Args:
        sigma: Standard deviation of the noise it is told of, on the scale of [0, 255].

    Source: Zhang, Zuo and Zhang 2018, section III.
    """

    level: Tensor

    def __init__(self, sigma: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number in range(_LAYERS):
            inputs = 3 * 4 + 1 if number == 0 else _CHANNELS
            outputs = 3 * 4 if number == _LAYERS - 1 else _CHANNELS
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        self.model = nn.Sequential(*layers[:-1])
        self.register_buffer("level", torch.tensor(sigma / 255), persistent=False)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return the image without its noise, for even sides."""
        small_NCHW = F.pixel_unshuffle(x_NCHW, 2)
        level_N1HW = self.level.expand(len(x_NCHW), 1, *small_NCHW.shape[2:])
        return F.pixel_shuffle(self.model(torch.cat([small_NCHW, level_N1HW], dim=1)), 2)


def ffdnet(sigma: float = 0.0) -> FFDNet:
    """Build FFDNet, told of noise of standard deviation ``sigma`` on the scale of [0, 255]."""
    return FFDNet(sigma)
