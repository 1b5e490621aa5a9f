"""SRResNet without batch normalisation, with and without the image-level global residual.

Module names follow BasicSR's ``MSRResNet`` (``conv_first``, ``body.N.conv1``, ``upconv1``, ...), so
its published x4 checkpoints load unchanged. Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import ParameterError
from srscope.networks.description import TapPoint, shown_of_blocks

SLOPE = 0.1
"""Negative slope of the LeakyReLUs outside the residual blocks."""


@dataclass(frozen=True, kw_only=True)
class SRResNetConfig:
    """Structure of an SRResNet.

    Args:
        global_residual: Add the bilinearly upsampled input to the output (GR).
        blocks: Residual blocks, at least 1.
        channels: Feature channels, at least 1.
        scale: Magnification: 2, 3 or 4.

    Raises:
        ParameterError: If a value is out of its range.

    Source: Liu et al. 2021, figure 3 and supplement section 3.
    """

    global_residual: bool = True
    blocks: int = 16
    channels: int = 64
    scale: int = 4

    def __post_init__(self) -> None:
        if self.blocks < 1:
            raise ParameterError("blocks", "at least 1", self.blocks)
        if self.channels < 1:
            raise ParameterError("channels", "at least 1", self.channels)
        if self.scale not in (2, 3, 4):
            raise ParameterError("scale", "2, 3 or 4", self.scale)


class ResidualBlock(nn.Module):
    """conv-ReLU-conv plus identity, no batch normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return the block's output, of the input's shape."""
        return x_NCHW + self.conv2(F.relu(self.conv1(x_NCHW)))


class SRResNet(nn.Module):
    """Super-resolution by a chain of residual blocks and pixel shuffles.

    Args:
        config: The structure; defaults to the paper's ``srresnet-wgr``.

    Source: Ledig et al. 2017 as simplified by Wang et al. 2018; Liu et al. 2021, figure 3.

    Example:
        >>> import torch
        >>> network = SRResNet(SRResNetConfig(blocks=1, channels=4))
        >>> network(torch.rand(1, 3, 8, 6)).shape
        torch.Size([1, 3, 32, 24])
    """

    def __init__(self, config: SRResNetConfig | None = None) -> None:
        super().__init__()
        self.config = config or SRResNetConfig()
        channels, scale = self.config.channels, self.config.scale
        self.conv_first = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(*(ResidualBlock(channels) for _ in range(self.config.blocks)))
        factor = 3 if scale == 3 else 2
        self.upconv1 = nn.Conv2d(channels, channels * factor**2, 3, padding=1)
        if scale == 4:
            self.upconv2 = nn.Conv2d(channels, channels * 4, 3, padding=1)
        self.conv_hr = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_last = nn.Conv2d(channels, 3, 3, padding=1)
        self._initialise()

    def _initialise(self) -> None:
        """He initialisation, biases zero; residual branches and the last conv start at a tenth.

        Scaling every conv by 0.1, as BasicSR does, leaves the network without global residual
        near a constant output for its first thousand iterations.
        """
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=SLOPE)
                if name.startswith("body.") or name == "conv_last":
                    module.weight.data.mul_(0.1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Magnify.

        Args:
            x_NCHW: RGB in [0, 1], (N, 3, H, W), any H and W.

        Returns:
            RGB near [0, 1], not clipped, (N, 3, scale*H, scale*W).
        """
        scale = self.config.scale
        factor = 3 if scale == 3 else 2
        y_NCHW = self.body(F.leaky_relu(self.conv_first(x_NCHW), SLOPE))
        y_NCHW = F.leaky_relu(F.pixel_shuffle(self.upconv1(y_NCHW), factor), SLOPE)
        if scale == 4:
            y_NCHW = F.leaky_relu(F.pixel_shuffle(self.upconv2(y_NCHW), 2), SLOPE)
        y_NCHW = self.conv_last(F.leaky_relu(self.conv_hr(y_NCHW), SLOPE))
        if self.config.global_residual:
            y_NCHW = y_NCHW + F.interpolate(
                x_NCHW, scale_factor=scale, mode="bilinear", align_corners=False
            )
        return y_NCHW

    @property
    def receptive_radius(self) -> int:
        """Input pixels beyond its own, along a side, that an output pixel depends on."""
        scale = self.config.scale
        radius = 2  # conv_hr and conv_last, in output pixels
        for factor in (2, 2) if scale == 4 else (scale,):
            radius = -(-radius // factor) + 1  # through the shuffle, and the conv before it
        return radius + 2 * self.config.blocks + 1  # the residual's bilinear reach of 1 is inside

    def taps(self) -> tuple[TapPoint, ...]:
        """Tap points in depth order: the first conv, then every block after its addition."""
        channels = self.config.channels
        first = TapPoint(name="conv_first", label="Conv1", channels=channels, stride=1)
        return (
            first,
            *(
                TapPoint(name=f"body.{i}", label=f"ResBlock{i + 1}", channels=channels, stride=1)
                for i in range(self.config.blocks)
            ),
        )

    def shown(self) -> tuple[str, ...]:
        """Names of the taps shown by default: Conv1 and the blocks at a quarter, a half, the end.

        With 16 blocks these are the paper's: Conv1, ResBlock4, ResBlock8, ResBlock16.
        """
        return shown_of_blocks([tap.name for tap in self.taps()])
