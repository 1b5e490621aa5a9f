"""Affinities and divergence against scikit-learn's private functions and the definitions."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.special import rel_entr
from sklearn.manifold import _t_sne

from srscope.projection import affinities as module
from srscope.projection.affinities import joint_affinities, kl_divergence
from support.points import clusters, degraded_contents


@pytest.mark.parametrize("points", [clusters(each=30), degraded_contents(contents=30)])
@pytest.mark.parametrize("perplexity", [5.0, 30.0])
def test_affinities_agree_with_scikit_learn(points, perplexity):
    distances = squareform(pdist(points, "sqeuclidean"))
    # Works in float32, and stops at an entropy within 1e-5.
    expected = squareform(_t_sne._joint_probabilities(distances, perplexity, 0))
    np.testing.assert_allclose(joint_affinities(points, perplexity), expected, atol=1e-7)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_every_point_has_the_perplexity_asked_for(scale):
    points = degraded_contents(contents=20) * scale
    points[0] *= 50  # an outlier
    distances = squareform(pdist(points, "sqeuclidean"))
    np.fill_diagonal(distances, np.inf)
    conditional = distances
    module._conditional(conditional, math.log(12))
    np.testing.assert_allclose(conditional.sum(axis=1), 1)
    entropy = -np.where(conditional > 0, conditional * np.log(conditional + 1e-300), 0).sum(axis=1)
    np.testing.assert_allclose(np.exp(entropy), 12, rtol=1e-8)


def test_affinities_are_a_symmetric_distribution():
    joint = joint_affinities(clusters(each=20), 10)
    np.testing.assert_array_equal(joint, joint.T)
    assert joint.sum() == pytest.approx(1, abs=1e-12)
    assert not joint.diagonal().any()


def test_affinities_do_not_depend_on_blocks(monkeypatch):
    points = clusters(each=20)
    whole = joint_affinities(points, 10)
    kl = kl_divergence(whole, points[:, :2])
    monkeypatch.setattr(module, "_BLOCK_VALUES", 7 * 60 + 1)
    np.testing.assert_allclose(joint_affinities(points, 10), whole, rtol=1e-7, atol=1e-15)
    assert kl_divergence(whole, points[:, :2]) == pytest.approx(kl, rel=1e-12)


def test_more_coinciding_points_than_the_perplexity_share_alike():
    points = np.concatenate([np.zeros((20, 3)), np.ones((20, 3)) * [[1, 2, 3]]])
    joint = joint_affinities(points, 5)
    assert np.isfinite(joint).all()
    inside = joint[:20, :20][~np.eye(20, dtype=bool)]
    np.testing.assert_allclose(inside, 1 / (40 * 19), rtol=1e-6)
    np.testing.assert_allclose(joint[:20, 20:], 0, atol=1e-12)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_divergence_is_that_of_the_definition(dimensions):
    joint = joint_affinities(clusters(each=20), 10)
    points = np.random.default_rng(0).normal(size=(60, dimensions)) * 5
    distance = squareform(pdist(points, "sqeuclidean"))
    kernel = 1 / (1 + distance) if dimensions == 2 else (1 + distance / 2) ** -1.5
    np.fill_diagonal(kernel, 0)
    expected = rel_entr(joint, kernel / kernel.sum()).sum()
    assert kl_divergence(joint, points) == pytest.approx(expected, rel=1e-12)


def test_divergence_of_coinciding_points_is_that_from_the_uniform():
    joint = joint_affinities(clusters(each=20), 10)
    uniform = (1 - np.eye(60)) / (60 * 59)
    expected = rel_entr(joint, uniform).sum()
    assert kl_divergence(joint, np.zeros((60, 2))) == pytest.approx(expected, rel=1e-12)
