"""Exported weights load as what they are, and their card tells how they came about."""

import json
from pathlib import Path

import pytest
import torch

from srscope.images.folder import load_folder
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.networks.description import weights_sha256
from srscope.networks.loading.checkpoints import load_weights
from srscope.training.config import DataConfig
from srscope.training.data import load_pairs
from srscope.training.export import export
from srscope.training.facts import data_facts, quality_facts
from srscope.training.loop import Trained
from srscope.training.quality import quality
from srscope.training.sr import SRRecipe
from support.tiny import photographs


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    folder = tmp_path_factory.mktemp("export")
    test = load_folder(photographs(folder / "test", count=1, size=(90, 80)))
    torch.manual_seed(0)
    config = SRResNetConfig(blocks=1, channels=4, global_residual=False)
    recipe = SRRecipe(
        name="mine",
        network=config,
        data=DataConfig(folder=str(photographs(folder / "in", count=3))),
        iterations=7,
        seed=5,
    )
    pairs, _ = load_pairs(recipe.data.folder, 4, [])
    network = SRResNet(config)
    trained = Trained(
        network=network,
        recipe=recipe,
        iterations=7,
        seconds=1.5,
        validation={"validation_psnr": 12.5},
        commit="abc",
        init={"name": "before", "sha256": "0" * 64},
        facts=lambda: {"data": data_facts(pairs), "quality": quality_facts(network, 4)},
    )
    with pytest.MonkeyPatch.context() as patch:  # the bundled set takes minutes on two cores
        patch.setattr("srscope.training.facts.load_bundled", lambda name: {"test": test}[name])
        return trained, export(trained, folder / "out")


def test_weights_load_with_their_structure(exported: tuple[Trained, Path]) -> None:
    trained, path = exported
    loaded = load_weights(path)
    assert loaded.config == trained.recipe.network
    assert weights_sha256(loaded) == weights_sha256(trained.network)


def test_the_card_tells_recipe_data_seed_and_quality(exported: tuple[Trained, Path]) -> None:
    trained, path = exported
    facts = json.loads(path.with_suffix(".json").read_text())
    assert facts["recipe"]["name"] == "mine"
    assert (facts["iterations"], facts["seed"]) == (7, 5)
    assert facts["sha256"] == weights_sha256(trained.network)
    assert facts["data"]["names"] == ["photo-0.png", "photo-1.png", "photo-2.png"]
    assert facts["quality"]["bicubic_psnr"] > facts["quality"]["psnr"]
    text = path.with_suffix(".md").read_text()
    for part in ("without image-level global residual", "photo-1", facts["data"]["sha256"]):
        assert part in text


def test_bicubic_quality_is_what_pillow_free_arithmetic_gives(tmp_path: Path) -> None:
    pairs, _ = load_pairs(photographs(tmp_path, count=1), 4, [])
    from srscope.degradations.resize import imresize

    pair = pairs[0]
    hr_HW3 = torch.from_numpy(pair.hr_HW3).float()
    lr_NCHW = torch.from_numpy(pair.lr_HW3).permute(2, 0, 1)[None].float() / 255
    sr_HW3 = (imresize(lr_NCHW, 4.0)[0].permute(1, 2, 0).clamp(0, 1) * 255).round()
    error = (sr_HW3 - hr_HW3)[4:-4, 4:-4].square().mean()
    expected = 10 * torch.log10(255.0**2 / error)
    assert quality(None, pairs, scale=4).psnr == pytest.approx(float(expected), abs=1e-3)


def test_quality_leaves_the_network_in_its_mode(tmp_path: Path) -> None:
    pairs, _ = load_pairs(photographs(tmp_path, count=1), 4, [])
    network = SRResNet(SRResNetConfig(blocks=1, channels=4)).train()
    quality(network, pairs, scale=4)
    assert network.training
