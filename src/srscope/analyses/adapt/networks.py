"""Guided networks with their guides, and photographs that go through them.

Suffixes: N images, C channels, H/W height and width, E values of an embedding, L levels.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from srscope.degradations.degrade import downsample
from srscope.errors import CheckpointError, FileProblem, ParameterError, UnknownNameError
from srscope.features.guide import Guide
from srscope.images.bundled import load_bundled
from srscope.images.contents import crop_contents
from srscope.images.given import pixels_of
from srscope.images.io import as_rgb, read_image
from srscope.networks.architectures.guided import (
    HIGHEST,
    LEVELS,
    Restorer,
    Transfer,
    embedding_of_levels,
)
from srscope.networks.description import LoadedNetwork, weights_sha256
from srscope.networks.loading.checkpoints import load_weights
from srscope.networks.record import NetworkInfo
from srscope.networks.upscale import TILE, upscale
from srscope.networks.zoo import WEIGHTS
from srscope.training.mixture import MARGIN, degraded

FAMILIES = {"blur": 0, "noise": 1}
"""Kinds of degradation that the networks know, and where their level stands."""
TRANSFER = "transfer-block8"
"""The transfer network that is taken unless another is named."""
_TRAIN = "a file that a training of recipes/adapt left; tools/train_adapt.py trains them"
_ROWS = 256  # of a photograph that go through a transfer network at a time


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class GuidedNetwork:
    """A guided network, and what guides it.

    Args:
        name: The name or file that was given.
        network: On the CPU, in evaluation mode.
        guide: Makes embeddings of images; ``None`` where the true levels are told.
    """

    name: str
    network: Restorer | Transfer
    guide: Guide | None

    @property
    def guidance(self) -> str:
        """What tells the degradation."""
        return self.network.config.guidance

    @property
    def info(self) -> NetworkInfo:
        """The part that goes into a record."""
        return NetworkInfo(
            name=self.name,
            source=f"guidance: {self.guidance}",
            parameters=sum(p.numel() for p in self.network.parameters()),
            sha256=weights_sha256(self.network),
            scale=1,
        )

    def embedding(self, image_1CHW: Tensor, levels: Sequence[float] | None = None) -> Tensor:
        """Return the embedding of a photograph, or of the levels that are told, (1, E)."""
        if levels is not None:
            return embedding_of_levels(torch.tensor([levels], dtype=torch.float32))
        assert self.guide is not None  # the caller has seen to it
        if not self.network.config.embedding:
            return torch.zeros(1, 0)
        return self.guide.of_photograph(image_1CHW, self.network)

    def levels(self, embedding_NE: Tensor) -> NDArray[np.float64] | None:
        """Return blur width and noise sigma as read from embeddings; ``None`` without any."""
        if not self.network.config.embedding:
            return None
        return self.network.levels(embedding_NE).double().numpy()


def load_guided(network: Any) -> GuidedNetwork:
    """Load a guided network and its guide.

    Args:
        network: A bundled name, or a file that ``srscope train recipes/adapt/...`` left.

    Raises:
        UnknownNameError: If there is neither such a name nor such a file.
        FileProblem: The same, where none is bundled.
        CheckpointError: If the file holds another network, or its guide has changed.
    """
    if isinstance(network, GuidedNetwork):
        return network
    spec = os.fspath(network)
    bundled = {path.stem: path for path in sorted((WEIGHTS / "guided").glob("*.safetensors"))}
    path = bundled.get(spec, Path(spec))
    if not path.is_file():
        if not bundled:
            raise FileProblem(
                spec, "is no file, and no guided network is bundled", f"give {_TRAIN}"
            )
        raise UnknownNameError("guided network", spec, bundled, _TRAIN)
    module = load_weights(path)
    if not isinstance(module, Restorer | Transfer):
        what = f"holds a {type(module).__name__}, which nothing guides"
        raise CheckpointError(path, what, "run it by srscope upscale")
    guide = None
    if module.config.guidance != "oracle":
        guide = Guide(module.config)
        if module.config.embedding:
            guide.check(module, spec)
    return GuidedNetwork(name=path.stem, network=module.eval(), guide=guide)


class _Told(nn.Module):
    """A restorer that is told one embedding whatever image it gets, such as a tile."""

    def __init__(self, network: Restorer, embedding_1E: Tensor) -> None:
        super().__init__()
        self.network = network
        self.embedding_1E: Tensor
        self.register_buffer("embedding_1E", embedding_1E)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.network(x_NCHW, self.embedding_1E.expand(len(x_NCHW), -1))


def restorer_of(guided: GuidedNetwork, embedding_1E: Tensor | None = None) -> LoadedNetwork:
    """Return a restoration network as it is told one embedding, by default that of zeros.

    Raises:
        ParameterError: If it is a transfer network.
    """
    if not isinstance(guided.network, Restorer):
        remedy = "use srscope transfer or srscope edit-degradation"
        raise ParameterError("network", "a restoration network", guided.name, remedy)
    if embedding_1E is None:
        embedding_1E = torch.zeros(1, guided.network.config.embedding)
    return LoadedNetwork(
        module=_Told(guided.network, embedding_1E).eval(),
        name=guided.name,
        source=guided.info.source,
        scale=1,
        taps=(),
        default_layers=(),
        sha256=guided.info.sha256,
        untrained=None,
        receptive_radius=guided.network.receptive_radius,
    )


def restorer_for(
    guided: GuidedNetwork,
    pixels_HWC: NDArray[np.float32],
    levels: tuple[float, float] | None = None,
) -> tuple[LoadedNetwork, tuple[float, float] | None]:
    """Return the network as it restores one photograph, and the levels read from it.

    Args:
        guided: A restoration network.
        pixels_HWC: The photograph, with one to four channels.
        levels: Blur width and noise sigma, for a network that is told them.

    Raises:
        ParameterError: If it is a transfer network, or levels are given where they are read from
            the image, or are missing where they are not.
    """
    is_told = guided.guide is None
    if is_told != (levels is not None):
        rule = f"given to {guided.name}" if is_told else "left out: the image tells them"
        remedy = "say --blur WIDTH --noise SIGMA" if is_told else "leave --blur and --noise out"
        raise ParameterError("levels", rule, levels, remedy)
    restorer_of(guided)  # refuses a transfer network
    embedding_1E = guided.embedding(tensor_of(as_rgb(pixels_HWC)), levels)
    found = None if is_told else guided.levels(embedding_1E)
    told = None if found is None else (float(found[0, 0]), float(found[0, 1]))
    return restorer_of(guided, embedding_1E), told


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Restored:
    """A restored photograph.

    Args:
        pixels_HWC: Values in [0, 1], with the photograph's own channels.
        levels: Blur width in pixels and noise sigma in 8-bit grey levels as they were estimated;
            ``None`` where nothing was.
    """

    pixels_HWC: NDArray[np.float32]
    levels: tuple[float, float] | None


def restore(
    network: Any, image: Any, *, levels: tuple[float, float] | None = None, tile: int = TILE
) -> Restored:
    """Restore a photograph by a guided, or unguided, restoration network.

    Args:
        network: All that :func:`load_guided` takes.
        image: A file, an array (H, W, C), a tensor, or a PIL image.
        levels: Blur width and noise sigma, for a network that is told them.
        tile: Side of the part of each tile that is kept, in pixels; 0 runs the image whole.

    Raises:
        SrscopeError: If image or network cannot be used.
    """
    guided, pixels_HW3 = load_guided(network), rgb_of(image)
    loaded, told = restorer_for(guided, pixels_HW3, levels)
    return Restored(pixels_HWC=upscale(loaded, pixels_HW3, tile=tile), levels=told)


def transfer(content: Any, like: Any, *, network: Any = TRANSFER, seed: int = 0) -> NDArray[Any]:
    """Give the content of one image the degradation of another.

    Args:
        content: A file, an array (H, W, C), a tensor, or a PIL image.
        like: Another, whose degradation is to be given.
        network: A transfer network, as :func:`load_guided` takes it.
        seed: Of the noise.

    Returns:
        RGB in [0, 1], of the content's size.

    Raises:
        SrscopeError: If an image or the network cannot be used.
    """
    guided = transfer_network(network)
    return given(guided, rgb_of(content), guided.embedding(tensor_of(rgb_of(like))), seed=seed)


def edit_degradation(
    image: Any, *, family: str, level: float, network: Any = TRANSFER, seed: int = 0
) -> NDArray[Any]:
    """Give an image a degradation of a level, whatever degradation it has.

    The network is told the mean embedding of bundled photographs that were degraded so.

    Args:
        image: A file, an array (H, W, C), a tensor, or a PIL image.
        family: ``noise`` or ``blur``.
        level: Sigma in 8-bit grey levels, or width in pixels; from 0 to the training's highest.
        network: A transfer network, as :func:`load_guided` takes it.
        seed: Of the noise.

    Returns:
        RGB in [0, 1], of the image's size.

    Raises:
        SrscopeError: If the image or the network cannot be used, or the level is out of range.
    """
    guided = transfer_network(network)
    like_1E = mean_embedding(guided, reference_crops(), levels_of(family, level))
    return given(guided, rgb_of(image), like_1E, seed=seed)


def transfer_network(network: Any) -> GuidedNetwork:
    """Load a transfer network that images guide.

    Raises:
        ParameterError: If it is a restoration network, or has to be told the true levels.
    """
    guided = load_guided(network)
    if not isinstance(guided.network, Transfer) or guided.guide is None:
        rule = "a transfer network that images guide"
        raise ParameterError("network", rule, guided.name, "use srscope restore")
    return guided


@torch.no_grad()
def given(
    guided: GuidedNetwork,
    content_HW3: NDArray[np.float32],
    like_1E: Tensor,
    *,
    seed: int = 0,
    noise_3HW: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Give a content a degradation, some rows at a time.

    Args:
        guided: The transfer network.
        content_HW3: RGB in [0, 1].
        like_1E: The embedding of the degradation.
        seed: Of the noise.
        noise_3HW: Standard normal noise in place of the seed's.
    """
    network, content_1CHW = guided.network, tensor_of(content_HW3)
    assert isinstance(network, Transfer)
    own_1E = guided.embedding(content_1CHW)
    if noise_3HW is None:
        shape = tuple(content_1CHW.shape[1:])
        noise_3HW = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    noise_1CHW, radius = torch.from_numpy(noise_3HW)[None], network.receptive_radius
    parts: list[Tensor] = []
    height = content_1CHW.shape[2]
    for top in range(0, height, _ROWS):
        first, end = max(0, top - radius), min(height, top + _ROWS)
        rows = slice(first, min(height, end + radius))
        made = network(content_1CHW[:, :, rows], own_1E, like_1E, noise_1CHW[:, :, rows])
        parts.append(made[:, :, top - first : end - first])
    return torch.cat(parts, dim=2)[0].clamp(0, 1).permute(1, 2, 0).numpy()


def levels_of(family: str, level: float) -> NDArray[np.float64]:
    """Return blur width and noise sigma where one family alone has a level.

    Raises:
        UnknownNameError: If there is no such family.
        ParameterError: If the level is out of the training's range.
    """
    if family not in FAMILIES:
        raise UnknownNameError("family", family, FAMILIES)
    place = FAMILIES[family]
    if not 0 <= level <= HIGHEST[place]:
        raise ParameterError(f"level of {LEVELS[place]}", f"from 0 to {HIGHEST[place]:g}", level)
    return np.where(np.arange(2) == place, level, 0.0)


def reference_crops(count: int = 64) -> NDArray[np.float32]:
    """Return crops of the bundled photographs with their margin, reduced by 4, (N, 3, H, W)."""
    scale, patch = 4, 32
    contents = crop_contents(
        load_bundled("test-crops"), count=count, patch=patch, scale=scale, margin=MARGIN
    )
    crops = torch.from_numpy(np.ascontiguousarray(contents.crops_NHW3.transpose(0, 3, 1, 2)))
    return downsample(crops, scale=scale, quantized=True).numpy()


def mean_embedding(
    guided: GuidedNetwork, wide_NCHW: NDArray[np.float32], levels_L: NDArray[np.float64]
) -> Tensor:
    """Return the mean embedding of crops under a degradation, (1, E).

    Args:
        guided: The network, with its guide.
        wide_NCHW: Clean crops with a margin of ``MARGIN`` pixels.
        levels_L: Blur width and noise sigma.
    """
    assert guided.guide is not None
    count, _, height, width = wide_NCHW.shape
    shape = (count, 3, height - 2 * MARGIN, width - 2 * MARGIN)
    noise_NCHW = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    images_NCHW = torch.from_numpy(degraded(wide_NCHW, np.tile(levels_L, (count, 1)), noise_NCHW))
    return torch.cat([guided.guide(part) for part in images_NCHW.split(16)]).mean(0, keepdim=True)


def rgb_of(image: Any) -> NDArray[np.float32]:
    """Return one image as RGB in [0, 1], (H, W, 3).

    Raises:
        SrscopeError: If it is no image, or several.
    """
    if isinstance(image, str | os.PathLike):
        return read_image(image)
    found = pixels_of(image)
    if len(found) != 1:
        raise ParameterError("image", "one image", f"{len(found)} images")
    return as_rgb(found[0])


def tensor_of(image_HW3: NDArray[np.float32]) -> Tensor:
    """Return an image as (1, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(image_HW3.transpose(2, 0, 1)))[None]
