"""Guided training: twins see the same, the guide is frozen, a stopped run goes on bitwise."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.fabric import Fabric

from srscope.errors import ParameterError
from srscope.features.guide import Guide
from srscope.images.folder import load_folder
from srscope.networks.architectures.guided import Restorer, RestorerConfig, TransferConfig
from srscope.networks.loading.checkpoints import load_weights
from srscope.training.config import OptimizerConfig
from srscope.training.export import export
from srscope.training.guided import RestorerRecipe, RestorerTask, TransferRecipe
from srscope.training.loop import Trained, train
from srscope.training.mixture import MixtureConfig
from srscope.training.recipes import load_recipe
from support.tiny import photographs

RECIPES = Path(__file__).parents[2] / "recipes" / "adapt"
TWINS = ("none", "statistics", "block4", "block16", "oracle")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photographs(tmp_path_factory.mktemp("p") / "photographs", count=3, size=(120, 96))


def recipe_of(folder: Path, **changes: Any) -> RestorerRecipe:
    kind = changes.pop("kind", RestorerRecipe)
    values: dict[str, Any] = {
        "name": "tiny",
        "network": RestorerConfig(
            blocks=1, channels=4, guidance="representations", layer="Conv1", embedding=128
        ),
        "data": MixtureConfig(
            folder=str(folder), validation=("photo-1.png",), batch_size=4, patch=32, reduction=1
        ),
        "optimizer": OptimizerConfig(learning_rate=2e-3, milestones=(8,)),
        "iterations": 10,
        "ema_decay": 0.5,
        "log_every": 2,
        "validate_every": 6,
        "checkpoint_every": 4,
        "accelerator": "cpu",
        "fitted_on": 32,
        "measured_on": 16,
    }
    return kind(**(values | changes))


def equal(one: Trained, other: Trained) -> bool:
    a, b = one.network.state_dict(), other.network.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


KINDS = {
    "restorer": {},
    "transfer": {
        "kind": TransferRecipe,
        "precision": "bf16-mixed",
        "network": TransferConfig(blocks=1, channels=4, guidance="statistics", embedding=26),
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_run_resumes_to_the_same_bits(
    folder: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("srscope.training.guided.load_bundled", lambda _: load_folder(folder))

    class Killed(Exception):
        pass

    def kill(done: int, _: dict[str, float]) -> None:
        if done > 5:
            raise Killed

    recipe = recipe_of(folder, **KINDS[kind])
    told: list[dict[str, float]] = []
    whole = train(recipe, out=tmp_path / "whole", report=lambda _, numbers: told.append(numbers))
    assert "validation_psnr" in told[-1]
    with pytest.raises(Killed):
        train(recipe, out=tmp_path / "cut", report=kill)
    resumed = train(recipe, out=tmp_path / "cut", resume=True)
    assert equal(whole, resumed)
    other = train(dataclasses.replace(recipe, seed=1), out=tmp_path / "other")
    assert not equal(whole, other)
    path = export(whole, tmp_path)
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["quality"]["psnr"] > 5
    assert "recipes/adapt/tiny.yaml" in path.with_suffix(".md").read_text()
    loaded = load_weights(path)
    assert all(
        torch.equal(tensor, whole.network.state_dict()[name])
        for name, tensor in loaded.state_dict().items()
    )


def tasks(folder: Path) -> dict[str, RestorerTask]:
    fabric = Fabric(accelerator="cpu", devices=1)
    found: dict[str, RestorerTask] = {}
    for name in TWINS:
        shipped = load_recipe(RECIPES / f"adapt-{name}.yaml")
        assert isinstance(shipped, RestorerRecipe)
        network = shipped.network
        if network.guidance == "representations":
            network = dataclasses.replace(network, layer="Conv1")  # a quicker one of that size
        data = dataclasses.replace(shipped.data, folder=str(folder), validation=(), reduction=1)
        recipe = dataclasses.replace(shipped, network=network, data=data, fitted_on=16)
        found[name] = RestorerTask(recipe, fabric)
    return found


def test_twins_start_alike_and_see_the_same_bit_for_bit(folder: Path) -> None:
    twins = tasks(folder)
    first = twins["none"]
    batches = [first._batches.batch(n) for n in (0, 7)]
    weights = first.shipped().state_dict()
    convs = [name for name in weights if "conv" in name]
    for twin in twins.values():
        for iteration, batch in zip((0, 7), batches, strict=True):
            again = twin._batches.batch(iteration)
            assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True))
        own = twin.shipped().state_dict()
        assert all(torch.equal(weights[name], own[name]) for name in convs)
    assert float(first.step(0)["loss"]) == float(twins["oracle"].step(0)["loss"])


def test_the_twins_recipes_differ_in_the_guidance_alone() -> None:
    plain = load_recipe(RECIPES / "adapt-none.yaml")
    for name in TWINS:
        recipe = load_recipe(RECIPES / f"adapt-{name}.yaml")
        assert isinstance(recipe, RestorerRecipe)
        size = (recipe.network.blocks, recipe.network.channels)
        assert size == (4, 32)
        assert recipe.iterations >= 20_000
        same = dataclasses.replace(recipe, name=plain.name, network=plain.network)  # pyright: ignore[reportCallIssue]
        assert same == plain


def test_the_guide_gets_no_gradient_and_does_not_move(folder: Path) -> None:
    fabric = Fabric(accelerator="cpu", devices=1)
    task = RestorerTask(recipe_of(folder), fabric)
    guide = task._guide
    assert guide is not None
    before = {name: tensor.clone() for name, tensor in guide._network.state_dict().items()}
    for iteration in range(3):
        task.step(iteration)
    assert all(parameter.grad is None for parameter in guide._network.parameters())
    after = guide._network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    moved = task._player.plain
    assert isinstance(moved, Restorer)
    assert moved.modulation is not None
    assert moved.modulation.last.weight.abs().max() > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": MixtureConfig(batch_size=3)}, "data.batch_size must be even"),
        ({"data": MixtureConfig(batch_size=4), "devices": 4, "strategy": "ddp"}, "even on every"),
        ({"data": MixtureConfig(patch=16)}, "data.patch must be 32 with guidance by the image"),
        ({"fitted_on": 4}, "fitted_on must be 16 or more"),
        ({"measured_on": 0}, "measured_on must be 16 or more"),
    ],
)
def test_impossible_recipes_are_refused(
    folder: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        recipe_of(folder, **changes)


def test_an_oracle_is_told_two_numbers(folder: Path) -> None:
    recipe = recipe_of(folder, network=RestorerConfig(guidance="oracle", embedding=3))
    with pytest.raises(ParameterError, match="embedding must be 2 with the guidance oracle"):
        RestorerTask(recipe, Fabric(accelerator="cpu", devices=1))


def test_embeddings_of_the_wrong_size_are_named_before_the_training(folder: Path) -> None:
    with pytest.raises(ParameterError, match="write embedding: 26"):
        Guide(RestorerConfig(guidance="statistics", embedding=5))
