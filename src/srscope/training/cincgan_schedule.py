"""Adam over the stages of CinCGAN's training: each stage starts at its own rate and halves it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from srscope.errors import ParameterError
from srscope.training.config import require_positive

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """One stage.

    Args:
        iterations: Its length; 0 leaves it out.
        learning_rate: Adam's step size at its start.
        halve_every: Iterations after which the rate is halved, again and again.

    Raises:
        ParameterError: If a number is out of its range.
    """

    iterations: int = 0
    learning_rate: float = 2e-4
    halve_every: int = 40_000

    def __post_init__(self) -> None:
        if self.iterations < 0:
            raise ParameterError("stage iterations", "0 (left out) or more", self.iterations)
        require_positive("stage learning_rate", self.learning_rate)
        if self.halve_every < 1:
            raise ParameterError("stage halve_every", "at least 1", self.halve_every)


@dataclass(frozen=True, kw_only=True)
class StagedAdam:
    """Adam for a network that steps in some of the stages, in every iteration of them.

    Args:
        stages: Those it steps in, in order.
        beta1: Decay of the gradient's first moment.
        beta2: Decay of the gradient's second moment.
    """

    stages: tuple[StageConfig, ...]
    beta1: float
    beta2: float

    def rate(self, steps: int) -> float:
        """Return the step size after ``steps`` of this network's steps.

        Example:
            >>> first = StageConfig(iterations=5, learning_rate=0.8, halve_every=2)
            >>> then = StageConfig(iterations=2, learning_rate=0.3)
            >>> adam = StagedAdam(stages=(first, then), beta1=0.5, beta2=0.999)
            >>> [adam.rate(steps) for steps in range(7)]
            [0.8, 0.8, 0.4, 0.4, 0.2, 0.3, 0.3]
        """
        for stage in self.stages:
            if steps < stage.iterations or stage is self.stages[-1]:
                return stage.learning_rate * 0.5 ** (steps // stage.halve_every)
            steps -= stage.iterations
        raise AssertionError("a network that never steps has no rate")

    def optimizer(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """Build the optimizer; its own rate is 1, which the schedule multiplies."""
        import torch

        return torch.optim.Adam(parameters, lr=1.0, betas=(self.beta1, self.beta2), fused=True)

    def schedule(self, optimizer: Optimizer, iterations: int) -> LRScheduler:
        """Build the schedule."""
        import torch

        del iterations
        return torch.optim.lr_scheduler.LambdaLR(optimizer, self.rate)
