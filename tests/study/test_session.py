"""The session: images made once, controls as asked for, points with and without a cache."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srscope.errors import NetworkError, ParameterError
from srscope.features import extract as extraction
from srscope.networks.description import LoadedNetwork
from srscope.networks.zoo import load_network
from srscope.study import session as sessions
from srscope.study.cache import Stages
from srscope.study.config import AnalysisConfig
from srscope.study.inputs import kind_of
from srscope.study.session import Session, named
from support.tiny import FASTEST


@pytest.fixture(scope="module")
def loaded(network: str) -> LoadedNetwork:
    return load_network(network)


def config_of(images: str, **options: Any) -> AnalysisConfig:
    return AnalysisConfig(**{**FASTEST, "images": images, "layers": ("Conv1",), **options})


def test_images_are_made_once_a_kind(
    loaded: LoadedNetwork, images: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    original = sessions.fed_by_kind

    def counted(kinds: Any, config: AnalysisConfig) -> Any:
        made.append(kinds)
        return original(kinds, config)

    monkeypatch.setattr(sessions, "fed_by_kind", counted)
    session = Session(config_of(images))
    assert not session.has_images_for(loaded)
    assert session.fed(loaded) is session.fed(loaded)
    assert session.has_images_for(loaded)
    assert made == [{kind_of(loaded, session.config)}]
    session.prepare([loaded, loaded])
    assert made[1:] == [{kind_of(loaded, session.config)}]


def test_several_networks_share_no_processes(loaded: LoadedNetwork, images: str) -> None:
    session = Session(config_of(images, devices=2))
    with pytest.raises(ParameterError, match="devices must be 1 for several networks"):
        session.prepare([loaded])


def test_controls_are_run_as_asked_for(loaded: LoadedNetwork, images: str) -> None:
    session = Session(config_of(images, untrained=True, random=2, trivial=True))
    study = session.study(loaded)
    assert [each.layer for each in study.untrained] == ["conv_first"]
    assert [each.label for each in study.random] == ["Conv1, draw 1", "Conv1, draw 2"]
    one, two = (each.feature_space.chi for each in study.random)
    assert one != two
    assert [each.layer for each in study.trivial] == [
        "laplacian", "laplacian_quantiles", "statistics", "spectrum",
    ]  # fmt: skip
    assert study.verdict is not None
    assert study.verdict.beyond_simple_statistics != "not compared"
    every = (*study.layers, study.pixels, *study.trivial, *study.untrained, *study.random)
    assert all(each.told_RN is not None and each.probe is not None for each in every)
    # Without control networks simple statistics, which cost little, are still compared.
    bare = session.study(loaded, controls=False)
    assert (bare.untrained, bare.random) == ((), ())
    assert [each.layer for each in bare.trivial] == [each.layer for each in study.trivial]
    assert bare.layers[0].tsne == study.layers[0].tsne
    assert session.config.untrained


def test_without_trivial_controls_nothing_is_compared(loaded: LoadedNetwork, images: str) -> None:
    study = Session(config_of(images)).study(loaded)
    assert (study.trivial, study.random, study.untrained) == ((), (), ())
    assert study.verdict is not None
    assert study.verdict.beyond_simple_statistics == "not compared"


def test_points_come_from_the_cache_without_another_pass(
    loaded: LoadedNetwork, images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taps = loaded.taps[:2]
    plain = Session(config_of(images))
    expected = plain.points(loaded, taps, plain.fed(loaded).images, by_channel=True)
    cached = Session(config_of(images), stages=Stages(tmp_path))
    cached.points(loaded, taps, cached.fed(loaded).images, by_channel=True)

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("another pass")

    monkeypatch.setattr(extraction, "stream_features", refuse)
    found = cached.points(loaded, taps, cached.fed(loaded).images, by_channel=True)
    for one, other in zip(found, expected, strict=True):
        assert (one.tap, one.shape) == (other.tap, other.shape)
        np.testing.assert_array_equal(one.points_NC, other.points_NC)
        assert one.channel_content_C is not None
        np.testing.assert_array_equal(one.channel_content_C, other.channel_content_C)
    with pytest.raises(AssertionError, match="another pass"):
        cached.points(loaded, taps, cached.fed(loaded).images, untrained=True)


def test_points_of_an_untrained_control_that_cannot_be_made(
    loaded: LoadedNetwork, images: str
) -> None:
    frozen = dataclasses.replace(loaded, untrained=None, no_untrained="it is a frozen program")
    session = Session(config_of(images))
    with pytest.raises(NetworkError, match="no untrained control: it is a frozen program"):
        session.points(frozen, loaded.taps[:1], session.fed(frozen).images, untrained=True)


def test_stages_bear_the_networks_name_where_it_has_one() -> None:
    told: list[tuple[str, int, int]] = []

    def progress(*given: Any) -> None:
        told.append(given)

    assert named(None, "a") is None
    assert named(progress, "") is progress
    with_name = named(progress, "a")
    assert with_name is not None
    with_name("t-SNE", 1, 2)
    assert told == [("a: t-SNE", 1, 2)]
