"""The compiled gradient against finite differences, the descent against the textbook."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from srscope.projection import descent
from srscope.projection.affinities import joint_affinities, kl_divergence
from srscope.projection.config import TsneConfig
from srscope.projection.descent import descend, gradient
from support.points import clusters
from support.textbook import textbook


def slope_of(points, joint, *, exaggeration=1.0):
    """The gradient of a map given as the other functions have it, points by coordinates."""
    points_EN = np.ascontiguousarray(points.T)
    result, space = np.full_like(points_EN, np.nan), np.full_like(points_EN, np.nan)
    gradient(points_EN, joint.astype(points.dtype), exaggeration, result, space)
    return result.T


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_gradient_is_the_slope_of_the_divergence(dimensions):
    joint = joint_affinities(clusters(each=4, dimensions=6), 3)
    points = np.random.default_rng(0).normal(size=(12, dimensions))
    found = slope_of(points, joint)
    step = 1e-5
    for i, e in np.ndindex(points.shape):
        moved = points.copy()
        moved[i, e] += step
        above = kl_divergence(joint, moved)
        moved[i, e] -= 2 * step
        slope = (above - kl_divergence(joint, moved)) / (2 * step)
        assert found[i, e] == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("precision", [np.float64, np.float32])
@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("count", [2, 5, 300, 701])
def test_the_gradient_is_that_of_the_definition(count, dimensions, precision):
    rng = np.random.default_rng(0)
    joint = rng.random((count, count))
    joint += joint.T
    np.fill_diagonal(joint, 0)
    joint /= joint.sum()
    points = (rng.normal(size=(count, dimensions)) * 20).astype(precision)
    freedom = {2: 1, 3: 2}[dimensions]
    near = 1 / (1 + squareform(pdist(points.astype(np.float64), "sqeuclidean")) / freedom)
    kernel = near ** {2: 1, 3: 1.5}[dimensions]
    np.fill_diagonal(kernel, 0)
    force = (3 * joint - kernel / kernel.sum()) * near
    expected = {2: 4, 3: 3}[dimensions] * np.einsum(
        "ij,ije->ie", force, points[:, None] - points[None]
    )
    result = slope_of(points, joint, exaggeration=3)
    assert result.dtype == precision
    tolerance = 20 * np.finfo(precision).eps * np.abs(expected).max()
    np.testing.assert_allclose(result, expected, atol=tolerance)


CONFIG = {
    "perplexity": 10,
    "learning_rate": 30,
    "iterations": 20,
    "early_iterations": 8,
    "early_exaggeration": 7,
    "early_momentum": 0.4,
    "momentum": 0.7,
}


@pytest.mark.parametrize(("precision", "tolerance"), [(np.float64, 1e-8), (np.float32, 1e-2)])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_descent_follows_the_textbook_with_every_parameter(dimensions, precision, tolerance):
    config = TsneConfig(dimensions=dimensions, **CONFIG)
    joint = joint_affinities(clusters(each=15), 10)
    start = np.random.default_rng(0).standard_normal((45, dimensions)) * 1e-2
    expected = textbook(joint, config, start)
    result = descend(joint, config, start, precision=precision)
    # Rounding grows along the way; a wrong parameter changes the first digit.
    np.testing.assert_allclose(result, expected, atol=tolerance * np.abs(expected).max())


def test_an_interrupted_descent_goes_on_where_it_was(monkeypatch):
    joint = joint_affinities(clusters(each=15), 10)
    start = np.random.default_rng(0).standard_normal((45, 2)) * 1e-2
    whole = descend(joint, TsneConfig(**CONFIG), start)
    monkeypatch.setattr(descent, "_PAIRS_A_CALL", 7 * 45**2)
    np.testing.assert_array_equal(descend(joint, TsneConfig(**CONFIG), start), whole)


def test_affinities_too_small_for_single_precision_pull_nothing():
    joint = joint_affinities(clusters(each=15), 10)
    start = np.random.default_rng(0).standard_normal((45, 2)) * 1e-2
    smallest = np.where(joint > 1e-12, joint, 0)
    denormal = np.where(joint > 1e-12, joint, 1e-40)
    results = [descend(p, TsneConfig(**CONFIG), start) for p in (smallest, denormal)]
    np.testing.assert_array_equal(*results)


def test_a_descent_that_diverges_is_not_finite():
    config = TsneConfig(**{**CONFIG, "learning_rate": 1e30})
    joint = joint_affinities(clusters(each=15), 10)
    start = np.random.default_rng(0).standard_normal((45, 2))
    with np.errstate(all="ignore"):
        assert not np.isfinite(descend(joint, config, start)).all()
