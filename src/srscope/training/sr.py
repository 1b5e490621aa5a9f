"""L1 training of a super-resolution network. Suffixes as in `training.data`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from lightning.fabric import Fabric
from torch import Tensor, nn

from srscope.networks.architectures.build import SRConfig, build_network
from srscope.networks.architectures.srresnet import SRResNetConfig
from srscope.training.config import PairRecipe
from srscope.training.data import Batches, load_pairs
from srscope.training.facts import data_facts, quality_facts
from srscope.training.feed import Feed
from srscope.training.player import Player
from srscope.training.quality import comparison, psnr_of_pairs
from srscope.training.task import initialise


@dataclass(frozen=True, kw_only=True)
class SRRecipe(PairRecipe):
    """A training run of a super-resolution network by L1 loss.

    Args:
        network: Its structure.
    """

    task: str = "sr"
    network: SRConfig = field(default_factory=SRResNetConfig)


class SRTask:
    """L1 loss between the network's output and the original.

    Args:
        recipe: What to train and how.
        fabric: Launched.

    Source: Liu et al. 2021, supplement section 3.
    """

    def __init__(self, recipe: SRRecipe, fabric: Fabric) -> None:
        self._recipe = recipe
        self._training, self._validation = load_pairs(
            recipe.data.folder, recipe.network.scale, recipe.data.validation
        )
        batches = Batches.of(recipe.data, self._training, recipe.network.scale, recipe.seed)
        self._feed = Feed(
            lambda i: batches.batch(i, rank=fabric.global_rank, world=fabric.world_size),
            iterations=recipe.iterations,
            pin=fabric.device.type == "cuda",
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            network = build_network(recipe.network)
        self.init = initialise(network, recipe.network, recipe)
        self._player = Player(
            fabric,
            network,
            recipe.optimizer,
            iterations=recipe.iterations,
            ema_decay=recipe.ema_decay,
            channels_last=recipe.channels_last,
        )
        self.players = {"network": self._player}

    def step(self, iteration: int) -> dict[str, Tensor]:
        """Do one L1 step."""
        lr_NCHW, hr_NCHW = (self._player.arrange(batch) for batch in self._feed(iteration))
        loss = F.l1_loss(self._player.live(lr_NCHW), hr_NCHW)
        self._player.update(loss)
        return {"loss": loss.detach()}

    def check(self, numbers: dict[str, float]) -> None:
        """Nothing beyond finite losses, which the loop checks."""

    def validate(self) -> dict[str, float]:
        """Return the PSNR on the validation photographs."""
        if not self._validation:
            return {}
        scale = self._recipe.network.scale
        return {"validation_psnr": psnr_of_pairs(self.shipped(), self._validation, scale=scale)}

    def pictures(self) -> dict[str, Tensor]:
        """Return bicubic, output and original of each validation photograph, side by side."""
        scale = self._recipe.network.scale
        return {p.name: comparison(self.shipped(), p, scale=scale) for p in self._validation}

    def extra_state(self) -> dict[str, Any]:
        """Nothing beyond the player."""
        return {}

    def restore_extra(self, state: dict[str, Any]) -> None:
        """Nothing beyond the player."""

    def shipped(self) -> nn.Module:
        """The network, averaged where the recipe says so."""
        return self._player.shipped()

    def facts(self) -> dict[str, Any]:
        """Data and quality, measured on the bundled test photographs."""
        return {
            "data": data_facts(self._training),
            "quality": quality_facts(self.shipped(), self._recipe.network.scale),
        }
