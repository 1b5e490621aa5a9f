"""The precision of the network's passes: chosen, recorded, and by default float32 on a CPU."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from srscope.analyses.separability import score_features
from srscope.features.store import FeatureStore
from srscope.networks.zoo import load_network
from srscope.projection.config import TsneConfig
from srscope.study.config import AnalysisConfig
from srscope.study.extraction import precision_of
from srscope.study.session import Session
from support.tiny import FAST, photographs, tiny_checkpoint

FULL = {"autocast": None, "channels_last": False}
HALF = {"autocast": "bfloat16", "channels_last": True}


@pytest.mark.parametrize(
    ("wanted", "bundled", "device", "expected"),
    [
        ("auto", True, "cpu", FULL),
        ("auto", True, "cuda", HALF),
        ("auto", True, "cuda:1", HALF),
        ("auto", False, "cuda", FULL),
        ("auto", True, "mps", FULL),
        ("float32", True, "cuda", FULL),
        ("bfloat16", False, "cpu", HALF),
        ("float16", False, "cuda", {**HALF, "autocast": "float16"}),
    ],
)
def test_half_precision_is_for_bundled_networks_on_cuda_unless_asked_for(
    wanted, bundled, device, expected
):
    network = load_network("srresnet-wgr")
    if not bundled:
        network = dataclasses.replace(network, source="checkpoint mine.pth")
    assert precision_of(wanted, network, device) == expected


def test_the_precision_reaches_the_network_and_is_recorded(tmp_path: Path):
    network = load_network(str(tiny_checkpoint(tmp_path / "tiny.safetensors")))
    config = AnalysisConfig(
        **FAST,
        images=str(photographs(tmp_path / "in")),
        tsne=TsneConfig(perplexity=5, iterations=260),
        layers=("body.2",),
        untrained=False,
    )
    configs = {"half": dataclasses.replace(config, precision="bfloat16"), "full": config}
    for name, each in configs.items():
        Session(each).study(network, features=tmp_path / name)
    half, full = (score_features(tmp_path / name, each) for name, each in configs.items())
    assert (half.protocol["precision"], full.protocol["precision"]) == ("bfloat16", "float32")
    stores = [FeatureStore.open(tmp_path / name / "network") for name in configs]
    lower, exact = (store.read("body.2") for store in stores)
    assert stores[0].provenance["extraction"]["channels_last"] is True
    assert 0 < abs(lower - exact).max() < 0.05 * abs(exact).max()
    mine, theirs = half.layers[0].feature_space, full.layers[0].feature_space
    assert mine.chi == pytest.approx(theirs.chi, rel=0.02)
