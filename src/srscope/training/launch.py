"""Fabric set up as a recipe says, and the processes of a run started or joined."""

from __future__ import annotations

from lightning.fabric import Fabric
from lightning.fabric.loggers.logger import Logger
from lightning.fabric.strategies.ddp import DDPStrategy
from lightning.fabric.strategies.strategy import Strategy
from lightning.fabric.utilities.exceptions import MisconfigurationException

from srscope.errors import ParameterError, TrainingError, first_line
from srscope.runtime.processes import check_launcher
from srscope.training.config import Recipe


def launch(recipe: Recipe, logger: Logger) -> Fabric:
    """Set up Fabric and start the processes of the run, or join those that a launcher started.

    Args:
        recipe: Its accelerator, devices, nodes, strategy and precision are used.
        logger: Receives the training curves.

    Returns:
        Fabric, launched.

    Raises:
        ParameterError: If this machine or the launcher has no such devices or processes.
        TrainingError: If the processes cannot reach one another.
    """
    try:
        fabric = Fabric(
            accelerator=recipe.accelerator,
            devices=recipe.devices,
            num_nodes=recipe.num_nodes,
            strategy=_strategy(recipe),
            precision=recipe.precision,
            loggers=logger,
        )
    except (MisconfigurationException, RuntimeError, ValueError) as error:
        raise _refused(recipe, error) from error
    _check_launcher(recipe)
    try:
        fabric.launch()
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise _refused(recipe, error) from error
    except RuntimeError as error:
        raise TrainingError(
            f"the processes of the run could not be joined: {first_line(error)}; check that all "
            "of them run and reach the first one's address and port"
        ) from error
    return fabric


def _strategy(recipe: Recipe) -> str | Strategy:
    """Name Fabric's strategy, or configure it.

    DDP would copy the first process's batch statistics to the others before every forward pass.
    No training step reads them and only the first process's are saved, so they are left alone.
    """
    several = recipe.devices * recipe.num_nodes > 1
    if recipe.strategy == "ddp" or (recipe.strategy == "auto" and several):
        return DDPStrategy(broadcast_buffers=False)
    return recipe.strategy


def _check_launcher(recipe: Recipe) -> None:
    """Raise unless torchrun or SLURM started as many processes as the recipe counts."""
    check_launcher(
        recipe.devices * recipe.num_nodes,
        name="devices x num_nodes",
        remedy="give --devices (processes a node) and --num-nodes",
    )


def _refused(recipe: Recipe, error: Exception) -> ParameterError:
    asked = (recipe.accelerator, recipe.devices, recipe.num_nodes, recipe.strategy)
    return ParameterError(
        "accelerator, devices, num_nodes, strategy",
        "what this machine and launcher offer",
        ", ".join(str(value) for value in asked),
        f"Lightning Fabric says: {first_line(error)}",
    )
