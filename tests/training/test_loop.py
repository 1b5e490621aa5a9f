"""The loop: it learns, resumes to the same bits, averages, and stops on nonsense."""

import dataclasses
import errno
import math
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.fabric.loggers.tensorboard import TensorBoardLogger
from PIL import Image

from srscope.errors import ParameterError, TrainingError
from srscope.networks.architectures.srresnet import SRResNetConfig
from srscope.training import loop
from srscope.training.config import DataConfig, OptimizerConfig
from srscope.training.loop import Trained, train
from srscope.training.sr import SRRecipe


@pytest.fixture
def recipe(tmp_path: Path) -> SRRecipe:
    folder = tmp_path / "photographs"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name in ("a", "b", "held-out"):
        coarse = random.integers(0, 256, (12, 15, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((120, 96), Image.Resampling.BICUBIC).save(
            folder / f"{name}.png"
        )
    return SRRecipe(
        name="tiny",
        network=SRResNetConfig(blocks=1, channels=8),
        data=DataConfig(folder=str(folder), validation=("held-out.png",), batch_size=4, patch=8),
        optimizer=OptimizerConfig(learning_rate=2e-3, milestones=(8,)),
        iterations=12,
        ema_decay=0.5,
        log_every=3,
        validate_every=6,
        checkpoint_every=5,
        accelerator="cpu",
    )


def weights(trained: Trained) -> dict[str, torch.Tensor]:
    return trained.network.state_dict()


def equal(first: Trained, second: Trained) -> bool:
    a, b = weights(first), weights(second)
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_a_run_is_reproducible_and_the_seed_reaches_the_bottom(
    recipe: SRRecipe, tmp_path: Path
) -> None:
    first = train(recipe, out=tmp_path / "1")
    assert equal(first, train(recipe, out=tmp_path / "2"))
    other = train(dataclasses.replace(recipe, seed=1), out=tmp_path / "3")
    assert not equal(first, other)


@pytest.mark.parametrize("stop", [5, 10])
def test_a_killed_run_resumes_to_the_same_bits(recipe: SRRecipe, tmp_path: Path, stop: int) -> None:
    whole = train(recipe, out=tmp_path / "whole")

    class Killed(Exception):
        pass

    def kill(done: int, _: dict[str, float]) -> None:
        if done > stop:
            raise Killed

    with pytest.raises(Killed):
        train(recipe, out=tmp_path / "cut", report=kill)
    resumed = train(recipe, out=tmp_path / "cut", resume=True)
    assert resumed.iterations == 12
    assert equal(whole, resumed)


def test_training_learns(recipe: SRRecipe, tmp_path: Path) -> None:
    losses: list[float] = []
    longer = dataclasses.replace(
        recipe, iterations=150, optimizer=OptimizerConfig(learning_rate=2e-3), log_every=30
    )
    plain = dataclasses.replace(
        longer, network=dataclasses.replace(longer.network, global_residual=False)
    )
    train(plain, out=tmp_path / "run", report=lambda _, numbers: losses.append(numbers["loss"]))
    assert losses[-1] < 0.5 * losses[0]


def test_curves_rates_and_validation_are_reported(recipe: SRRecipe, tmp_path: Path) -> None:
    seen: dict[int, dict[str, float]] = {}
    train(recipe, out=tmp_path / "run", report=lambda done, numbers: seen.update({done: numbers}))
    assert list(seen) == [3, 6, 9, 12]
    assert [seen[n]["learning_rate"] for n in seen] == pytest.approx([2e-3, 2e-3, 1e-3, 1e-3])
    assert ["validation_psnr" in seen[n] for n in seen] == [False, True, False, True]
    assert 5 < seen[12]["validation_psnr"] < 60
    assert list((tmp_path / "run" / "curves").glob("events.*"))
    assert "blocks: 1" in (tmp_path / "run" / "recipe.yaml").read_text()


def test_the_average_is_shipped_where_the_recipe_asks_for_it(
    recipe: SRRecipe, tmp_path: Path
) -> None:
    averaged = train(recipe, out=tmp_path / "1")
    plain = train(dataclasses.replace(recipe, ema_decay=0.0), out=tmp_path / "2")
    assert not equal(averaged, plain)
    state = torch.load(tmp_path / "1" / "checkpoint-00000012.pt", weights_only=True)
    kept = state["players"]["network"]["network"]
    assert kept.keys() == weights(plain).keys()
    assert all(torch.equal(kept[key], weights(plain)[key]) for key in kept)


def test_the_average_follows_its_definition(recipe: SRRecipe, tmp_path: Path) -> None:
    every = dataclasses.replace(recipe, checkpoint_every=1, keep_checkpoints=12, iterations=3)
    averaged = train(every, out=tmp_path / "run")
    saved = [
        torch.load(tmp_path / "run" / f"checkpoint-{n:08d}.pt", weights_only=True)["players"][
            "network"
        ]["network"]
        for n in (1, 2, 3)
    ]
    key = "conv_first.weight"  # the average starts as a copy of the first iterate
    expected = 0.5 * (0.5 * saved[0][key] + 0.5 * saved[1][key]) + 0.5 * saved[2][key]
    torch.testing.assert_close(weights(averaged)[key], expected)


def test_a_used_folder_wants_resume_and_the_same_recipe(recipe: SRRecipe, tmp_path: Path) -> None:
    train(recipe, out=tmp_path / "run")
    with pytest.raises(ParameterError, match=r"out must be a folder without.*--resume"):
        train(recipe, out=tmp_path / "run")
    with pytest.raises(ParameterError, match="seed must be what the checkpoints in"):
        train(dataclasses.replace(recipe, seed=9), out=tmp_path / "run", resume=True)
    train(dataclasses.replace(recipe, log_every=7), out=tmp_path / "run", resume=True)


def test_a_loss_that_is_not_finite_stops_the_run(recipe: SRRecipe, tmp_path: Path) -> None:
    wild = dataclasses.replace(recipe, optimizer=OptimizerConfig(learning_rate=1e30), iterations=60)
    with pytest.raises(TrainingError, match=r"the loss is .* at iteration \d+; lower"):
        train(wild, out=tmp_path / "run")


def test_a_full_disk_is_not_printed_by_tensorboards_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: printed.append(args.exc_value))
    fault = ValueError("a fault of ours")
    with loop._full_disks_told_once(TensorBoardLogger(root_dir=tmp_path)):
        for error in (OSError(errno.ENOSPC, "No space left on device"), fault):
            thread = threading.Thread(target=_raise, args=(error,))
            thread.start()
            thread.join()
    assert printed == [fault]


def _raise(error: Exception) -> None:
    raise error


def test_a_run_stopped_by_the_clock_goes_on_to_the_same_bits(
    recipe: SRRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(recipe, out=tmp_path / "whole", minutes=1e3)
    assert whole.finished
    ticks = iter(range(1000))
    monkeypatch.setattr("srscope.training.loop.time.monotonic", lambda: 10.0 * next(ticks))
    stopped = train(recipe, out=tmp_path / "cut", minutes=1.0)
    monkeypatch.undo()
    assert 0 < stopped.iterations < 12
    assert not stopped.finished
    assert not equal(whole, stopped)
    assert equal(whole, train(recipe, out=tmp_path / "cut", resume=True))


@pytest.mark.parametrize("minutes", [0.0, -1.0, math.nan, math.inf])
def test_minutes_are_above_nothing(recipe: SRRecipe, tmp_path: Path, minutes: float) -> None:
    with pytest.raises(ParameterError, match="minutes"):
        train(recipe, out=tmp_path, minutes=minutes)
