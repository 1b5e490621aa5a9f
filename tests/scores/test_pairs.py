"""AUC and d' of pairs of sets along the probe's axis, against scikit-learn and known distances."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from srscope.errors import ParameterError
from srscope.scores.pairs import pair_scores
from srscope.scores.probe import probe_of_vectors


def three_sets(gaps=(0.0, 1.0, 3.0), photographs=40, contents=5, seed=0):
    rng = np.random.default_rng(seed)
    set_N = np.repeat(np.arange(3), photographs * contents)
    photograph_N = np.tile(np.repeat(np.arange(photographs), contents), 3)
    vectors_ND = rng.normal(size=(len(set_N), 2))
    vectors_ND[:, 0] += np.array(gaps)[set_N]
    return vectors_ND, set_N, photograph_N


def test_auc_is_scikit_learns_on_the_axis():
    vectors_ND, set_N, photograph_N = three_sets()
    probe = probe_of_vectors(vectors_ND, set_N + 5, photograph_N)
    scores = pair_scores(probe, set_N + 5, photograph_N)
    assert [each.sets for each in scores] == [(5, 6), (5, 7), (6, 7)]
    for q, each in enumerate(scores):
        both_N = np.isin(set_N + 5, each.sets)
        first_N = (set_N + 5)[both_N] == each.sets[0]
        expected = roc_auc_score(first_N, probe.axis_NQ[both_N, q])
        assert each.auc.value == pytest.approx(expected)
        assert each.auc.low < expected < each.auc.high


def test_distances_that_were_planted_are_found():
    vectors_ND, set_N, photograph_N = three_sets(photographs=200)
    scores = pair_scores(probe_of_vectors(vectors_ND, set_N, photograph_N), set_N, photograph_N)
    for each, gap in zip(scores, (1, 3, 2), strict=True):
        assert each.d_prime == pytest.approx(gap, abs=0.15)
        assert each.auc.value == pytest.approx(norm.cdf(gap / np.sqrt(2)), abs=0.03)


def test_equal_places_count_half():
    vectors_ND, set_N, photograph_N = three_sets(photographs=10)
    probe = probe_of_vectors(vectors_ND, set_N, photograph_N)
    flat = dataclasses.replace(probe, axis_NQ=np.round(probe.axis_NQ))
    for q, each in enumerate(pair_scores(flat, set_N, photograph_N)):
        both_N = np.isin(set_N, each.sets)
        expected = roc_auc_score(set_N[both_N] == each.sets[0], flat.axis_NQ[both_N, q])
        assert each.auc.value == pytest.approx(expected)


def test_sets_without_spread_have_no_d_prime():
    _, set_N, photograph_N = three_sets(photographs=10)
    probe = probe_of_vectors(np.eye(3)[set_N], set_N, photograph_N)
    still = dataclasses.replace(probe, axis_NQ=np.round(probe.axis_NQ / 1e9))
    scores = pair_scores(still, set_N, photograph_N)
    assert all(each.d_prime is None or each.d_prime > 1e3 for each in scores)
    constant = dataclasses.replace(probe, axis_NQ=np.zeros_like(probe.axis_NQ))
    assert [each.d_prime for each in pair_scores(constant, set_N, photograph_N)] == [None] * 3
    assert pair_scores(constant, set_N, photograph_N)[0].auc.value == 0.5


def test_photographs_in_one_set_only_are_allowed():
    rng = np.random.default_rng(0)
    set_N, photograph_N = np.repeat([0, 1], 60), np.arange(120) // 5
    vectors_ND = rng.normal(size=(120, 2)) + 1.5 * set_N[:, None]
    probe = probe_of_vectors(vectors_ND, set_N, photograph_N)
    (pair,) = pair_scores(probe, set_N, photograph_N)
    assert 0.7 < pair.auc.low < pair.auc.high < 1
    assert pair.auc.photographs == 24


def test_another_number_of_images_is_refused():
    vectors_ND, set_N, photograph_N = three_sets(photographs=10)
    probe = probe_of_vectors(vectors_ND, set_N, photograph_N)
    with pytest.raises(ParameterError, match="must be those of the probe"):
        pair_scores(probe, set_N[1:], photograph_N[1:])
