"""Checkpoints: whole or passed over, the last few kept."""

from pathlib import Path

import pytest
import torch

from srscope.errors import CheckpointError
from srscope.training.checkpoint import load_newest_checkpoint, save_checkpoint


def save(folder: Path, iteration: int, keep: int = 3) -> Path:
    return save_checkpoint(
        folder, {"done": iteration, "w": torch.ones(2)}, iteration=iteration, keep=keep
    )


def test_the_newest_is_loaded_and_the_last_few_kept(tmp_path: Path) -> None:
    assert load_newest_checkpoint(tmp_path) is None
    for iteration in (10, 20, 100, 1000):
        save(tmp_path, iteration, keep=2)
    assert load_newest_checkpoint(tmp_path)["done"] == 1000  # type: ignore[index]
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == [
        "checkpoint-00000100.pt",
        "checkpoint-00000100.sha256",
        "checkpoint-00001000.pt",
        "checkpoint-00001000.sha256",
    ]


@pytest.mark.parametrize("damage", ["truncate", "flip", "no hash"])
def test_a_damaged_newest_falls_back_with_a_warning(tmp_path: Path, damage: str) -> None:
    save(tmp_path, 10)
    newest = save(tmp_path, 20)
    data = bytearray(newest.read_bytes())
    if damage == "truncate":
        newest.write_bytes(data[:-30])
    elif damage == "flip":
        data[len(data) // 2] ^= 1
        newest.write_bytes(data)
    else:
        newest.with_suffix(".sha256").unlink()
    with pytest.warns(UserWarning, match=r"checkpoint-00000020\.pt is damaged"):
        state = load_newest_checkpoint(tmp_path)
    assert state is not None
    assert state["done"] == 10


def test_nothing_whole_is_an_error(tmp_path: Path) -> None:
    save(tmp_path, 10).write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="damaged"),
        pytest.raises(CheckpointError, match="every checkpoint is damaged"),
    ):
        load_newest_checkpoint(tmp_path)
