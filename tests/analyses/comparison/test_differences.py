"""Differences between networks: paired, image by image, over photographs."""

from __future__ import annotations

import dataclasses

import numpy as np

from srscope.analyses.comparison.differences import differences
from srscope.study.record import Study
from support import studies


def telling(study: Study, share: float, *, seed: int) -> Study:
    """Return a study in which every reading of every layer tells this share of the images."""
    random = np.random.default_rng(seed)
    count = len(study.inputs.set_N)
    layers = tuple(
        dataclasses.replace(layer, told_RN=random.random((3, count)) < share)
        for layer in study.layers
    )
    return dataclasses.replace(study, layers=layers)


def test_a_better_network_is_surely_better_and_an_equal_one_is_not() -> None:
    plain = studies.make(contents=100)
    one, other, same = (
        telling(plain, share, seed=seed) for seed, share in enumerate((0.95, 0.6, 0.6))
    )
    (first, second, third) = differences([("a", one), ("b", other), ("c", same)])
    assert (first.first, first.second) == ("a", "b")
    assert 0.2 < first.low < first.value < first.high
    assert second.low > 0.2
    assert third.low < 0 < third.high


def test_a_network_beside_itself_differs_by_nothing() -> None:
    study = telling(studies.make(contents=60), 0.8, seed=0)
    (found,) = differences([("a", study), ("b", study)])
    assert found.value == 0
    assert found.low < 0 < found.high


def test_networks_that_saw_other_images_are_not_paired() -> None:
    one = telling(studies.make(contents=40), 0.9, seed=0)
    larger = dataclasses.replace(one, network=dataclasses.replace(one.network, scale=2))
    fewer = telling(studies.make(contents=39), 0.9, seed=0)
    assert differences([("a", one), ("b", larger), ("c", fewer)]) == ()


def test_networks_that_were_not_probed_are_not_paired() -> None:
    one = telling(studies.make(), 0.9, seed=0)
    bare = dataclasses.replace(
        one, layers=tuple(dataclasses.replace(each, told_RN=None) for each in one.layers)
    )
    assert differences([("a", one), ("b", bare)]) == ()
