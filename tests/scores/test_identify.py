"""Planted types and levels are told, what was never seen is unknown, chance looks like chance."""

from __future__ import annotations

import numpy as np
import pytest

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.identify import Identifier, Labels, Teller, tell_held_out
from srscope.scores.identify_quality import judge, knn_accuracy_of_splits, unknown_auc
from srscope.scores.products import inner_products

SIGMAS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
WIDTHS = (0.5, 1.0, 2.0, 4.0)
PHOTOGRAPHS, CROPS = 10, 3


def _suite(*, signal=1.0, jpeg=False, seed=0, width=150):
    """Features: the photograph's own, plus one direction a family, by the logarithm of level."""
    random = np.random.default_rng(seed)
    cells = [("clean", np.nan)] + [("noise", s) for s in SIGMAS] + [("blur", s) for s in WIDTHS]
    if jpeg:
        cells += [("jpeg", 20.0), ("jpeg", 50.0)]
    axes = dict(zip(("noise", "blur", "jpeg"), 3 * np.eye(width)[:3], strict=True))
    contents = random.normal(size=(PHOTOGRAPHS * CROPS, width)) * 0.3
    features, types, levels = [], [], []
    for name, level in cells:
        moved = 0.0 if name == "clean" else signal * (6 + np.log2(level)) * axes[name]
        features.append(contents + moved + 0.1 * random.normal(size=contents.shape))
        types += [name] * len(contents)
        levels += [level] * len(contents)
    photograph = np.tile(np.repeat(np.arange(PHOTOGRAPHS), CROPS), len(cells))
    labels = Labels(type_N=np.array(types), level_N=np.array(levels), photograph_N=photograph)
    return np.concatenate(features), labels


FEATURES, LABELS = _suite()
PRODUCTS = inner_products(FEATURES)


def test_planted_types_and_levels_are_told_of_unseen_photographs_and_levels():
    told = tell_held_out(PRODUCTS, LABELS, components=20)
    found = judge(told, LABELS, draws=100)
    assert found.types == ("clean", "noise", "blur")
    assert found.accuracy.value > 0.95
    assert found.accuracy.low > found.chance == pytest.approx(1 / 3)
    np.testing.assert_allclose(found.confusion_TT.sum(axis=1), 1)
    assert np.diag(found.confusion_TT).mean() == pytest.approx(found.accuracy.value)
    noise, blur = found.levels
    assert (noise.type, blur.type) == ("noise", "blur")
    # Each level was told by others, twice or half as strong; a quarter is well below their step.
    assert noise.relative.value < 0.25
    assert noise.rank.value > 0.95
    assert noise.absolute.low <= noise.absolute.value <= noise.absolute.high
    assert blur.relative.value < 0.25


def test_neither_the_photograph_nor_the_level_was_fitted_on(monkeypatch):
    seen, fitted = [], Teller.__init__

    def spy(self, points, labels):
        seen.append(labels)
        fitted(self, points, labels)

    monkeypatch.setattr(Teller, "__init__", spy)
    tell_held_out(PRODUCTS, LABELS, components=5, unknown=["blur"])
    assert len(seen) == 2 * PHOTOGRAPHS
    for labels in seen:
        assert len(np.unique(labels.photograph_N)) == PHOTOGRAPHS - 1
        levels = set(labels.level_N[labels.type_N == "noise"].tolist())
        assert levels in ({2.0, 8.0, 32.0}, {4.0, 16.0, 64.0})
        assert set(labels.types) == {"clean", "noise"}


def test_features_without_a_trace_give_chance_and_say_so():
    features, labels = _suite(signal=0.0)
    told = tell_held_out(inner_products(features), labels, components=20)
    found = judge(told, labels, draws=200)
    assert found.accuracy.low < found.chance < found.accuracy.high
    assert found.levels[0].rank.low < 0.2
    assert found.accuracy.value == pytest.approx(1 / 3, abs=0.12)


def test_a_family_never_seen_is_unknown():
    features, labels = _suite(jpeg=True)
    told = tell_held_out(inner_products(features), labels, unknown=["jpeg"], components=20)
    assert told.types == ("clean", "noise", "blur")
    unknown = labels.type_N == "jpeg"
    found = unknown_auc(told.distance_N, unknown, labels.photograph_N, draws=100)
    assert found.value > 0.95
    assert found.low > 0.9
    with pytest.raises(ParameterError, match="labels must be of the types clean, noise, blur"):
        judge(told, labels)


def test_a_family_like_a_known_one_is_not_unknown():
    features, labels = _suite()
    types = labels.type_N.astype("U10")
    half = (types == "clean") & (labels.photograph_N % 2 == 0)
    types[half] = "other"  # clean images under another name
    renamed = Labels(type_N=types, level_N=labels.level_N, photograph_N=labels.photograph_N)
    told = tell_held_out(inner_products(features), renamed, unknown=["other"], components=20)
    clean = (types == "clean") | half
    found = unknown_auc(told.distance_N[clean], half[clean], labels.photograph_N[clean], draws=100)
    assert found.low < 0.5 < found.high


def test_calibration_compares_confidence_with_what_was_right():
    told = tell_held_out(PRODUCTS, LABELS, components=20)
    found = judge(told, LABELS, draws=20)
    assert sum(each.count for each in found.calibration) == len(LABELS)
    right = np.array(told.types)[told.type_N] == LABELS.type_N
    total = sum(each.accuracy * each.count for each in found.calibration)
    assert total == pytest.approx(right.sum())
    assert 0 <= found.calibration_error < 0.2


def test_an_identifier_tells_images_of_its_own():
    held = tell_held_out(PRODUCTS, LABELS, components=20)
    fitted = Identifier.fit(FEATURES, LABELS, distance_N=held.distance_N, components=20)
    random = np.random.default_rng(5)
    fresh = 0.3 * random.normal(size=(40, 150))
    noisy = fresh + 3 * np.eye(150)[0] * (6 + np.log2(16))  # between no levels: one of them
    told = fitted.tell(noisy)
    assert (np.array(told.types)[told.type_N] == "noise").mean() > 0.9
    assert np.median(told.level_NT[:, 1]) == pytest.approx(16, rel=0.2)
    assert fitted.unknown(told).mean() < 0.3
    strange = fresh + 12 * np.eye(150)[2] - 12 * np.eye(150)[0]
    assert fitted.unknown(fitted.tell(strange)).mean() > 0.9


def test_the_limit_leaves_the_wanted_share_known():
    held = tell_held_out(PRODUCTS, LABELS, components=20)
    fitted = Identifier.fit(FEATURES, LABELS, distance_N=held.distance_N, components=20, share=0.8)
    assert (held.distance_N <= fitted.limit).mean() == pytest.approx(0.8, abs=0.01)
    with pytest.raises(ParameterError, match="share must be between 0 and 1"):
        Identifier.fit(FEATURES, LABELS, distance_N=held.distance_N, share=1.0)


def test_axes_of_the_identifier_are_those_of_the_fold():
    held = tell_held_out(PRODUCTS, LABELS, components=20)
    fitted = Identifier.fit(FEATURES, LABELS, distance_N=held.distance_N, components=20)
    from srscope.scores.products import principal_points

    rows = np.arange(len(LABELS))
    points, _ = principal_points(PRODUCTS, rows, rows[:0], components=20)
    np.testing.assert_allclose((FEATURES - fitted.mean_D) @ fitted.axes_DC, points, atol=1e-8)


def test_nearest_neighbours_on_divided_photographs():
    accuracy = knn_accuracy_of_splits(PRODUCTS, LABELS.type_N, LABELS.photograph_N, components=20)
    assert len(accuracy) == 5
    assert min(accuracy) > 0.9
    weak, labels = _suite(signal=0.02)
    given = (inner_products(weak), labels.type_N, labels.photograph_N)
    assert knn_accuracy_of_splits(*given) == knn_accuracy_of_splits(*given)
    assert knn_accuracy_of_splits(*given) != knn_accuracy_of_splits(*given, seed=1)
    with pytest.raises(DegenerateError, match="2 photographs cannot be divided"):
        knn_accuracy_of_splits(PRODUCTS, LABELS.type_N, LABELS.photograph_N % 2)


def test_what_cannot_be_told_is_refused():
    with pytest.raises(ParameterError, match="level_N must be above 0"):
        Labels(type_N=np.array(["a"]), level_N=np.zeros(1), photograph_N=np.zeros(1, dtype=int))
    with pytest.raises(ParameterError, match="one of each an image"):
        Labels(type_N=np.array(["a"]), level_N=np.ones(2), photograph_N=np.zeros(1, dtype=int))
    with pytest.raises(ParameterError, match="unknown must be among clean, noise, blur"):
        tell_held_out(PRODUCTS, LABELS, unknown=["rain"])
    with pytest.raises(ParameterError, match="products_NN must be of 330 images"):
        tell_held_out(PRODUCTS[:5, :5], LABELS)
    with pytest.raises(DegenerateError, match="there is one type only, clean"):
        tell_held_out(PRODUCTS, LABELS, unknown=["noise", "blur"])
    one = Labels(type_N=LABELS.type_N, level_N=LABELS.level_N, photograph_N=0 * LABELS.photograph_N)
    with pytest.raises(DegenerateError, match="there is one photograph only"):
        tell_held_out(PRODUCTS, one)
    with pytest.raises(DegenerateError, match="all images are known"):
        unknown_auc(np.ones(4), np.zeros(4, dtype=bool), np.arange(4))
