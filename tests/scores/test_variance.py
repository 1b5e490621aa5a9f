"""The variance split against plain loops and planted data."""

import tracemalloc

import numpy as np
import pytest

from srscope.errors import DegenerateError, ParameterError
from srscope.projection.pca import pca
from srscope.scores import variance
from srscope.scores.variance import (
    is_crossed,
    two_way_variance,
    two_way_variance_by_channel,
    two_way_variance_of_gram,
)
from support.points import crossed_labels, degraded_contents


def reference_squares(features, sets, contents):
    """Return every feature's squares (degradation, content, interaction, total) by loops."""
    squares = np.zeros((4, features.shape[1]))
    for f in range(features.shape[1]):
        column = features[:, f].astype(np.float64)
        mean = column.mean()
        of_set = {d: column[sets == d].mean() - mean for d in set(sets)}
        of_content = {i: column[contents == i].mean() - mean for i in set(contents)}
        for value, d, i in zip(column, sets, contents, strict=True):
            squares[0, f] += of_set[d] ** 2
            squares[1, f] += of_content[i] ** 2
            squares[2, f] += (value - mean - of_set[d] - of_content[i]) ** 2
            squares[3, f] += (value - mean) ** 2
    return squares


def shares(result):
    return [result.degradation, result.content, result.interaction]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_shares_agree_with_plain_loops(dtype, offset):
    rng = np.random.default_rng(0)
    sets, contents = crossed_labels(3, 8)
    order = rng.permutation(24)
    sets, contents = sets[order] * 5, contents[order] - 3
    features = rng.normal(size=(24, 13)) + 0.5 * sets[:, None] + rng.normal(size=(30, 13))[contents]
    features = (features + offset).astype(dtype)
    squares = reference_squares(features, sets, contents)
    np.testing.assert_allclose(squares[:3].sum(axis=0), squares[3], rtol=1e-9)
    result = two_way_variance(features, sets, contents)
    np.testing.assert_allclose(shares(result), squares[:3].sum(1) / squares[3].sum(), rtol=1e-8)
    assert sum(shares(result)) == pytest.approx(1, abs=1e-12)


def test_shares_do_not_depend_on_blocks(monkeypatch):
    features = degraded_contents()
    labels = crossed_labels(3, 50)
    whole = shares(two_way_variance(features, *labels))
    monkeypatch.setattr(variance, "_BLOCK_VALUES", 7 * 150 + 1)
    np.testing.assert_allclose(shares(two_way_variance(features, *labels)), whole, rtol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_shares_of_inner_products_are_those_of_the_features(offset):
    rng = np.random.default_rng(0)
    sets, contents = crossed_labels(3, 8)
    order = rng.permutation(24)
    sets, contents = sets[order] * 5, contents[order] - 3
    features = rng.normal(size=(24, 300)) + 0.5 * sets[:, None] + contents[:, None] + offset
    gram = pca(features, components=3).gram_NN
    assert gram is not None
    expected = shares(two_way_variance(features, sets, contents))
    found = shares(two_way_variance_of_gram(gram, sets, contents))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert sum(found) == pytest.approx(1, abs=1e-12)


def test_inner_products_that_cannot_be_split_are_refused():
    sets, contents = crossed_labels(2, 3)
    with pytest.raises(DegenerateError, match="all images have the same features"):
        two_way_variance_of_gram(np.zeros((6, 6)), sets, contents)
    with pytest.raises(DegenerateError, match="the design is not crossed"):
        two_way_variance_of_gram(np.eye(6), sets, np.arange(6))
    with pytest.raises(ParameterError, match="the sets of x must be one an image"):
        two_way_variance_of_gram(np.eye(6), sets[:4], contents, name="x")
    with pytest.raises(ParameterError, match="the inner products of x must be square"):
        two_way_variance_of_gram(np.ones((6, 5)), sets, contents, name="x")


def test_pure_effects_are_told_apart():
    rng = np.random.default_rng(0)
    sets, contents = crossed_labels(3, 20)
    by_set, by_content = rng.normal(size=(3, 40)), rng.normal(size=(20, 40))
    result = two_way_variance(by_set[sets], sets, contents)
    np.testing.assert_allclose(shares(result), [1, 0, 0], atol=1e-12)
    result = two_way_variance(by_content[contents], sets, contents)
    np.testing.assert_allclose(shares(result), [0, 1, 0], atol=1e-12)
    # Signs that cancel over sets and over contents leave nothing but interaction.
    signs = np.where(sets == 0, 1, np.where(sets == 1, -1, 0)) * np.where(contents % 2, 1, -1)
    result = two_way_variance(signs[:, None] * np.ones(4), sets, contents)
    np.testing.assert_allclose(shares(result), [0, 0, 1], atol=1e-12)


def test_added_effects_get_their_shares():
    sets, contents = crossed_labels(2, 4)
    # Sums of squares: degradation 8 * 1.5^2 = 18; content 2 * (9 + 1 + 1 + 9) = 40; total 58.
    features = (np.array([-1.5, 1.5])[sets] + np.array([-3, -1, 1, 3])[contents])[:, None]
    result = two_way_variance(features, sets, contents)
    np.testing.assert_allclose(shares(result), [18 / 58, 40 / 58, 0], atol=1e-15)


def test_noise_splits_by_degrees_of_freedom():
    sets, contents = crossed_labels(3, 50)
    noise = np.random.default_rng(0).normal(size=(150, 4000))
    result = two_way_variance(noise, sets, contents)
    np.testing.assert_allclose(shares(result), [2 / 149, 49 / 149, 98 / 149], rtol=0.03)


def test_channels_are_split_one_by_one():
    rng = np.random.default_rng(0)
    sets, contents = crossed_labels(3, 8)
    activation = np.empty((24, 4, 3, 2))  # (N, C, H, W)
    activation[:, 0] = rng.normal(size=(3, 3, 2))[sets]
    activation[:, 1] = rng.normal(size=(8, 3, 2))[contents]
    activation[:, 2] = 0.1  # a channel that is dead
    activation[:, 3] = rng.normal(size=(24, 3, 2))
    features = activation.reshape(24, -1)
    result = two_way_variance_by_channel(features, sets, contents, 4)
    squares = reference_squares(features, sets, contents).reshape(4, 4, 6).sum(axis=2)
    expected = squares[:3, [0, 1, 3]] / squares[3, [0, 1, 3]]
    split = np.stack([result.degradation_C, result.content_C, result.interaction_C])
    np.testing.assert_allclose(split[:, [0, 1, 3]], expected, atol=1e-12)
    np.testing.assert_allclose(split[:, [0, 1, 3]].sum(axis=0), 1, atol=1e-12)
    assert np.isnan(split[:, 2]).all()
    np.testing.assert_allclose(result.total_C, squares[3], atol=1e-12)
    assert result.total_C[2] == 0
    whole = two_way_variance(features, sets, contents)
    weighted = np.nansum(split * result.total_C, axis=1) / result.total_C.sum()
    np.testing.assert_allclose(weighted, shares(whole), rtol=1e-12)


def test_a_memory_mapped_array_is_never_copied_whole(tmp_path):
    shape = (60, 200_000)
    mapped = np.lib.format.open_memmap(tmp_path / "f.npy", "w+", np.float32, shape)
    mapped[:] = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    mapped.flush()
    features = np.load(tmp_path / "f.npy", mmap_mode="r")
    tracemalloc.start()
    try:
        two_way_variance(features, *crossed_labels(3, 20))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.6 * 8 * shape[0] * shape[1]


def test_crossed_means_each_content_once_in_each_set():
    sets, contents = crossed_labels(3, 4)
    assert is_crossed(sets, contents)
    order = np.random.default_rng(0).permutation(12)
    assert is_crossed(sets[order] * 9 - 4, contents[order] * 100)
    assert not is_crossed(sets[1:], contents[1:])  # one cell is empty
    twice = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    assert not is_crossed(*twice)  # as many images as cells, but not one in each
    assert not is_crossed(np.arange(4) // 2, np.arange(4))  # contents of their own
    assert not is_crossed(np.zeros(4, int), np.arange(4))  # one set
    assert not is_crossed(np.arange(4), np.zeros(4, int))  # one content
    assert not is_crossed(sets, contents[1:])


@pytest.mark.parametrize(
    "split",
    [
        lambda f, d, i: two_way_variance(f, d, i, name="Conv1"),
        lambda f, d, i: two_way_variance_by_channel(f, d, i, 2, name="Conv1"),
    ],
)
class TestRefusals:
    labels = crossed_labels(2, 3)

    def test_a_design_that_is_not_crossed(self, split):
        message = (
            "the variance split of Conv1 is undefined: the design is not crossed (each of two or "
            "more contents once in each set)"
        )
        with pytest.raises(DegenerateError) as caught:
            split(np.random.default_rng(0).normal(size=(6, 4)), self.labels[0], np.arange(6))
        assert str(caught.value) == message

    @pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3])
    def test_images_with_the_same_features(self, split, value):
        message = "the variance split of Conv1 is undefined: all images have the same features; ch"
        with pytest.raises(DegenerateError, match=message):
            split(np.full((6, 4), value), *self.labels)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_features_that_are_not_finite(self, split, value):
        features = np.random.default_rng(0).normal(size=(6, 4))
        features[0, 1] = features[3, 1] = features[5, 2] = value
        message = "split of Conv1 is undefined: 2 of 4 features are NaN or infinite in some image"
        with pytest.raises(DegenerateError, match=message):
            split(features, *self.labels)

    def test_shapes_that_do_not_fit(self, split):
        sets, contents = self.labels
        with pytest.raises(ParameterError, match=r"Conv1 must be an array \(images, features\)"):
            split(np.zeros((6, 2, 2)), sets, contents)
        rule = r"the sets of Conv1 must be one an image, shape \(6,\), but is \(5,\)"
        with pytest.raises(ParameterError, match=rule):
            split(np.zeros((6, 4)), sets[1:], contents)
        rule = r"the contents of Conv1 must be one an image, shape \(6,\), but is \(5,\)"
        with pytest.raises(ParameterError, match=rule):
            split(np.zeros((6, 4)), sets, contents[1:])


@pytest.mark.parametrize("channels", [0, 3])
def test_channels_must_divide_the_features(channels):
    rule = f"channels must be a divisor of the 4 features of Conv1, but is {channels}"
    with pytest.raises(ParameterError, match=rule):
        two_way_variance_by_channel(np.zeros((6, 4)), *crossed_labels(2, 3), channels, name="Conv1")
