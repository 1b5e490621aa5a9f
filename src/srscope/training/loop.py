"""The L1 training loop, on Lightning Fabric. Suffixes as in `training.data`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
import yaml
from lightning.fabric import Fabric
from lightning.fabric.loggers.tensorboard import TensorBoardLogger
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from srscope.errors import ParameterError, TrainingError
from srscope.files import write_text
from srscope.networks.srresnet import SRResNet
from srscope.networks.zoo import load_network
from srscope.training.checkpoint import load_newest_checkpoint, save_checkpoint
from srscope.training.config import Recipe, recipe_dict
from srscope.training.data import Batches, Pair, load_pairs
from srscope.training.quality import psnr_of_pairs

Report = Callable[[int, dict[str, float]], None]
"""Called with the iterations done and the latest numbers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """What a run leaves behind.

    Args:
        network: The weights to ship: the running average where the recipe has one.
        recipe: The resolved recipe.
        iterations: Optimizer steps done.
        seconds: Wall-clock time over all sessions of the run.
        validation_psnr: Last PSNR on the validation photographs in dB, or ``None``.
        commit: The source tree's commit when the run began, or ``None`` outside a checkout.
        init: Name and SHA-256 of the weights it started from, or ``None`` for random ones.
    """

    network: nn.Module
    recipe: Recipe
    iterations: int
    seconds: float
    validation_psnr: float | None
    commit: str | None
    init: dict[str, str] | None


class _Run:
    """The live state of a run: everything that a checkpoint must hold."""

    def __init__(self, recipe: Recipe, fabric: Fabric) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            network = SRResNet(recipe.network)
        self.init = _initialise(network, recipe)
        if recipe.channels_last:
            network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        optimizer = torch.optim.Adam(
            network.parameters(),
            lr=recipe.optimizer.learning_rate,
            betas=(recipe.optimizer.beta1, recipe.optimizer.beta2),
            fused=True,
        )
        self.average: AveragedModel | None = None
        if recipe.ema_decay > 0:
            averaging = get_ema_multi_avg_fn(recipe.ema_decay)
            self.average = AveragedModel(network, multi_avg_fn=averaging)
            self.average.to(fabric.device)
        self.plain = network
        self.network, self.optimizer = fabric.setup(network, optimizer)
        self.schedule = torch.optim.lr_scheduler.MultiStepLR(
            optimizer, list(recipe.optimizer.milestones), recipe.optimizer.gamma
        )
        self.done = 0
        self.seconds = 0.0
        self.validation_psnr: float | None = None
        self.commit = _source_commit()

    def shipped(self) -> nn.Module:
        """The network that is validated and shipped."""
        return self.average.module if self.average is not None else self.plain

    def state(self, recipe: Recipe) -> dict[str, Any]:
        return {
            "recipe": recipe_dict(recipe),
            "done": self.done,
            "seconds": self.seconds,
            "validation_psnr": self.validation_psnr,
            "commit": self.commit,
            "init": self.init,
            "network": self.plain.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.done, self.seconds = state["done"], state["seconds"]
        self.validation_psnr, self.commit = state["validation_psnr"], state["commit"]
        self.init = state["init"]
        self.plain.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])


def _initialise(network: SRResNet, recipe: Recipe) -> dict[str, str] | None:
    """Load the weights of ``recipe.init``, if any; return what identifies them."""
    if not recipe.init:
        return None
    start = load_network(recipe.init)
    config = getattr(start.module, "config", None)
    if config != recipe.network:
        raise ParameterError("init", f"weights of {recipe.network}", f"{recipe.init}: {config}")
    network.load_state_dict(start.module.state_dict())
    return {"name": start.name, "sha256": start.sha256}


def _source_commit() -> str | None:
    """Return the source tree's commit, or ``None`` outside a checkout."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


FREE_TO_CHANGE = (
    "log_every", "validate_every", "checkpoint_every", "keep_checkpoints",
    "accelerator", "devices", "num_nodes", "strategy",
)  # fmt: skip
"""Fields of a recipe that a resumed run may change: none of them decides the weights."""


def _check_same_recipe(recipe: Recipe, saved: dict[str, Any], folder: Path) -> None:
    now = recipe_dict(recipe)
    for key, value in now.items():
        if key not in FREE_TO_CHANGE and saved.get(key) != value:
            raise ParameterError(
                key,
                f"what the checkpoints in {folder} were made with ({saved.get(key)})",
                value,
                "resume with the same recipe, or train into another folder",
            )


def train(
    recipe: Recipe,
    *,
    out: str | Path,
    resume: bool = False,
    report: Report | None = None,
) -> Trained:
    """Train a network by its recipe.

    Args:
        recipe: What to train and how.
        out: Folder of the run: checkpoints, TensorBoard curves, the resolved ``recipe.yaml``.
        resume: Go on from the newest whole checkpoint in ``out``; without one, start anew.
        report: Called every ``recipe.log_every`` iterations.

    Returns:
        The trained network and what is known of the run.

    Raises:
        ParameterError: If ``out`` holds checkpoints and ``resume`` is false, or they come from
            another recipe.
        TrainingError: If the loss is no longer finite.

    Source: Liu et al. 2021, supplement section 3.
    """
    folder = Path(out)
    logger = TensorBoardLogger(root_dir=folder, name="curves", version="")
    fabric = Fabric(
        accelerator=recipe.accelerator,
        devices=recipe.devices,
        num_nodes=recipe.num_nodes,
        strategy=recipe.strategy,
        precision=recipe.precision,
        loggers=logger,
    )
    fabric.launch()
    saved = load_newest_checkpoint(folder) if folder.is_dir() else None
    if saved is not None and not resume:
        raise ParameterError("out", "a folder without checkpoints", str(folder), "add --resume")
    training, validation = load_pairs(
        recipe.data.folder, recipe.network.scale, recipe.data.validation
    )
    run = _Run(recipe, fabric)
    if saved is not None:
        _check_same_recipe(recipe, saved["recipe"], folder)
        run.restore(saved)
    if fabric.is_global_zero:
        write_text(folder / "recipe.yaml", yaml.safe_dump(recipe_dict(recipe), sort_keys=False))
    batches = Batches(
        pairs=training,
        scale=recipe.network.scale,
        patch=recipe.data.patch,
        batch_size=recipe.data.batch_size,
        seed=recipe.seed,
    )
    _iterate(recipe, fabric, run, batches, validation, folder, report)
    logger.finalize("success")
    return Trained(
        network=run.shipped().eval(),
        recipe=recipe,
        iterations=run.done,
        seconds=run.seconds,
        validation_psnr=run.validation_psnr,
        commit=run.commit,
        init=run.init,
    )


def _iterate(
    recipe: Recipe,
    fabric: Fabric,
    run: _Run,
    batches: Batches,
    validation: tuple[Pair, ...],
    folder: Path,
    report: Report | None,
) -> None:
    """Run the iterations that are left, logging, validating and saving on the way."""
    clock = time.monotonic()
    window = torch.zeros((), device=fabric.device)
    while run.done < recipe.iterations:
        window += _step(recipe, fabric, run, batches)
        run.done += 1
        last = run.done == recipe.iterations
        if run.done % recipe.log_every == 0 or last:
            count = (run.done - 1) % recipe.log_every + 1
            loss = float(window) / count
            window.zero_()
            if not loss < float("inf"):
                raise TrainingError(
                    f"the loss is {loss} at iteration {run.done}; lower optimizer.learning_rate "
                    "or use precision 32-true, and resume from the last checkpoint"
                )
            numbers: dict[str, float] = {
                "loss": loss,
                "learning_rate": float(run.schedule.get_last_lr()[0]),
            }
            due = recipe.validate_every and (run.done % recipe.validate_every == 0 or last)
            if due and validation:
                run.validation_psnr = psnr_of_pairs(
                    run.shipped(), validation, scale=recipe.network.scale
                )
                numbers["validation_psnr"] = run.validation_psnr
            fabric.log_dict(numbers, step=run.done)
            if report is not None:
                report(run.done, numbers)
        if (run.done % recipe.checkpoint_every == 0 or last) and fabric.is_global_zero:
            now = time.monotonic()
            run.seconds, clock = run.seconds + now - clock, now
            save_checkpoint(
                folder, run.state(recipe), iteration=run.done, keep=recipe.keep_checkpoints
            )


def _step(recipe: Recipe, fabric: Fabric, run: _Run, batches: Batches) -> Tensor:
    """Do one optimizer step and return its loss, detached."""
    lr_NCHW, hr_NCHW = batches.batch(run.done, rank=fabric.global_rank, world=fabric.world_size)
    lr_NCHW, hr_NCHW = fabric.to_device(lr_NCHW), fabric.to_device(hr_NCHW)
    if recipe.channels_last:
        lr_NCHW = lr_NCHW.contiguous(memory_format=torch.channels_last)
    loss = F.l1_loss(run.network(lr_NCHW), hr_NCHW)
    run.optimizer.zero_grad(set_to_none=True)
    fabric.backward(loss)
    run.optimizer.step()
    run.schedule.step()
    if run.average is not None:
        run.average.update_parameters(run.plain)
    return loss.detach()
