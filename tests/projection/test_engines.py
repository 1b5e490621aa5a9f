"""The exact gradient against finite differences, the descent against the textbook."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from srscope.projection.affinities import joint_affinities, kl_divergence
from srscope.projection.config import TsneConfig
from srscope.projection.engines import exact_gradient, run_opentsne
from srscope.projection.tsne import embed
from support.points import clusters


@pytest.mark.parametrize("dimensions", [2, 3])
def test_exact_gradient_is_the_slope_of_the_divergence(dimensions):
    joint = joint_affinities(clusters(each=4, dimensions=6), 3)
    points = np.random.default_rng(0).normal(size=(12, dimensions))
    _, gradient = exact_gradient(12, dimensions)(points, joint)
    step = 1e-5
    for i, e in np.ndindex(points.shape):
        moved = points.copy()
        moved[i, e] += step
        above = kl_divergence(joint, moved)
        moved[i, e] -= 2 * step
        slope = (above - kl_divergence(joint, moved)) / (2 * step)
        assert 4 * gradient[i, e] == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("count", [5, 300, 700])
def test_exact_gradient_is_that_of_the_definition_in_any_number_of_blocks(count):
    rng = np.random.default_rng(0)
    joint = rng.random((count, count))
    joint += joint.T
    np.fill_diagonal(joint, 0)
    joint /= joint.sum()
    points = rng.normal(size=(count, 2)) * 20
    kernel = 1 / (1 + squareform(pdist(points, "sqeuclidean")))
    np.fill_diagonal(kernel, 0)
    force = (joint - kernel / kernel.sum()) * kernel
    expected = np.einsum("ij,ije->ie", force, points[:, None] - points[None])
    objective = exact_gradient(count, 2)
    objective(rng.normal(size=(count, 2)), joint)  # what is left in its buffers does not matter
    np.testing.assert_allclose(
        objective(points, joint)[1], expected, atol=1e-12 * np.abs(expected).max() * count
    )


def textbook(joint, config, start):
    """Descend as the t-SNE paper says, one pair at a time, with openTSNE's rule for the gains."""
    points = start.copy()
    step, gains = np.zeros_like(points), np.ones_like(points)
    for iteration in range(config.iterations):
        early = iteration < config.early_iterations
        if iteration == config.early_iterations:
            step, gains = np.zeros_like(points), np.ones_like(points)
        offset = points[:, None] - points[None]
        kernel = 1 / (1 + (offset**2).sum(axis=2))
        np.fill_diagonal(kernel, 0)
        pull = joint * (config.early_exaggeration if early else 1) - kernel / kernel.sum()
        gradient = 4 * np.einsum("ij,ij,ije->ie", pull, kernel, offset)
        turned = np.sign(step) != np.sign(gradient)
        gains = np.where(turned, gains + 0.2, gains * 0.8 + 0.01)
        momentum = config.early_momentum if early else config.momentum
        step = momentum * step - config.learning_rate * gains * gradient
        points = points + step
        points -= points.mean(axis=0)
    return points


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_descent_follows_the_textbook_with_every_parameter(dimensions):
    config = TsneConfig(
        dimensions=dimensions,
        perplexity=10,
        learning_rate=30,
        iterations=40,
        early_iterations=15,
        early_exaggeration=7,
        early_momentum=0.4,
        momentum=0.7,
    )
    points = clusters(each=15)
    joint = joint_affinities(points, 10)
    start = np.random.default_rng(0).standard_normal((45, dimensions)) * 1e-2
    expected = textbook(joint, config, start)
    result, _ = run_opentsne(points, joint, config, start)
    # Rounding grows along the way; a wrong parameter changes the first digit.
    np.testing.assert_allclose(result, expected, atol=1e-6 * np.abs(expected).max())
    embedding = embed(points, config, seed=4)
    start = np.random.default_rng(4).standard_normal((45, dimensions)) * 1e-4
    expected = textbook(joint, config, start)
    np.testing.assert_allclose(embedding.points_ND, expected, atol=1e-3 * np.abs(expected).max())
