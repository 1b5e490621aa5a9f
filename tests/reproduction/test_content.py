"""The share of content with its interval: planted features, and agreement with the plain split."""

from __future__ import annotations

import numpy as np
import pytest

from srscope.reproduction.content import content_estimate
from srscope.reproduction.criteria import difference
from srscope.scores.resampled import CrossedProducts
from srscope.scores.variance import two_way_variance
from support.points import products_of

SETS, CONTENTS = 3, 60
SET_N = np.repeat(np.arange(SETS), CONTENTS)
CONTENT_N = np.tile(np.arange(CONTENTS), SETS)


def planted(content: float, *, seed: int = 0, width: int = 400) -> CrossedProducts:
    """Return features with this much content beside noise of 1."""
    random = np.random.default_rng(seed)
    shared_MD = content * random.normal(size=(CONTENTS, width))
    return products_of(
        shared_MD[CONTENT_N] + random.normal(size=(SETS * CONTENTS, width)), SET_N, CONTENT_N
    )


def test_value_is_the_plain_split_and_lies_in_the_interval() -> None:
    random = np.random.default_rng(3)
    features_ND = random.normal(size=(CONTENTS, 50))[CONTENT_N] * random.gamma(
        1, size=(CONTENTS, 1)
    )[CONTENT_N] + random.normal(size=(SETS * CONTENTS, 50))
    estimate = content_estimate(products_of(features_ND, SET_N, CONTENT_N), seed=0)
    plain = two_way_variance(features_ND, SET_N, CONTENT_N).content
    assert estimate.value == pytest.approx(plain, rel=1e-9)
    assert estimate.std == 0
    assert estimate.low < estimate.value < estimate.high
    assert len(estimate.samples) == 1000


def test_noise_alone_has_the_share_of_its_degrees_of_freedom() -> None:
    expected = (CONTENTS - 1) / (SETS * CONTENTS - 1)
    assert content_estimate(planted(0.0), seed=0).value == pytest.approx(expected, abs=0.01)
    assert content_estimate(planted(10.0), seed=0).value > 0.98


def test_differences_are_taken_over_the_same_contents() -> None:
    features_ND = np.random.default_rng(0).normal(size=(SETS * CONTENTS, 30))
    same = products_of(features_ND, SET_N, CONTENT_N)
    first, second = (content_estimate(same, seed=5) for _ in range(2))
    np.testing.assert_array_equal(difference(first, second), 0)
    other = content_estimate(same, seed=6)
    assert (difference(first, other) != 0).any()


def test_intervals_cover_as_often_as_they_say() -> None:
    """Contents of unequal strength, so that it matters which are drawn."""

    def drawn(seed: int, count: int) -> CrossedProducts:
        random = np.random.default_rng(seed)
        strength_M1 = random.uniform(0.2, 2.0, size=(count, 1))
        shared_MD = strength_M1 * random.normal(size=(count, 40))
        set_N, content_N = np.repeat(np.arange(SETS), count), np.tile(np.arange(count), SETS)
        noise_ND = random.normal(size=(SETS * count, 40))
        return products_of(shared_MD[content_N] + noise_ND, set_N, content_N)

    truth = content_estimate(drawn(10_000, 1000), seed=0, draws=2).value
    hits = 0
    for seed in range(60):
        estimate = content_estimate(drawn(seed, CONTENTS), seed=0, draws=200)
        hits += estimate.low <= truth <= estimate.high
    assert hits >= 49  # of 60; 57 expected, percentile intervals are a little narrow


def test_photographs_are_drawn_with_all_their_contents_and_cover_what_they_say() -> None:
    """Crops of one photograph are alike: intervals over contents are too narrow, these are not."""
    crops, width = 6, 15

    def drawn(seed: int, photographs: int) -> tuple[CrossedProducts, np.ndarray]:
        random, count = np.random.default_rng(seed), photographs * crops
        photograph_M = np.repeat(np.arange(photographs), crops)
        strength_M1 = random.uniform(0.2, 2.0, size=(photographs, 1))[photograph_M]
        shared_MD = strength_M1 * random.normal(size=(photographs, width))[photograph_M]
        set_N, content_N = np.repeat(np.arange(SETS), count), np.tile(np.arange(count), SETS)
        noise_ND = random.normal(size=(SETS * count, width))
        return products_of(shared_MD[content_N] + noise_ND, set_N, content_N), photograph_M

    truth = content_estimate(drawn(10_000, 200)[0], seed=0, draws=2).value
    hits = {"content": 0, "photograph": 0}
    for seed in range(40):
        products, photograph_M = drawn(seed, 20)
        for name, unit_M in (("content", None), ("photograph", photograph_M)):
            estimate = content_estimate(products, seed=0, draws=200, photograph_M=unit_M)
            hits[name] += estimate.low <= truth <= estimate.high
    assert hits["photograph"] >= 31  # of 40; 20 units make it a bit narrow
    assert hits["content"] < hits["photograph"] - 6
