"""Checkpoints that survive a kill: written whole, hashed, the last few kept."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.utilities import rank_zero_warn

from srscope.errors import CheckpointError
from srscope.runtime.files import atomic_path, write_text

PATTERN = "checkpoint-*.pt"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_checkpoint(folder: Path, state: dict[str, Any], *, iteration: int, keep: int) -> Path:
    """Write ``state`` as the checkpoint of ``iteration`` and delete all but the ``keep`` newest.

    Args:
        folder: Where checkpoints of this run live.
        state: Tensors, numbers, strings, and lists and dicts of them.
        iteration: Optimizer steps done.
        keep: Checkpoints to keep, at least 1.

    Returns:
        The checkpoint's path; its SHA-256 stands in a file beside it.
    """
    path = folder / f"checkpoint-{iteration:08d}.pt"
    with atomic_path(path) as temporary:
        with temporary.open("wb") as file:  # by name, torch would not say why it failed
            torch.save(state, file)
        digest = _digest(temporary)
        write_text(path.with_suffix(".sha256"), digest + "\n")
    whole = [each for each in sorted(folder.glob(PATTERN)) if each <= path]
    newer = [each for each in folder.glob(PATTERN) if each > path]  # damaged: they were passed over
    for old in (*newer, *whole[:-keep]):
        old.unlink(missing_ok=True)
        old.with_suffix(".sha256").unlink(missing_ok=True)
    return path


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed run left half-written: temporary files, hashes without a checkpoint."""
    for part in folder.glob(".*-????????.part.*"):
        part.unlink(missing_ok=True)
    for sidecar in folder.glob("checkpoint-*.sha256"):
        if not sidecar.with_suffix(".pt").exists():
            sidecar.unlink(missing_ok=True)


def load_newest_checkpoint(folder: Path) -> dict[str, Any] | None:
    """Return the newest whole checkpoint of a run, or ``None`` where there is none.

    A checkpoint whose hash does not fit is passed over with a warning.

    Raises:
        CheckpointError: If there are checkpoints, but none is whole.
    """
    paths = sorted(folder.glob(PATTERN), reverse=True)
    for path in paths:
        sidecar = path.with_suffix(".sha256")
        if sidecar.is_file() and sidecar.read_bytes().strip() == _digest(path).encode():
            return torch.load(path, map_location="cpu", weights_only=True)
        message = f"{path.name} is damaged; going back to the one before"
        rank_zero_warn(message, stacklevel=5, category=UserWarning)
    if paths:
        raise CheckpointError(
            folder, "every checkpoint is damaged", "start anew without --resume, or restore one"
        )
    return None
