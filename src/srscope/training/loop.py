"""The training loop, on Lightning Fabric, the same for every kind of training."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from lightning.fabric import Fabric
from lightning.fabric.loggers.tensorboard import TensorBoardLogger
from torch import Tensor, nn

from srscope.errors import ParameterError, TrainingError
from srscope.runtime.files import full_disk, write_text, writing_to
from srscope.runtime.memory import reusing_memory
from srscope.training.checkpoint import (
    PATTERN,
    load_newest_checkpoint,
    remove_leftovers,
    save_checkpoint,
)
from srscope.training.config import FREE_TO_CHANGE, Recipe
from srscope.training.launch import launch
from srscope.training.recipes import TASKS, recipe_dict
from srscope.training.task import Task

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
        validation: The last numbers measured on the validation images.
        commit: The source tree's commit when the run began, or ``None`` outside a checkout.
        init: Name and SHA-256 of the weights it started from, or ``None`` for random ones.
        facts: Measures training data and quality, for the card.
        is_main: Whether this process is the one that writes files.
    """

    network: nn.Module
    recipe: Recipe
    iterations: int
    seconds: float
    validation: dict[str, float]
    commit: str | None
    init: dict[str, str] | None
    facts: Callable[[], dict[str, Any]]
    is_main: bool = True

    @property
    def finished(self) -> bool:
        """Whether all iterations are done: a run may stop before, by ``minutes``."""
        return self.iterations >= self.recipe.iterations


class _Run:
    """The live state of a run: everything that a checkpoint must hold."""

    def __init__(self, recipe: Recipe, fabric: Fabric, task: Task[Any]) -> None:
        self.recipe, self.fabric, self.task = recipe, fabric, task
        self.done = 0
        self.seconds = 0.0
        self.validation: dict[str, float] = {}
        self.commit = _source_commit()
        self.init = task.init

    def state(self) -> dict[str, Any]:
        return {
            "recipe": recipe_dict(self.recipe),
            "done": self.done,
            "seconds": self.seconds,
            "validation": self.validation,
            "commit": self.commit,
            "init": self.init,
            "precision": self.fabric.strategy.precision.state_dict(),
            "players": {name: player.state() for name, player in self.task.players.items()},
            "extra": self.task.extra_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.done, self.seconds = state["done"], state["seconds"]
        self.validation, self.commit = state["validation"], state["commit"]
        self.init = state["init"]
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        for name, player in self.task.players.items():
            player.restore(state["players"][name])
        self.task.restore_extra(state["extra"])


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
    minutes: float | None = None,
    report: Report | None = None,
) -> Trained:
    """Train a network by its recipe.

    Under ``torchrun`` or SLURM, or with ``recipe.devices`` above 1, every process calls this; the
    folder must be one that all of them see.

    Args:
        recipe: What to train and how.
        out: Folder of the run: checkpoints, TensorBoard curves, the resolved ``recipe.yaml``.
        resume: Go on from the newest whole checkpoint in ``out``; without one, start anew.
        minutes: Stop after so long, above 0, with a checkpoint from which ``resume`` goes on to the
            same bits; ``None`` goes on to the end.
        report: Called every ``recipe.log_every`` iterations, in the main process.

    Returns:
        The trained network and what is known of the run.

    Raises:
        ParameterError: If ``out`` holds checkpoints and ``resume`` is false, or they come from
            another recipe, or the machine has no such devices, or ``minutes`` is not above 0.
        FileProblem: If ``out`` cannot be written, or another process is writing to it.
        TrainingError: If a loss is no longer finite, or adversarial training has collapsed.

    Source: Liu et al. 2021, supplement section 3.
    """
    if minutes is not None and not 0 < minutes < float("inf"):
        raise ParameterError("minutes", "above 0", minutes)
    folder = Path(out)
    logger = TensorBoardLogger(root_dir=folder, name="curves", version="")
    _check_resumed(folder, resume)  # before any process is started
    fabric = launch(recipe, logger)
    with writing_to(folder if fabric.is_global_zero else None), _full_disks_told_once(logger):
        if fabric.is_global_zero:
            _check_resumed(folder, resume)  # another run may have ended meanwhile
        return _train(recipe, fabric, logger, folder, minutes, report)


@contextlib.contextmanager
def _full_disks_told_once(logger: TensorBoardLogger) -> Generator[None]:
    """Let TensorBoard's thread print nothing of a full disk: its next write raises it here.

    After a failure it has what it still wants to write behind it before the process ends.
    """
    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        if not (isinstance(args.exc_value, OSError) and full_disk(args.exc_value)):
            before(args)

    threading.excepthook = hook
    try:
        yield
    except Exception:
        with contextlib.suppress(OSError):
            logger.finalize("failed")
        raise
    finally:
        threading.excepthook = before


def _check_resumed(folder: Path, resume: bool) -> None:
    if not resume and folder.is_dir() and any(folder.glob(PATTERN)):
        raise ParameterError("out", "a folder without checkpoints", str(folder), "add --resume")


def _train(
    recipe: Recipe,
    fabric: Fabric,
    logger: TensorBoardLogger,
    folder: Path,
    minutes: float | None,
    report: Report | None,
) -> Trained:
    saved = load_newest_checkpoint(folder) if folder.is_dir() else None
    if saved is not None:
        _check_same_recipe(recipe, saved["recipe"], folder)
    task = TASKS[recipe.task][1](recipe, fabric)
    run = _Run(recipe, fabric, task)
    if saved is not None:
        run.restore(saved)
    if fabric.is_global_zero:
        write_text(folder / "recipe.yaml", yaml.safe_dump(recipe_dict(recipe), sort_keys=False))
    fabric.barrier()  # nobody writes or deletes one before everybody has looked for checkpoints
    if fabric.is_global_zero:
        remove_leftovers(folder)
    with reusing_memory():
        _iterate(run, logger, folder, minutes, report if fabric.is_global_zero else None)
    logger.finalize("success")
    return Trained(
        network=task.shipped().eval(),
        recipe=recipe,
        iterations=run.done,
        seconds=run.seconds,
        validation=run.validation,
        commit=run.commit,
        init=run.init,
        facts=task.facts,
        is_main=fabric.is_global_zero,
    )


def _iterate(
    run: _Run,
    logger: TensorBoardLogger,
    folder: Path,
    minutes: float | None,
    report: Report | None,
) -> None:
    """Run the iterations that are left, logging, validating and saving on the way."""
    recipe, fabric, task = run.recipe, run.fabric, run.task
    clock = begun = time.monotonic()
    window: dict[str, Tensor] = {}
    counted = 0
    while run.done < recipe.iterations:
        for name, value in task.step(run.done).items():
            window[name] = window[name] + value if name in window else value.clone()
        counted += 1
        run.done += 1
        last = run.done == recipe.iterations
        if run.done % recipe.log_every == 0 or last:
            numbers = _means(window, counted, run)
            window, counted = {}, 0
            if recipe.validate_every and (run.done % recipe.validate_every == 0 or last):
                run.validation = task.validate()
                numbers |= run.validation
                pictures = task.pictures()  # as sharded weights want: by every process
                if fabric.is_global_zero:
                    for name, picture_CHW in pictures.items():
                        logger.experiment.add_image(name, picture_CHW, run.done)
            fabric.log_dict(numbers, step=run.done)
            if report is not None:
                report(run.done, numbers)
        now = time.monotonic()
        stop = minutes is not None and _everywhere(now - begun >= 60 * minutes, run)
        if run.done % recipe.checkpoint_every == 0 or last or stop:
            run.seconds, clock = run.seconds + now - clock, now
            state = run.state()  # under fsdp every process takes part in gathering it
            if fabric.is_global_zero:
                save_checkpoint(folder, state, iteration=run.done, keep=recipe.keep_checkpoints)
        if stop:
            return


def _everywhere(stop: bool, run: _Run) -> bool:
    """Return what the first process decides, where there are several; asked at log lines alone."""
    if run.fabric.world_size == 1:
        return stop
    return run.done % run.recipe.log_every == 0 and bool(run.fabric.broadcast(stop))


def _means(window: dict[str, Tensor], count: int, run: _Run) -> dict[str, float]:
    """Average a log window over iterations and processes; stop where it is no longer finite."""
    numbers: dict[str, float] = {}
    for name, total in window.items():
        mean = run.fabric.all_reduce(total / count, reduce_op="mean")
        numbers[name] = float(mean)  # pyright: ignore[reportArgumentType]
        if not abs(numbers[name]) < float("inf"):
            raise TrainingError(
                f"the {name} is {numbers[name]} at iteration {run.done}; lower "
                "optimizer.learning_rate or use precision 32-true, and resume from the last "
                "checkpoint"
            )
    run.task.check(numbers)
    for name, player in run.task.players.items():
        key = "learning_rate" if len(run.task.players) == 1 else f"learning_rate_{name}"
        numbers[key] = player.learning_rate
    return numbers
