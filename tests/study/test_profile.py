"""Where the time of an analysis went: sums, operations counted by hand, limits."""

import dataclasses

import pytest
import torch

from srscope.analyses.separability import analyze
from srscope.networks.zoo import load_network
from srscope.projection.config import TsneConfig
from srscope.study import profile as analysis_profile
from srscope.study.profile import matrix_speed, profile
from support.tiny import tiny_checkpoint

LAYERS = ("conv_first", "body.1")


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    network = load_network(
        str(tiny_checkpoint(tmp_path_factory.mktemp("network") / "t.safetensors"))
    )
    tsne = TsneConfig(perplexity=5, iterations=300)
    options = {"contents": 8, "patch": 16, "pca": 6, "runs": 2, "permutations": 9, "tsne": tsne}
    return analyze(network, layers=LAYERS, **options), network


def test_shares_are_of_all_stages_with_the_start(analysed):
    study, network = analysed
    stages = profile(study, network, starting=3.0)
    assert [each.stage for each in stages] == ["starting", *study.timings]
    assert sum(each.share for each in stages) == pytest.approx(1)
    assert stages[0].seconds == 3.0
    assert [each.stage for each in profile(study, network)] == list(study.timings)


def test_operations_are_those_counted_by_hand(analysed):
    study, network = analysed
    found = {each.stage: each.operations for each in profile(study, network)}
    channels = network.module.config.channels
    convolutions = 2 * 9 * 16 * 16 * (3 * channels + 4 * channels * channels)  # first, two blocks
    assert found["features"] == 24 * 3 * convolutions  # 24 images, two control networks
    wide, pixels = channels * 16 * 16, 3 * 16 * 16
    assert found["pca and feature space"] == 24**2 * (6 * wide + pixels)
    assert found["t-SNE"] == 7 * 2 * 300 * 25 * 24 * 23 / 2
    assert found["degradation"] is None


def test_of_engines_that_do_not_visit_every_pair_nothing_is_counted(analysed, monkeypatch):
    study, network = analysed
    tsne = {**study.protocol["tsne"], "engine": "openTSNE"}
    other = dataclasses.replace(study, protocol={**study.protocol, "tsne": tsne})
    assert {e.stage: e.operations for e in profile(other, network)}["t-SNE"] is None
    monkeypatch.setattr(analysis_profile, "EXACT_LIMIT", 23)
    assert {e.stage: e.operations for e in profile(study, network)}["t-SNE"] is None


def test_the_limit_is_the_speed_of_a_matrix_product(analysed, monkeypatch):
    study, network = analysed
    monkeypatch.setattr(analysis_profile, "matrix_speed", lambda device, kind: 1e9)
    study = dataclasses.replace(study, timings={"features": 4.0, "degradation": 1.0})
    features, degradation = profile(study, network)
    assert features.operations is not None
    assert features.limit is not None
    assert features.limit == pytest.approx(1e-9 * features.operations)
    assert features.of_limit == pytest.approx(0.25 * features.limit)
    assert degradation.of_limit is None


def test_the_network_is_left_as_it_was(analysed):
    study, network = analysed
    network.module.train()
    profile(study, network)
    assert network.module.training
    network.module.eval()


def test_a_matrix_product_takes_time():
    assert 1e6 < matrix_speed("cpu", torch.float32) < 1e15
