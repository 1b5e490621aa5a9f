"""CinCGAN's training: who learns in which stage, resuming, collapse, what is shipped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.fabric import Fabric
from PIL import Image

from srscope.errors import ParameterError, TrainingError
from srscope.networks.architectures.cincgan import CinCGAN, CinCGANConfig
from srscope.training.cincgan import PATIENCE, CinCGANRecipe, CinCGANTask
from srscope.training.cincgan_losses import CycleLossConfig
from srscope.training.cincgan_schedule import StageConfig
from srscope.training.unpaired import UnpairedDataConfig

TINY = CinCGANConfig(g_channels=4, g_blocks=1, sr_channels=4, sr_blocks=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photographs")
    random = np.random.default_rng(0)
    for number in range(4):
        coarse = random.integers(0, 256, (20, 20, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((160, 160), Image.Resampling.BICUBIC).save(
            path / f"photo-{number}.png"
        )
    return path


def recipe(folder: Path, **options: Any) -> CinCGANRecipe:
    stage = StageConfig(iterations=1, learning_rate=1e-3)
    fields: dict[str, Any] = {
        "name": "tiny",
        "iterations": 3,
        "network": TINY,
        "d_channels": 2,
        "data": UnpairedDataConfig(
            folder=str(folder), validation=("photo-0.png",), batch_size=2, patch=18
        ),
        "inner": stage,
        "outer": stage,
        "joint": stage,
        "accelerator": "cpu",
    }
    return CinCGANRecipe(**{**fields, **options})


@pytest.fixture
def task(folder: Path) -> Callable[..., CinCGANTask]:
    def make(**options: Any) -> CinCGANTask:
        return CinCGANTask(recipe(folder, **options), Fabric(accelerator="cpu", devices=1))

    return make


def weights(task: CinCGANTask) -> dict[str, torch.Tensor]:
    return {
        name: torch.cat([p.detach().flatten().clone() for p in player.plain.parameters()])
        for name, player in task.players.items()
    }


def test_each_stage_moves_its_own_networks(task: Callable[..., CinCGANTask]) -> None:
    run = task()
    numbers: dict[str, torch.Tensor] = {}
    moving = [{"g1", "g2", "d1"}, {"sr", "g3", "d2"}, {"g1", "g2", "d1", "sr", "g3", "d2"}]
    for iteration, expected in enumerate(moving):
        before = weights(run)
        numbers = run.step(iteration)
        after = weights(run)
        assert {n for n in before if not torch.equal(before[n], after[n])} == expected
        assert all(v.ndim == 0 and not v.requires_grad for v in numbers.values())
        assert {
            f"{d}_{what}" for d in expected & {"d1", "d2"} for what in ("loss", "real", "fake")
        } <= set(numbers)
    assert {
        f"{c}_{loss}"
        for c in ("inner", "outer")
        for loss in ("adversarial", "cycle", "identity", "total_variation")
    } <= set(numbers)


def test_the_generators_leave_no_gradient_in_the_discriminators(
    task: Callable[..., CinCGANTask],
) -> None:
    run = task()
    x_NCHW = torch.rand(1, 3, 18, 18, requires_grad=True)
    run._verdict(run.players["d1"], x_NCHW).sum().backward()
    assert x_NCHW.grad is not None
    assert float(x_NCHW.grad.abs().sum()) > 0
    assert all(p.grad is None for p in run.players["d1"].plain.parameters())


def test_an_interrupted_run_goes_on_bitwise(task: Callable[..., CinCGANTask]) -> None:
    options = {"ema_decay": 0.9, "inner": StageConfig(iterations=2), "iterations": 4}
    unbroken = task(**options)
    for iteration in range(4):
        unbroken.step(iteration)
    first = task(**options)
    for iteration in range(2):
        first.step(iteration)
    saved = {name: player.state() for name, player in first.players.items()}
    second = task(**options)
    for name, player in second.players.items():
        player.restore(saved[name])
    for iteration in range(2, 4):
        second.step(iteration)
    ends = weights(unbroken), weights(second)
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    shipped = unbroken.shipped().state_dict(), second.shipped().state_dict()
    assert all(torch.equal(shipped[0][name], shipped[1][name]) for name in shipped[0])


def test_the_seed_decides_the_weights(task: Callable[..., CinCGANTask]) -> None:
    first, again, other = (weights(task(seed=seed)) for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_what_is_shipped_holds_g1_and_sr_only(task: Callable[..., CinCGANTask]) -> None:
    run = task()
    shipped = run.shipped()
    assert isinstance(shipped, CinCGAN)
    assert set(shipped.state_dict()) == set(CinCGAN(TINY).state_dict())
    x_NCHW = torch.rand(1, 3, 9, 7)
    expected = run.players["sr"].plain(run.players["g1"].plain(x_NCHW))
    torch.testing.assert_close(shipped(x_NCHW), expected)


def test_the_average_is_shipped_where_there_is_one(task: Callable[..., CinCGANTask]) -> None:
    run = task(ema_decay=0.5)
    start = run.shipped().g1.head1.weight.detach().clone()
    for iteration in range(3):
        run.step(iteration)
    now = run.players["g1"].plain.get_parameter("head1.weight")
    kept = run.shipped().g1.head1.weight
    assert not torch.equal(kept, now)
    assert not torch.equal(kept, start)


def test_validation_stands_beside_the_input_s_own(task: Callable[..., CinCGANTask]) -> None:
    run = task()
    numbers = run.validate()
    names = {"psnr", "bicubic_psnr", "g1_psnr", "g1_input_psnr"}
    assert set(numbers) == {f"validation_{name}" for name in names}
    pictures = run.pictures()
    assert {name: tuple(p.shape) for name, p in pictures.items()} == {"photo-0.png": (3, 160, 640)}
    assert all(torch.equal(p, p.clamp(0, 1)) for p in pictures.values())


def window(**numbers: float) -> dict[str, float]:
    return {"d1_loss": 0.25, "d2_loss": 0.25, "contrast_g1": 1.0, "contrast_sr": 1.0, **numbers}


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ({"d1_loss": 0.001}, "D1 is never wrong .*inner_losses.adversarial"),
        ({"d2_loss": 0.001}, "D2 is never wrong .*outer_losses.adversarial"),
        ({"contrast_g1": 0.01}, "G1 changes the contrast to 0.01"),
        ({"contrast_sr": 9.0}, "SR changes the contrast to 9.00"),
    ],
)
def test_collapse_stops_the_run_after_some_patience(
    task: Callable[..., CinCGANTask], bad: dict[str, float], word: str
) -> None:
    run = task()
    for _ in range(PATIENCE - 1):
        run.check(window(**bad))
    run.check(window())  # one good window, and the count begins anew
    for _ in range(PATIENCE - 1):
        run.check(window(**bad))
    resumed = task()
    resumed.restore_extra(run.extra_state())
    with pytest.raises(TrainingError, match=word):
        resumed.check(window(**bad))


def test_numbers_of_absent_stages_are_not_missed(task: Callable[..., CinCGANTask]) -> None:
    task().check({"d1_loss": 0.2, "contrast_g1": 1.0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"iterations": 5}, "iterations must be the sum of the stages' iterations, 3"),
        ({"d_channels": 0}, "d_channels must be at least 1"),
        ({"beta1": 1.0}, "beta1 must be in"),
        ({"strategy": "fsdp"}, "strategy must be auto or ddp"),
        ({"devices": 3}, "a multiple of devices x num_nodes = 3"),
        (
            {"data": UnpairedDataConfig(patch=16, batch_size=2)},
            "data.patch must be such that patch x scale is at least 70",
        ),
    ],
)
def test_impossible_recipes_are_refused(
    folder: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        recipe(folder, **options)


def test_the_inner_cycle_learns_to_take_noise_away(folder: Path) -> None:
    """With the identity alone to hold it, total variation makes G1 smooth: a sign that it steps."""
    losses = CycleLossConfig(adversarial=0.0, cycle=0.0, identity=0.0, total_variation=1.0)
    stage = StageConfig(iterations=30, learning_rate=1e-2)
    nothing = StageConfig(iterations=0)
    run = CinCGANTask(
        recipe(
            folder, inner=stage, outer=nothing, joint=nothing, iterations=30, inner_losses=losses
        ),
        Fabric(accelerator="cpu", devices=1),
    )
    variation = [float(run.step(i)["inner_total_variation"]) for i in range(30)]
    assert np.mean(variation[-5:]) < 0.7 * np.mean(variation[:5])


def test_stages_follow_one_another(folder: Path) -> None:
    stages = [recipe(folder).stage(iteration) for iteration in range(3)]
    assert stages == ["inner", "outer", "joint"]
    skipping = recipe(folder, inner=StageConfig(iterations=0), iterations=2)
    assert [skipping.stage(iteration) for iteration in range(2)] == ["outer", "joint"]
