"""ResNet18 for 32x32 images: a 3x3 stem and no max-pool, as is usual for CIFAR-10.

Written out here, not taken from torchvision: it is sixty lines, and the command line would
otherwise load torchvision to list networks. The tests compare the two.
Suffixes: N images, C channels, H/W height and width, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import ParameterError
from srscope.networks.description import TapPoint

GREY, SPREAD = 0.5, 0.25
"""Mean and standard deviation assumed of the pixels: about those of photographs in [0, 1]."""
STAGES = 4
BLOCKS = 2


@dataclass(frozen=True, kw_only=True)
class ResNetConfig:
    """Structure of a ResNet18.

    Args:
        classes: Classes it tells apart, at least 2.
        channels: Feature channels of the stem and the first stage, doubled from stage to stage.

    Raises:
        ParameterError: If a value is out of its range.

    Source: He et al. 2016; Liu et al. 2021, figure 3a.
    """

    classes: int = 10
    channels: int = 64

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise ParameterError("classes", "at least 2", self.classes)
        if self.channels < 1:
            raise ParameterError("channels", "at least 1", self.channels)


class BasicBlock(nn.Module):
    """conv-BN-ReLU-conv-BN plus identity, then ReLU; a 1x1 conv fits the identity if need be."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return the block's output, after its addition and ReLU."""
        y_NCHW = F.relu(self.bn1(self.conv1(x_NCHW)))
        return F.relu(self.bn2(self.conv2(y_NCHW)) + self.shortcut(x_NCHW))


class ResNet18(nn.Module):
    """Classification by a stem and four stages of two residual blocks.

    Modules are called as in the paper: ``conv1`` is the stem, ``conv2`` to ``conv5`` the stages,
    so ``conv5.1`` is the output of Conv5_4, the fourth conv of the last stage.

    Args:
        config: The structure; defaults to the paper's ``resnet18``.

    Source: He et al. 2016; Liu et al. 2021, figure 3a and supplement section 3.

    Example:
        >>> network = ResNet18(ResNetConfig(channels=4, classes=3))
        >>> network(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 3])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: ResNetConfig | None = None) -> None:
        super().__init__()
        self.config = config or ResNetConfig()
        channels = self.config.channels
        self.register_buffer("mean", torch.full((3, 1, 1), GREY))
        self.register_buffer("std", torch.full((3, 1, 1), SPREAD))
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
        )
        self.conv2 = _stage(channels, channels, stride=1)
        self.conv3 = _stage(channels, 2 * channels, stride=2)
        self.conv4 = _stage(2 * channels, 4 * channels, stride=2)
        self.conv5 = _stage(4 * channels, 8 * channels, stride=2)
        self.fc = nn.Linear(8 * channels, self.config.classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Classify.

        Args:
            x_NCHW: RGB in [0, 1], (N, 3, H, W), usually 32x32; normalised in here.

        Returns:
            One logit a class, (N, K).
        """
        y_NCHW = self.conv1((x_NCHW - self.mean) / self.std)
        y_NCHW = self.conv5(self.conv4(self.conv3(self.conv2(y_NCHW))))
        return self.fc(y_NCHW.mean((2, 3)))

    def taps(self) -> tuple[TapPoint, ...]:
        """Tap points in depth order: the stem after its ReLU, then each stage's last block."""
        channels = self.config.channels
        stages = (
            TapPoint(
                name=f"conv{stage + 2}.{BLOCKS - 1}",
                label=f"Conv{stage + 2}_{2 * BLOCKS}",
                channels=channels * 2**stage,
                stride=2**stage,
            )
            for stage in range(STAGES)
        )
        return (TapPoint(name="conv1", label="Conv1", channels=channels, stride=1), *stages)

    def shown(self) -> tuple[str, ...]:
        """Names of the taps shown by default: all, as in the paper."""
        return tuple(tap.name for tap in self.taps())


def _stage(channels_in: int, channels: int, *, stride: int) -> nn.Sequential:
    return nn.Sequential(
        BasicBlock(channels_in, channels, stride),
        *(BasicBlock(channels, channels, 1) for _ in range(BLOCKS - 1)),
    )
