"""Decisions on planted networks, each rule at its edge, and what a choice costs."""

import dataclasses

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from srscope.errors import ParameterError
from srscope.features.trivial import TRIVIAL, describe
from srscope.scores.decision import EQUIVALENT, Told, decide
from srscope.scores.photographs import Interval
from srscope.scores.probe import channel_moments, probe_of_gram, probe_of_vectors

PHOTOGRAPHS, CONTENTS = 20, 3
SET_N = np.repeat(np.arange(3), PHOTOGRAPHS * CONTENTS)
PHOTOGRAPH_N = np.tile(np.repeat(np.arange(PHOTOGRAPHS), CONTENTS), 3)


def told(name, vectors_ND, channels=0):
    """Return what the probe tells of vectors, and of a map's channels."""
    gram_NN = vectors_ND @ vectors_ND.T
    wide = vectors_ND.shape[1] > 256
    probes = [
        probe_of_gram(gram_NN, SET_N, PHOTOGRAPH_N)
        if wide
        else probe_of_vectors(vectors_ND, SET_N, PHOTOGRAPH_N)
    ]
    views = ["flattened"]
    if channels:
        for view, moments_NC in zip(
            ("means", "log-std"), channel_moments(vectors_ND, channels), strict=True
        ):
            probes.append(probe_of_vectors(moments_NC, SET_N, PHOTOGRAPH_N))
            views.append(view)
    return Told(name=name, views=tuple(views), told_VN=np.stack([p.told_N for p in probes]))


def controls(images_NCHW):
    channels = images_NCHW.shape[1]
    return [
        told(name, describe(name, images_NCHW), channels if each.is_map else 0)
        for name, each in TRIVIAL.items()
    ]


@pytest.fixture(scope="module")
def same_images():
    """Return what trivial descriptors tell of images that no set has changed: nothing."""
    rng = np.random.default_rng(0)
    images_NCHW = rng.random((len(SET_N), 1, 12, 12))
    return controls(images_NCHW + 0.3 * rng.random((PHOTOGRAPHS, 1, 12, 12))[PHOTOGRAPH_N])


def degraded():
    """Return images of a falling spectrum: clean, blurred, noisy."""
    rng = np.random.default_rng(0)
    contents = PHOTOGRAPHS * CONTENTS
    clean = gaussian_filter(rng.normal(size=(contents, 1, 16, 16)), (0, 0, 1, 1))
    contrast = rng.uniform(0.5, 2, size=PHOTOGRAPHS)[PHOTOGRAPH_N[:contents], None, None, None]
    clean = 0.5 + 0.3 * contrast * clean
    blurred = gaussian_filter(clean, (0, 0, 0.8, 0.8))
    return np.concatenate([clean, blurred, clean + 0.06 * rng.normal(size=clean.shape)])


def test_a_planted_network_is_beyond_simple_statistics(same_images):
    rng = np.random.default_rng(1)
    onehot_ND = np.repeat(np.eye(3)[SET_N], 100, axis=1)
    features_ND = onehot_ND + rng.normal(size=onehot_ND.shape)
    best = decide([told("conv", features_ND, 3)], same_images, SET_N, PHOTOGRAPH_N, folds=10).best
    assert (best.separates, best.beyond_simple_statistics) == ("yes", "yes")
    assert best.would_decide is None
    assert best.difference.low > 0.3
    assert best.line == pytest.approx(0.4)


@pytest.mark.parametrize("seed", range(3))
def test_features_independent_of_degradation_do_not_separate(same_images, seed):
    rng = np.random.default_rng(seed)
    photograph_ND = 2 * rng.normal(size=(PHOTOGRAPHS, 300))[PHOTOGRAPH_N]
    layers = [
        told(f"conv{i}", photograph_ND + rng.normal(size=photograph_ND.shape), 3) for i in range(4)
    ]
    decision = decide(layers, same_images, SET_N, PHOTOGRAPH_N, folds=10)
    for each in (decision.best, *decision.layers):
        assert each.separates in ("no", "not decided")
        assert each.beyond_simple_statistics != "yes"
        assert not each.masked_by_content


def test_a_fixed_filter_is_no_more_than_a_simple_statistic():
    images_NCHW = degraded()
    magnitude_ND = describe("laplacian", images_NCHW)
    best = decide(
        [told("abs", magnitude_ND, 1)], controls(images_NCHW), SET_N, PHOTOGRAPH_N, folds=10
    ).best
    assert best.separates == "yes"
    assert best.beyond_simple_statistics == "no"


def shares(right_P, name="conv"):
    """Return what is told where this part of each photograph's images is right, in every set."""
    rank_N = np.tile(np.arange(CONTENTS), PHOTOGRAPHS * 3)
    return Told(
        name=name, views=("flattened",), told_VN=(rank_N < np.asarray(right_P)[PHOTOGRAPH_N])[None]
    )


def rows(per_mille, seed=0):
    """Return which of a photograph's three contents are right, this part of them in all."""
    rng = np.random.default_rng(seed)
    return rng.binomial(CONTENTS, per_mille / 1000, size=PHOTOGRAPHS)


def test_what_is_not_decided_says_what_would():
    decision = decide([shares(rows(480))], [], SET_N, PHOTOGRAPH_N, folds=10).best
    assert decision.accuracy.low < decision.line < decision.accuracy.high
    assert decision.separates == "not decided"
    assert decision.beyond_simple_statistics == "not compared"
    above = decision.accuracy.value > decision.line
    side = decision.accuracy.low if above else decision.accuracy.high
    gap = decision.accuracy.value - decision.line
    needed = int(np.ceil(20 * ((decision.accuracy.value - side) / gap) ** 2))
    expected = f"about {needed} photographs instead of 20 would decide whether the sets are"
    if needed > 1000:
        expected = "even 1000 photographs would not decide"
    assert decision.would_decide.startswith(expected)


def test_a_difference_that_is_not_decided_says_what_would():
    layer, control = shares(rows(900)), shares(rows(850, seed=1), "pixels")
    decision = decide([layer], [control], SET_N, PHOTOGRAPH_N, folds=10).best
    assert decision.separates == "yes"
    assert decision.difference.low <= 0
    assert decision.difference.high >= EQUIVALENT
    assert decision.beyond_simple_statistics == "not decided"
    assert str(decision.would_decide).endswith("between the layer and a simple statistic")


def test_a_layer_that_does_not_separate_is_not_beyond():
    nothing = Told(name="x", views=("flattened",), told_VN=np.zeros((1, len(SET_N)), bool))
    decision = decide(
        [shares(np.arange(PHOTOGRAPHS) % 5 == 0)], [nothing], SET_N, PHOTOGRAPH_N, folds=10
    ).best
    assert decision.separates == "no"
    assert decision.difference.low > 0 or decision.difference.high > 0
    assert decision.beyond_simple_statistics == "no"


def interval(low, value, high):
    return Interval(value=value, low=low, high=high, photographs=20, reliable=True)


RIGHT = shares(np.full(PHOTOGRAPHS, 3))


@pytest.mark.parametrize(
    ("chi", "degradation", "content", "masked"),
    [
        ((0, 5, 19), (0.2, 0.3, 0.4), (0.4, 0.5, 0.6), True),  # CHI does not see it
        ((0, 5, 21), (0.2, 0.3, 0.4), (0.4, 0.5, 0.6), False),  # CHI may see it
        ((0, 5, 21), (0.0, 0.05, 0.09), (0.4, 0.5, 0.6), True),  # too small a component
        (None, (0.0, 0.05, 0.11), (0.4, 0.5, 0.6), False),  # perhaps not too small
        ((0, 5, 19), (0.0, 0.05, 0.09), (0.0, 0.04, 0.1), False),  # but content hides nothing
        ((0, 5, 19), None, None, False),
    ],
)
def test_masked_by_content(chi, degradation, content, masked):
    chi, degradation, content = (each and interval(*each) for each in (chi, degradation, content))
    layer = dataclasses.replace(RIGHT, chi=chi, degradation=degradation, content=content)
    decision = decide([layer], [], SET_N, PHOTOGRAPH_N, folds=10)
    assert decision.best.masked_by_content == decision.layers[0].masked_by_content == masked
    blind = dataclasses.replace(layer, told_VN=~RIGHT.told_VN)
    assert not decide([blind], [], SET_N, PHOTOGRAPH_N, folds=10).best.masked_by_content


def test_a_network_is_masked_where_all_its_separating_layers_are():
    hidden = dataclasses.replace(
        RIGHT, degradation=interval(0, 0.01, 0.02), content=interval(0.6, 0.7, 0.8)
    )
    assert decide([hidden, hidden], [], SET_N, PHOTOGRAPH_N, folds=10).best.masked_by_content
    decision = decide([hidden, RIGHT], [], SET_N, PHOTOGRAPH_N, folds=10)
    assert [each.masked_by_content for each in decision.layers] == [True, False]
    assert not decision.best.masked_by_content


def test_a_photograph_does_not_choose_what_judges_it():
    # Of 40 views that guess, the best looks better than chance; judged by others it does not.
    rng = np.random.default_rng(0)
    chosen, looked = [], []
    for _ in range(30):
        told_VN = rng.random((40, len(SET_N))) < 1 / 3
        layer = Told(name="conv", views=tuple(map(str, range(40))), told_VN=told_VN)
        best = decide([layer], [], SET_N, PHOTOGRAPH_N, folds=10).best
        chosen.append(best.accuracy.value)
        looked.append(told_VN.mean(axis=1).max())
        assert best.view == str(told_VN.sum(axis=1).argmax())
    assert np.mean(looked) > 0.38
    assert np.mean(chosen) == pytest.approx(1 / 3, abs=0.02)


def test_of_two_choices_the_cautious_difference_is_told():
    # Three controls that are right on a third of the photographs each, and equally good in all.
    part_P = np.arange(PHOTOGRAPHS) % 3
    trivial = [shares(np.where(part_P == part, 3, 1), f"control{part}") for part in range(3)]
    layer = shares(np.full(PHOTOGRAPHS, 2))
    best = decide([layer], trivial, SET_N, PHOTOGRAPH_N, folds=10).best
    strongest = max(each.told_VN.mean() for each in trivial)
    assert best.difference.value == pytest.approx(layer.told_VN.mean() - strongest)
    assert best.difference.high > best.difference.value + 0.2


def test_the_best_layer_and_the_best_control_are_named():
    layers = [shares(rows(500), "conv1"), shares(rows(950), "conv2")]
    trivial = [shares(rows(400), "pixels"), shares(rows(600), "spectrum")]
    decision = decide(layers, trivial, SET_N, PHOTOGRAPH_N, folds=10)
    assert (decision.best.layer, decision.best.control) == ("conv2", "spectrum")
    assert [each.layer for each in decision.layers] == ["conv1", "conv2"]
    assert decision.best.difference.value == pytest.approx(
        layers[1].told_VN.mean() - trivial[1].told_VN.mean()
    )


def test_wrong_values_are_named():
    with pytest.raises(ParameterError, match="layers must be one or more"):
        decide([], [], SET_N, PHOTOGRAPH_N, folds=10)
    with pytest.raises(ParameterError, match="the images of conv must be one an image"):
        decide([RIGHT], [], SET_N[1:], PHOTOGRAPH_N[1:], folds=10)
    with pytest.raises(ParameterError, match=r"an array \(views, images\) of the 2 views"):
        Told(name="conv", views=("a", "b"), told_VN=np.ones((1, 5), bool))
