"""Recipes: those that ship parse, overrides reach them, and mistakes are named."""

import dataclasses
from pathlib import Path

import pytest

from srscope.errors import FileProblem, ParameterError, UnknownNameError
from srscope.training.recipes import load_recipe, recipe_dict

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.mark.parametrize(
    "path", sorted(RECIPES.rglob("*.yaml")), ids=lambda p: f"{p.parent.name}-{p.stem}"
)
def test_every_shipped_recipe_parses_and_is_named_after_its_file(path: Path) -> None:
    assert load_recipe(path).name == path.stem


@pytest.mark.parametrize("budget", ["small", "paper"])
def test_the_pair_differs_in_the_residual_only(budget: str) -> None:
    plain, residual = (
        load_recipe(RECIPES / budget / f"srresnet-{name}.yaml") for name in ("wogr", "wgr")
    )
    assert residual.network.global_residual
    assert not plain.network.global_residual
    same = dataclasses.replace(
        plain, name=residual.name, network=residual.network, init=residual.init
    )
    assert same == residual


def test_paper_recipe_has_the_paper_numbers() -> None:
    recipe = load_recipe(RECIPES / "paper" / "srresnet-wgr.yaml")
    assert recipe.iterations == 600_000
    assert recipe.optimizer.milestones == (100_000, 300_000, 500_000, 600_000)
    assert (recipe.optimizer.beta1, recipe.optimizer.beta2) == (0.9, 0.99)
    assert recipe.optimizer.learning_rate == 2e-4
    assert recipe.data.patch == 128


def test_small_recipes_keep_the_paper_proportions_and_the_minimum() -> None:
    recipe = load_recipe(RECIPES / "small" / "srresnet-wgr-stage1.yaml")
    assert recipe.iterations >= 20_000
    shares = [milestone / recipe.iterations for milestone in recipe.optimizer.milestones]
    assert shares == pytest.approx([1 / 6, 1 / 2, 5 / 6], abs=1e-3)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return path


def test_overrides_win_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "name: x\niterations: 10\ndata: {patch: 9}\n")
    recipe = load_recipe(path, ["--iterations=20", "--data.batch_size=2"])
    assert (recipe.iterations, recipe.data.patch, recipe.data.batch_size) == (20, 9, 2)
    assert type(recipe)(**vars(recipe)) == recipe
    assert recipe_dict(recipe)["data"]["patch"] == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: /tmp/x\n", "name must be 1 to 60 letters, digits"),
        ("name: ../x\n", "name must be 1 to 60 letters, digits"),
        ("name: a/b\n", "name must be 1 to 60 letters, digits"),
        ("name: ''\n", "name must be 1 to 60 letters, digits"),
        ('name: "a\\0b"\n', "name must be 1 to 60 letters, digits"),
        (f"name: {'a' * 61}\n", "name must be 1 to 60 letters, digits"),
        ("name: x\niterations: many\n", "iterations.*many"),
        ("name: x\niterations: 0\n", "iterations must be at least 1, but is 0"),
        ("name: x\nseed: -1\n", "seed must be 0 or more"),
        ("name: x\nema_decay: 1\n", r"ema_decay must be in \[0, 1\)"),
        ("name: x\nvalidate_every: -1\n", "validate_every must be 0"),
        ("name: x\nprecision: float8\n", "precision.*float8"),
        ("name: x\ndata: {batch_size: 0}\n", r"data\.batch_size must be a finite number above 0"),
        ("name: x\ndata: {patch: -3}\n", r"data\.patch must be a finite number above 0"),
        ("name: x\ndata: {batch_size: 3}\ndevices: 2\n", "multiple of devices x num_nodes = 2"),
        ("name: x\noptimizer: {learning_rate: .nan}\n", "learning_rate must be a finite number"),
        ("name: x\noptimizer: {beta1: 1.5}\n", r"optimizer\.beta1 must be in \[0, 1\)"),
        ("name: x\noptimizer: {milestones: [5, 3]}\n", "milestones must be strictly rising"),
        ("name: x\nnetwork: {scale: 7}\n", "scale must be 2, 3 or 4"),
        ("name: x\nema_decay: 0.9\nstrategy: fsdp\n", "ema_decay must be 0 with strategy fsdp"),
        ("name: x\ndata: {noise_sigma: -1}\n", "noise_sigma must be 0 \\(no noise\\) or more"),
        ("name: x\nexport: int8\n", "export.*int8"),
        ("name: x\ntask: gan\nlosses: {pixel: -1}\n", r"losses\.pixel must be 0 or more"),
        ("name: x\ntask: gan\ndiscriminator: {channels: 0}\n", "channels must be at least 1"),
        ("name: x\ntask: gan\nlosses: {perceptual_features: vgg}\n", "perceptual_features"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        load_recipe(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\niteration: 10\n", "'iteration'; did you mean 'iterations'"),
        ("name: x\ndata: {ptch: 9}\n", "unknown key of data 'ptch'; did you mean 'patch'"),
    ],
)
def test_unknown_keys_are_named_with_near_ones(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        load_recipe(write(tmp_path, text))


def test_what_is_no_yaml_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="is not plain YAML"):
        load_recipe(write(tmp_path, "name: [x\n"))


def test_an_unknown_kind_of_training_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown task 'gam'.*gan"):
        load_recipe(write(tmp_path, "name: x\ntask: gam\n"))


def test_absent_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such recipe"):
        load_recipe(tmp_path / "none.yaml")
