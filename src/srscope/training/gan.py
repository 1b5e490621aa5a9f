"""Adversarial training of a super-resolution network (SRGAN). Suffixes as in `training.data`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
import torch.nn.functional as F
from lightning.fabric import Fabric
from torch import Tensor

from srscope.errors import ParameterError, TrainingError
from srscope.networks.architectures.build import SRConfig, build_network
from srscope.networks.architectures.srresnet import SRResNetConfig
from srscope.training.config import OptimizerConfig, PairRecipe
from srscope.training.discriminator import Discriminator, DiscriminatorConfig
from srscope.training.perceptual import Vgg19Loss, feature_matching, vgg19_weights
from srscope.training.task import PairTask, initialise

PATIENCE = 20
"""Log windows in a row that must look collapsed before a run is stopped."""


@dataclass(frozen=True, kw_only=True)
class GanLossConfig:
    """Weights of the generator's losses.

    Args:
        pixel: Of the L1 distance to the original.
        perceptual: Of the distance of features.
        adversarial: Of the discriminator's verdict.
        perceptual_features: ``vgg19`` (conv5_4 before ReLU; its weights are downloaded) or
            ``discriminator`` (feature matching, which needs nothing from elsewhere).

    Raises:
        ParameterError: If a weight is negative.
    """

    pixel: float = 0.01
    perceptual: float = 1.0
    adversarial: float = 0.005
    perceptual_features: Literal["vgg19", "discriminator"] = "vgg19"

    def __post_init__(self) -> None:
        for name in ("pixel", "perceptual", "adversarial"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ParameterError(f"losses.{name}", "0 or more", getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class GanRecipe(PairRecipe):
    """An adversarial training run of a super-resolution network.

    Args:
        network: The generator's structure.
        discriminator: The discriminator's structure.
        discriminator_optimizer: Adam and its schedule for the discriminator.
        losses: Weights of the generator's losses.
    """

    task: str = "gan"
    network: SRConfig = field(default_factory=SRResNetConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    discriminator_optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    losses: GanLossConfig = field(default_factory=GanLossConfig)


class GanTask(PairTask[GanRecipe]):
    """Generator and discriminator in turn, non-saturating loss.

    Each iteration the generator makes one step down pixel + perceptual + adversarial loss, then the
    discriminator one on the same originals and the images just made. It always sees both in one
    batch: normalised by itself, a batch of outputs whose contrast or colour has drifted as a whole
    looks like the originals, and a generator without a global residual drifts away.

    Raises:
        ParameterError: If the HR patch does not fit the discriminator.
        DownloadError: If the recipe wants VGG19 and its weights cannot be had.

    Source: Ledig et al. 2017; losses and their weights by default as in Wang et al. 2018.
    """

    def __init__(self, recipe: GanRecipe, fabric: Fabric) -> None:
        super().__init__(recipe, fabric)
        with self._seeded():
            generator = build_network(recipe.network)
            side = recipe.data.patch * self._scale
            self._judge = Discriminator(recipe.discriminator, side=side)
        self.init = initialise(generator, recipe.network, recipe)
        self._generator = self._plays(generator, recipe.optimizer)
        self._discriminator = self._plays(
            self._judge, recipe.discriminator_optimizer, average=False
        )
        self.players = {"generator": self._generator, "discriminator": self._discriminator}
        self._vgg: Callable[[Tensor, Tensor], Tensor] | None = None
        if recipe.losses.perceptual_features == "vgg19" and recipe.losses.perceptual > 0:
            self._vgg = fabric.to_device(Vgg19Loss(vgg19_weights()))
        self._suspect = 0

    def step(self, iteration: int) -> dict[str, Tensor]:
        """Do one step of the generator and one of the discriminator."""
        lr_NCHW, hr_NCHW = (self._generator.arrange(batch) for batch in self._feed(iteration))
        sr_NCHW = self._generator.live(lr_NCHW)
        losses = self._generator_losses(sr_NCHW, hr_NCHW)
        weights = self._recipe.losses
        self._generator.update(
            weights.pixel * losses["pixel"]
            + weights.perceptual * losses["perceptual"]
            + weights.adversarial * losses["adversarial"]
        )
        sr_NCHW = sr_NCHW.detach()
        both_N1 = self._discriminator.live(torch.cat([sr_NCHW, hr_NCHW]))
        fake_N1, real_N1 = both_N1.chunk(2)
        loss = 0.5 * (F.softplus(-real_N1).mean() + F.softplus(fake_N1).mean())
        self._discriminator.update(loss)
        numbers = {f"loss_{name}": value.detach() for name, value in losses.items()}
        return numbers | {
            "loss_discriminator": loss.detach(),
            "accuracy_real": (real_N1 > 0).float().mean(),
            "accuracy_fake": (fake_N1 < 0).float().mean(),
            "contrast": sr_NCHW.float().std() / hr_NCHW.std(),
        }

    def _generator_losses(self, sr_NCHW: Tensor, hr_NCHW: Tensor) -> dict[str, Tensor]:
        """Judge the generator; the discriminator takes no gradient."""
        self._judge.requires_grad_(False)
        with self._fabric.autocast():
            both = [f.chunk(2) for f in self._judge.features(torch.cat([sr_NCHW, hr_NCHW]))]
            features, originals = zip(*both, strict=True)
            verdict_N1 = self._judge.verdict(features[-1])
            if self._vgg is not None:
                perceptual = self._vgg(sr_NCHW, hr_NCHW)
            elif self._recipe.losses.perceptual > 0:
                perceptual = feature_matching(features, originals)
            else:
                perceptual = sr_NCHW.new_zeros(())
        self._judge.requires_grad_(True)
        return {
            "pixel": F.l1_loss(sr_NCHW, hr_NCHW),
            "perceptual": perceptual.float(),
            "adversarial": F.softplus(-verdict_N1.float()).mean(),
        }

    def check(self, numbers: dict[str, float]) -> None:
        """Stop a run whose discriminator has won for good or whose generator gives flat images.

        Raises:
            TrainingError: After :data:`PATIENCE` such log windows in a row.
        """
        won = min(numbers["accuracy_real"], numbers["accuracy_fake"]) > 0.999
        won = won and numbers["loss_adversarial"] > 12.0
        flat = not 0.2 < numbers["contrast"] < 5.0
        self._suspect = self._suspect + 1 if won or flat else 0
        if self._suspect >= PATIENCE:
            what = (
                f"the generator's contrast is {numbers['contrast']:.2f} of the originals'"
                if flat
                else f"the discriminator is never wrong and the adversarial loss stands at "
                f"{numbers['loss_adversarial']:.1f}"
            )
            raise TrainingError(
                f"adversarial training has collapsed: {what}, for {PATIENCE} log windows; lower "
                "losses.adversarial or discriminator_optimizer.learning_rate, and start from the "
                "L1 network (init)"
            )

    def extra_state(self) -> dict[str, Any]:
        """Return how many log windows in a row have looked collapsed."""
        return {"suspect": self._suspect}

    def restore_extra(self, state: dict[str, Any]) -> None:
        """Undo :meth:`extra_state`."""
        self._suspect = state["suspect"]
