"""PCA in one pass against exact PCA, in bounded memory; messages for what is undefined."""

import tracemalloc

import numpy as np
import pytest

from srscope.errors import DegenerateError, ParameterError
from srscope.projection.pca import pca
from srscope.projection.stream import StreamingPca, pca_of_stream
from support.points import crossed_labels


def photographs_like(samples, width, *, seed=0):
    """Features in three sets, one after the other, whose spectrum falls as that of images."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(width, width)))[0]
    content = rng.normal(size=(samples, width)) * np.arange(1, width + 1) ** -1.0
    moved = 0.5 * rng.normal(size=(3, width)) * np.arange(1, width + 1) ** -1.0
    content += moved[crossed_labels(3, -(-samples // 3))[0][:samples]]
    return (content @ axes.T + 3.0).astype(np.float32)


def batches(features, size):
    return (features[start : start + size] for start in range(0, len(features), size))


def missed(found_NC, exact_NC):
    """Share of the exact subspace of samples that the found one does not hold."""
    found, exact = (np.linalg.qr(points)[0] for points in (found_NC, exact_NC))
    return 1 - np.linalg.norm(found.T @ exact) ** 2 / exact.shape[1]


def test_it_agrees_with_exact_pca_where_it_has_to_merge_many_times():
    features = photographs_like(1500, 300)
    exact = pca(features, components=10)
    found = pca_of_stream(batches(features, 64), components=10)
    assert missed(found.points_NC, exact.points_NC) < 0.01
    np.testing.assert_allclose(found.explained_C, exact.explained_C, rtol=0.01)
    scale = np.abs(exact.points_NC).max()
    first = np.abs(found.points_NC[:, :3] - exact.points_NC[:, :3])
    assert first.max() < 0.01 * scale


def test_more_directions_are_more_exact():
    features = photographs_like(1500, 300)
    exact = pca(features, components=10).points_NC
    few, many = (
        missed(pca_of_stream([features], components=10, directions=d).points_NC, exact)
        for d in (14, 80)
    )
    assert many < few / 10


def test_it_is_exact_up_to_rounding_before_the_first_merge():
    features = photographs_like(80, 300)
    exact = pca(features, components=10)
    found = pca_of_stream(batches(features, 7), components=10)
    scale = np.abs(exact.points_NC).max()
    np.testing.assert_allclose(found.points_NC, exact.points_NC, atol=1e-4 * scale)
    np.testing.assert_allclose(found.explained_C, exact.explained_C, rtol=1e-5)


def test_the_points_do_not_depend_on_the_batches():
    features = photographs_like(500, 60)
    one, other = (pca_of_stream(batches(features, size), components=5) for size in (1, 173))
    np.testing.assert_array_equal(one.points_NC, other.points_NC)
    np.testing.assert_array_equal(one.explained_C, other.explained_C)


def test_a_mean_far_from_the_first_rows_costs_little():
    features = photographs_like(600, 100)
    features[300:] += 20.0
    exact = pca(features, components=5)
    found = pca_of_stream(batches(features, 50), components=5)
    assert missed(found.points_NC, exact.points_NC) < 0.01
    np.testing.assert_allclose(found.explained_C, exact.explained_C, rtol=0.01)
    np.testing.assert_allclose(found.points_NC.mean(axis=0), 0, atol=1e-9 * np.abs(features).max())


def test_axes_beyond_the_rank_are_zero():
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(300, 3)) @ rng.normal(size=(3, 90))).astype(np.float32)
    found = pca_of_stream(batches(features, 40), components=8)
    assert (np.abs(found.points_NC[:, :3]).max(axis=0) > 0.1).all()
    assert (found.points_NC[:, 3:] == 0).all()
    assert (found.explained_C[3:] == 0).all()
    assert found.explained_C.sum() == pytest.approx(1, abs=1e-5)
    assert pca_of_stream([features[:, :4]], components=8).points_NC.shape == (300, 4)


def with_a_dominating_axis(width):
    """Features whose first axis has a hundred million times the others' variance."""
    features = np.random.default_rng(0).normal(size=(700, width))
    features[:, 0] *= 1e4
    return features.astype(np.float32)


def test_narrow_features_are_reduced_exactly_beside_a_dominating_axis():
    features = with_a_dominating_axis(64)
    exact = pca(features, components=10)
    found = pca_of_stream(batches(features, 48), components=10)
    np.testing.assert_array_equal(found.points_NC, exact.points_NC)
    np.testing.assert_array_equal(found.explained_C, exact.explained_C)


def test_of_wide_features_axes_below_a_millionth_of_the_first_are_zero():
    found = pca_of_stream(batches(with_a_dominating_axis(90), 48), components=10)
    assert np.abs(found.points_NC[:, 0]).max() > 1e3
    assert (found.points_NC[:, 1:] == 0).all()


def test_memory_does_not_grow_with_the_samples():
    width, rng = 20_000, np.random.default_rng(0)
    part = rng.standard_normal((50, width), dtype=np.float32)
    peaks = []
    for times in (4, 12):
        tracemalloc.start()
        try:
            stream = (part * (1 + i) for i in range(times))
            pca_of_stream(stream, components=5)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
    assert peaks[1] < 12 * part.nbytes


def test_the_features_are_left_as_they_were():
    features = photographs_like(100, 40)
    before = features.copy()
    pca_of_stream([features], components=5)
    np.testing.assert_array_equal(features, before)


@pytest.mark.parametrize(
    ("value", "width"), [(np.nan, 40), (np.inf, 40), (np.nan, 60), (np.inf, 60), (1e38, 60)]
)
def test_features_that_are_not_finite_are_refused(value, width):
    features = photographs_like(100, width)
    features[70, 3] = value
    features[71, 3] = -value
    message = "PCA of conv is undefined: values are NaN, infinite or overflow; check the network's"
    with pytest.raises(DegenerateError, match=message):
        pca_of_stream([features], components=5, name="conv")


@pytest.mark.parametrize("width", [40, 60])
def test_impossible_arguments_are_refused(width):
    features = photographs_like(60, width)
    with pytest.raises(ParameterError, match="components must be 1 or more, but is 0"):
        StreamingPca(components=0)
    message = "directions must be more than the 5 components, but is 5"
    with pytest.raises(ParameterError, match=message):
        StreamingPca(components=5, directions=5)
    stream = StreamingPca(components=5, name="conv")
    stream.update(features[:5])
    with pytest.raises(ParameterError, match=f"conv must be {width} features in every batch"):
        stream.update(features[:, :3])
    with pytest.raises(ParameterError, match=f"conv must be {width} features in every batch"):
        stream.update(np.zeros((4, 90)))
    with pytest.raises(ParameterError, match=r"conv must be an array \(samples, features\)"):
        stream.update(features[0])
    message = "the number of samples of conv must be at least 6 for 5 PCA components, but is 5"
    with pytest.raises(ParameterError, match=message):
        stream.finish()
    with pytest.raises(ParameterError, match="but is 0"):
        StreamingPca(components=5).finish()
    message = "PCA of conv is undefined: all 60 samples are alike"
    with pytest.raises(DegenerateError, match=message):
        pca_of_stream([np.full((60, 9), 0.1)], components=5, name="conv")
