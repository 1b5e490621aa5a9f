"""Probe, neighbours and components of a layer: against the scores they are made of."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from srscope.features.store import hash_of
from srscope.scores.components import noise_floor
from srscope.scores.design import NEIGHBOURS, design
from srscope.scores.neighbours import photograph_knn
from srscope.scores.pairs import pair_scores
from srscope.scores.probe import channel_moments, probe_of_gram, probe_of_vectors
from srscope.scores.record import LayerScores, ProbeScore, VarianceShares
from srscope.study import evidence
from srscope.study.cache import Stages
from srscope.study.config import AnalysisConfig
from srscope.study.evidence import READINGS, Evidence, evidence_of
from srscope.study.scoring import projected
from srscope.study.sources import Labels, Source
from support.points import variance_components

SETS = ("clean", "blur", "noise")
CONFIG = AnalysisConfig(pca=8)
PHOTOGRAPHS, CROPS, CHANNELS = 10, 2, 4


def labels_of(set_N: NDArray[Any], content_N: NDArray[Any], photograph_N: NDArray[Any]) -> Labels:
    return Labels(
        set_N=set_N,
        content_N=content_N,
        photograph_N=photograph_N,
        sets=SETS,
        design=design(set_N, content_N, photograph_N),
    )


def crossed(photographs: int = PHOTOGRAPHS) -> Labels:
    contents = photographs * CROPS
    content_N = np.tile(np.arange(contents), len(SETS))
    return labels_of(np.repeat(np.arange(len(SETS)), contents), content_N, content_N // CROPS)


def source_of(features_ND: NDArray[np.float64], shape: tuple[int, ...]) -> Source:
    features_32 = features_ND.astype(np.float32)
    return Source(
        group="network", name="body.1", label="ResBlock2", depth=0.5, shape=shape,
        read=lambda: features_32, sha256=hash_of(features_32),
    )  # fmt: skip


def features_of(labels: Labels, *, effect: float = 1.0) -> NDArray[np.float64]:
    """Return features (N, 4 x 9): sets shift channels; contents differ."""
    rng = np.random.default_rng(0)
    set_KC = effect * np.eye(len(SETS), CHANNELS)
    content_MC = rng.normal(size=(int(labels.content_N.max()) + 1, CHANNELS))
    shift_NC = set_KC[labels.set_N] + content_MC[labels.content_N]
    noise_NCP = rng.normal(size=(len(labels.set_N), CHANNELS, 9))
    return (shift_NC[:, :, None] + noise_NCP).reshape(len(labels.set_N), -1)


def found(source: Source, labels: Labels, stages: Stages | None = None) -> Evidence:
    stages = stages or Stages()
    return evidence_of(source, projected(source, CONFIG.pca, stages), labels, CONFIG, stages)


def test_it_is_made_of_the_scores_of_the_features() -> None:
    labels = crossed()
    set_N, photograph_N = labels.set_N, labels.photograph_N
    features_ND = features_of(labels).astype(np.float32)
    source = source_of(features_ND, (CHANNELS, 3, 3))
    scores = found(source, labels).scores
    centred_ND = features_ND.astype(np.float64) - features_ND.mean(axis=0, dtype=np.float64)
    flat = probe_of_gram(centred_ND @ centred_ND.T, set_N, photograph_N, components=CONFIG.pca)
    means_NC, spreads_NC = channel_moments(features_ND, CHANNELS)
    assert spreads_NC is not None
    by_channel = [probe_of_vectors(each, set_N, photograph_N) for each in (means_NC, spreads_NC)]
    probes = [flat, *by_channel]
    np.testing.assert_array_equal(scores["told_RN"], [each.told_N for each in probes])
    for name, probe in zip(READINGS, probes, strict=True):
        assert scores[name] == ProbeScore(
            accuracy=probe.accuracy.value,
            low=probe.accuracy.low,
            high=probe.accuracy.high,
            chance=1 / 3,
            reliable=True,
        )
    points_NC = projected(source, CONFIG.pca, Stages())["points_NC"]
    knn = photograph_knn(points_NC, set_N, photograph_N, k=NEIGHBOURS)
    assert scores["knn_photographs"].accuracy == knn.accuracy.value
    assert [pair.sets for pair in scores["pairs"]] == [
        ("clean", "blur"), ("clean", "noise"), ("blur", "noise"),
    ]  # fmt: skip
    for pair, expected in zip(scores["pairs"], pair_scores(flat, set_N, photograph_N), strict=True):
        assert (pair.auc, pair.low, pair.high) == (
            expected.auc.value, expected.auc.low, expected.auc.high,
        )  # fmt: skip
        assert pair.d_prime == expected.d_prime


def test_components_are_unbiased_and_stand_beside_the_floor_of_noise() -> None:
    labels = crossed()
    features_ND = features_of(labels)
    result = found(source_of(features_ND, (CHANNELS, 3, 3)), labels)
    expected = variance_components(
        features_ND.astype(np.float32), labels.set_N, labels.content_N, labels.photograph_N
    )
    split = result.components
    assert split is not None
    for part in ("degradation", "content", "residual"):
        assert getattr(split, part) == pytest.approx(getattr(expected, part).value)
    for part in ("degradation", "content"):
        assert getattr(split, f"{part}_low") == pytest.approx(getattr(expected, part).low)
        assert getattr(split, f"{part}_high") == pytest.approx(getattr(expected, part).high)
    floor = noise_floor(3, PHOTOGRAPHS * CROPS)
    assert result.noise_floor is not None
    assert dataclasses.asdict(result.noise_floor) == dataclasses.asdict(floor)
    raw = VarianceShares(degradation=0.2, content=0.5, interaction=0.3)
    whole = result.with_components(raw)
    assert whole is not None
    assert (whole.components, whole.noise_floor) == (split, result.noise_floor)
    assert whole.content == 0.5
    assert result.with_components(None) is None


def test_evidence_fills_a_layers_record() -> None:
    scores = found(source_of(features_of(crossed()), (CHANNELS, 3, 3)), crossed()).scores
    assert set(scores) <= {field.name for field in dataclasses.fields(LayerScores)}
    assert set(READINGS) < set(scores)


def test_vectors_have_one_reading_and_the_others_tell_nothing() -> None:
    labels = crossed()
    scores = found(source_of(features_of(labels), (CHANNELS * 9,)), labels).scores
    assert scores["probe"] is not None
    assert scores["probe_channel_means"] is scores["probe_channel_log_std"] is None
    assert scores["told_RN"][0].any()
    assert not scores["told_RN"][1:].any()


def test_channels_of_one_position_have_no_spread() -> None:
    labels = crossed()
    scores = found(source_of(features_of(labels)[:, ::9], (CHANNELS, 1, 1)), labels).scores
    assert scores["probe_channel_means"] is not None
    assert scores["probe_channel_log_std"] is None


def test_a_set_of_one_photograph_alone_has_no_probe() -> None:
    set_N = np.repeat(np.arange(3), 6)
    labels = labels_of(set_N, np.arange(18), set_N)
    result = found(source_of(features_of(labels), (CHANNELS, 3, 3)), labels)
    assert all(result.scores[name] is None for name in READINGS)
    assert result.scores["pairs"] == ()
    assert result.scores["told_RN"] is None


def test_folders_have_a_probe_and_no_components() -> None:
    labels = labels_of(np.repeat(np.arange(3), 12), np.arange(36), np.arange(36))
    result = found(source_of(features_of(labels, effect=4.0), (CHANNELS, 3, 3)), labels)
    assert result.scores["probe"].accuracy > 0.5
    assert (result.components, result.noise_floor) == (None, None)


def test_two_photographs_have_a_floor_but_no_components() -> None:
    labels = crossed(photographs=2)
    result = found(source_of(features_of(labels), (CHANNELS, 3, 3)), labels)
    assert result.components is None
    assert result.noise_floor is not None
    assert not result.scores["probe"].reliable


def test_the_second_time_it_comes_from_the_cache(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, source = crossed(), source_of(features_of(crossed()), (CHANNELS, 3, 3))
    stages = Stages(tmp_path)
    first = found(source, labels, stages)

    def refuse(*given: Any) -> Any:
        raise AssertionError("computed again")

    with monkeypatch.context() as patched:
        patched.setattr(evidence, "_computed", refuse)
        again = found(source, labels, stages)
        np.testing.assert_array_equal(again.scores["told_RN"], first.scores["told_RN"])
        told = [{**each.scores, "told_RN": None} for each in (first, again)]
        assert told[0] == told[1]
        assert (again.components, again.noise_floor) == (first.components, first.noise_floor)
        other = dataclasses.replace(labels, photograph_N=labels.content_N, set_N=labels.set_N)
        with pytest.raises(AssertionError, match="computed again"):
            found(source, other, stages)


def test_an_undefined_distance_survives_the_cache(tmp_path: Any) -> None:
    """Features that are the set alone have no spread: d' is undefined."""
    labels = crossed()
    stages = Stages(tmp_path)
    source = source_of(np.eye(3)[labels.set_N], (3,))
    config = dataclasses.replace(CONFIG, pca=2)
    both = [
        evidence_of(source, projected(source, 2, stages), labels, config, stages) for _ in range(2)
    ]
    for result in both:
        assert result.scores["probe"].accuracy == 1.0
        assert [pair.auc for pair in result.scores["pairs"]] == [1.0, 1.0, 1.0]
    assert both[0].scores["pairs"] == both[1].scores["pairs"]
