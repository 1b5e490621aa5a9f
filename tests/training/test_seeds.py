"""Networks of one recipe are found by the seeds in their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from srscope.errors import FileProblem
from srscope.training.seeds import checkpoints_of, find_seeds, is_of_seeds, load_seed
from support.tiny import tiny_checkpoint


def place(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_files_and_runs_of_one_recipe_are_found_by_rising_seed(tmp_path: Path) -> None:
    place(tmp_path, "l1-seed10.safetensors", "l1-seed2/l1-seed2.safetensors", "l1-seed2.log",
          "l1-seed3/checkpoint-00001000.pt", "other.pth")  # fmt: skip
    recipe = find_seeds(f"{tmp_path}?scale=4")
    assert recipe.name == "l1"
    assert [each.seed for each in recipe.found] == [2, 10]
    assert recipe.found[0].run == tmp_path / "l1-seed2"
    assert recipe.found[1].run is None
    assert recipe.options == "scale=4"
    reasons = dict(recipe.skipped)
    assert "not finished" in reasons["l1-seed3"]
    assert "tells no seed" in reasons["other.pth"]


def test_a_run_beside_its_weights_lends_its_checkpoints(tmp_path: Path) -> None:
    place(tmp_path, "l1-seed2.safetensors", "l1-seed2/l1-seed2.safetensors",
          "l1-seed2/checkpoint-00001000.pt", "l1-seed2/checkpoint-00002000.pt",
          "l1-seed3.safetensors")  # fmt: skip
    recipe = find_seeds(str(tmp_path))
    found = checkpoints_of(recipe, recipe.found[0])
    assert [each.iteration for each in found.found] == [1000, 2000]
    with pytest.raises(FileProblem, match="has no checkpoints beside it"):
        checkpoints_of(recipe, recipe.found[1])


def test_several_recipes_are_parted_by_a_pattern(tmp_path: Path) -> None:
    place(tmp_path, *(f"{recipe}-seed{s}.pth" for recipe in ("l1", "gan") for s in (2, 3)))
    with pytest.raises(FileProblem, match=r"several recipes: gan-seed\* and l1-seed\*; name one"):
        find_seeds(str(tmp_path))
    assert find_seeds(str(tmp_path / "gan-*")).name == "gan"


@pytest.mark.parametrize("names", [(), ("net-seed2.pth",), ("net_g_1.pth", "net_g_2.pth")])
def test_fewer_than_two_seeds_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    place(tmp_path, *names)
    with pytest.raises(FileProblem, match="no two networks of different seeds"):
        find_seeds(str(tmp_path))
    assert not is_of_seeds(str(tmp_path))


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="is no folder"):
        find_seeds(str(tmp_path / "absent"))


def test_a_run_of_one_seed_is_a_training(tmp_path: Path) -> None:
    run = place(tmp_path / "l1-seed2", "checkpoint-00001000.pt", "l1-seed2.safetensors")
    assert not is_of_seeds(str(run))
    assert not is_of_seeds("srresnet-wgr")
    assert is_of_seeds(str(place(tmp_path / "all", "a-seed1.pt", "a-seed2.pt")))


def test_a_network_is_named_after_recipe_and_seed(tmp_path: Path) -> None:
    for seed in (1, 2):
        tiny_checkpoint(tmp_path / f"net-seed{seed}.safetensors")
    recipe = find_seeds(str(tmp_path))
    assert load_seed(recipe, recipe.found[1]).name == "net seed 2"
