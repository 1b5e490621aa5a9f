"""Probes that leave photographs out: nothing of what is read was fitted on."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from srscope.errors import DegenerateError
from srscope.scores.fold import (
    Readable,
    left_out,
    scores_left_out,
    scores_refitted,
    shrinkage_lda,
)

RANDOM = np.random.default_rng(0)
PHOTOGRAPH = np.tile(np.repeat(np.arange(5), 4), 2)
CLASS = np.repeat([0, 1], 20)
WIDE = RANDOM.normal(size=(40, 300)) + CLASS[:, None] * np.linspace(0, 1, 300)


def test_each_photograph_is_left_out_once():
    masks = list(left_out(PHOTOGRAPH))
    assert len(masks) == 5
    assert (np.sum(masks, axis=0) == 1).all()
    with pytest.raises(DegenerateError, match="there is 1 photograph only"):
        list(left_out(np.zeros(3, dtype=int)))


def test_scores_are_those_of_scikit_learn_fitted_in_the_fold():
    rows = np.arange(40)
    ours = scores_left_out(Readable.of(WIDE, components=6), rows, CLASS, PHOTOGRAPH)
    for photograph in range(5):
        outside = np.equal(PHOTOGRAPH, photograph)
        inside = np.logical_not(outside)
        axes = PCA(6).fit(WIDE[inside])
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        model.fit(axes.transform(WIDE[inside]), CLASS[inside])
        theirs = model.decision_function(axes.transform(WIDE[outside]))
        np.testing.assert_allclose(ours[outside], theirs, atol=1e-6)


def test_narrow_features_are_taken_as_they_are():
    features = Readable.of(WIDE[:, :10])
    assert features.products_NN is None
    train, other = features.fold(np.arange(3), np.arange(3, 5))
    np.testing.assert_array_equal(train, WIDE[:3, :10])
    np.testing.assert_array_equal(other, WIDE[3:5, :10])


def test_the_probe_is_the_one_that_was_given():
    seen = []

    def probe(train, classes, other):
        seen.append((len(train), len(other), classes.tolist()))
        return np.arange(float(len(other)))

    scores = scores_left_out(Readable.of(WIDE), np.arange(40), CLASS, PHOTOGRAPH, probe=probe)
    assert [s[:2] for s in seen] == [(32, 8)] * 5
    assert scores[PHOTOGRAPH == 2].tolist() == list(range(8))


@pytest.mark.parametrize("width", [3, 300])
def test_features_that_say_nothing_are_refused(width):
    with pytest.raises(DegenerateError, match="alike"):
        Readable.of(np.ones((10, width)))
    broken = RANDOM.normal(size=(10, width))
    broken[3, 2] = np.nan
    with pytest.raises(DegenerateError, match="NaN or infinite"):
        Readable.of(broken)


@pytest.mark.parametrize(("count", "width"), [(60, 5), (30, 40), (12, 20)])
def test_shrinkage_lda_is_that_of_scikit_learn(count, width):
    random = np.random.default_rng(width)
    classes = np.arange(count) % 3 // 2  # twice as many of one class as of the other
    points = random.normal(size=(count, width)) * np.geomspace(0.1, 10, width) + classes[:, None]
    points[:, 0] = 4.0  # a feature that never changes
    other = random.normal(size=(7, width))
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5])
    theirs = model.fit(points, classes).decision_function(other)
    np.testing.assert_allclose(shrinkage_lda(points, classes, other), theirs, atol=1e-9)


def test_a_drawn_sample_is_scored_by_probes_of_its_own():
    seen = []

    def probe(train, classes, other):
        seen.append((sorted(train[:, 0].tolist()), sorted(other[:, 0].tolist())))
        return np.ones(len(other))

    points = np.arange(12.0)[:, None] * np.ones((1, 3))
    photograph, classes = np.tile([0, 0, 1, 1, 2, 2], 2), np.repeat([0, 1], 6)
    count = np.tile([2, 2, 0, 0, 1, 1], 2)[None]
    rows = np.arange(12)
    scores = scores_refitted(Readable.of(points), rows, classes, photograph, count, probe=probe)
    assert scores.tolist() == [[1, 1, 0, 0, 1, 1] * 2]
    first, last = [0, 1, 6, 7], [4, 5, 10, 11]
    assert sorted(seen) == sorted([(last, first), (sorted(first * 2), last)])
