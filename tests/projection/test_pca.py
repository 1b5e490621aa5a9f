"""PCA against scikit-learn's full solver, in bounded memory; messages for what is undefined."""

import tracemalloc

import numpy as np
import pytest
from sklearn.decomposition import PCA

from srscope.errors import DegenerateError, ParameterError
from srscope.projection import pca as module
from srscope.projection.pca import pca
from support.points import degraded_contents


def falling(samples, width, *, dtype=np.float64, offset=0.0, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(samples, width)) * np.arange(1, width + 1) ** -0.5 + offset
    return features.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("samples", "width"), [(60, 700), (700, 60), (64, 64), (51, 50)])
def test_agrees_with_the_full_solver_of_scikit_learn(samples, width, dtype):
    features = falling(samples, width, dtype=dtype)
    reference = PCA(50, svd_solver="full")
    expected = reference.fit_transform(features.astype(np.float64))
    result = pca(features, components=50)
    scale = np.abs(expected).max()
    # Both fix their signs, by different rules.
    signs = np.sign((result.points_NC * expected).sum(axis=0))
    np.testing.assert_allclose(result.points_NC, expected * signs, atol=1e-9 * scale)
    np.testing.assert_allclose(
        result.explained_C, reference.explained_variance_ratio_, rtol=1e-9, atol=1e-13
    )


@pytest.mark.parametrize(("samples", "width"), [(30, 400), (400, 30)])
def test_blocks_add_up_to_the_whole(samples, width, monkeypatch):
    features = falling(samples, width)
    whole = pca(features, components=5)
    monkeypatch.setattr(module, "_BLOCK_VALUES", 7 * min(samples, width) + 1)
    parts = pca(features, components=5)
    np.testing.assert_allclose(parts.points_NC, whole.points_NC, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(parts.explained_C, whole.explained_C, rtol=1e-12)


def test_the_inner_products_are_those_of_the_centred_samples():
    features = falling(40, 500, dtype=np.float32, offset=1000.0)
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    gram = pca(features, components=5).gram_NN
    np.testing.assert_allclose(gram, centred @ centred.T, atol=1e-8)
    np.testing.assert_allclose(gram, gram.T, atol=1e-12)
    assert pca(falling(400, 30), components=5).gram_NN is None


def test_a_mean_far_from_zero_costs_no_accuracy():
    features = falling(40, 500, dtype=np.float32, offset=1000.0)
    expected = PCA(10, svd_solver="full").fit_transform(features.astype(np.float64))
    np.testing.assert_allclose(
        np.abs(pca(features, components=10).points_NC), np.abs(expected), atol=1e-8
    )


@pytest.mark.parametrize(("samples", "width"), [(30, 400), (400, 30)])
def test_the_largest_coordinate_of_an_axis_is_positive(samples, width):
    features = falling(samples, width)
    points = pca(features, components=8).points_NC
    assert (points.max(axis=0) >= -points.min(axis=0)).all()
    mirrored = pca(-features, components=8).points_NC
    np.testing.assert_allclose(mirrored, points, atol=1e-9)


def test_the_same_features_give_the_same_points_bit_for_bit():
    features = falling(30, 400)
    first, second = (pca(f, components=9).points_NC for f in (features, features.copy()))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("samples", "width"), [(30, 400), (400, 30)])
def test_axes_beyond_the_rank_are_zero(samples, width):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(samples, 3)) @ rng.normal(size=(3, width))
    result = pca(features, components=8)
    assert (np.abs(result.points_NC[:, :3]).max(axis=0) > 0.1).all()
    assert (result.points_NC[:, 3:] == 0).all()
    assert (result.explained_C[3:] == 0).all()
    assert result.explained_C.sum() == pytest.approx(1, abs=1e-12)


def test_features_narrower_than_the_components_are_only_rotated():
    features = falling(80, 12)
    result = pca(features, components=50)
    assert result.points_NC.shape == (80, 12)
    assert result.explained_C.sum() == pytest.approx(1)
    between = np.linalg.norm(features[0] - features[1:], axis=1)
    np.testing.assert_allclose(
        np.linalg.norm(result.points_NC[0] - result.points_NC[1:], axis=1), between
    )


def test_a_memory_mapped_array_is_never_copied_whole(tmp_path):
    shape = (52, 200_000)
    mapped = np.lib.format.open_memmap(tmp_path / "f.npy", "w+", np.float32, shape)
    mapped[:] = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    mapped.flush()
    features = np.load(tmp_path / "f.npy", mmap_mode="r")
    tracemalloc.start()
    try:
        pca(features, components=50)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    as_float64 = 8 * shape[0] * shape[1]
    assert peak < 0.75 * as_float64
    assert peak < 64 << 20


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("samples", "width"), [(20, 90), (90, 20)])
def test_features_that_are_not_finite_are_named_and_counted(samples, width, value):
    features = falling(samples, width, dtype=np.float32)
    features[3, 5] = features[4, 5] = value
    message = r"PCA of layer 'body\.15' is undefined: 2 of 1800 values are NaN or infinite; check"
    with pytest.raises(DegenerateError, match=message):
        pca(features, components=5, name="layer 'body.15'")


def test_features_whose_squares_overflow_are_refused():
    with pytest.raises(DegenerateError, match="values overflow"):
        pca(falling(20, 90) * 1e200, components=5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 / 3])
@pytest.mark.parametrize(("samples", "width"), [(21, 90), (90, 21)])
def test_samples_that_are_all_alike_are_refused(samples, width, value, dtype):
    features = np.full((samples, width), value, dtype=dtype)
    with pytest.raises(DegenerateError, match=r"PCA of pixels is undefined: all \d+ samples are"):
        pca(features, components=5, name="pixels")


def test_a_small_variation_on_a_large_mean_is_not_taken_for_none():
    features = np.full((21, 90), 1e6)
    features[0, 0] += 1e-6
    assert pca(features, components=1).explained_C[0] == pytest.approx(1)


def test_fewer_samples_than_components_need_are_refused_with_a_remedy():
    features = degraded_contents(contents=17)[:50]
    message = (
        "the number of samples of Conv1 must be at least 51 for 50 PCA components, but is 50; "
        "give more images, or lower the PCA components"
    )
    with pytest.raises(ParameterError) as caught:
        pca(features, components=50, name="Conv1")
    assert str(caught.value) == message


def test_components_must_be_positive():
    with pytest.raises(ParameterError, match="components must be 1 or more, but is 0"):
        pca(falling(9, 9), components=0)


@pytest.mark.parametrize("shape", [(9,), (9, 3, 3), (9, 0)])
def test_features_must_be_a_matrix(shape):
    with pytest.raises(ParameterError, match=r"Conv1 must be an array \(samples, features\)"):
        pca(np.zeros(shape), components=2, name="Conv1")
