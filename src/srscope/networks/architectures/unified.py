"""One backbone for two tasks: residual channel attention blocks under a classifier or an SR tail.

The backbone's weights have the same names in both networks, ``backbone.*``, so one's can be loaded
into the other. Suffixes: N images, C channels, H/W height and width, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import ParameterError
from srscope.networks.architectures.srresnet import SLOPE
from srscope.networks.description import TapPoint, shown_of_blocks

GREY = 0.5
"""Taken off the input, as RCAN takes off its data's mean; the same for both tasks."""
SMALL = 0.1
"""What the last convs of residual branches start at, relative to He's initialisation."""
DOWNS = 3


def _require(config: UnifiedConfig | UnifiedClassifierConfig) -> None:
    for name in ("blocks", "channels", "reduction"):
        if getattr(config, name) < 1:
            raise ParameterError(name, "at least 1", getattr(config, name))
    if config.channels % config.reduction:
        raise ParameterError(
            "reduction", f"a divisor of channels = {config.channels}", config.reduction
        )


@dataclass(frozen=True, kw_only=True)
class UnifiedConfig:
    """Structure of the unified network with its super-resolution tail.

    Args:
        blocks: Residual channel attention blocks, at least 1.
        channels: Feature channels, at least 1.
        reduction: Factor by which the attention narrows the channels, a divisor of ``channels``.
        scale: Magnification; only 4, by two pixel shuffles.
        global_residual: Add the bilinearly upsampled input to the output (GR).

    Raises:
        ParameterError: If a value is out of its range.

    Source: Liu et al. 2021, supplement section 7 and figure 6; Zhang et al. 2018 (RCAN), section 3.
    """

    blocks: int = 16
    channels: int = 64
    reduction: int = 16
    scale: int = 4
    global_residual: bool = True

    def __post_init__(self) -> None:
        _require(self)
        if self.scale != 4:
            raise ParameterError("scale", "4", self.scale, "the tail is two x2 pixel shuffles")


@dataclass(frozen=True, kw_only=True)
class UnifiedClassifierConfig:
    """Structure of the unified network with its classification tail.

    Args:
        blocks: Residual channel attention blocks, at least 1.
        channels: Feature channels of the backbone, doubled from Down2 to Down4.
        reduction: Factor by which the attention narrows the channels, a divisor of ``channels``.
        classes: Classes it tells apart, at least 2.

    Raises:
        ParameterError: If a value is out of its range.

    Source: Liu et al. 2021, supplement section 7 and figure 6.
    """

    blocks: int = 16
    channels: int = 64
    reduction: int = 16
    classes: int = 10

    def __post_init__(self) -> None:
        _require(self)
        if self.classes < 2:
            raise ParameterError("classes", "at least 2", self.classes)


class AttentionBlock(nn.Module):
    """conv-ReLU-conv, each channel weighted by what all channels hold on average, plus identity.

    Source: Zhang et al. 2018 (RCAN), section 3.2, equations 7 to 10.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.squeeze = nn.Conv2d(channels, channels // reduction, 1)
        self.excite = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return the block's output, of the input's shape."""
        y_NCHW = self.conv2(F.relu(self.conv1(x_NCHW)))
        weights_NC11 = self.excite(F.relu(self.squeeze(y_NCHW.mean((2, 3), keepdim=True))))
        return x_NCHW + y_NCHW * weights_NC11.sigmoid()


class UnifiedBackbone(nn.Module):
    """What both networks share: a conv and a chain of attention blocks, without normalisation."""

    def __init__(self, *, blocks: int, channels: int, reduction: int) -> None:
        super().__init__()
        self.conv_first = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(*(AttentionBlock(channels, reduction) for _ in range(blocks)))
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):
                # Without normalisation, branches that start small keep the chain near identity.
                _initialise(module, SMALL if name.endswith("conv2") else 1.0)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return features of the input's height and width."""
        return self.body(F.leaky_relu(self.conv_first(x_NCHW - GREY), SLOPE))

    def tap(self, index: int, label: str) -> TapPoint:
        """Return the tap after block ``index``, or after the first conv if it is -1."""
        name = f"backbone.body.{index}" if index >= 0 else "backbone.conv_first"
        channels = self.conv_first.out_channels
        return TapPoint(name=name, label=label, channels=channels, stride=1)


class UnifiedSR(nn.Module):
    """The backbone with two pixel shuffles behind it.

    Args:
        config: The structure; defaults to 16 blocks.

    Source: Liu et al. 2021, supplement section 7 and figure 6.

    Example:
        >>> import torch
        >>> network = UnifiedSR(UnifiedConfig(blocks=1, channels=4, reduction=2))
        >>> network(torch.rand(1, 3, 8, 6)).shape
        torch.Size([1, 3, 32, 24])
    """

    def __init__(self, config: UnifiedConfig | None = None) -> None:
        super().__init__()
        self.config = config or UnifiedConfig()
        channels = self.config.channels
        self.backbone = UnifiedBackbone(
            blocks=self.config.blocks, channels=channels, reduction=self.config.reduction
        )
        self.upconv1 = nn.Conv2d(channels, channels * 4, 3, padding=1)
        self.upconv2 = nn.Conv2d(channels, channels * 4, 3, padding=1)
        self.conv_hr = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_last = nn.Conv2d(channels, 3, 3, padding=1)
        for conv in (self.upconv1, self.upconv2, self.conv_hr):
            _initialise(conv, 1.0)
        _initialise(self.conv_last, SMALL)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Magnify.

        Args:
            x_NCHW: RGB in [0, 1], (N, 3, H, W), any H and W.

        Returns:
            RGB near [0, 1], not clipped, (N, 3, 4H, 4W).
        """
        y_NCHW = self.backbone(x_NCHW)
        y_NCHW = F.leaky_relu(F.pixel_shuffle(self.upconv1(y_NCHW), 2), SLOPE)
        y_NCHW = F.leaky_relu(F.pixel_shuffle(self.upconv2(y_NCHW), 2), SLOPE)
        y_NCHW = self.conv_last(F.leaky_relu(self.conv_hr(y_NCHW), SLOPE))
        if self.config.global_residual:
            y_NCHW = y_NCHW + F.interpolate(
                x_NCHW, scale_factor=4, mode="bilinear", align_corners=False
            )
        return y_NCHW

    def taps(self) -> tuple[TapPoint, ...]:
        """Tap points in depth order: the first conv, then every block after its addition."""
        blocks = (self.backbone.tap(i, f"Block{i + 1}") for i in range(self.config.blocks))
        return (self.backbone.tap(-1, "Conv1"), *blocks)

    def shown(self) -> tuple[str, ...]:
        """Names of the taps shown by default: Conv1, blocks at a quarter, a half, the end."""
        return shown_of_blocks([tap.name for tap in self.taps()])


class UnifiedClassifier(nn.Module):
    """The backbone with three poolings and a fully connected layer behind it.

    Args:
        config: The structure; defaults to 16 blocks and 10 classes.

    Source: Liu et al. 2021, supplement section 7 and figure 6.

    Example:
        >>> import torch
        >>> network = UnifiedClassifier(UnifiedClassifierConfig(blocks=1, channels=4, reduction=2))
        >>> network(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(self, config: UnifiedClassifierConfig | None = None) -> None:
        super().__init__()
        self.config = config or UnifiedClassifierConfig()
        channels = self.config.channels
        self.backbone = UnifiedBackbone(
            blocks=self.config.blocks, channels=channels, reduction=self.config.reduction
        )
        self.down2, self.down3, self.down4 = (_down(channels * 2**i) for i in range(DOWNS))
        self.fc = nn.Linear(channels * 2**DOWNS, self.config.classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Classify.

        Args:
            x_NCHW: RGB in [0, 1], (N, 3, H, W), sides of at least 8 pixels, usually 32.

        Returns:
            One logit a class, (N, K).
        """
        y_NCHW = self.down4(self.down3(self.down2(self.backbone(x_NCHW))))
        return self.fc(y_NCHW.mean((2, 3)))

    def taps(self) -> tuple[TapPoint, ...]:
        """Tap points in depth order: Conv1, Down1 (the backbone's end), Down2 to Down4."""
        channels = self.config.channels
        downs = (
            TapPoint(
                name=f"down{i + 1}", label=f"Down{i + 1}", channels=channels * 2**i, stride=2**i
            )
            for i in range(1, DOWNS + 1)
        )
        last = self.config.blocks - 1
        return (self.backbone.tap(-1, "Conv1"), self.backbone.tap(last, "Down1"), *downs)

    def shown(self) -> tuple[str, ...]:
        """Names of the taps shown by default: all, as in the paper."""
        return tuple(tap.name for tap in self.taps())


def _down(channels: int) -> nn.Sequential:
    conv = nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False)
    _initialise(conv, 1.0)
    return nn.Sequential(conv, nn.BatchNorm2d(2 * channels), nn.ReLU(), nn.MaxPool2d(2))


def _initialise(conv: nn.Conv2d, factor: float) -> None:
    """He initialisation times ``factor``, bias zero."""
    nn.init.kaiming_normal_(conv.weight, a=SLOPE)
    conv.weight.data.mul_(factor)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
