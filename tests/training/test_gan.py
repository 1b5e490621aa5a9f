"""Adversarial training: who learns from what, what is logged, and when it is stopped."""

import dataclasses
from pathlib import Path

import pytest
import torch
from lightning.fabric import Fabric

from srscope.errors import CheckpointError, ParameterError, TrainingError
from srscope.networks.architectures.srresnet import SRResNetConfig
from srscope.training.config import DataConfig, OptimizerConfig
from srscope.training.discriminator import DiscriminatorConfig
from srscope.training.gan import PATIENCE, GanLossConfig, GanRecipe, GanTask
from srscope.training.loop import train
from support.tiny import photographs, tiny_checkpoint


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> GanRecipe:
    folder = photographs(tmp_path_factory.mktemp("gan") / "photographs", count=3)
    adam = OptimizerConfig(learning_rate=1e-3)
    return GanRecipe(
        name="tiny-gan",
        network=SRResNetConfig(blocks=1, channels=6),
        discriminator=DiscriminatorConfig(channels=2, hidden=4),
        losses=GanLossConfig(adversarial=0.1, perceptual_features="discriminator"),
        data=DataConfig(folder=str(folder), validation=("photo-2.png",), batch_size=2, patch=8),
        optimizer=adam,
        discriminator_optimizer=adam,
        iterations=8,
        ema_decay=0.5,
        log_every=4,
        validate_every=8,
        checkpoint_every=4,
        accelerator="cpu",
    )


def task(recipe: GanRecipe) -> GanTask:
    return GanTask(recipe, Fabric(accelerator="cpu", devices=1))


def copied(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in module.named_parameters()}


def moved(module: torch.nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return any(not torch.equal(p, before[name]) for name, p in module.named_parameters())


def test_both_networks_learn_in_every_iteration(recipe: GanRecipe) -> None:
    playing = task(recipe)
    players = [playing.players[name].plain for name in ("generator", "discriminator")]
    before = [copied(player) for player in players]
    numbers = playing.step(0)
    assert all(moved(p, b) for p, b in zip(players, before, strict=True))
    assert set(numbers) == {
        "loss_pixel", "loss_perceptual", "loss_adversarial", "loss_discriminator",
        "accuracy_real", "accuracy_fake", "contrast",
    }  # fmt: skip
    assert all(p.requires_grad for p in players[1].parameters())


def test_the_generator_learns_from_each_loss_by_its_weight(recipe: GanRecipe) -> None:
    for name in ("pixel", "perceptual", "adversarial"):
        only = {n: float(n == name) for n in ("pixel", "perceptual", "adversarial")}
        losses = GanLossConfig(**only, perceptual_features="discriminator")
        playing = task(dataclasses.replace(recipe, losses=losses))
        generator = playing.players["generator"].plain
        before = copied(generator)
        playing.step(0)
        assert moved(generator, before), name
    losses = GanLossConfig(pixel=0, perceptual=0, adversarial=0)
    playing = task(dataclasses.replace(recipe, losses=losses))
    before = copied(playing.players["generator"].plain)
    playing.step(0)
    assert not moved(playing.players["generator"].plain, before)


def test_the_discriminator_learns_to_tell_them_apart(recipe: GanRecipe) -> None:
    idle = dataclasses.replace(
        recipe,
        optimizer=OptimizerConfig(learning_rate=1e-12),
        discriminator=DiscriminatorConfig(channels=8, hidden=16),
        data=dataclasses.replace(recipe.data, batch_size=4),
        iterations=100,
    )
    playing = task(idle)
    accuracy: list[float] = []
    for iteration in range(100):
        numbers = playing.step(iteration)
        accuracy.append(float(numbers["accuracy_real"] + numbers["accuracy_fake"]) / 2)
    assert sum(accuracy[-20:]) / 20 > 0.85


def test_a_run_starts_from_the_l1_network_and_resumes_to_the_same_bits(
    recipe: GanRecipe, tmp_path: Path
) -> None:
    start = tiny_checkpoint(tmp_path / "l1.safetensors", blocks=1)
    recipe = dataclasses.replace(recipe, init=str(start))
    whole = train(recipe, out=tmp_path / "whole")
    assert whole.init is not None
    assert whole.init["name"] == "l1"

    class Killed(Exception):
        pass

    def kill(done: int, _: dict[str, float]) -> None:
        if done > 4:
            raise Killed

    with pytest.raises(Killed):
        train(recipe, out=tmp_path / "cut", report=kill)
    resumed = train(recipe, out=tmp_path / "cut", resume=True)
    first, second = whole.network.state_dict(), resumed.network.state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert resumed.validation == whole.validation
    events = list((tmp_path / "whole" / "curves").glob("events.*"))
    assert sum(file.stat().st_size for file in events) > 10_000  # pictures among the curves


def test_outputs_and_originals_are_normalised_together(recipe: GanRecipe) -> None:
    playing = task(recipe)
    judge = playing.players["discriminator"].plain
    seen: list[torch.Tensor] = []
    handle = judge.get_submodule("convs.1").register_forward_pre_hook(
        lambda _, given: seen.append(given[0].detach())
    )
    playing.step(0)
    handle.remove()
    # Once for the generator's step, once for the discriminator's: outputs, then originals.
    assert [len(each) for each in seen] == [2 * recipe.data.batch_size] * 2


def test_another_structure_does_not_start_it(recipe: GanRecipe, tmp_path: Path) -> None:
    start = tiny_checkpoint(tmp_path / "l1.safetensors", blocks=3)
    with pytest.raises(ParameterError, match=r"init must be weights of SRResNetConfig.*blocks=1"):
        task(dataclasses.replace(recipe, init=str(start)))
    with pytest.raises(CheckpointError, match="train the recipe it comes from first"):
        task(dataclasses.replace(recipe, init="runs/none/none.safetensors"))


GOOD = {"accuracy_real": 0.7, "accuracy_fake": 0.7, "loss_adversarial": 1.0, "contrast": 1.0}


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"contrast": 0.01}, "contrast is 0.01 of the originals'"),
        ({"contrast": 90.0}, "contrast is 90.00"),
        (
            {"accuracy_real": 1.0, "accuracy_fake": 1.0, "loss_adversarial": 20.0},
            "never wrong and the adversarial loss stands at 20.0",
        ),
    ],
)
def test_a_lasting_collapse_stops_the_run(
    recipe: GanRecipe, numbers: dict[str, float], message: str
) -> None:
    playing = task(recipe)
    for _ in range(PATIENCE - 1):
        playing.check(GOOD | numbers)
    playing.check(GOOD)  # one good window starts the count anew
    for _ in range(PATIENCE - 1):
        playing.check(GOOD | numbers)
    resumed = task(recipe)
    resumed.restore_extra(playing.extra_state())
    with pytest.raises(TrainingError, match=f"collapsed: .*{message}"):
        resumed.check(GOOD | numbers)


def test_a_patch_that_does_not_fit_the_discriminator_is_refused(recipe: GanRecipe) -> None:
    odd = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, patch=9))
    with pytest.raises(ParameterError, match="multiple of 16, but is '36 HR pixels'"):
        task(odd)
