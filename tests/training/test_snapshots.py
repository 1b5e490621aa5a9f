"""Which files are the checkpoints of a training, at which iteration, and with which weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from srscope.errors import CheckpointError, FileProblem, ParameterError, UnknownNameError
from srscope.networks.architectures.build import build_network
from srscope.networks.architectures.resnet import ResNet18
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.networks.zoo import WEIGHTS, load_network
from srscope.training.classification import ClassificationRecipe, ClassifierConfig
from srscope.training.gan import GanRecipe
from srscope.training.recipes import recipe_dict
from srscope.training.snapshots import (
    find_snapshots,
    load_snapshot,
    load_trained,
    only_checkpoint,
    shipped_by,
)
from srscope.training.sr import SRRecipe

TINY = SRResNetConfig(blocks=1, channels=4)


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def iterations(spec: str, **options: Any) -> list[tuple[int, str]]:
    return [(s.iteration, s.path.name) for s in find_snapshots(spec, **options).found]


def test_basicsr_names_are_sorted_by_iteration(tmp_path: Path) -> None:
    folder = touch(
        tmp_path, "net_g_5000.pth", "net_g_15000.pth", "net_g_10000.pth", "net_g_latest.pth",
        "net_d_5000.pth", "net_d_10000.pth", "notes.txt",
    )  # fmt: skip
    assert iterations(str(folder)) == [
        (5000, "net_g_5000.pth"),
        (10000, "net_g_10000.pth"),
        (15000, "net_g_15000.pth"),
    ]
    assert dict(find_snapshots(str(folder)).skipped) == {
        "net_d_5000.pth": "is a discriminator by its name",
        "net_d_10000.pth": "is a discriminator by its name",
        "net_g_latest.pth": "its name tells no iteration",
    }


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["net_x4_10.safetensors", "net_x4_20.safetensors"], [10, 20]),
        (["epoch_1_step_500.ckpt", "epoch_2_step_1000.ckpt"], [500, 1000]),
        (["epoch=0-v2.pt", "epoch=1-v2.pt"], [0, 1]),
    ],
)
def test_the_number_that_differs_is_the_iteration(
    tmp_path: Path, names: list[str], expected: list[int]
) -> None:
    assert [n for n, _ in iterations(str(touch(tmp_path, *names)))] == expected


def test_a_run_of_ours_is_its_checkpoints_alone(tmp_path: Path) -> None:
    folder = tmp_path / "srresnet-wgr-noise20"
    folder.mkdir()
    touch(folder, "checkpoint-00001000.pt", "checkpoint-00002000.pt", "srresnet20.safetensors")
    found = find_snapshots(str(folder))
    assert [s.iteration for s in found.found] == [1000, 2000]
    assert found.name == "srresnet-wgr-noise20"
    assert [name for name, _ in found.skipped] == ["srresnet20.safetensors"]


def test_a_pattern_picks_one_of_several_networks(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{net}_{n}.pth" for net in ("one", "two") for n in (1, 2)))
    with pytest.raises(FileProblem, match=r"of several networks: one_\*.pth and two_\*.pth"):
        find_snapshots(str(tmp_path))
    pattern = str(tmp_path / "two_*.pth")
    assert iterations(pattern) == [(1, "two_1.pth"), (2, "two_2.pth")]
    assert find_snapshots(f"{pattern}?global_residual=false").options == "global_residual=false"
    assert find_snapshots(pattern).name == "two"


def test_few_are_taken_evenly_with_both_ends(tmp_path: Path) -> None:
    touch(tmp_path, *(f"n_{n}.pth" for n in range(10)))
    assert [n for n, _ in iterations(str(tmp_path), most=4)] == [0, 3, 6, 9]
    assert len(iterations(str(tmp_path), most=20)) == 10
    with pytest.raises(ParameterError, match="checkpoints must be 0 for all, or 2 or more"):
        find_snapshots(str(tmp_path), most=1)


def test_a_folder_without_a_checkpoint_is_told_to_be_waited_for(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match=r"holds no checkpoint .*; wait until the training has"):
        find_snapshots(str(tmp_path))


@pytest.mark.parametrize("names", [["a.pth", "b.pth"], ["net_g_5.pth"]])
def test_fewer_than_two_are_refused(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(FileProblem, match=r"name them like net_g_5000\.pth, net_g_10000\.pth"):
        find_snapshots(str(touch(tmp_path, *names)))


def test_numbers_that_tell_nothing_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a_1_1.pth", "a_1_2.pth", "a_2_1.pth", "a_2_2.pth")
    with pytest.raises(FileProblem, match="by no single number"):
        find_snapshots(str(tmp_path))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="gone: is no folder; give a folder of checkpoints, or"):
        find_snapshots(str(tmp_path / "gone"))


def network(config: Any = TINY, *, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return build_network(config)


def averaged(module: nn.Module) -> dict[str, Any]:
    state = {f"module.{name}": tensor for name, tensor in module.state_dict().items()}
    return {"n_averaged": torch.tensor(3), **state}


def same(one: nn.Module, other: nn.Module) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def saved(folder: Path, recipe: Any, players: dict[str, Any], done: int = 1000) -> Path:
    path = folder / f"checkpoint-{done:08d}.pt"
    torch.save({"recipe": recipe_dict(recipe), "done": done, "players": players}, path)
    return path


def test_what_is_analysed_is_the_average_that_would_be_shipped(tmp_path: Path) -> None:
    live, average = network(seed=0), network(seed=1)
    player = {"network": live.state_dict(), "average": averaged(average)}
    found = shipped_by(saved(tmp_path, SRRecipe(name="r", network=TINY), {"network": player}))
    assert isinstance(found, SRResNet)
    assert same(found, average)
    player = {"network": live.state_dict(), "average": None}
    found = shipped_by(saved(tmp_path, SRRecipe(name="r", network=TINY), {"network": player}))
    assert found is not None
    assert same(found, live)


def test_of_adversarial_training_it_is_the_generator(tmp_path: Path) -> None:
    generator = network(seed=0)
    players = {
        "generator": {"network": generator.state_dict(), "average": None},
        "discriminator": {"network": {"conv.weight": torch.zeros(1)}, "average": None},
    }
    found = shipped_by(saved(tmp_path, GanRecipe(name="g", network=TINY), players))
    assert found is not None
    assert same(found, generator)


def test_a_classifier_keeps_its_own_batch_statistics(tmp_path: Path) -> None:
    config = ClassifierConfig(channels=4)
    live, average = config.build(), config.build()
    for name, tensor in live.state_dict().items():
        if name.endswith("running_mean"):
            tensor.fill_(7)
    player = {"network": live.state_dict(), "average": averaged(average)}
    recipe = ClassificationRecipe(name="c", network=config)
    found = shipped_by(saved(tmp_path, recipe, {"network": player}))
    assert isinstance(found, ResNet18)
    means = {n: t for n, t in found.state_dict().items() if n.endswith("running_mean")}
    assert means
    assert all(bool((tensor == 7).all()) for tensor in means.values())
    weights = dict(average.named_parameters())
    assert all(torch.equal(p, weights[name]) for name, p in found.named_parameters())


def test_the_residual_of_the_recipe_is_kept(tmp_path: Path) -> None:
    config = SRResNetConfig(blocks=1, channels=4, global_residual=False)
    player = {"network": network(config, seed=0).state_dict(), "average": None}
    for done in (1000, 2000):
        saved(tmp_path, SRRecipe(name="r", network=config), {"network": player}, done)
    snapshots = find_snapshots(str(tmp_path))
    loaded = load_snapshot(snapshots, snapshots.found[1])
    assert loaded.module.config == config
    assert loaded.name == f"{tmp_path.name} at 2000"
    assert loaded.source == "checkpoint checkpoint-00002000.pt"


def test_checkpoints_of_ours_are_known_by_content_under_any_name(tmp_path: Path) -> None:
    network_of = {1000: network(seed=0), 2000: network(seed=1)}
    for done, module in network_of.items():
        player = {"network": module.state_dict(), "average": None}
        recipe = SRRecipe(name="r", network=TINY)
        saved(tmp_path, recipe, {"network": player}, done).rename(tmp_path / f"kept_{done}.pth")
    snapshots = find_snapshots(str(tmp_path))
    for snapshot in snapshots.found:
        loaded = load_snapshot(snapshots, snapshot)
        assert same(loaded.module, network_of[snapshot.iteration])
        assert loaded.source == f"checkpoint kept_{snapshot.iteration}.pth"
    with pytest.raises(CheckpointError, match=r"is a checkpoint of srscope train.*its training"):
        load_network(str(tmp_path / "kept_1000.pth"))


@pytest.mark.parametrize("beside", [(), ("r.safetensors",), ("log.txt", "events.out")])
def test_the_first_checkpoint_of_a_run_that_goes_on_can_be_analysed(
    tmp_path: Path, beside: tuple[str, ...]
) -> None:
    module = network(seed=0)
    player = {"network": module.state_dict(), "average": None}
    path = saved(tmp_path, SRRecipe(name="r", network=TINY), {"network": player})
    touch(tmp_path, *beside)
    for given in (tmp_path, path, str(tmp_path)):
        assert only_checkpoint(given) == path
        loaded = load_trained(given)
        assert same(loaded.module, module)
        assert loaded.name == f"{tmp_path.name} at 1000"
    with pytest.raises(UnknownNameError, match="scale=2"):
        load_trained(f"{path}?scale=2")
    saved(tmp_path, SRRecipe(name="r", network=TINY), {"network": player}, 2000)
    assert only_checkpoint(tmp_path) is None


def test_a_folder_with_one_file_of_weights_is_that_network(tmp_path: Path) -> None:
    (tmp_path / "net_g_latest.safetensors").write_bytes(
        (WEIGHTS / "srresnet-wgr.safetensors").read_bytes()
    )
    touch(tmp_path, "net_d_latest.pth", "notes.txt")
    assert load_trained(str(tmp_path)).name == "net_g_latest"
    assert only_checkpoint("srresnet-wgr") is None
    assert only_checkpoint(nn.Identity()) is None


def test_damaged_checkpoints_are_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint-00001000.pt"
    path.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="is not a readable checkpoint"):
        shipped_by(path)
    player = {"network": {"conv_first.weight": torch.zeros(2)}, "average": None}
    path = saved(tmp_path, SRRecipe(name="r", network=TINY), {"network": player})
    with pytest.raises(CheckpointError, match="does not fit its recipe"):
        shipped_by(path)
    torch.save({"weight": torch.zeros(1)}, path)
    assert shipped_by(path) is None


def test_only_a_star_is_a_pattern_and_not_in_the_name_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run*[1]"
    folder.mkdir()
    touch(folder, "net[a]_1.pth", "net[a]_2.pth", "neta_1.pth", "neta_2.pth")
    assert iterations(f"{folder}/net[a]_*.pth") == [(1, "net[a]_1.pth"), (2, "net[a]_2.pth")]
    for path in folder.glob("neta*"):
        path.unlink()
    asked = folder.rename(tmp_path / "run*[1]?")
    found = find_snapshots(f"{asked}?scale=2")
    assert (found.name, found.options, len(found.found)) == ("run*[1]?", "scale=2", 2)
