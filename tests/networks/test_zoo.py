"""The zoo: every bundled network is what its card says; files and mistakes."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from srscope.errors import CheckpointError, FileProblem, ParameterError, UnknownNameError
from srscope.networks.description import weights_sha256
from srscope.networks.zoo import WEIGHTS, list_networks, load_network
from support.tiny import tiny_checkpoint

NAMES = [card.name for card in list_networks()]
RECIPES = Path(__file__).parents[2] / "recipes"


LEAST = {"sr": 20_000, "unified-sr": 20_000, "gan": 10_000, "cincgan": 10_000, "classification": 1}
"""Iterations that each kind of training must have had."""


def facts_of(name: str) -> dict[str, Any]:
    return next(card.facts for card in list_networks() if card.name == name)


def test_the_whole_package_stays_under_80_megabytes() -> None:
    package = WEIGHTS.parents[1]
    assert sum(file.stat().st_size for file in package.rglob("*") if file.is_file()) < 80e6


def test_the_pair_is_bundled() -> None:
    assert {"srresnet-wgr", "srresnet-wogr"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_those_of_the_card(name: str) -> None:
    card = next(card for card in list_networks() if card.name == name)
    network = load_network(name)
    assert network.sha256 == card.facts["sha256"]
    assert network.info.parameters == card.facts["parameters"]
    said = card.facts["recipe"]["network"]
    config = dataclasses.asdict(network.module.config)
    assert config == {key: said[key] for key in config}
    assert not network.module.training
    assert {tap.name for tap in network.taps} >= set(network.default_layers)
    assert (WEIGHTS / f"{name}.md").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_weights_were_trained_in_full_by_a_recipe_of_the_repository(name: str) -> None:
    from srscope.training.recipes import load_recipe, recipe_dict

    facts = facts_of(name)
    resolved = recipe_dict(load_recipe(RECIPES / "small" / f"{name}.yaml"))
    assert facts["recipe"] == {key: resolved[key] for key in facts["recipe"]}
    assert facts["iterations"] == facts["recipe"]["iterations"] >= LEAST[resolved["task"]]
    assert facts["commit"]


@pytest.mark.parametrize("name", NAMES)
def test_trained_networks_do_what_they_are_for(name: str) -> None:
    facts = facts_of(name)
    quality = facts["quality"]
    if facts["task"] in ("sr", "unified-sr"):
        assert quality["psnr"] >= quality["bicubic_psnr"] + 0.8
    elif facts["task"] == "classification":
        assert quality["accuracy_clean"] > 0.9
    elif facts["task"] == "gan" and not facts["recipe"]["data"]["noise_sigma"]:
        beginning = facts_of(facts["init"]["name"])["quality"]
        distance = [abs(1 - found["detail"]) for found in (quality, beginning)]
        assert distance[0] < distance[1]  # as sharp as the original, nearer than by L1 alone


@pytest.mark.parametrize("name", NAMES)
def test_where_training_started_is_on_record(name: str) -> None:
    known = {card.facts["sha256"] for card in list_networks()}
    known |= {json.loads(p.read_text())["sha256"] for p in WEIGHTS.glob("stages/*.json")}
    begun = facts_of(name)["init"]
    assert begun is None or begun["sha256"] in known


@pytest.mark.parametrize("kind", ["srresnet", "srgan"])
def test_the_pairs_saw_the_same_photographs_with_the_same_seed_and_budget(kind: str) -> None:
    pair = [f"{kind}-{name}" for name in ("wogr", "wgr")]
    if not set(pair) <= set(NAMES):
        pytest.skip(f"{kind} is not bundled")
    plain, residual = (facts_of(name) for name in pair)
    for key in ("data", "seed", "iterations"):
        assert plain[key] == residual[key]


def test_default_layers_of_the_pair_are_those_the_paper_shows() -> None:
    network = load_network("srresnet-wgr")
    labels = {tap.name: tap.label for tap in network.taps}
    shown = [labels[name] for name in network.default_layers]
    assert shown == ["Conv1", "ResBlock4", "ResBlock8", "ResBlock16"]


def test_untrained_has_the_structure_and_other_weights_by_seed() -> None:
    network = load_network("srresnet-wogr")
    assert network.untrained is not None
    first, again, other = network.untrained(0), network.untrained(0), network.untrained(1)
    assert weights_sha256(first) == weights_sha256(again)
    assert len({weights_sha256(n) for n in (first, other, network.module)}) == 3
    assert not first.config.global_residual
    state = torch.random.get_rng_state()
    network.untrained(5)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_file_is_named_after_itself_and_may_say_it_has_no_residual(tmp_path: Path) -> None:
    path = tiny_checkpoint(tmp_path / "mine.safetensors")
    network = load_network(str(path))
    assert (network.name, network.scale) == ("mine", 4)
    assert network.default_layers == ("conv_first", "body.0", "body.1", "body.2")
    assert network.module.config.global_residual
    plain = load_network(f"{path}?global_residual=false")
    assert not plain.module.config.global_residual
    with pytest.raises(UnknownNameError, match=r"'residual'; did you mean 'global_res"):
        load_network(f"{path}?residual=no")
    with pytest.raises(ParameterError, match="global_residual must be true or false, but is 3"):
        load_network(f"{path}?global_residual=3")


def test_unknown_names_suggest_and_absent_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'srresnet-wgr'"):
        load_network("srresnet-wg")
    with pytest.raises(CheckpointError, match="no such file"):
        load_network(str(tmp_path / "none.pth"))


def test_a_folder_of_photographs_is_told_where_to_go(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match=r"not a network; .* are given as --images FOLDER"):
        load_network(str(tmp_path))


def test_the_hash_sees_names_shapes_and_values() -> None:
    def digest(change: str) -> str:
        torch.manual_seed(0)
        module = torch.nn.Linear(2, 3)
        if change == "value":
            module.bias.data[1] += 1e-6
        if change == "shape":
            module.weight.data = module.weight.data.reshape(2, 3)
        if change == "name":
            module.other = module._parameters.pop("bias")
        return weights_sha256(module)

    digests = {digest(change) for change in ("", "value", "shape", "name")}
    assert len(digests) == 4
    assert all(len(d) == hashlib.sha256().digest_size * 2 for d in digests)
