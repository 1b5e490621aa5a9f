"""What waits to be scored: layers, pixels, simple statistics, draws at random."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from srscope.features.held import Features
from srscope.features.trivial import TRIVIAL, describe, register
from srscope.scores.design import design
from srscope.study.sources import Labels, pixels_of, sources_of, trivial_of

IMAGES_NCHW = np.random.default_rng(0).random((6, 3, 8, 8), dtype=np.float32)


@dataclass(frozen=True)
class Entry:
    """A layer as a store tells of it."""

    name: str
    feature_shape: tuple[int, ...] = (4, 2, 2)
    sha256: str = "ab"


@dataclass(frozen=True)
class Held:
    """Features of two layers, as a store holds them."""

    shift: float = 0.0

    @property
    def layers(self) -> list[Entry]:
        return [Entry("first"), Entry("last", (16,), "cd")]

    @property
    def metadata(self) -> Mapping[str, Any]:
        return {
            "taps": [
                {"name": "last", "label": "Last", "depth": 1},
                {"name": "first", "label": "First", "depth": 0},
            ]
        }

    def read(self, name: str) -> NDArray[np.float32]:
        return np.full((6, 16), self.shift + ["first", "last"].index(name), np.float32)


def stores(**shifts: float) -> dict[str, Features]:
    named = {name.replace("_", "-"): Held(shift) for name, shift in shifts.items()}
    return cast(dict[str, Features], named)


def test_layers_come_first_then_pixels_then_controls_draw_by_draw() -> None:
    given = stores(network=0, untrained=10, random_1=20, random_2=30)
    found = sources_of(given, IMAGES_NCHW)
    assert [(each.group, each.name, each.label, each.depth) for each in found] == [
        ("network", "first", "First", 0.0),
        ("network", "last", "Last", 1.0),
        ("pixels", "pixels", "raw pixels", 0.0),
        ("untrained", "first", "First", 0.0),
        ("untrained", "last", "Last", 1.0),
        ("random", "first", "First, draw 1", 0.0),
        ("random", "last", "Last, draw 1", 1.0),
        ("random", "first", "First, draw 2", 0.0),
        ("random", "last", "Last, draw 2", 1.0),
    ]
    values = [float(each.read()[0, 0]) for each in found if each.group != "pixels"]
    assert values == [0, 1, 10, 11, 20, 21, 30, 31]
    assert [each.shape for each in found[:3]] == [(4, 2, 2), (16,), (3, 8, 8)]
    assert [each.sha256 for each in found[:2]] == ["ab", "cd"]


def test_pixels_are_the_images_in_a_row() -> None:
    source = pixels_of(IMAGES_NCHW)
    np.testing.assert_array_equal(source.read(), IMAGES_NCHW.reshape(6, -1))
    other = pixels_of(IMAGES_NCHW + np.float32(0.1))
    assert source.sha256 != other.sha256
    assert source.sha256 == pixels_of(IMAGES_NCHW.copy()).sha256


def test_simple_statistics_are_those_of_the_registry_but_pixels() -> None:
    found = trivial_of(IMAGES_NCHW)
    assert [each.name for each in found] == [name for name in TRIVIAL if name != "pixels"]
    for each in found:
        assert (each.group, each.label, each.depth) == ("trivial", TRIVIAL[each.name].label, 0.0)
        np.testing.assert_allclose(each.read(), describe(each.name, IMAGES_NCHW), rtol=1e-6)
        assert each.read().dtype == np.float32
        # A map can be read through its channels; anything else is a vector.
        assert each.shape == ((3, 8, 8) if each.name == "laplacian" else each.read().shape[1:])
    assert len({each.sha256 for each in found}) == len(found)


def test_a_statistic_of_the_users_own_is_a_control() -> None:
    @register("brightness", "mean brightness")
    def brightness(images_NCHW: NDArray[np.float64]) -> NDArray[np.float64]:
        return images_NCHW.mean(axis=(1, 2, 3))[:, None]

    try:
        mine = trivial_of(IMAGES_NCHW)[-1]
        assert (mine.name, mine.label, mine.shape) == ("brightness", "mean brightness", (1,))
        np.testing.assert_allclose(mine.read()[:, 0], IMAGES_NCHW.mean(axis=(1, 2, 3)), rtol=1e-6)
    finally:
        del TRIVIAL["brightness"]
    assert brightness(IMAGES_NCHW.astype(np.float64)).shape == (6, 1)


@pytest.mark.parametrize("what", ["set_N", "content_N", "photograph_N"])
def test_the_key_is_another_one_for_other_labels(what: str) -> None:
    set_N, content_N = np.repeat([0, 1], 4), np.tile(np.arange(4), 2)
    photograph_N = content_N // 2
    labels = Labels(
        set_N=set_N,
        content_N=content_N,
        photograph_N=photograph_N,
        sets=("a", "b"),
        design=design(set_N, content_N, photograph_N),
    )
    changed: dict[str, Any] = {what: getattr(labels, what)[::-1].copy()}
    assert dataclasses.replace(labels, **changed).key != labels.key
    assert dataclasses.replace(labels, sets=("c", "d")).key == labels.key
