"""From features to the record: groups, labels, protocol and verdict."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srscope.networks.zoo import load_network
from srscope.study.assembly import study_of_folder
from srscope.study.config import AnalysisConfig
from srscope.study.record import Study, controls_of, scores_dict
from srscope.study.session import Session
from srscope.study.verdict import verdict_of
from support.tiny import FASTEST


@pytest.fixture(scope="module")
def config(images: str) -> AnalysisConfig:
    options: dict[str, Any] = {
        **FASTEST, "images": images, "layers": ("Conv1", "ResBlock3"), "untrained": True,
        "random": 1, "trivial": True, "device": "cpu",
    }  # fmt: skip
    return AnalysisConfig(**options)


@pytest.fixture(scope="module")
def finished(
    network: str, config: AnalysisConfig, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Study, Path]:
    folder = tmp_path_factory.mktemp("features")
    return Session(config).study(load_network(network), features=folder), folder


def numbers(study: Study) -> dict[str, Any]:
    return {k: v for k, v in scores_dict(study).items() if k not in ("timings", "created")}


def test_every_group_has_its_place(finished: tuple[Study, Path]) -> None:
    study, _ = finished
    assert [each.label for each in study.layers] == ["Conv1", "ResBlock3"]
    assert [(kind, len(entries)) for kind, _, entries in controls_of(study)] == [
        ("pixels", 1), ("trivial", 4), ("untrained", 2), ("random", 2),
    ]  # fmt: skip
    assert study.pixels.layer == "pixels"
    assert [each.layer for each in study.random] == ["conv_first", "body.2"]


def test_the_verdict_is_that_of_what_was_scored(finished: tuple[Study, Path]) -> None:
    study, _ = finished
    assert study.verdict == verdict_of(dataclasses.replace(study, verdict=None))
    assert scores_dict(study)["verdict"]["headline"] == study.verdict.headline


def test_every_entry_was_told_over_the_photographs(finished: tuple[Study, Path]) -> None:
    study, _ = finished
    assert study.inputs.photographs == ("photo-0.png", "photo-1.png") * 3 or set(
        study.inputs.photographs
    ) == {"photo-0.png", "photo-1.png"}
    for each in (*study.layers, study.pixels, *study.trivial, *study.untrained, *study.random):
        assert each.told_RN is not None
        assert each.told_RN.shape == (3, len(study.inputs.set_N))
        assert each.probe is not None
        assert not each.probe.reliable
        assert [pair.sets for pair in each.pairs] == [
            ("clean", "blur"), ("clean", "noise"), ("blur", "noise"),
        ]  # fmt: skip


def test_the_folder_gives_the_same_study(
    finished: tuple[Study, Path], config: AnalysisConfig
) -> None:
    study, folder = finished
    again = study_of_folder(folder, config)
    assert numbers(again) == numbers(study)
    without = dataclasses.replace(config, trivial=False, random=0, untrained=False)
    bare = study_of_folder(folder, without)
    assert [kind for kind, *_ in controls_of(bare)] == ["pixels"]
    assert numbers(bare)["layers"] == numbers(study)["layers"]
    assert bare.verdict is not None
    assert bare.verdict.beyond_simple_statistics == "not compared"


def test_patches_are_the_images_as_bytes(finished: tuple[Study, Path]) -> None:
    study, _ = finished
    patches = study.inputs.patches_NHW3
    assert (patches.dtype, patches.shape) == (np.uint8, (18, 16, 16, 3))
    assert np.ptp(patches) > 50


def test_the_protocol_and_the_machine_are_told(finished: tuple[Study, Path]) -> None:
    study, _ = finished
    assert study.protocol["pca"] == FASTEST["pca"]
    assert study.protocol["precision"] == "float32"
    assert study.protocol["tsne"]["perplexity"] == 4
    assert study.environment["device"] == "cpu"
    assert set(study.timings) == {"degradation", "features", "pca and feature space", "t-SNE"}
