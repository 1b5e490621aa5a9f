"""L1 training of a super-resolution network. Suffixes as in `training.data`."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch.nn.functional as F
from lightning.fabric import Fabric
from torch import Tensor

from srscope.networks.architectures.build import SRConfig, build_network
from srscope.networks.architectures.srresnet import SRResNetConfig
from srscope.networks.architectures.unified import UnifiedConfig
from srscope.training.config import PairRecipe
from srscope.training.task import PairTask, initialise


@dataclass(frozen=True, kw_only=True)
class SRRecipe(PairRecipe):
    """A training run of a super-resolution network by L1 loss.

    Args:
        network: Its structure.
    """

    task: str = "sr"
    network: SRConfig = field(default_factory=SRResNetConfig)


@dataclass(frozen=True, kw_only=True)
class UnifiedSRRecipe(PairRecipe):
    """A training run of the unified super-resolution network by L1 loss.

    A kind of its own, so that a recipe says which structure it means, and overrides such as
    ``--network.blocks=4`` have one class to be checked against.

    Args:
        network: Its structure.
    """

    task: str = "unified-sr"
    network: UnifiedConfig = field(default_factory=UnifiedConfig)


class SRTask(PairTask[PairRecipe]):
    """L1 loss between the network's output and the original.

    Source: Liu et al. 2021, supplement section 3.
    """

    def __init__(self, recipe: PairRecipe, fabric: Fabric) -> None:
        super().__init__(recipe, fabric)
        with self._seeded():
            network = build_network(recipe.network)
        self.init = initialise(network, recipe.network, recipe)
        self._player = self._plays(network, recipe.optimizer)
        self.players = {"network": self._player}

    def step(self, iteration: int) -> dict[str, Tensor]:
        """Do one L1 step."""
        lr_NCHW, hr_NCHW = (self._player.arrange(batch) for batch in self._feed(iteration))
        loss = F.l1_loss(self._player.live(lr_NCHW), hr_NCHW)
        self._player.update(loss)
        return {"loss": loss.detach()}
