"""Recipes: everything that decides what a training run produces, as validated frozen records.

The command line and the YAML files under ``recipes/`` are generated from these classes. What is
common to all kinds of training stands here; each kind adds its own fields beside its task.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from srscope.errors import ParameterError
from srscope.networks.architectures.srresnet import SRResNetConfig
from srscope.networks.architectures.unified import UnifiedConfig
from srscope.runtime.files import check_name

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

Precision = Literal["bf16-mixed", "16-mixed", "32-true"]


def require_positive(name: str, value: float, remedy: str = "") -> None:
    """Raise a ParameterError unless ``value`` is finite and above 0."""
    if not (math.isfinite(value) and value > 0):
        raise ParameterError(name, "a finite number above 0", value, remedy)


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where training pairs come from.

    Args:
        folder: Folder of high-resolution training photographs, searched recursively; ``div2k`` for
            DIV2K's training set (3.5 GB, downloaded once, held in memory).
        validation: File names (relative to ``folder``) kept out of training; PSNR is measured on
            them while the run goes on.
        batch_size: Pairs an iteration, over all devices together.
        patch: Side of the low-resolution crops, in LR pixels.
        noise_sigma: Standard deviation of the Gaussian noise added to every LR crop, in levels of
            0-255; the noisy crop is clipped and rounded to 8 bits. 0 adds none.

    Raises:
        ParameterError: If ``batch_size`` or ``patch`` is below 1, or ``noise_sigma`` is negative.
    """

    folder: str = "data/photos/train"
    validation: tuple[str, ...] = ()
    batch_size: int = 16
    patch: int = 32
    noise_sigma: float = 0.0

    def __post_init__(self) -> None:
        require_positive("data.batch_size", self.batch_size)
        require_positive("data.patch", self.patch)
        if not 0 <= self.noise_sigma < math.inf:
            raise ParameterError("data.noise_sigma", "0 (no noise) or more", self.noise_sigma)


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
        require_positive("optimizer.learning_rate", self.learning_rate, "the paper starts at 2e-4")
        require_positive("optimizer.gamma", self.gamma, "0.5 halves the rate")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ParameterError(f"optimizer.{name}", "in [0, 1)", getattr(self, name))
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ParameterError("optimizer.milestones", "strictly rising", self.milestones)

    def optimizer(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """Build the optimizer."""
        import torch

        betas = (self.beta1, self.beta2)
        return torch.optim.Adam(parameters, lr=self.learning_rate, betas=betas, fused=True)

    def schedule(self, optimizer: Optimizer, iterations: int) -> LRScheduler:
        """Build the schedule of a run of ``iterations`` steps."""
        import torch

        del iterations
        return torch.optim.lr_scheduler.MultiStepLR(optimizer, list(self.milestones), self.gamma)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What every training run is told, whatever it trains.

    Args:
        name: Name of the network that comes out, and of its files.
        task: Kind of training; see :data:`srscope.training.recipes.TASKS`.
        iterations: Optimizer steps.
        init: Weights to start from: a bundled name or a checkpoint of the same structure. Empty
            draws them from ``seed``. The optimizer and the schedule start anew.
        seed: Decides the initial weights and everything that is drawn, iteration by iteration.
        ema_decay: Decay of the running average of the weights; 0 switches it off. With it on, the
            average is what is validated and shipped.
        precision: ``bf16-mixed`` (autocast), ``16-mixed`` or ``32-true``.
        channels_last: Keep activations in channels-last memory order (faster on CPUs and GPUs).
        log_every: Iterations between points of the training curves.
        validate_every: Iterations between measurements on validation images; 0 switches them off.
        checkpoint_every: Iterations between checkpoints.
        keep_checkpoints: How many of the newest checkpoints stay on disk.
        accelerator: Lightning Fabric's accelerator: ``auto``, ``cpu``, ``cuda``, ``mps``.
        devices: Devices (or CPU processes) a node.
        num_nodes: Nodes.
        strategy: Lightning Fabric's strategy: ``auto``, ``ddp``, ``fsdp``.
        export: Number format of the exported weights. Checkpoints keep float32 in any case.

    Raises:
        ParameterError: If a number is out of its range.
    """

    name: str
    task: str
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
    export: Literal["float32", "float16"] = "float32"

    def __post_init__(self) -> None:
        check_name("name", self.name)
        for name in (
            "iterations", "log_every", "checkpoint_every", "keep_checkpoints", "devices",
            "num_nodes",
        ):  # fmt: skip
            if getattr(self, name) < 1:
                raise ParameterError(name, "at least 1", getattr(self, name))
        if self.validate_every < 0:
            raise ParameterError("validate_every", "0 (never) or more", self.validate_every)
        if self.seed < 0:
            raise ParameterError("seed", "0 or more", self.seed)
        if not 0 <= self.ema_decay < 1:
            raise ParameterError("ema_decay", "in [0, 1)", self.ema_decay, "0.999 is usual")
        if self.ema_decay and self.strategy.startswith("fsdp"):
            raise ParameterError(
                "ema_decay", "0 with strategy fsdp", self.ema_decay,
                "sharded weights are not averaged; use strategy ddp",
            )  # fmt: skip

    def require_shares(self, batch_size: int) -> None:
        """Raise unless ``batch_size`` splits evenly over the processes."""
        if batch_size < 1 or batch_size % (self.devices * self.num_nodes):
            raise ParameterError(
                "data.batch_size",
                f"a multiple of devices x num_nodes = {self.devices * self.num_nodes}",
                batch_size,
            )


FREE_TO_CHANGE = (
    "log_every", "validate_every", "checkpoint_every", "keep_checkpoints",
    "accelerator", "devices", "num_nodes", "strategy", "export",
)  # fmt: skip
"""Fields of a recipe that a resumed run may change: none of them decides the weights."""


@dataclass(frozen=True, kw_only=True)
class PairRecipe(Recipe):
    """A run that sees pairs of low- and high-resolution crops.

    Args:
        data: Where pairs come from.
        optimizer: Adam and its schedule, of the network that is shipped.
        network: Structure of the network that is shipped.
    """

    data: DataConfig = field(default_factory=DataConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    network: SRResNetConfig | UnifiedConfig = field(default_factory=SRResNetConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_shares(self.data.batch_size)
