"""The probe against scikit-learn, and what it must say where the answer is known."""

import time

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline

from srscope.errors import DegenerateError, ParameterError
from srscope.scores import probe
from srscope.scores.probe import (
    channel_moments,
    photograph_folds,
    probe_of_gram,
    probe_of_vectors,
)


def design(photographs, contents, sets=3):
    """Return (set_N, photograph_N) of a crossed design."""
    photograph_N = np.tile(np.repeat(np.arange(photographs), contents), sets)
    return np.repeat(np.arange(sets), photographs * contents), photograph_N


def planted(set_N, photograph_N, width, *, effect, seed=0):
    """Return features of a set effect, a photograph effect and noise, off centre."""
    rng = np.random.default_rng(seed)
    falling_D = np.arange(1, width + 1) ** -0.5
    features_ND = rng.normal(size=(len(set_N), width)) * falling_D + 7
    features_ND += 2 * rng.normal(size=(photograph_N.max() + 1, width))[photograph_N] * falling_D
    return features_ND + effect * rng.normal(size=(3, width))[set_N] * falling_D


def reference(features_ND, set_N, fold_N, *steps):
    model = make_pipeline(
        *steps, LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[1 / 3] * 3)
    )
    decision_NK = cross_val_predict(
        model, features_ND, set_N, groups=fold_N, cv=LeaveOneGroupOut(), method="decision_function"
    )
    return beside_each_other(decision_NK)


def beside_each_other(decision_NK):
    """Return the values less their mean, which decides nothing and depends on the origin."""
    return decision_NK - decision_NK.mean(axis=1, keepdims=True)


@pytest.mark.parametrize(("photographs", "contents"), [(6, 5), (20, 2)])
def test_it_is_pca_and_shrinkage_lda_of_scikit_learn(photographs, contents):
    set_N, photograph_N = design(photographs, contents)
    features_ND = planted(set_N, photograph_N, 600, effect=0.2)
    fold_N = photograph_folds(set_N, photograph_N, name="features")
    expected_NK = reference(features_ND, set_N, fold_N, PCA(n_components=20, svd_solver="full"))
    result = probe_of_gram(features_ND @ features_ND.T, set_N, photograph_N, components=20)
    np.testing.assert_allclose(beside_each_other(result.decision_NK), expected_NK, atol=1e-6)
    accuracy = np.mean(expected_NK.argmax(axis=1) == set_N)
    assert 0.4 < accuracy < 0.98
    assert result.accuracy.value == pytest.approx(accuracy)


def test_vectors_go_through_no_pca_until_they_are_wide(monkeypatch):
    set_N, photograph_N = design(8, 5)
    vectors_ND = planted(set_N, photograph_N, 12, effect=0.7) * np.logspace(-3, 3, 12)
    expected_NK = reference(vectors_ND, set_N, photograph_N)
    result = probe_of_vectors(vectors_ND, set_N, photograph_N)
    np.testing.assert_allclose(beside_each_other(result.decision_NK), expected_NK, atol=1e-4)
    monkeypatch.setattr(probe, "WIDEST", 11)
    reduced = probe_of_vectors(vectors_ND, set_N, photograph_N, components=3)
    by_gram = probe_of_gram(vectors_ND @ vectors_ND.T, set_N, photograph_N, components=3)
    np.testing.assert_allclose(reduced.axis_NQ, by_gram.axis_NQ, atol=1e-4)
    assert np.abs(reduced.decision_NK - result.decision_NK).max() > 0.1


def test_one_coordinate_is_not_shrunk():
    set_N, photograph_N = design(6, 4)
    vectors_N1 = planted(set_N, photograph_N, 1, effect=1.0)
    expected_NK = reference(vectors_N1, set_N, photograph_N)
    result = probe_of_vectors(vectors_N1, set_N, photograph_N)
    np.testing.assert_allclose(beside_each_other(result.decision_NK), expected_NK, atol=1e-6)


def test_the_counts_of_photographs_are_those_of_their_images():
    set_N, photograph_N = design(9, 4)
    order_N = np.random.default_rng(0).permutation(len(set_N))
    set_N, photograph_N = 10 * set_N[order_N], photograph_N[order_N] + 100
    features_ND = planted(set_N // 10, photograph_N - 100, 40, effect=0.5)
    result = probe_of_vectors(features_ND, set_N, photograph_N)
    assert (result.told_N == (result.predicted_N == set_N)).all()
    assert set(result.predicted_N) == {0, 10, 20}
    for photograph, images, right in zip(
        result.photographs_P, result.images_P, result.right_P, strict=True
    ):
        of_it = photograph_N == photograph
        assert images == 12 == of_it.sum()
        assert right == result.told_N[of_it].sum()
    assert result.pairs == ((0, 10), (0, 20), (10, 20))
    assert (result.folds, result.accuracy.photographs, result.accuracy.reliable) == (9, 9, True)


def test_the_axis_of_a_pair_is_in_standard_deviations():
    rng, (set_N, photograph_N) = np.random.default_rng(0), design(50, 8)
    vectors_N2 = rng.normal(size=(len(set_N), 2)) * 5
    vectors_N2[:, 0] += np.array([0.0, 15.0, 0.0])[set_N]
    axis_NQ = probe_of_vectors(vectors_N2, set_N, photograph_N).axis_NQ
    for k, middle in ((0, 1.5), (1, -1.5)):
        assert axis_NQ[set_N == k, 0].mean() == pytest.approx(middle, abs=0.15)
        assert axis_NQ[set_N == k, 0].std() == pytest.approx(1, abs=0.1)


def test_features_that_are_the_set_alone_are_told_always():
    set_N, photograph_N = design(10, 3)
    onehot_NK = np.eye(3)[set_N]
    for result in (
        probe_of_vectors(onehot_NK, set_N, photograph_N),
        probe_of_gram(onehot_NK @ onehot_NK.T, set_N, photograph_N),
    ):
        assert result.accuracy.value == result.accuracy.high == 1
        assert 0.9 < result.accuracy.low < 1


@pytest.mark.parametrize("seed", range(3))
def test_features_that_know_photographs_but_not_sets_are_at_chance(seed):
    set_N, photograph_N = design(20, 5)
    features_ND = planted(set_N, photograph_N, 500, effect=0.0, seed=seed)
    accuracy = probe_of_gram(features_ND @ features_ND.T, set_N, photograph_N).accuracy
    assert accuracy.low < 1 / 3 < accuracy.high


def test_folders_of_different_photographs_are_left_out_side_by_side():
    set_N = np.repeat([0, 1], [24, 16])
    photograph_N = np.arange(40) // 4  # six photographs in one folder, four in the other
    fold_N = photograph_folds(set_N, photograph_N, name="x")
    assert fold_N.max() == 3
    for photograph in range(10):
        assert len(set(fold_N[photograph_N == photograph])) == 1
    for fold in range(4):
        assert set(set_N[fold_N == fold]) == {0, 1}
    rng = np.random.default_rng(0)
    vectors_ND = rng.normal(size=(40, 5)) + 3 * set_N[:, None]
    result = probe_of_vectors(vectors_ND, set_N, photograph_N)
    assert result.accuracy.value > 0.9
    assert result.chance == 0.5


def test_sets_of_unequal_size_count_alike():
    set_N, photograph_N = np.repeat([0, 1], [200, 20]), np.tile(np.arange(10), 22)
    vectors_ND = np.random.default_rng(0).normal(size=(220, 3))
    value = probe_of_vectors(vectors_ND, set_N, photograph_N).accuracy.value
    told_N = probe_of_vectors(vectors_ND, set_N, photograph_N).told_N
    assert value == pytest.approx((told_N[:200].mean() + told_N[200:].mean()) / 2)
    assert 0.3 < value < 0.7


def test_many_photographs_are_dealt_to_ten_folds():
    set_N, photograph_N = design(13, 1)
    fold_N = photograph_folds(set_N, photograph_N, name="x")
    assert fold_N.max() == 9
    assert photograph_folds(*design(12, 1), name="x").max() == 11


@pytest.mark.parametrize(
    ("set_N", "photograph_N", "message"),
    [
        (np.zeros(8, int), np.arange(8), "there is one set only; give two sets or more"),
        (np.arange(8) % 2, np.zeros(8, int), "all images are of 1 photograph"),
        (np.repeat([0, 1], 4), np.repeat([0, 1], 4), "a set is of one photograph alone"),
        (np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 0, 1]), "fewer than two images"),
    ],
)
def test_designs_without_a_probe_say_why(set_N, photograph_N, message):
    vectors_ND = np.random.default_rng(0).normal(size=(len(set_N), 2))
    with pytest.raises(DegenerateError, match=message):
        probe_of_vectors(vectors_ND, set_N, photograph_N)


def test_wrong_values_are_named():
    set_N, photograph_N = design(4, 2)
    vectors_ND = np.random.default_rng(0).normal(size=(24, 2))
    with pytest.raises(DegenerateError, match="all images are alike"):
        probe_of_vectors(np.ones((24, 2)), set_N, photograph_N)
    with pytest.raises(DegenerateError, match="all images are alike"):
        probe_of_gram(np.zeros((24, 24)), set_N, photograph_N)
    with pytest.raises(DegenerateError, match="1 of 48 values are NaN or infinite"):
        probe_of_vectors(np.where(np.arange(48).reshape(24, 2) == 3, np.nan, 1), set_N, set_N)
    with pytest.raises(ParameterError, match="components must be 1 or more"):
        probe_of_gram(vectors_ND @ vectors_ND.T, set_N, photograph_N, components=0)
    with pytest.raises(ParameterError, match="inner products of features must be square"):
        probe_of_gram(vectors_ND, set_N, photograph_N)
    with pytest.raises(ParameterError, match="vectors must be a non-empty array"):
        probe_of_vectors(vectors_ND[:, 0], set_N, photograph_N)
    with pytest.raises(ParameterError, match="the sets of vectors must be one an image"):
        probe_of_vectors(vectors_ND, set_N[1:], photograph_N)
    with pytest.raises(ParameterError, match="a divisor of the 2 features of 'conv'"):
        channel_moments(vectors_ND, 3, name="'conv'")


def test_channel_moments_are_those_of_the_maps():
    maps_NCHW = np.random.default_rng(0).normal(size=(5, 3, 4, 6)).astype(np.float32)
    maps_NCHW[:, 1] = 2.0
    mean_NC, log_std_NC = channel_moments(maps_NCHW.reshape(5, -1), 3)
    np.testing.assert_allclose(mean_NC, maps_NCHW.mean(axis=(2, 3)), atol=1e-6)
    std_N = maps_NCHW[:, 0].std(axis=(1, 2))
    np.testing.assert_allclose(log_std_NC[:, 0], np.log(std_N + 1e-3 * std_N.mean()), atol=1e-5)
    assert (log_std_NC[:, 1] == 0).all()
    assert channel_moments(maps_NCHW.reshape(5, -1), 72)[1] is None


def test_a_layer_costs_less_than_a_second_of_the_processor():
    set_N, photograph_N = design(50, 2)
    features_ND = planted(set_N, photograph_N, 4096, effect=0.5)
    gram_NN = features_ND @ features_ND.T
    started = time.process_time()
    means_NC, log_std_NC = channel_moments(features_ND, 64)
    probe_of_gram(gram_NN, set_N, photograph_N)
    probe_of_vectors(means_NC, set_N, photograph_N)
    probe_of_vectors(log_std_NC, set_N, photograph_N)
    assert time.process_time() - started < 2  # 0.2 s on an idle machine
