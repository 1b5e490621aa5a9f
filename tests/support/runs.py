"""Tiny recipes as files, and what runs leave behind, for tests that start real processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import safe_open

from support.tiny import photographs


def tiny_recipe(folder: Path, task: str, **changes: Any) -> Path:
    """Write photographs and a recipe of 20 iterations that sees them.

    Args:
        folder: Receives ``TASK.yaml`` and the folder ``photographs``.
        task: ``sr`` or ``gan``, by feature matching.
        changes: Other values of top-level keys.
    """
    pictures = photographs(folder / "photographs", count=3, size=(96, 80))
    values: dict[str, Any] = {
        "name": f"tiny-{task}",
        "task": task,
        "network": {"blocks": 1, "channels": 4},
        "data": {
            "folder": str(pictures),
            "validation": ["photo-1.png"],
            "batch_size": 4,
            "patch": 8,
        },
        "optimizer": {"learning_rate": 2.0e-3, "milestones": [9]},
        "iterations": 20,
        "ema_decay": 0.9,
        "precision": "bf16-mixed",
        "log_every": 3,
        "validate_every": 6,
        "checkpoint_every": 4,
        "keep_checkpoints": 2,
        "accelerator": "cpu",
    }
    if task == "gan":
        values["discriminator"] = {"channels": 2, "hidden": 4}
        values["losses"] = {"perceptual_features": "discriminator"}
    path = folder / f"{task}.yaml"
    path.write_text(yaml.safe_dump(values | changes), "utf-8")
    return path


def checkpoint(out: Path, iteration: int) -> dict[str, Any]:
    """Return the state that a run saved at an iteration."""
    return torch.load(out / f"checkpoint-{iteration:08d}.pt", weights_only=True)


def exported(out: Path, name: str) -> dict[str, Any]:
    """Return the weights that a run exported and what their file says of itself.

    The bytes of two such files differ: safetensors writes its header in any order.
    """
    with safe_open(out / f"{name}.safetensors", "pt") as file:
        weights = {key: file.get_tensor(key) for key in sorted(file.keys())}
        return {"weights": weights, "metadata": file.metadata()}


def differences(first: Any, second: Any, at: str = "") -> list[str]:
    """Name where two states differ, down to the last bit of a tensor."""
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        same = first.dtype == second.dtype and torch.equal(first, second)
        return [] if same else [at]
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        found = (differences(first[key], second[key], f"{at}.{key}") for key in first)
        return [each for part in found for each in part]
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        found = (
            differences(a, b, f"{at}[{i}]")
            for i, (a, b) in enumerate(zip(first, second, strict=True))
        )
        return [each for part in found for each in part]
    return [] if type(first) is type(second) and first == second else [at]


def files(out: Path) -> list[str]:
    """List a run's folder but for the curves, hidden files too."""
    return sorted(path.name for path in out.iterdir() if path.is_file())
