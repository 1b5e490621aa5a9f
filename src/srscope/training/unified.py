"""The recipe of the unified network with its super-resolution tail; the training is `sr`'s.

A kind of its own, so that a recipe says which structure it means, and overrides such as
``--network.blocks=4`` have one class to be checked against.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from srscope.networks.architectures.unified import UnifiedConfig
from srscope.training.config import PairRecipe


@dataclass(frozen=True, kw_only=True)
class UnifiedSRRecipe(PairRecipe):
    """A training run of the unified super-resolution network by L1 loss.

    Args:
        network: Its structure.
    """

    task: str = "unified-sr"
    network: UnifiedConfig = field(default_factory=UnifiedConfig)
