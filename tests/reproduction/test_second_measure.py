"""The second edition's numbers are measured by their names, photographs being the unit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from srscope.images.contents import crop_contents
from srscope.images.sources import load_photographs
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.networks.structure.select import select_layers
from srscope.reproduction.lab import Lab
from srscope.reproduction.second_criteria import paired
from srscope.reproduction.second_edition import SECOND_CLAIMS, needed
from srscope.reproduction.second_evidence import Quantity, name_of
from srscope.reproduction.second_images import doses, psnr_of_input, restricted, spec_of
from srscope.reproduction.second_measure import Asked, Measured
from srscope.scores.probe import probe_of_gram
from srscope.scores.separability import separability
from srscope.study.inputs import MARGIN
from support.labs import save_network, tiny_lab
from support.points import variance_components

NETWORK, LAYER = "srresnet-wgr", "ResBlock16"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A tiny lab with a population of two networks, one of them with checkpoints."""
    folder = tmp_path_factory.mktemp("second")
    lab = tiny_lab(folder)
    runs = folder / "population"
    for seed, name in enumerate(("l1-wgr-seed2", "l1-wogr-seed2")):
        torch.manual_seed(seed)
        config = SRResNetConfig(blocks=8, channels=4, global_residual="-wgr-" in name)
        network = SRResNet(config)
        save_network(runs / name, name, network)
        if "-wgr-" in name:
            for iteration, factor in ((1000, 3.0), (2000, 1.0)):
                with torch.no_grad():
                    network.conv_last.weight.mul_(factor)
                save_network(runs / name, f"net_{iteration}", network)
                with torch.no_grad():
                    network.conv_last.weight.div_(factor)
    return dataclasses.replace(lab, config=dataclasses.replace(lab.config, population=str(runs)))


@pytest.fixture(scope="module")
def numbers(lab: Lab) -> Measured:
    return Measured(lab)


def test_every_name_that_a_claim_asks_for_is_understood() -> None:
    for claim in SECOND_CLAIMS:
        for decide in (claim.decide, *claim.beside.values()):
            for key in needed(decide):
                a = Asked.of(key)
                assert a.quantity in get_args(Quantity)
                parts = (a.quantity, a.network, a.images, a.layer, a.by, a.variant)
                assert name_of(*parts) == key


def test_a_probe_is_that_of_the_features_over_photographs(lab: Lab, numbers: Measured) -> None:
    found = numbers[name_of("probe", NETWORK, layer=LAYER)]
    images = lab.images(lab.spec())
    network = lab.network(NETWORK)
    (points,) = lab.session(images).points(network, select_layers(network, [LAYER]), images)
    assert points.gram_NN is not None
    probe = probe_of_gram(points.gram_NN, images.set_N, images.photograph_N)
    assert found.value == pytest.approx(probe.accuracy.value)
    low, high = probe.accuracy.low, probe.accuracy.high
    # Nearly the interval of the probe itself: normal, where that has Wilson's shape.
    assert found.high - found.low == pytest.approx(high - low, rel=0.4)
    assert len(found.samples) == 1000


def test_differences_are_drawn_over_the_same_photographs(numbers: Measured) -> None:
    found = numbers[name_of("probe", NETWORK, layer=LAYER)]
    again = Measured(numbers.lab)[name_of("probe", NETWORK, layer=LAYER)]
    gap = paired(found, again)
    assert (gap.low, gap.high) == (0.0, 0.0)


def test_pixels_and_the_best_statistic_stand_for_networks(numbers: Measured) -> None:
    pixels = numbers[name_of("probe", "pixels")]
    simple = numbers[name_of("probe", "simple")]
    assert pixels.value < simple.value <= 1.0


def test_pairs_are_probed_alone(lab: Lab, numbers: Measured) -> None:
    parts = ("noise-spectrum", LAYER)
    d_prime = numbers[name_of("d_prime", NETWORK, *parts, variant="noise5:noise30")]
    near = numbers[name_of("d_prime", NETWORK, *parts, variant="noise5:noise10")]
    assert d_prime.value > near.value
    assert d_prime.low < d_prime.value < d_prime.high
    auc = numbers[name_of("auc", NETWORK, "clean-noise20", LAYER, variant="channel-statistics")]
    assert auc.value > 0.8
    images = lab.images(lab.spec("noise-spectrum"))
    row_N = restricted(images, "noise5:noise10")
    assert set(images.set_N[row_N]) == {1, 2}


def test_shares_and_components_are_unbiased(lab: Lab, numbers: Measured) -> None:
    content = numbers[name_of("content", NETWORK, "clean-blur4-noise20", LAYER, by="")]
    images = lab.images(lab.spec("clean-blur4-noise20"))
    network = lab.network(NETWORK)
    features = _features(network.module, images.images_NCHW, LAYER)
    expected = variance_components(features, images.set_N, images.content_N, images.photograph_N)
    assert content.value == pytest.approx(expected.content.value, abs=1e-4)
    share = numbers[name_of("share", NETWORK, "clean-blur1-noise20@digits", LAYER, "class")]
    labelled = lab.images(spec_of(lab, "clean-blur1-noise20@digits"))
    assert labelled.class_N is not None
    features = _features(network.module, labelled.images_NCHW, LAYER)
    f, each = separability(features, labelled.class_N).chi, len(features) / 10
    assert share.value == pytest.approx((f - 1) / (f - 1 + each), rel=1e-4)
    assert share.low < share.value < share.high


def _features(module: torch.nn.Module, images_NCHW: np.ndarray, layer: str) -> np.ndarray:
    block = module.get_submodule(f"body.{int(layer.removeprefix('ResBlock')) - 1}")
    kept: list[torch.Tensor] = []
    with torch.no_grad():
        handle = block.register_forward_hook(lambda *given: kept.append(given[2]))
        module(torch.from_numpy(images_NCHW))
        handle.remove()
    return kept[0].flatten(1).numpy()


def test_chi_has_runs_and_variants_of_its_own(lab: Lab, numbers: Measured) -> None:
    usual = numbers[name_of("chi", NETWORK, layer=LAYER)]
    assert usual.std > 0
    (layer,) = lab.layers(NETWORK, (LAYER,), lab.spec())
    (maps,) = lab.maps([layer], runs=5)
    assert usual == lab.chi(maps, unit="photograph")
    for variant in ("perplexity10", "seeds", "patch16"):
        assert numbers[name_of("chi", NETWORK, layer=LAYER, variant=variant)] != usual
    flat = numbers[name_of("knn", NETWORK, "clean@digits", LAYER, "class", "pca2")]
    assert 0.05 < flat.value < 0.6


def test_a_network_at_matched_psnr_is_an_earlier_checkpoint(numbers: Measured) -> None:
    pair = "l1-wgr-seed2@l1-wogr-seed2"
    key = name_of("probe", pair, layer="ResBlock8")
    found = numbers[key]
    psnr = {
        name: numbers[name_of("psnr", name, "clean", by="")].value
        for name in ("l1-wogr-seed2", "l1-wgr-seed2~1000", "l1-wgr-seed2~2000")
    }
    wanted = psnr.pop("l1-wogr-seed2")
    nearest = min(psnr, key=lambda name: abs(psnr[name] - wanted))
    assert numbers.taken[pair] == nearest
    assert found == numbers[name_of("probe", nearest, layer="ResBlock8")]


@pytest.mark.parametrize(
    "name", ["l1-wgr-seed3", "l1-wogr-seed2@l1-wgr-seed2", "l1-wgr-seed2~500", "unified-sr-2"]
)
def test_what_there_is_no_network_for_is_missing(numbers: Measured, name: str) -> None:
    key = name_of("probe", name, layer="ResBlock8")
    with pytest.raises(KeyError) as told:
        numbers[key]
    assert told.value.args == (key,)


def test_doses_cost_the_input_as_much(lab: Lab) -> None:
    spec = spec_of(lab, "matched-dose")
    info = lab.images(spec).suite
    assert [each.name for each in info.sets] == [
        "clean", "blur1", "blur4", "noise-as-blur1", "noise-as-blur4",
    ]  # fmt: skip
    contents = crop_contents(
        load_photographs(lab.config.images), count=spec.contents, patch=spec.patch,
        scale=spec.scale, margin=MARGIN,
    )  # fmt: skip
    from srscope.degradations.catalogue import load_suite

    sets = {each.name: each for each in load_suite("matched-dose").sets}
    for dose in (1, 4):
        one, other = (
            psnr_of_input(contents, spec, sets[name])
            for name in (f"blur{dose}", f"noise-as-blur{dose}")
        )
        assert abs(one - other) < 0.1
    assert doses(lab)[0] < doses(lab)[1]


def test_a_folder_of_weights_alone_may_hold_the_matched_network(lab: Lab, tmp_path: Path) -> None:
    pair = "gan-wgr-seed2@gan-wogr-seed2"
    save_network(tmp_path, pair, SRResNet(SRResNetConfig(blocks=8, channels=4)))
    own = dataclasses.replace(lab, config=dataclasses.replace(lab.config, population=str(tmp_path)))
    numbers = Measured(own)
    assert np.isfinite(numbers[name_of("probe", pair, layer="ResBlock8")].value)
    assert numbers.taken == {}
