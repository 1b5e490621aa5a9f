"""Training of networks that are told the degradation: restoration and transfer.

Suffixes: N images, C channels, H/W sides, E values of an embedding, L levels.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from lightning.fabric import Fabric
from torch import Tensor

from srscope.errors import ParameterError
from srscope.features.guide import TILE, Guide, fit_embedding
from srscope.images.bundled import load_bundled
from srscope.networks.architectures.build import build_network
from srscope.networks.architectures.guided import (
    LEVELS,
    Embedded,
    RestorerConfig,
    TransferConfig,
    embedding_of_levels,
)
from srscope.training.config import OptimizerConfig, Recipe
from srscope.training.data import Pair, load_pairs, make_pair
from srscope.training.facts import data_facts
from srscope.training.mixture import Mixed, MixtureBatches, MixtureConfig, partner
from srscope.training.task import Task, initialise

_FAR = 2**62
"""Iterations from here on serve to fit embeddings and to measure: no training gets that far."""


@dataclass(frozen=True, kw_only=True)
class RestorerRecipe(Recipe):
    """A training run of a guided, or unguided, restoration network.

    Args:
        data: Where crops come from, and the mixture that degrades them.
        optimizer: Adam and its schedule.
        network: Its structure, and what guides it.
        fitted_on: Crops on which the scale of embeddings and the readout of levels are fitted.
        measured_on: Crops on which quality is measured.

    Raises:
        ParameterError: If a number is out of its range, or partners do not fit the processes.
    """

    task: str = "restorer"
    data: MixtureConfig = field(default_factory=MixtureConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    network: RestorerConfig = field(default_factory=RestorerConfig)
    fitted_on: int = 1024
    measured_on: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_shares(self.data.batch_size)
        if self.data.batch_size // (self.devices * self.num_nodes) % 2:
            rule = "even on every process: crops come in pairs"
            raise ParameterError("data.batch_size", rule, self.data.batch_size)
        if self.network.guidance in ("statistics", "representations") and self.data.patch != TILE:
            rule = f"{TILE} with guidance by the image: photographs are looked at in such tiles"
            raise ParameterError("data.patch", rule, self.data.patch)
        for name in ("fitted_on", "measured_on"):
            if getattr(self, name) < 16:
                raise ParameterError(name, "16 or more", getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class TransferRecipe(RestorerRecipe):
    """A training run of a transfer network; its fields are a restoration's."""

    task: str = "transfer"
    network: TransferConfig = field(default_factory=TransferConfig)


GuidedRecipe = TypeVar("GuidedRecipe", bound=RestorerRecipe)


class GuidedTask(Task[GuidedRecipe]):
    """What both have in common: the guide, the mixture, and how quality is measured."""

    def __init__(self, recipe: GuidedRecipe, fabric: Fabric) -> None:
        super().__init__(recipe, fabric)
        config = recipe.network
        is_oracle = config.guidance == "oracle"
        if is_oracle and config.embedding != len(LEVELS):
            rule = f"{len(LEVELS)} with the guidance oracle: blur width and noise sigma"
            raise ParameterError("network.embedding", rule, config.embedding)
        self._guide = None if is_oracle else Guide(config, fabric.device)
        data = recipe.data
        self._training, validation = load_pairs(data.folder, data.reduction, data.validation)
        self._batches = self._of(self._training)
        self._validation = self._mixed(self._of(validation)) if validation else None
        with self._seeded():
            network = build_network(config)
        assert isinstance(network, Embedded)
        self.init = initialise(network, config, recipe)
        if config.embedding:
            fitted = self._mixed(self._batches, recipe.fitted_on)
            embedding_NE = self._embedding(fitted.degraded_NCHW, fitted.levels_NL)
            fit_embedding(network, self._guide, embedding_NE, fitted.levels_NL)
        self._player = self._plays(network, recipe.optimizer)
        self.players = {"network": self._player}
        self._feed = self._fed(self._batches)

    def _of(self, pairs: Sequence[Pair]) -> MixtureBatches:
        return MixtureBatches.of(self._recipe.data, pairs, self._recipe.seed)

    def _mixed(self, batches: MixtureBatches, count: int | None = None) -> Mixed:
        """Return fixed crops that no iteration of the training sees."""
        count = self._recipe.measured_on if count is None else count
        size = batches.data.batch_size
        found = [batches.batch(_FAR + n) for n in range(-(-count // size))]
        return Mixed(*(torch.cat(parts)[:count] for parts in zip(*found, strict=True)))

    def _embedding(self, images_NCHW: Tensor, levels_NL: Tensor) -> Tensor:
        """Return what the network is told of images."""
        if self._guide is None:
            return embedding_of_levels(levels_NL)
        parts = images_NCHW.split(self._recipe.data.batch_size)
        return torch.cat([self._guide(part_NCHW) for part_NCHW in parts])

    @abstractmethod
    def _pass(self, network: Any, mixed: Mixed) -> tuple[Tensor, Tensor]:
        """Return what the network makes of crops, and what it should make of them."""

    def step(self, iteration: int) -> dict[str, Tensor]:
        """Do one L1 step."""
        player = self._player
        images = [
            player.arrange(each) if each.ndim == 4 else each for each in self._feed(iteration)
        ]
        mixed = Mixed(*self._fabric.to_device(images))
        output_NCHW, target_NCHW = self._pass(player.live, mixed)
        loss = F.l1_loss(output_NCHW, target_NCHW)
        player.update(loss)
        return {"loss": loss.detach()}

    @torch.no_grad()
    def _psnr(self, mixed: Mixed) -> dict[str, float]:
        """Return mean PSNR in dB over degraded crops, of inputs and of outputs.

        Clean ones are left out: the inputs' is infinite, and outputs' would be most of the mean.
        """
        network = self.shipped()
        device = next(network.parameters()).device
        shown: list[Tensor] = []
        targets: list[Tensor] = []
        size = self._recipe.data.batch_size
        for n in range(0, len(mixed.levels_NL), size):
            part = Mixed(*(each[n : n + size].to(device) for each in mixed))
            output_NCHW, target_NCHW = self._pass(network, part)
            shown.append(output_NCHW.float().clamp(0, 1).cpu())
            targets.append(target_NCHW.cpu())
        some_N = (mixed.levels_NL > 0).any(dim=1)
        target_NCHW = torch.cat(targets)[some_N]
        return {
            "psnr": psnr_of(torch.cat(shown)[some_N], target_NCHW),
            "input_psnr": psnr_of(mixed.degraded_NCHW[some_N], target_NCHW),
        }

    def validate(self) -> dict[str, float]:
        """Return the PSNR on crops of the validation photographs."""
        if self._validation is None:
            return {}
        return {"validation_psnr": self._psnr(self._validation)["psnr"]}

    def pictures(self) -> dict[str, Tensor]:
        """Return nothing: crops of 32 pixels show little."""
        return {}

    def facts(self) -> dict[str, Any]:
        """Data, and quality on crops of the bundled test photographs."""
        photographs = load_bundled("test-crops")
        reduction = self._recipe.data.reduction
        test = [make_pair(each, reduction) for each in photographs.photographs]
        found = self._psnr(self._mixed(self._of(test)))
        told = (
            f"{self._recipe.measured_on} crops of {photographs.source} reduced by {reduction}, "
            "mixture of the training"
        )
        quality = {name: round(value, 4) for name, value in found.items()}
        return {"data": data_facts(self._training), "quality": {"photographs": told, **quality}}


class RestorerTask(GuidedTask[RestorerRecipe]):
    """L1 loss between the restored crop and the clean one."""

    def _pass(self, network: Any, mixed: Mixed) -> tuple[Tensor, Tensor]:
        told_NE = self._embedding(mixed.degraded_NCHW, mixed.levels_NL)
        return network(mixed.degraded_NCHW, told_NE), mixed.clean_NCHW


class TransferTask(GuidedTask[TransferRecipe]):
    """L1 loss between a crop given its partner's degradation and the truth, of the same noise.

    Contents and degradations are crossed in a batch: a crop and its partner have one embedding
    each, which is its own for the one and the one to be given for the other.
    """

    def _pass(self, network: Any, mixed: Mixed) -> tuple[Tensor, Tensor]:
        own_NE = self._embedding(mixed.degraded_NCHW, mixed.levels_NL)
        like_NE = own_NE[partner(len(own_NE)).to(own_NE.device)]
        made_NCHW = network(mixed.degraded_NCHW, own_NE, like_NE, mixed.noise_NCHW)
        return made_NCHW, mixed.given_NCHW


def psnr_of(images_NCHW: Tensor, truth_NCHW: Tensor) -> float:
    """Return the mean over images of the PSNR in dB; images in [0, 1]."""
    error_N = (images_NCHW - truth_NCHW).double().square().mean(dim=(1, 2, 3))
    return float((-10 * (error_N + 1e-8).log10()).mean())
