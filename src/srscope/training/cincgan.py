"""CinCGAN's training: two nested cycles on unpaired images. Suffixes as in `training.unpaired`.

x is a degraded LR image, y a clean one of other content, z the original of y. The inner cycle
makes x clean (G1, judged by D1) and degraded again (G2); the outer one magnifies what G1 made (SR,
judged by D2) and comes back to x (G3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from lightning.fabric import Fabric
from torch import Tensor, nn
from torch.func import functional_call

from srscope.errors import ParameterError, TrainingError
from srscope.networks.architectures.cincgan import CinCGAN, CinCGANConfig, Generator
from srscope.networks.architectures.srresnet import SRResNet
from srscope.training.cincgan_losses import (
    CycleLossConfig,
    PatchDiscriminator,
    colour_distance,
    fooled,
    judged,
    smallest_side,
    total_variation,
)
from srscope.training.cincgan_quality import pair_facts, pair_numbers, picture
from srscope.training.cincgan_schedule import StageConfig, StagedAdam
from srscope.training.config import Recipe
from srscope.training.data import load_pairs
from srscope.training.facts import data_facts
from srscope.training.player import Player
from srscope.training.task import Task, initialise
from srscope.training.unpaired import (
    Judged,
    UnpairedBatches,
    UnpairedDataConfig,
    folder_pairs,
    mild_judged,
    split_halves,
)

PATIENCE = 20
"""Log windows in a row that must look collapsed before a run is stopped."""
STAGES = ("inner", "outer", "joint")


@dataclass(frozen=True, kw_only=True)
class CinCGANRecipe(Recipe):
    """A training run of CinCGAN. ``init`` names the super-resolution network to start from.

    Args:
        network: Structure of what is shipped; G2 and G3 are built as G1.
        d_channels: Channels of the discriminators' first convolution.
        data: Where unpaired images come from.
        inner: First stage: the inner cycle alone.
        outer: Second stage: G1 stands still, SR learns from clean pairs, D2 and G3 catch up with
            what the two make.
        joint: Third stage: everything together.
        inner_losses: Weights of the inner cycle's losses.
        outer_losses: Weights of the outer cycle's losses.
        beta1: Adam's decay of the gradient's first moment.
        beta2: Adam's decay of the gradient's second moment.

    Raises:
        ParameterError: If ``iterations`` is not the sum of the stages', a crop is too small for
            the discriminators, or the strategy shards weights.

    Source: Yuan et al. 2018 (arXiv 1809.00437).
    """

    task: str = "cincgan"
    network: CinCGANConfig = field(default_factory=CinCGANConfig)
    d_channels: int = 64
    data: UnpairedDataConfig = field(default_factory=UnpairedDataConfig)
    inner: StageConfig = field(default_factory=StageConfig)
    outer: StageConfig = field(default_factory=StageConfig)
    joint: StageConfig = field(default_factory=StageConfig)
    inner_losses: CycleLossConfig = field(default_factory=CycleLossConfig)
    outer_losses: CycleLossConfig = field(
        default_factory=lambda: CycleLossConfig(total_variation=2.0)
    )
    beta1: float = 0.5
    beta2: float = 0.999

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_shares(self.data.batch_size)
        total = sum(getattr(self, stage).iterations for stage in STAGES)
        if self.iterations != total:
            raise ParameterError(
                "iterations", f"the sum of the stages' iterations, {total}", self.iterations,
                "set inner.iterations, outer.iterations and joint.iterations with it",
            )  # fmt: skip
        if self.d_channels < 1:
            raise ParameterError("d_channels", "at least 1", self.d_channels)
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ParameterError(name, "in [0, 1)", getattr(self, name))
        if self.data.patch * self.network.scale < (least := smallest_side(2)):
            raise ParameterError(
                "data.patch", f"such that patch x scale is at least {least}", self.data.patch
            )
        if self.strategy.startswith("fsdp"):
            raise ParameterError(
                "strategy", "auto or ddp", self.strategy, "frozen networks need whole weights"
            )

    def stage(self, iteration: int) -> str:
        """Return the name of the stage that iteration ``iteration`` (from 0) belongs to.

        At a log window that straddles two stages the curves show sums over one of them divided by
        the length of the window; put stages' ends where ``log_every`` divides them.
        """
        for name in STAGES[:-1]:
            iteration -= getattr(self, name).iterations
            if iteration < 0:
                return name
        return STAGES[-1]


class CinCGANTask(Task[CinCGANRecipe]):
    """The three stages.

    Every generator stepped in an iteration shares one backward pass; then each discriminator makes
    a step on the images just made.

    Source: Yuan et al. 2018 (arXiv 1809.00437).
    """

    def __init__(self, recipe: CinCGANRecipe, fabric: Fabric) -> None:
        super().__init__(recipe, fabric)
        data, network = recipe.data, recipe.network
        self._training, validation = load_pairs(data.folder, network.scale, data.validation)
        degraded, clean = split_halves(self._training, seed=recipe.seed)
        if data.degraded:
            degraded = folder_pairs(data.degraded, degraded)
            clean_lr = {pair.name: pair.lr_HW3 for pair in validation}
            self._validation = tuple(
                Judged(pair=pair, clean_HW3=clean_lr[pair.name])
                for pair in folder_pairs(data.degraded, validation)
            )
        else:
            self._validation = mild_judged(validation, scale=network.scale, seed=recipe.seed)
        batches = UnpairedBatches(
            degraded=degraded,
            clean=clean,
            synthesize=not data.degraded,
            scale=network.scale,
            patch=data.patch,
            batch_size=data.batch_size,
            seed=recipe.seed,
        )
        self._feed = self._fed(batches)
        self._build()
        self._suspect = {"d1": 0, "d2": 0, "g1": 0, "sr": 0}

    def _build(self) -> None:
        """Build the six networks from the seed, SR from ``init``."""
        recipe, network = self._recipe, self._recipe.network
        sizes = {"channels": network.g_channels, "blocks": network.g_blocks}
        with self._seeded():
            g1 = Generator(**sizes, residual=network.g_residual)
            g2 = Generator(**sizes, residual=network.g_residual)
            g3 = Generator(**sizes, residual=network.g_residual, reduce=network.scale)
            sr = SRResNet(network.sr)
            d1 = PatchDiscriminator(channels=recipe.d_channels, stride=1)
            d2 = PatchDiscriminator(channels=recipe.d_channels, stride=2)
        self.init = initialise(sr, network.sr, recipe)
        inner, outer, joint = recipe.inner, recipe.outer, recipe.joint

        def player(module: nn.Module, *stages: StageConfig, average: bool = False) -> Player:
            return self._plays(
                module,
                StagedAdam(stages=stages, beta1=recipe.beta1, beta2=recipe.beta2),
                iterations=sum(stage.iterations for stage in stages),
                average=average,
            )

        self._g1 = player(g1, inner, joint, average=True)
        self._sr = player(sr, outer, joint, average=True)
        self._g2, self._g3 = player(g2, inner, joint), player(g3, outer, joint)
        self._d1, self._d2 = player(d1, inner, joint), player(d2, outer, joint)
        self.players = {
            "g1": self._g1, "g2": self._g2, "d1": self._d1,
            "sr": self._sr, "g3": self._g3, "d2": self._d2,
        }  # fmt: skip

    def step(self, iteration: int) -> dict[str, Tensor]:
        """Do one iteration of the stage it belongs to."""
        x_NCHW, y_NCHW, z_NCHW = (self._g1.arrange(batch) for batch in self._feed(iteration))
        stage = self._recipe.stage(iteration)
        if stage == "outer":
            return self._outer_step(x_NCHW, y_NCHW, z_NCHW)
        g1_NCHW, g1_of_y_NCHW = self._g1.live(torch.cat([x_NCHW, y_NCHW])).chunk(2)
        losses = {
            "adversarial": fooled(self._verdict(self._d1, g1_NCHW)),
            "cycle": F.mse_loss(self._g2.live(g1_NCHW), x_NCHW),
            "identity": F.l1_loss(g1_of_y_NCHW, y_NCHW),
            "total_variation": total_variation(g1_NCHW),
            "colour": colour_distance(g1_NCHW, x_NCHW),
        }
        numbers = _named("inner", losses) | {"contrast_g1": _contrast(g1_NCHW, x_NCHW)}
        loss = self._recipe.inner_losses.total(losses)
        if stage == "inner":
            self._together([self._g1, self._g2], loss)
            return numbers | self._judge("d1", y_NCHW, g1_NCHW)
        sr_NCHW, sr_of_y_NCHW = self._sr.live(torch.cat([g1_NCHW, y_NCHW])).chunk(2)
        losses = {
            "adversarial": fooled(self._verdict(self._d2, sr_NCHW)),
            "cycle": F.mse_loss(self._g3.live(sr_NCHW), x_NCHW),
            "identity": F.l1_loss(sr_of_y_NCHW, z_NCHW),
            "total_variation": total_variation(sr_NCHW),
            "colour": colour_distance(sr_NCHW, x_NCHW),
        }
        numbers |= _named("outer", losses) | {"contrast_sr": _contrast(sr_NCHW, g1_NCHW)}
        loss = loss + self._recipe.outer_losses.total(losses)
        self._together([self._g1, self._g2, self._sr, self._g3], loss)
        numbers |= self._judge("d1", y_NCHW, g1_NCHW)
        return numbers | self._judge("d2", z_NCHW, sr_NCHW)

    def _outer_step(self, x_NCHW: Tensor, y_NCHW: Tensor, z_NCHW: Tensor) -> dict[str, Tensor]:
        """Teach SR by clean pairs, and D2 and G3 by what G1 and SR make; neither follows them."""
        with torch.no_grad(), self._fabric.autocast():
            g1_NCHW = self._g1.plain(x_NCHW)
            sr_NCHW = self._sr.plain(g1_NCHW).float()
        losses = {
            "cycle": F.mse_loss(self._g3.live(sr_NCHW), x_NCHW),
            "identity": F.l1_loss(self._sr.live(y_NCHW), z_NCHW),
        }
        self._together([self._sr, self._g3], self._recipe.outer_losses.total(losses))
        numbers = _named("outer", losses) | {"contrast_sr": _contrast(sr_NCHW, g1_NCHW)}
        return numbers | self._judge("d2", z_NCHW, sr_NCHW)

    def _verdict(self, judge: Player, made_NCHW: Tensor) -> Tensor:
        """Judge what a generator made; gradients reach the generator, not the judge."""
        frozen = {name: weight.detach() for name, weight in judge.plain.named_parameters()}
        with self._fabric.autocast():
            return functional_call(judge.plain, frozen, (made_NCHW,))

    def _judge(self, name: str, real_NCHW: Tensor, fake_NCHW: Tensor) -> dict[str, Tensor]:
        """Do a discriminator's step."""
        judge = self.players[name]
        verdicts = judge.live(torch.cat([real_NCHW, fake_NCHW.detach().to(real_NCHW.dtype)]))
        real_N1hw, fake_N1hw = verdicts.float().chunk(2)
        loss = judged(real_N1hw, fake_N1hw)
        judge.update(loss)
        numbers = {"loss": loss, "real": real_N1hw.mean(), "fake": fake_N1hw.mean()}
        return {f"{name}_{what}": value.detach() for what, value in numbers.items()}

    def _together(self, players: Sequence[Player], loss: Tensor) -> None:
        """Do one step of several players down a loss they share."""
        # Fabric types its wrapper as one optimizer or several.
        optimizers: list[Any] = [player.optimizer for player in players]
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        self._fabric.backward(loss)
        for player, optimizer in zip(players, optimizers, strict=True):
            optimizer.step()
            player.schedule.step()
            if player.average is not None:
                player.average.update_parameters(player.plain)

    def check(self, numbers: dict[str, float]) -> None:
        """Stop a run in which a discriminator has won for good, or a generator gives flat images.

        Raises:
            TrainingError: After :data:`PATIENCE` such log windows in a row.
        """
        for name in ("d1", "d2"):
            if (loss := numbers.get(f"{name}_loss")) is not None:
                what = f"{name.upper()} is never wrong (its loss is {loss:.4f})"
                self._count(name, loss < 0.01, what)
        for name in ("g1", "sr"):
            if (contrast := numbers.get(f"contrast_{name}")) is not None:
                what = f"{name.upper()} changes the contrast to {contrast:.2f} of its input's"
                self._count(name, not 0.2 < contrast < 5.0, what)

    def _count(self, name: str, suspect: bool, what: str) -> None:
        self._suspect[name] = self._suspect[name] + 1 if suspect else 0
        if self._suspect[name] >= PATIENCE:
            cycle = "inner" if name in ("d1", "g1") else "outer"
            raise TrainingError(
                f"adversarial training has collapsed: {what}, for {PATIENCE} log windows; lower "
                f"{cycle}_losses.adversarial or {cycle}.learning_rate, or raise "
                f"{cycle}_losses.identity"
            )

    def validate(self) -> dict[str, float]:
        """Return PSNRs on the degraded validation photographs, the input's own beside them."""
        if not self._validation:
            return {}
        numbers = pair_numbers(self.shipped(), self._validation, scale=self._recipe.network.scale)
        return {f"validation_{name}": value for name, value in numbers.items()}

    def pictures(self) -> dict[str, Tensor]:
        """Return degraded, restored, magnified and original of each validation photograph."""
        network = self.shipped()
        return {one.pair.name: picture(network, one.pair) for one in self._validation}

    def extra_state(self) -> dict[str, Any]:
        """Return how many log windows in a row each network has looked collapsed."""
        return {"suspect": dict(self._suspect)}

    def restore_extra(self, state: dict[str, Any]) -> None:
        """Undo :meth:`extra_state`."""
        self._suspect = dict(state["suspect"])

    def shipped(self) -> CinCGAN:
        """G1 and SR in one network, a copy, averaged where the recipe says so."""
        network = CinCGAN(self._recipe.network).to(self._fabric.device)
        network.g1.load_state_dict(self._g1.shipped().state_dict())
        network.sr.load_state_dict(self._sr.shipped().state_dict())
        return network

    def facts(self) -> dict[str, Any]:
        """Data, and quality on the bundled test photographs degraded by ``Mild``."""
        return {
            "data": data_facts(self._training),
            "quality": pair_facts(self.shipped(), self._recipe.network.scale, self._recipe.seed),
        }


def _named(cycle: str, losses: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{cycle}_{name}": loss.detach() for name, loss in losses.items()}


def _contrast(made_NCHW: Tensor, given_NCHW: Tensor) -> Tensor:
    """Return the spread of what was made over that of what it was made from."""
    return made_NCHW.detach().float().std() / given_NCHW.detach().float().std().clamp_min(1e-6)
