"""What every kind of training offers the loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from srscope.errors import CheckpointError, ParameterError
from srscope.networks.zoo import load_network
from srscope.training.config import Recipe
from srscope.training.player import Player


class Task(Protocol):
    """One kind of training: what it does in an iteration, and what it measures.

    Whatever a task draws is decided by the recipe's seed and the iteration's number alone, so that
    a resumed run goes on as an unbroken one, and several processes see one process's batches.
    """

    players: dict[str, Player]
    """Every network in training, by name."""
    init: dict[str, str] | None
    """Name and SHA-256 of the weights the shipped network started from."""

    def step(self, iteration: int) -> dict[str, Tensor]:
        """Do iteration ``iteration`` (from 0); return detached scalars for the curves."""
        ...

    def check(self, numbers: dict[str, float]) -> None:
        """Look at the means of a log window; raise TrainingError if the training has failed."""
        ...

    def validate(self) -> dict[str, float]:
        """Measure on the validation images."""
        ...

    def pictures(self) -> dict[str, Tensor]:
        """Sample images for the curves, (C, H, W) in [0, 1]."""
        ...

    def extra_state(self) -> dict[str, Any]:
        """Return plain values that a checkpoint must hold beside the players."""
        ...

    def restore_extra(self, state: dict[str, Any]) -> None:
        """Undo :meth:`extra_state`."""
        ...

    def shipped(self) -> nn.Module:
        """The network that is exported."""
        ...

    def facts(self) -> dict[str, Any]:
        """What the card says of data and quality: plain JSON values under ``data``, ``quality``."""
        ...


def initialise(network: nn.Module, config: object, recipe: Recipe) -> dict[str, str] | None:
    """Load the weights of ``recipe.init``, if any.

    Args:
        network: Receives the weights.
        config: Its structure, which the weights' must equal.
        recipe: Names the weights.

    Returns:
        Name and SHA-256 of the weights, or ``None`` where the recipe names none.

    Raises:
        ParameterError: If the structures differ.
        CheckpointError: If a file is named that is not there.
    """
    if not recipe.init:
        return None
    if Path(recipe.init).suffix and not Path(recipe.init).exists():
        remedy = "train the recipe it comes from first, or give other weights: --init=FILE"
        raise CheckpointError(recipe.init, "the weights to start from are not there", remedy)
    start = load_network(recipe.init)
    found = getattr(start.module, "config", None)
    if found != config:
        raise ParameterError("init", f"weights of {config}", f"{recipe.init}: {found}")
    network.load_state_dict(start.module.state_dict())
    return {"name": start.name, "sha256": start.sha256}
