"""Recipes: everything that decides what a training run produces, as validated frozen records.

The command line and the YAML files under ``recipes/`` are generated from these classes.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from srscope.errors import FileProblem, ParameterError, SrscopeError
from srscope.networks.srresnet import SRResNetConfig

Precision = Literal["bf16-mixed", "16-mixed", "32-true"]


def _positive(name: str, value: float, remedy: str = "") -> None:
    if not (math.isfinite(value) and value > 0):
        raise ParameterError(name, "a finite number above 0", value, remedy)


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where training pairs come from.

    Args:
        folder: Folder of high-resolution training photographs, searched recursively.
        validation: File names (relative to ``folder``) kept out of training; PSNR is measured on
            them while the run goes on.
        batch_size: Pairs an iteration, over all devices together.
        patch: Side of the low-resolution crops, in LR pixels.

    Raises:
        ParameterError: If ``batch_size`` or ``patch`` is below 1.
    """

    folder: str = "data/photos/train"
    validation: tuple[str, ...] = ()
    batch_size: int = 16
    patch: int = 32

    def __post_init__(self) -> None:
        _positive("data.batch_size", self.batch_size)
        _positive("data.patch", self.patch)


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """Adam and its stepwise schedule.

    Args:
        learning_rate: Step size at the start.
        beta1: Decay of the gradient's first moment.
        beta2: Decay of the gradient's second moment.
        milestones: Iterations at which the learning rate is multiplied by ``gamma``, rising.
        gamma: Factor at each milestone.

    Raises:
        ParameterError: If a rate is not positive or the milestones do not rise.

    Source: Liu et al. 2021, supplement section 3.
    """

    learning_rate: float = 2e-4
    beta1: float = 0.9
    beta2: float = 0.99
    milestones: tuple[int, ...] = ()
    gamma: float = 0.5

    def __post_init__(self) -> None:
        _positive("optimizer.learning_rate", self.learning_rate, "the paper starts at 2e-4")
        _positive("optimizer.gamma", self.gamma, "0.5 halves the rate")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ParameterError(f"optimizer.{name}", "in [0, 1)", getattr(self, name))
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ParameterError("optimizer.milestones", "strictly rising", self.milestones)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A training run of an L1 super-resolution network.

    Args:
        name: Name of the network that comes out.
        network: Its structure.
        data: Where pairs come from.
        optimizer: Adam and its schedule.
        iterations: Optimizer steps.
        init: Weights to start from: a bundled name or a checkpoint of the same structure. Empty
            draws them from ``seed``. The optimizer and the schedule start anew.
        seed: Decides the initial weights, every crop and every flip.
        ema_decay: Decay of the running average of the weights; 0 switches it off. With it on, the
            average is what is validated and shipped.
        precision: ``bf16-mixed`` (autocast), ``16-mixed`` or ``32-true``.
        channels_last: Keep activations in channels-last memory order (faster on CPUs and GPUs).
        log_every: Iterations between points of the training curves.
        validate_every: Iterations between PSNR measurements; 0 switches them off.
        checkpoint_every: Iterations between checkpoints.
        keep_checkpoints: How many of the newest checkpoints stay on disk.
        accelerator: Lightning Fabric's accelerator: ``auto``, ``cpu``, ``cuda``, ``mps``.
        devices: Devices (or CPU processes) a node.
        num_nodes: Nodes.
        strategy: Lightning Fabric's strategy: ``auto``, ``ddp``, ``fsdp``.

    Raises:
        ParameterError: If a number is out of its range.
    """

    name: str
    network: SRResNetConfig = field(default_factory=SRResNetConfig)
    data: DataConfig = field(default_factory=DataConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    iterations: int = 600_000
    init: str = ""
    seed: int = 0
    ema_decay: float = 0.0
    precision: Precision = "32-true"
    channels_last: bool = True
    log_every: int = 50
    validate_every: int = 1000
    checkpoint_every: int = 1000
    keep_checkpoints: int = 3
    accelerator: str = "auto"
    devices: int = 1
    num_nodes: int = 1
    strategy: str = "auto"

    def __post_init__(self) -> None:
        for name in (
            "iterations",
            "log_every",
            "checkpoint_every",
            "keep_checkpoints",
            "devices",
            "num_nodes",
        ):
            if getattr(self, name) < 1:
                raise ParameterError(name, "at least 1", getattr(self, name))
        if self.validate_every < 0:
            raise ParameterError("validate_every", "0 (never) or more", self.validate_every)
        if self.seed < 0:
            raise ParameterError("seed", "0 or more", self.seed)
        if not 0 <= self.ema_decay < 1:
            raise ParameterError("ema_decay", "in [0, 1)", self.ema_decay, "0.999 is usual")
        if self.data.batch_size % (self.devices * self.num_nodes):
            raise ParameterError(
                "data.batch_size",
                f"a multiple of devices x num_nodes = {self.devices * self.num_nodes}",
                self.data.batch_size,
            )


def load_recipe(path: str | Path, overrides: list[str] | None = None) -> Recipe:
    """Read a recipe from YAML, with command-line overrides.

    Args:
        path: The YAML file.
        overrides: Arguments such as ``["--iterations=100", "--data.patch=16"]``.

    Returns:
        The validated recipe.

    Raises:
        FileProblem: If the file is absent.
        ParameterError: If a key is unknown or a value breaks its rule.
    """
    import jsonargparse

    file = Path(path)
    if not file.is_file():
        raise FileProblem(file, "no such recipe", "see recipes/ for those that come with srscope")
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--config", action="config")
    parser.add_class_arguments(Recipe)
    try:
        parsed = parser.parse_args(["--config", str(file), *(overrides or [])])
        values: dict[str, Any] = parsed.as_dict()
        del values["config"]
        return Recipe(**_records(values))
    except SrscopeError:
        raise
    except (jsonargparse.ArgumentError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ParameterError(f"recipe {file.name}", "valid", reason) from error


def _records(values: dict[str, Any]) -> dict[str, Any]:
    """Build the nested records that the parser may leave as mappings."""
    nested = {"network": SRResNetConfig, "data": DataConfig, "optimizer": OptimizerConfig}
    for key, record in nested.items():
        if isinstance(values[key], dict):
            values[key] = record(**values[key])
    return values


def recipe_dict(recipe: Recipe) -> dict[str, Any]:
    """Return the resolved recipe as plain YAML/JSON values."""
    plain = dataclasses.asdict(recipe)
    plain["data"]["validation"] = list(recipe.data.validation)
    plain["optimizer"]["milestones"] = list(recipe.optimizer.milestones)
    return plain
