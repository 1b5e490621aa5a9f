"""The VGG-style discriminator of SRGAN. Suffixes: N images, C channels, H/W height and width."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import ParameterError

SLOPE = 0.2
"""Negative slope of the LeakyReLUs."""
_WIDTHS = (1, 1, 2, 2, 4, 4, 8, 8)


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """Structure of the discriminator.

    Args:
        channels: Channels of the first convolution; the last has eight times as many. SRGAN has 64.
        hidden: Units of the first fully connected layer.

    Raises:
        ParameterError: If a number is below 1.
    """

    channels: int = 64
    hidden: int = 100

    def __post_init__(self) -> None:
        for name in ("channels", "hidden"):
            if getattr(self, name) < 1:
                raise ParameterError(f"discriminator.{name}", "at least 1", getattr(self, name))


class Discriminator(nn.Module):
    """Tells originals from what a generator made.

    Eight 3x3 convolutions, every second with stride 2, batch-normalised but for the first, then
    two fully connected layers.

    Args:
        config: Its widths.
        side: Side of the images it sees, a multiple of 16.

    Raises:
        ParameterError: If ``side`` is not a multiple of 16.

    Source: Ledig et al. 2017, figure 4.

    Example:
        >>> import torch
        >>> network = Discriminator(DiscriminatorConfig(channels=2), side=32)
        >>> network(torch.rand(3, 3, 32, 32)).shape
        torch.Size([3, 1])
    """

    def __init__(self, config: DiscriminatorConfig, *, side: int) -> None:
        super().__init__()
        if side < 16 or side % 16:
            raise ParameterError(
                "data.patch", "such that patch x scale is a multiple of 16", f"{side} HR pixels"
            )
        widths = [config.channels * factor for factor in _WIDTHS]
        self.convs = nn.ModuleList()
        self.norms = nn.ModuleList()
        for index, (before, width) in enumerate(zip([3, *widths], widths, strict=False)):
            self.convs.append(
                nn.Conv2d(before, width, 3, stride=1 + index % 2, padding=1, bias=index == 0)
            )
            self.norms.append(nn.BatchNorm2d(width) if index else nn.Identity())
        self.hidden = nn.Linear(widths[-1] * (side // 16) ** 2, config.hidden)
        self.judge = nn.Linear(config.hidden, 1)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, a=SLOPE)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.judge.weight, std=0.01)  # the first verdicts are near "undecided"

    def features(self, x_NCHW: Tensor) -> list[Tensor]:
        """Return the activation after every convolution."""
        kept: list[Tensor] = []
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x_NCHW = F.leaky_relu(norm(conv(x_NCHW)), SLOPE)
            kept.append(x_NCHW)
        return kept

    def verdict(self, last_NCHW: Tensor) -> Tensor:
        """Return the logits (N, 1) of "original" from the last activation."""
        return self.judge(F.leaky_relu(self.hidden(last_NCHW.flatten(1)), SLOPE))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Judge images.

        Args:
            x_NCHW: RGB near [0, 1], (N, 3, side, side).

        Returns:
            Logits (N, 1): positive for "original".
        """
        return self.verdict(self.features(x_NCHW)[-1])
