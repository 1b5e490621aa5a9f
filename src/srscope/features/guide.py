"""What guides a restoration: a few numbers that tell the degradation of an image.

Suffixes: N images, C channels, H/W height and width, E values of an embedding, L levels.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor

from srscope.errors import CheckpointError, NetworkError, ParameterError
from srscope.features.tap import FeatureTap
from srscope.features.trivial import describe
from srscope.networks.architectures.guided import Embedded, RestorerConfig
from srscope.networks.structure.select import select_layers
from srscope.networks.zoo import load_network

STATISTICS = ("laplacian_quantiles", "statistics", "spectrum")
"""The trivial descriptors that make the embedding of the guidance ``statistics``."""
TILE = 32
"""Side of what is embedded at a time, in pixels: the patches that networks are trained on."""
TILES = 8
"""Tiles a side, at most, that stand for a whole photograph."""
_LEAST = 1e-6  # added to a channel's standard deviation before its logarithm


class Guide:
    """Makes embeddings of images, by a frozen network or by simple statistics.

    Args:
        config: Says what guides; not ``oracle``, whose embeddings are the true levels.
        device: Where the guide's network runs.

    Raises:
        ParameterError: If the config's embedding has another size than this guide makes.
        NetworkError: If the layer has no channels over positions.
        SrscopeError: If the network or its layer cannot be had.

    Example:
        >>> guide = Guide(RestorerConfig(guidance="statistics", embedding=26))
        >>> guide(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 26])
    """

    def __init__(self, config: RestorerConfig, device: torch.device | None = None) -> None:
        self.config = config
        if config.guidance == "representations":
            network = load_network(config.guide)
            (tap, *more) = select_layers(network, (config.layer,))
            if more:
                raise ParameterError("layer", "the name of one layer", config.layer)
            self._layer = tap.name
            self._network = network.module.requires_grad_(False).to(device)
        size = self(torch.full((1, 3, TILE, TILE), 0.5)).shape[1]
        if config.embedding != size:
            remedy = f"write embedding: {size}"
            raise ParameterError(
                "network.embedding", "of its guide's size", config.embedding, remedy
            )

    def __call__(self, images_NCHW: Tensor) -> Tensor:
        """Return the embedding of each image as a whole, (N, E); no gradient goes through it.

        Args:
            images_NCHW: RGB in [0, 1].
        """
        if self.config.guidance == "none":
            return images_NCHW.new_zeros(len(images_NCHW), 0)
        if self.config.guidance == "statistics":
            array_NCHW = images_NCHW.detach().cpu().numpy()
            told = np.concatenate([describe(name, array_NCHW) for name in STATISTICS], axis=1)
            return torch.from_numpy(told.astype(np.float32)).to(images_NCHW.device)
        if self.config.guidance == "oracle":
            raise ParameterError("guidance", "one that images tell", "oracle")
        return self._of_features(images_NCHW)

    def _of_features(self, images_NCHW: Tensor) -> Tensor:
        """Return mean and log standard deviation over positions of every channel of the layer."""
        place = next(self._network.parameters())
        with FeatureTap(self._network, [self._layer]) as tap:
            (features,) = tap.run(images_NCHW.to(place.device)).values()
        if features.ndim != 4:
            raise NetworkError(
                f"layer {self.config.layer} of {self.config.guide} puts out "
                f"{tuple(features.shape)}; a guide needs (N, C, H, W): name a convolution's layer"
            )
        flat_NCP = features.float().flatten(2)
        spread_NC = (flat_NCP.std(dim=2, correction=0) + _LEAST).log()
        return torch.cat([flat_NCP.mean(dim=2), spread_NC], dim=1).to(images_NCHW.device)

    def of_photograph(self, image_1CHW: Tensor, network: Embedded) -> Tensor:
        """Return one embedding of an image of any size, (1, E): the mean of its tiles'.

        Tiles are as large as the patches of the training, as channel statistics depend on the
        size; those of a large photograph are taken evenly. Values far off are cut tile by tile.

        Args:
            image_1CHW: RGB in [0, 1], (1, 3, H, W).
            network: The network to be guided, which knows the scale of embeddings.

        Raises:
            ParameterError: If the image is smaller than a tile.
        """
        if min(image_1CHW.shape[2:]) < TILE:
            rule, size = f"at least {TILE} x {TILE} pixels", tuple(image_1CHW.shape[2:])
            raise ParameterError("the image", rule, size, "give a larger part of the photograph")
        tiles = [
            image_1CHW[:, :, top : top + TILE, left : left + TILE]
            for top, left in itertools.product(*map(_starts, image_1CHW.shape[2:]))
        ]
        told_NE = torch.cat([self(part) for part in torch.cat(tiles).split(16)])
        mean_E, std_E = network.embedding_mean_E, network.embedding_std_E
        return network.normalised(told_NE).mean(dim=0, keepdim=True) * std_E + mean_E

    def check(self, network: Embedded, path: str) -> None:
        """Raise unless this guide is the one that the network was trained with.

        Raises:
            CheckpointError: If the test picture has another embedding than it had then.
        """
        now_E = self(mark_picture())[0]
        scale_E = network.embedding_std_E
        if not bool(((now_E - network.mark_E).abs() <= 0.02 * scale_E + 1e-4).all()):
            of_images = self.config.guidance == "statistics"
            guide = "way to take statistics" if of_images else self.config.guide
            what = f"was trained with another {guide} than there is now"
            raise CheckpointError(path, what, "train it again with the guide there is")


def mark_picture() -> Tensor:
    """Return the picture by whose embedding a guide is known again, (1, 3, 32, 32)."""
    wave_T = torch.linspace(0, 6, TILE)
    grid_HW = torch.sin(wave_T[:, None] * wave_T[None]) * 0.4 + 0.5
    return torch.stack([grid_HW, grid_HW.flip(0), grid_HW.T.flip(1)])[None].contiguous()


def fit_embedding(
    network: Embedded,
    guide: Guide | None,
    embedding_NE: Tensor,
    levels_NL: Tensor,
    *,
    ridge: float = 1.0,
) -> None:
    """Fit the scale of embeddings and the readout of the levels, into the network's buffers.

    Args:
        network: Receives them.
        guide: Made the embeddings; ``None`` for an oracle's.
        embedding_NE: Of images of the training's mixture.
        levels_NL: True blur width and noise sigma of these.
        ridge: Penalty of the readout, for embeddings of standard deviation 1.

    Example:
        >>> from srscope.networks.architectures.guided import Restorer
        >>> network = Restorer(RestorerConfig(guidance="statistics", embedding=26))
        >>> told, levels = torch.randn(200, 26), torch.rand(200, 2)
        >>> told[:, :2] += 50 * levels
        >>> fit_embedding(network, Guide(network.config), told, levels)
        >>> bool(((network.levels(told) - levels).abs() < 0.1).all())
        True
    """
    network.embedding_mean_E.copy_(embedding_NE.mean(0))
    network.embedding_std_E.copy_(embedding_NE.std(0) + _LEAST)
    if guide is not None:
        network.mark_E.copy_(guide(mark_picture())[0])
    scaled_NE = network.normalised(embedding_NE).double()
    mean_E, mean_L = scaled_NE.mean(0), levels_NL.double().mean(0)
    centred_NE = scaled_NE - mean_E
    gram_EE = centred_NE.T @ centred_NE + ridge * torch.eye(len(mean_E), dtype=torch.float64)
    slope_EL = torch.linalg.solve(gram_EE, centred_NE.T @ (levels_NL.double() - mean_L))
    network.readout_LE.copy_(slope_EL.T)
    network.readout_L.copy_(mean_L - mean_E @ slope_EL)


def _starts(side: int) -> list[int]:
    """Return where tiles begin along a side: evenly, TILES at most, one at least."""
    count, room = min(TILES, side // TILE), side - TILE
    return [round(room * i / (count - 1)) if count > 1 else room // 2 for i in range(count)]
