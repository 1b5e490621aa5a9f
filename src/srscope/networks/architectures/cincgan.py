"""CinCGAN: a generator that cleans the low-resolution image, then a super-resolution network.

Only what is shipped stands here, and the generator's structure, which the training uses three
times: G1 cleans, G2 degrades again, G3 reduces and degrades. The discriminators live with the
training. Suffixes: N images, C channels, H/W height and width of the low-resolution image.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import ParameterError
from srscope.networks.architectures.srresnet import ResidualBlock, SRResNet, SRResNetConfig
from srscope.networks.description import TapPoint

SLOPE = 0.2
"""Negative slope of the LeakyReLUs of the generators."""


@dataclass(frozen=True, kw_only=True)
class CinCGANConfig:
    """Structure of G1 and of the super-resolution network behind it.

    Args:
        g_channels: Feature channels of G1, at least 1.
        g_blocks: Residual blocks of G1, at least 1.
        g_residual: G1 adds its input to its output, so that it learns the correction only.
        sr_channels: Feature channels of the super-resolution network, at least 1.
        sr_blocks: Its residual blocks, at least 1.
        sr_residual: It adds the bilinearly upsampled input to its output.
        scale: Magnification: 2, 3 or 4.

    Raises:
        ParameterError: If a value is out of its range.

    Source: Yuan et al. 2018 (arXiv 1809.00437), who use 64 channels and 6 blocks for G1, neither
        residual, and EDSR (32 blocks of 256 channels) for the super-resolution.
    """

    g_channels: int = 64
    g_blocks: int = 6
    g_residual: bool = True
    sr_channels: int = 64
    sr_blocks: int = 16
    sr_residual: bool = True
    scale: int = 4

    def __post_init__(self) -> None:
        for name in ("g_channels", "g_blocks", "sr_channels", "sr_blocks"):
            if getattr(self, name) < 1:
                raise ParameterError(name, "at least 1", getattr(self, name))
        if self.scale not in (2, 3, 4):
            raise ParameterError("scale", "2, 3 or 4", self.scale)

    @property
    def sr(self) -> SRResNetConfig:
        """Structure of the super-resolution network alone."""
        return SRResNetConfig(
            global_residual=self.sr_residual,
            blocks=self.sr_blocks,
            channels=self.sr_channels,
            scale=self.scale,
        )


class Generator(nn.Module):
    """Three convs, residual blocks, three convs; the outer two are 7x7.

    No batch normalisation, unlike public reimplementations: with a batch of two it would make an
    image's result depend on its neighbour, and several processes differ from one.

    Args:
        channels: Feature channels.
        blocks: Residual blocks.
        residual: Add the input, reduced by block means where ``reduce`` is above 1.
        reduce: Input side over output side: 1 for G1 and G2; 2, 3 or 4 for G3.

    Source: Yuan et al. 2018 (arXiv 1809.00437), G1 and G2; G3 strides its second and third conv.

    Example:
        >>> import torch
        >>> Generator(channels=4, blocks=1, residual=True, reduce=4)(torch.rand(1, 3, 32, 24)).shape
        torch.Size([1, 3, 8, 6])
    """

    def __init__(self, *, channels: int, blocks: int, residual: bool, reduce: int = 1) -> None:
        super().__init__()
        self.residual, self.reduce = residual, reduce
        first, second = {1: (1, 1), 2: (2, 1), 3: (3, 1), 4: (2, 2)}[reduce]
        self.head1 = nn.Conv2d(3, channels, 7, padding=3)
        self.head2 = nn.Conv2d(channels, channels, 3, stride=first, padding=1)
        self.head3 = nn.Conv2d(channels, channels, 3, stride=second, padding=1)
        self.body = nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))
        self.tail1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.tail2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.tail3 = nn.Conv2d(channels, 3, 7, padding=3)
        self._initialise()

    def _initialise(self) -> None:
        """He initialisation, biases zero; residual branches and the last conv start at a tenth."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=SLOPE)
                if name.startswith("body.") or name == "tail3":
                    module.weight.data.mul_(0.1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Restore, or degrade.

        Args:
            x_NCHW: RGB near [0, 1], (N, 3, H, W); H and W multiples of ``reduce``.

        Returns:
            RGB near [0, 1], not clipped, (N, 3, H / reduce, W / reduce).
        """
        y_NCHW = F.leaky_relu(self.head1(x_NCHW), SLOPE)
        y_NCHW = F.leaky_relu(self.head2(y_NCHW), SLOPE)
        y_NCHW = self.body(F.leaky_relu(self.head3(y_NCHW), SLOPE))
        y_NCHW = F.leaky_relu(self.tail1(y_NCHW), SLOPE)
        y_NCHW = self.tail3(F.leaky_relu(self.tail2(y_NCHW), SLOPE))
        if self.residual:
            y_NCHW = y_NCHW + (F.avg_pool2d(x_NCHW, self.reduce) if self.reduce > 1 else x_NCHW)
        return y_NCHW


class CinCGAN(nn.Module):
    """G1, then super-resolution: degraded low-resolution image in, clean high-resolution image out.

    Args:
        config: The structure.

    Source: Yuan et al. 2018 (arXiv 1809.00437); Liu et al. 2021, section 3.

    Example:
        >>> import torch
        >>> network = CinCGAN(CinCGANConfig(g_channels=4, g_blocks=1, sr_channels=4, sr_blocks=1))
        >>> network(torch.rand(1, 3, 8, 6)).shape
        torch.Size([1, 3, 32, 24])
    """

    def __init__(self, config: CinCGANConfig | None = None) -> None:
        super().__init__()
        self.config = config or CinCGANConfig()
        self.g1 = Generator(
            channels=self.config.g_channels,
            blocks=self.config.g_blocks,
            residual=self.config.g_residual,
        )
        self.sr = SRResNet(self.config.sr)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Clean and magnify.

        Args:
            x_NCHW: RGB in [0, 1], (N, 3, H, W), any H and W.

        Returns:
            RGB near [0, 1], not clipped, (N, 3, scale*H, scale*W).
        """
        return self.sr(self.g1(x_NCHW))

    @property
    def receptive_radius(self) -> int:
        """Input pixels beyond its own, along a side, that an output pixel depends on."""
        g1 = 3 + 1 + 1 + 2 * self.config.g_blocks + 1 + 1 + 3
        return g1 + self.sr.receptive_radius

    def taps(self) -> tuple[TapPoint, ...]:
        """Tap points in depth order: G1's first conv and blocks, then those of the SR network."""
        channels = self.config.g_channels
        inner = [TapPoint(name="g1.head1", label="G1.Conv1", channels=channels, stride=1)]
        for i in range(self.config.g_blocks):
            label = f"G1.Block{i + 1}"
            inner.append(TapPoint(name=f"g1.body.{i}", label=label, channels=channels, stride=1))
        channels = self.config.sr_channels
        outer = [TapPoint(name="sr.conv_first", label="SR.Conv1", channels=channels, stride=1)]
        for i in range(self.config.sr_blocks):
            label = f"SR.Block{i + 1}"
            outer.append(TapPoint(name=f"sr.body.{i}", label=label, channels=channels, stride=1))
        return (*inner, *outer)

    def shown(self) -> tuple[str, ...]:
        """Names of the taps shown by default: the first conv and the last block of each part."""
        return (
            "g1.head1",
            f"g1.body.{self.config.g_blocks - 1}",
            "sr.conv_first",
            f"sr.body.{self.config.sr_blocks - 1}",
        )
