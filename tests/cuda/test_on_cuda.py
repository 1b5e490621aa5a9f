"""What only a CUDA device can show; `make gpu` runs these first."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from srscope.analyses.intervene.record import InterveneConfig
from srscope.analyses.intervene.run import intervene
from srscope.analyses.separability import analyze
from srscope.degradations.degrade import DegradedImages
from srscope.networks.architectures.srresnet import SRResNetConfig
from srscope.training.config import DataConfig
from srscope.training.loop import train
from srscope.training.sr import SRRecipe
from support.interventions import Gate, described, noisy_images

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA"),
]
TEST_PHOTOGRAPHS = Path(__file__).resolve().parents[2] / "src/srscope/assets/photos/test"


def test_an_analysis_says_the_same_as_on_the_cpu():
    common = {"contents": 30, "runs": 1, "most_runs": 1, "random": 0, "untrained": False}
    layers = ["ResBlock16"]
    cpu = analyze("srresnet-wgr", device="cpu", precision="float32", layers=layers, **common)
    cuda = analyze("srresnet-wgr", device="cuda", precision="float32", layers=layers, **common)
    half = analyze("srresnet-wgr", device="cuda", layers=layers, **common)
    first, second, third = (study.layers[0] for study in (cpu, cuda, half))
    assert first.probe is not None
    assert second.probe is not None
    assert third.probe is not None
    assert second.probe.accuracy == pytest.approx(first.probe.accuracy, abs=0.02)
    assert third.probe.accuracy == pytest.approx(first.probe.accuracy, abs=0.04)
    assert second.feature_space.chi == pytest.approx(first.feature_space.chi, rel=0.02)


def test_an_intervention_says_the_same_as_on_the_cpu():
    found: tuple[DegradedImages, np.ndarray] = noisy_images()
    images, clean_MCHW = found
    gains: list[float] = []
    for device in ("cpu", "cuda"):
        network = described(Gate(3.0), "code")
        network.module.to(device)
        config = InterveneConfig(resamples=200, controlled=("move",), device=device)
        (noise,) = intervene(network, images, clean_MCHW, config=config).layers[0].sets
        assert noise.use.word == "uses it"
        gains.append(noise.effect("move").psnr.mean)
    assert gains[1] == pytest.approx(gains[0], abs=0.01)


def test_training_learns_and_resumes_to_the_same_bits(tmp_path: Path):
    recipe = SRRecipe(
        name="tiny",
        network=SRResNetConfig(blocks=1, channels=16),
        data=DataConfig(folder=str(TEST_PHOTOGRAPHS), validation=(), batch_size=4, patch=8),
        iterations=40,
        validate_every=0,
        checkpoint_every=20,
        log_every=20,
        accelerator="cuda",
    )
    losses: list[float] = []
    whole = train(recipe, out=tmp_path / "whole", report=lambda _, n: losses.append(n["loss"]))
    assert losses[-1] < losses[0]

    def kill(done: int, _: dict[str, float]) -> None:
        if done >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe, out=tmp_path / "cut", report=kill)
    resumed = train(dataclasses.replace(recipe), out=tmp_path / "cut", resume=True)
    for name, tensor in whole.network.state_dict().items():
        torch.testing.assert_close(resumed.network.state_dict()[name], tensor, rtol=0, atol=1e-6)
