"""Recipes by kind: read from YAML with overrides, and written back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from srscope.errors import FileProblem, ParameterError, SrscopeError, UnknownNameError, reason_of
from srscope.runtime.yaml_file import read_yaml
from srscope.training.cincgan import CinCGANRecipe, CinCGANTask
from srscope.training.classification import ClassificationRecipe, ClassificationTask
from srscope.training.config import Recipe
from srscope.training.gan import GanRecipe, GanTask
from srscope.training.guided import RestorerRecipe, RestorerTask, TransferRecipe, TransferTask
from srscope.training.recipe_check import check_recipe
from srscope.training.sr import SRRecipe, SRTask, UnifiedSRRecipe
from srscope.training.task import Task

TASKS: dict[str, tuple[type[Recipe], Callable[..., Task[Any]]]] = {
    "sr": (SRRecipe, SRTask),
    "gan": (GanRecipe, GanTask),
    "cincgan": (CinCGANRecipe, CinCGANTask),
    "unified-sr": (UnifiedSRRecipe, SRTask),
    "classification": (ClassificationRecipe, ClassificationTask),
    "restorer": (RestorerRecipe, RestorerTask),
    "transfer": (TransferRecipe, TransferTask),
}
"""Kinds of training: the recipe's class and the task's, by the recipe's key ``task``."""


def load_recipe(path: str | Path, overrides: list[str] | None = None) -> Recipe:
    """Read a recipe from YAML, with command-line overrides.

    Args:
        path: The YAML file. Its key ``task`` says which kind of training it describes; ``sr``
            where it is absent.
        overrides: Arguments such as ``["--iterations=100", "--data.patch=16"]``.

    Returns:
        The validated recipe, of the class that :data:`TASKS` names.

    Raises:
        FileProblem: If the file is absent or more than plain YAML.
        UnknownNameError: If a key is unknown.
        ParameterError: If a value breaks its rule.
    """
    import jsonargparse

    file = Path(path)
    if not file.is_file():
        raise FileProblem(file, "no such recipe", "see recipes/ for those that come with srscope")
    content = read_yaml(file, what="recipe", aliases=True)
    record = TASKS[_task_of(content)][0]
    check_recipe(record, content)
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--config", action="config")
    parser.add_class_arguments(record)
    try:
        parsed = parser.parse_args(["--config", str(file), *(overrides or [])])
        values: dict[str, Any] = parsed.as_dict()
        del values["config"]
        return record(**_records(record, values))
    except SrscopeError:
        raise
    except (jsonargparse.ArgumentError, TypeError, ValueError) as error:
        reason = reason_of(error, longest=300)
        raise ParameterError(f"recipe {file.name}", "valid", reason) from error


def _task_of(content: object) -> str:
    task = content.get("task", "sr") if isinstance(content, dict) else "sr"
    if not isinstance(task, str) or task not in TASKS:
        raise UnknownNameError("task", str(task), TASKS)
    return task


def _records(record: type, values: dict[str, Any]) -> dict[str, Any]:
    """Build the nested records that the parser may leave as mappings."""
    import typing

    kinds = typing.get_type_hints(record)
    for key, value in values.items():
        if isinstance(value, dict) and dataclasses.is_dataclass(kinds[key]):
            values[key] = kinds[key](**value)
    return values


def recipe_dict(recipe: Recipe) -> dict[str, Any]:
    """Return the resolved recipe as plain YAML/JSON values."""
    return _plain(dataclasses.asdict(recipe))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
