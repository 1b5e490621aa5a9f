"""The engines behind one signature: what openTSNE is given, against the textbook."""

import numpy as np
import pytest
from scipy.spatial.distance import squareform

from srscope.projection import engines
from srscope.projection.affinities import joint_affinities, kl_divergence
from srscope.projection.config import TsneConfig
from srscope.projection.descent import gradient
from srscope.projection.engines import run_opentsne, run_srscope
from srscope.projection.tsne import embed
from support.points import clusters
from support.textbook import textbook


def config_of(dimensions, **more):
    return TsneConfig(
        dimensions=dimensions,
        perplexity=15,
        learning_rate=30,
        iterations=20,
        early_iterations=8,
        early_exaggeration=7,
        early_momentum=0.4,
        momentum=0.7,
        **more,
    )


@pytest.mark.parametrize("run", [run_srscope, run_opentsne])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_descent_follows_the_textbook_with_every_parameter(dimensions, run, monkeypatch):
    monkeypatch.setattr(engines, "_THETA", 0.0)  # openTSNE's trees become exact
    points, config = clusters(each=15), config_of(dimensions)
    joint = joint_affinities(points, 15)
    start = np.random.default_rng(0).standard_normal((45, dimensions)) * 1e-2
    expected = textbook(joint, config, start)
    result, _ = run(points, joint, config, start)
    # Rounding grows along the way; a wrong parameter changes the first digit.
    np.testing.assert_allclose(result, expected, atol=1e-2 * np.abs(expected).max())


@pytest.mark.parametrize("dimensions", [2, 3])
def test_an_embedding_starts_from_its_seed_at_the_protocols_scale(dimensions):
    points, config = clusters(each=15), config_of(dimensions)
    start = np.random.default_rng(4).standard_normal((45, dimensions)) * 1e-4
    expected = textbook(joint_affinities(points, 15), config, start)
    embedding = embed(points, config, seed=4)
    np.testing.assert_allclose(embedding.points_ND, expected, atol=1e-2 * np.abs(expected).max())


def test_without_affinities_the_compiled_engine_hands_over_to_opentsne():
    points, config = clusters(each=15), config_of(2)
    start = np.random.default_rng(0).standard_normal((45, 2)) * 1e-2
    ours, theirs = (run(points, None, config, start) for run in (run_srscope, run_opentsne))
    np.testing.assert_array_equal(ours[0], theirs[0])
    assert ours[1] == theirs[1]


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_divergence_is_the_one_that_scikit_learn_minimises(dimensions):
    from sklearn.manifold import _t_sne

    points = np.random.default_rng(0).normal(size=(30, dimensions))
    joint = joint_affinities(clusters(each=10), 5)
    freedom = TsneConfig(dimensions=dimensions).degrees_of_freedom
    theirs, slope = _t_sne._kl_divergence(
        points.ravel(), squareform(joint, checks=False), freedom, 30, dimensions
    )
    assert kl_divergence(joint, points) == pytest.approx(theirs, rel=1e-6)
    if dimensions == 3:
        return  # its gradient in space is not its own divergence's slope; ours is: test_descent
    ours, space = np.empty((dimensions, 30)), np.empty((dimensions, 30))
    gradient(np.ascontiguousarray(points.T), joint, 1.0, ours, space)
    np.testing.assert_allclose(ours.T.ravel(), slope, rtol=1e-5, atol=1e-9)
