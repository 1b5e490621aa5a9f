"""What every kind of training offers the loop, and what kinds have in common."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Generator
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from srscope.errors import CheckpointError, ParameterError
from srscope.networks.zoo import load_network
from srscope.training.config import PairRecipe, Recipe
from srscope.training.data import Batches, load_pairs
from srscope.training.facts import data_facts, quality_facts
from srscope.training.feed import Batch, Feed
from srscope.training.player import OptimizerFactory, Player
from srscope.training.quality import comparison, psnr_of_pairs

AnyRecipe = TypeVar("AnyRecipe", bound=Recipe)
AnyPairRecipe = TypeVar("AnyPairRecipe", bound=PairRecipe)


class Batched(Protocol):
    """Random access to a run's batches."""

    def batch(self, iteration: int, *, rank: int = 0, world: int = 1) -> Batch:
        """Return the share of one process at one iteration, which its number decides."""
        ...


class Task(ABC, Generic[AnyRecipe]):
    """One kind of training: what it does in an iteration, and what it measures.

    Whatever a task draws is decided by the recipe's seed and the iteration's number alone, so that
    a resumed run goes on as an unbroken one, and several processes see one process's batches.

    Args:
        recipe: What to train and how.
        fabric: Launched.
    """

    players: dict[str, Player]
    """Every network in training, by name."""
    init: dict[str, str] | None
    """Name and SHA-256 of the weights the shipped network started from."""

    def __init__(self, recipe: AnyRecipe, fabric: Fabric) -> None:
        self._recipe, self._fabric = recipe, fabric

    def _fed(self, batches: Batched) -> Feed:
        """Return this process's share of the batches, made one iteration ahead."""
        fabric = self._fabric
        return Feed(
            lambda i: batches.batch(i, rank=fabric.global_rank, world=fabric.world_size),
            iterations=self._recipe.iterations,
            pin=fabric.device.type == "cuda",
        )

    @contextlib.contextmanager
    def _seeded(self) -> Generator[None]:
        """Let the recipe's seed decide the weights of networks built in the block."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._recipe.seed)
            yield

    def _plays(
        self,
        network: nn.Module,
        factory: OptimizerFactory,
        *,
        iterations: int | None = None,
        average: bool = True,
    ) -> Player:
        """Put a network into training, with the running average of the recipe unless told not."""
        recipe = self._recipe
        return Player(
            self._fabric,
            network,
            factory,
            iterations=recipe.iterations if iterations is None else iterations,
            ema_decay=recipe.ema_decay if average else 0.0,
            channels_last=recipe.channels_last,
        )

    @abstractmethod
    def step(self, iteration: int) -> dict[str, Tensor]:
        """Do iteration ``iteration`` (from 0); return detached scalars for the curves."""

    def check(self, numbers: dict[str, float]) -> None:
        """Look at the means of a log window; raise TrainingError if the training has failed.

        The loop itself checks that losses are finite.
        """

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Measure on the validation images."""

    @abstractmethod
    def pictures(self) -> dict[str, Tensor]:
        """Sample images for the curves, (C, H, W) in [0, 1]."""

    def extra_state(self) -> dict[str, Any]:
        """Return plain values that a checkpoint must hold beside the players."""
        return {}

    def restore_extra(self, state: dict[str, Any]) -> None:
        """Undo :meth:`extra_state`."""

    def shipped(self) -> nn.Module:
        """The network that is exported: the first player's, averaged where the recipe says so."""
        return next(iter(self.players.values())).shipped()

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What the card says of data and quality: plain JSON values under ``data``, ``quality``."""


class PairTask(Task[AnyPairRecipe]):
    """A training on pairs of low- and high-resolution crops; the network magnifies."""

    def __init__(self, recipe: AnyPairRecipe, fabric: Fabric) -> None:
        super().__init__(recipe, fabric)
        data, self._scale = recipe.data, recipe.network.scale
        self._training, self._validation = load_pairs(data.folder, self._scale, data.validation)
        self._feed = self._fed(Batches.of(data, self._training, self._scale, recipe.seed))

    def validate(self) -> dict[str, float]:
        """Return the PSNR on the validation photographs."""
        if not self._validation:
            return {}
        psnr = psnr_of_pairs(self.shipped(), self._validation, scale=self._scale)
        return {"validation_psnr": psnr}

    def pictures(self) -> dict[str, Tensor]:
        """Return bicubic, output and original of each validation photograph, side by side."""
        return {
            pair.name: comparison(self.shipped(), pair, scale=self._scale)
            for pair in self._validation
        }

    def facts(self) -> dict[str, Any]:
        """Data and quality, measured on the bundled test photographs."""
        return {
            "data": data_facts(self._training),
            "quality": quality_facts(self.shipped(), self._scale),
        }


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
