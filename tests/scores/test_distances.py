"""The same numbers as scikit-learn's, whose import takes longer than these computations."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import manifold
from sklearn.metrics import pairwise_distances, silhouette_score

from srscope.scores.distances import distances, mean_silhouette, trustworthiness


def cloud(count: int, width: int, seed: int, kind: type = np.float64) -> np.ndarray:
    random = np.random.default_rng(seed)
    far = 40 * random.normal(size=(3, width))[np.arange(count) % 3]
    return (far + 30 * random.normal(size=(count, width))).astype(kind)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("width", [2, 50])
def test_distances_are_scikit_learns_to_the_bit(width: int, kind: type) -> None:
    points = cloud(90, width, 0, kind)
    found = distances(points)
    assert found.dtype == kind
    assert np.array_equal(found, pairwise_distances(points))


@pytest.mark.parametrize("width", [2, 50])
def test_the_silhouette_is_scikit_learns_to_the_bit(width: int) -> None:
    points, labels = cloud(91, width, 1), np.arange(91) % 3
    assert mean_silhouette(points, labels) == silhouette_score(points, labels)
    labels[0] = 3  # alone in its class
    assert mean_silhouette(points, labels) == silhouette_score(points, labels)


def test_a_silhouette_of_many_points_is_taken_in_blocks(monkeypatch) -> None:
    points, labels = cloud(91, 50, 1), np.arange(91) % 3
    monkeypatch.setattr("srscope.scores.distances._ROWS", 40)
    assert mean_silhouette(points, labels) == pytest.approx(silhouette_score(points, labels))


@pytest.mark.parametrize("count", [12, 33, 120])
def test_trustworthiness_is_scikit_learns_to_the_bit(count: int) -> None:
    points, flat = cloud(count, 50, 2), cloud(count, 2, 3, np.float32)
    flat += points[:, :2].astype(np.float32)
    k = min(15, (count - 1) // 2)
    close = np.round(points[:, :6] / 50) + 1e4  # many near ties, far from the origin
    close += np.random.default_rng(4).normal(scale=1e-4, size=close.shape)
    for one, other in ((points, flat), (flat, points), (flat, close), (close, flat)):
        wanted = manifold.trustworthiness(one, other, n_neighbors=k)
        assert trustworthiness(one, other, k) == wanted < 1.0
