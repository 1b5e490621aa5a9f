"""Running networks and controls over images."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from srscope.errors import FileProblem, NetworkError, ParameterError, UnknownNameError
from srscope.networks.description import LoadedNetwork
from srscope.networks.zoo import load_network
from srscope.study.cache import Stages
from srscope.study.config import AnalysisConfig
from srscope.study.extraction import (
    CONTROLS,
    controls_of,
    device_of,
    extract_features,
    job_of,
    open_features,
    precision_of,
)
from srscope.study.inputs import fed_by_kind, kind_of
from support.tiny import FASTEST


@pytest.fixture(scope="module")
def loaded(network: str) -> LoadedNetwork:
    return load_network(network)


def config_of(images: str, **options: Any) -> AnalysisConfig:
    given = {**FASTEST, "images": images, "layers": ("Conv1",), "device": "cpu", **options}
    return AnalysisConfig(**given)


def images_of(loaded: LoadedNetwork, config: AnalysisConfig) -> Any:
    kind = kind_of(loaded, config)
    return fed_by_kind({kind}, config)[kind].images


def first_weight(module: nn.Module) -> Tensor:
    return next(p for p in module.parameters() if p.ndim == 4)


def test_control_networks_are_those_asked_for(loaded: LoadedNetwork) -> None:
    config = AnalysisConfig(untrained=True, random=3, seed=5)
    made = controls_of(loaded, config)
    assert tuple(made.modules) == CONTROLS
    assert made.missing is None
    weights = [first_weight(each) for each in (loaded.module, *made.modules.values())]
    for i, one in enumerate(weights):
        assert not any(torch.equal(one, other) for other in weights[:i])
    # The draws are decided by the seed, one after another.
    later = controls_of(loaded, dataclasses.replace(config, untrained=False, random=1, seed=6))
    assert tuple(later.modules) == ("random-1",)
    torch.testing.assert_close(first_weight(later.modules["random-1"]), weights[3], rtol=0, atol=0)
    none = controls_of(loaded, AnalysisConfig(untrained=False, random=0))
    assert (dict(none.modules), none.missing) == ({}, None)


def test_a_missing_control_is_told_and_the_others_remain(loaded: LoadedNetwork) -> None:
    frozen = dataclasses.replace(loaded, untrained=None, no_untrained="it is frozen")
    made = controls_of(frozen, AnalysisConfig(random=1))
    assert (tuple(made.modules), made.missing) == (("random-1",), "it is frozen")
    assert controls_of(frozen, AnalysisConfig(untrained=False, random=1)).missing is None

    def failing(_: int) -> nn.Module:
        raise NetworkError("its layer is silent")

    silent = dataclasses.replace(loaded, untrained=failing)
    assert controls_of(silent, AnalysisConfig(random=0)).missing == "its layer is silent"
    nothing = dataclasses.replace(frozen, module=nn.Identity())
    assert dict(controls_of(nothing, AnalysisConfig(random=2)).modules) == {}


def test_too_few_images_are_refused_before_any_pass(loaded: LoadedNetwork, images: str) -> None:
    config = config_of(images)
    given = images_of(loaded, config)
    with pytest.raises(ParameterError, match="pca must be below the number of images, 18 here"):
        job_of(loaded, dataclasses.replace(config, pca=18), given)
    tsne = dataclasses.replace(config.tsne, perplexity=17)
    with pytest.raises(ParameterError, match="images less 1, 17 here"):
        job_of(loaded, dataclasses.replace(config, tsne=tsne), given)
    with pytest.raises(UnknownNameError):
        job_of(loaded, dataclasses.replace(config, layers=("Conv9",)), given)
    job = job_of(loaded, config, given)
    assert [tap.name for tap in job.taps] == ["conv_first"]
    assert job.device == "cpu"


def test_features_stay_in_memory_unless_kept_and_are_the_same(
    loaded: LoadedNetwork, images: str, tmp_path: Path
) -> None:
    config = config_of(images, random=1)
    job = job_of(loaded, config, images_of(loaded, config))
    made = controls_of(loaded, config)
    held = extract_features(job, made, tmp_path / "held", keep=False, stages=Stages())
    assert not list(tmp_path.iterdir())
    kept = extract_features(job, made, tmp_path / "kept", keep=True, stages=Stages())
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {"network", "random-1"}
    for name in ("network", "random-1"):
        np.testing.assert_array_equal(held[name].read("conv_first"), kept[name].read("conv_first"))
    assert held["network"].metadata["photographs"] == list(job.images.photographs)
    assert "no_untrained" not in held["network"].metadata


def test_controls_of_an_earlier_analysis_do_not_stay(
    loaded: LoadedNetwork, images: str, tmp_path: Path
) -> None:
    config = config_of(images, random=2)
    given = images_of(loaded, config)
    job = job_of(loaded, config, given)
    extract_features(job, controls_of(loaded, config), tmp_path, keep=True, stages=Stages())
    assert set(open_features(tmp_path, config)) == {"network", "random-1", "random-2"}
    # Fewer draws are asked for: fewer are opened, and fewer remain after another analysis.
    fewer = dataclasses.replace(config, random=1)
    assert set(open_features(tmp_path, fewer)) == {"network", "random-1"}
    job = job_of(loaded, fewer, given)
    extract_features(job, controls_of(loaded, fewer), tmp_path, keep=True, stages=Stages())
    assert set(open_features(tmp_path, config)) == {"network", "random-1"}
    with pytest.raises(FileProblem):
        open_features(tmp_path / "none", config)


def test_why_a_control_is_missing_is_kept_with_the_features(
    loaded: LoadedNetwork, images: str, tmp_path: Path
) -> None:
    config = config_of(images, untrained=True)
    frozen = dataclasses.replace(loaded, untrained=None, no_untrained="it is frozen")
    job = job_of(frozen, config, images_of(frozen, config))
    found = extract_features(job, controls_of(frozen, config), tmp_path, keep=True, stages=Stages())
    assert found["network"].metadata["no_untrained"] == "it is frozen"


def test_bundled_networks_alone_compute_in_half_precision(loaded: LoadedNetwork) -> None:
    bundled = load_network("srresnet-wgr")
    whole = {"autocast": None, "channels_last": False}
    half = {"autocast": "bfloat16", "channels_last": True}
    assert precision_of("auto", bundled, "cuda:1") == half
    assert precision_of("auto", bundled, "cpu") == whole
    assert precision_of("auto", loaded, "cuda") == whole
    assert precision_of("float32", bundled, "cuda") == whole
    assert precision_of("float16", loaded, "cpu") == {**half, "autocast": "float16"}


def test_a_device_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert device_of("cuda:3") == "cuda:3"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for available, expected in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        assert device_of("auto") == expected
