"""The exact gradient against finite differences and its definition."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from srscope.projection.affinities import joint_affinities, kl_divergence
from srscope.projection.engines import exact_gradient
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
