"""Small networks that are told the degradation: one restores, one transfers a degradation.

What they are told is an embedding: a few numbers of an image, from which the weights of a
:class:`Modulation` make a scale and a shift of every block's channels. A new modulation scales by
1 and shifts by 0, so that a guided network starts as the unguided one.

Suffixes: N images, C channels, H/W height and width, E values of an embedding, L levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import NetworkError, ParameterError
from srscope.networks.description import TapPoint, shown_of_blocks

Guidance = Literal["none", "statistics", "representations", "oracle"]
LEVELS = ("blur width", "noise sigma")
"""What a level is of, in this order: pixels, and 8-bit grey levels."""
HIGHEST = (2.5, 30.0)
"""Levels that an oracle's embedding of 1 stands for: the highest of the training's mixture."""
HIDDEN = 64
_FAR = (
    5.0  # standard deviations beyond which a value of an embedding is cut: nothing was seen there
)


@dataclass(frozen=True, kw_only=True)
class RestorerConfig:
    """Structure of a restoration network, and what guides it.

    Args:
        blocks: Residual blocks, at least 1.
        channels: Feature channels, at least 1.
        guidance: ``none``; ``statistics`` of the image; ``representations``: statistics of the
            channels of another network's layer; or ``oracle``: the true levels.
        guide: The network whose features are the representations.
        layer: Its layer, by label or dotted name.
        embedding: Numbers in an embedding; 0 for no guidance.

    Raises:
        ParameterError: If a value is out of its range, or the embedding does not fit the guidance.
    """

    blocks: int = 4
    channels: int = 32
    guidance: Guidance = "none"
    guide: str = "srgan-wgr"
    layer: str = "ResBlock16"
    embedding: int = 0

    def __post_init__(self) -> None:
        for name in ("blocks", "channels"):
            if getattr(self, name) < 1:
                raise ParameterError(name, "at least 1", getattr(self, name))
        if self.embedding < 0 or (self.embedding == 0) != (self.guidance == "none"):
            rule = "0 without guidance, and above 0 with it"
            raise ParameterError("embedding", rule, self.embedding)


@dataclass(frozen=True, kw_only=True)
class TransferConfig(RestorerConfig):
    """Structure of a transfer network; ``blocks`` are in its encoder, and as many in its decoder.

    Raises:
        ParameterError: If a value is out of its range, or nothing guides the network.
    """

    blocks: int = 3
    guidance: Guidance = "representations"
    embedding: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.guidance == "none":
            raise ParameterError("guidance", "any but none in a transfer network", self.guidance)


class Modulation(nn.Module):
    """Makes a scale and a shift of every block's channels of an embedding; at first 1 and 0."""

    def __init__(self, embedding: int, blocks: int, channels: int) -> None:
        super().__init__()
        self.first = nn.Linear(embedding, HIDDEN)
        self.last = nn.Linear(HIDDEN, blocks * 2 * channels)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self._shape = (blocks, 2, channels, 1, 1)

    def forward(self, embedding_NE: Tensor) -> Tensor:
        """Return scales less 1, and shifts, (blocks, 2, N, C, 1, 1)."""
        made = self.last(F.relu(self.first(embedding_NE)))
        return made.unflatten(1, self._shape).permute(1, 2, 0, 3, 4, 5)


class GuidedBlocks(nn.Module):
    """Residual blocks whose channels are scaled and shifted before the rectifier."""

    def __init__(self, config: RestorerConfig) -> None:
        super().__init__()
        pairs = range(2 * config.blocks)
        self.convs = nn.ModuleList(
            nn.Conv2d(config.channels, config.channels, 3, padding=1) for _ in pairs
        )

    def forward(self, x_NCHW: Tensor, modulation: Tensor | None) -> Tensor:
        """Return the last block's output; ``modulation`` as :class:`Modulation` returns it."""
        for block in range(len(self.convs) // 2):
            y_NCHW = self.convs[2 * block](x_NCHW)
            if modulation is not None:
                scale_NC11, shift_NC11 = modulation[block]
                y_NCHW = y_NCHW * (1 + scale_NC11) + shift_NC11
            x_NCHW = x_NCHW + self.convs[2 * block + 1](F.relu(y_NCHW))
        return x_NCHW


class Embedded(nn.Module):
    """What the two networks share: the scale of embeddings, and the levels read from them.

    Buffers hold what is fitted once, before the training: mean and standard deviation of
    embeddings, a linear readout of the levels, and the embedding of a test picture, by which a
    guide is known again.
    """

    def __init__(self, config: RestorerConfig) -> None:
        super().__init__()
        size = config.embedding
        self.embedding_mean_E: Tensor
        self.embedding_std_E: Tensor
        self.readout_LE: Tensor
        self.readout_L: Tensor
        self.mark_E: Tensor
        self.register_buffer("embedding_mean_E", torch.zeros(size))
        self.register_buffer("embedding_std_E", torch.ones(size))
        self.register_buffer("readout_LE", torch.zeros(len(LEVELS), size))
        self.register_buffer("readout_L", torch.zeros(len(LEVELS)))
        self.register_buffer("mark_E", torch.zeros(size))

    def normalised(self, embedding_NE: Tensor) -> Tensor:
        """Return embeddings with mean 0 and standard deviation 1 over the training's images."""
        scaled_NE = (embedding_NE - self.embedding_mean_E) / self.embedding_std_E
        return scaled_NE.clamp(-_FAR, _FAR)

    def levels(self, embedding_NE: Tensor) -> Tensor:
        """Return blur width and noise sigma as they are read from embeddings, (N, 2), 0 or more."""
        return (self.normalised(embedding_NE) @ self.readout_LE.T + self.readout_L).clamp(min=0)

    def start(self) -> None:
        """He initialisation, biases zero; what ends a residual branch starts at a tenth.

        In the order of the modules, modulations last: so the seed gives guided and unguided
        networks the same weights.
        """
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)  # pyright: ignore[reportArgumentType]
                if name == "conv_last" or (".convs." in name and int(name.split(".")[-1]) % 2):
                    module.weight.data.mul_(0.1)


class Restorer(Embedded):
    """Restores an image of its own size, guided by an embedding.

    Args:
        config: The structure.

    Source: scale and shift of features by a condition: Perez et al. 2018 (FiLM).

    Example:
        >>> network = Restorer(RestorerConfig(blocks=1, channels=4, guidance="oracle", embedding=2))
        >>> network(torch.rand(2, 3, 8, 6), torch.rand(2, 2)).shape
        torch.Size([2, 3, 8, 6])
    """

    def __init__(self, config: RestorerConfig | None = None) -> None:
        self.config = config or RestorerConfig()
        super().__init__(self.config)
        channels = self.config.channels
        self.conv_first = nn.Conv2d(3, channels, 3, padding=1)
        self.body = GuidedBlocks(self.config)
        self.conv_last = nn.Conv2d(channels, 3, 3, padding=1)
        self.start()
        self.modulation = _modulation(self.config)

    def forward(self, x_NCHW: Tensor, embedding_NE: Tensor | None = None) -> Tensor:
        """Return the restored images, not clipped.

        Args:
            x_NCHW: RGB in [0, 1], any height and width.
            embedding_NE: As the guide makes it; ignored without guidance.

        Raises:
            NetworkError: If the network is guided and no embedding is given.
        """
        y_NCHW = F.relu(self.conv_first(x_NCHW))
        y_NCHW = self.body(y_NCHW, _modulated(self, self.modulation, embedding_NE))
        return x_NCHW + self.conv_last(y_NCHW)

    @property
    def receptive_radius(self) -> int:
        """Pixels beyond its own, along a side, that an output pixel depends on."""
        return 2 * self.config.blocks + 2

    def taps(self) -> tuple[TapPoint, ...]:
        """Tap points in depth order: the first conv, then what every block adds."""
        names = ["conv_first", *(f"body.convs.{2 * i + 1}" for i in range(self.config.blocks))]
        labels = ["Conv1", *(f"Block{i + 1}" for i in range(self.config.blocks))]
        channels = self.config.channels
        return tuple(
            TapPoint(name=name, label=label, channels=channels, stride=1)
            for name, label in zip(names, labels, strict=True)
        )

    def shown(self) -> tuple[str, ...]:
        """Names of the taps shown by default."""
        return shown_of_blocks([tap.name for tap in self.taps()])


class Transfer(Embedded):
    """Gives the content of one image the degradation of another.

    The encoder is told the content's own degradation, the decoder the one to be given. Noise has
    to come from somewhere: it is an input, white and of standard deviation 1, which the decoder
    learns to scale. So there is one right answer to learn, and not the mean of all noises.

    Args:
        config: The structure.

    Example:
        >>> config = TransferConfig(blocks=1, channels=4, guidance="oracle", embedding=2)
        >>> images, own, like = torch.rand(2, 3, 8, 6), torch.rand(2, 2), torch.rand(2, 2)
        >>> Transfer(config)(images, own, like, torch.randn(2, 3, 8, 6)).shape
        torch.Size([2, 3, 8, 6])
    """

    def __init__(self, config: TransferConfig | None = None) -> None:
        self.config = config or TransferConfig()
        super().__init__(self.config)
        channels = self.config.channels
        self.conv_first = nn.Conv2d(3, channels, 3, padding=1)
        self.encoder = GuidedBlocks(self.config)
        self.conv_noise = nn.Conv2d(3, channels, 3, padding=1)
        self.decoder = GuidedBlocks(self.config)
        self.conv_last = nn.Conv2d(channels, 3, 3, padding=1)
        self.start()
        self.modulation_own = _modulation(self.config)
        self.modulation_like = _modulation(self.config)

    def forward(
        self, x_NCHW: Tensor, own_NE: Tensor, like_NE: Tensor, noise_NCHW: Tensor
    ) -> Tensor:
        """Return the content of ``x_NCHW`` with another degradation, not clipped.

        Args:
            x_NCHW: RGB in [0, 1], any height and width.
            own_NE: Embeddings of these images.
            like_NE: Embeddings of the degradations to be given.
            noise_NCHW: Standard normal.
        """
        y_NCHW = F.relu(self.conv_first(x_NCHW))
        y_NCHW = self.encoder(y_NCHW, _modulated(self, self.modulation_own, own_NE))
        y_NCHW = y_NCHW + self.conv_noise(noise_NCHW)
        y_NCHW = self.decoder(y_NCHW, _modulated(self, self.modulation_like, like_NE))
        return x_NCHW + self.conv_last(y_NCHW)

    @property
    def receptive_radius(self) -> int:
        """Pixels beyond its own, along a side, that an output pixel depends on."""
        return 4 * self.config.blocks + 2


def embedding_of_levels(levels_NL: Tensor) -> Tensor:
    """Return the embedding of an oracle, (N, 2)."""
    return levels_NL / torch.tensor(HIGHEST).to(levels_NL)


def _modulation(config: RestorerConfig) -> Modulation | None:
    if not config.embedding:
        return None
    return Modulation(config.embedding, config.blocks, config.channels)


def _modulated(
    network: Embedded, modulation: Modulation | None, embedding_NE: Tensor | None
) -> Tensor | None:
    if modulation is None:
        return None
    if embedding_NE is None:
        raise NetworkError(
            "this network has to be told the degradation, and runs in srscope restore, "
            "transfer and edit-degradation alone"
        )
    return modulation(network.normalised(embedding_NE))
