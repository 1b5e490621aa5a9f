"""The same tests for fast paths and references: t-SNE's engines, PCA at once or as a stream.

Whatever is chosen, a result means the same and fails the same; how good it is, is tested beside.
Suffixes: N points, C coordinates.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import get_args

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA

from srscope.errors import DegenerateError, ParameterError
from srscope.projection.affinities import joint_affinities, kl_divergence
from srscope.projection.config import Engine, TsneConfig
from srscope.projection.pca import PcaProjection, pca
from srscope.projection.stream import pca_of_stream
from srscope.projection.tsne import embed, embed_each, embed_many
from support.points import clusters

SMALL = TsneConfig(perplexity=10, iterations=400, learning_rate=50)


@pytest.fixture(params=get_args(Engine))
def config(request: pytest.FixtureRequest) -> TsneConfig:
    return dataclasses.replace(SMALL, engine=request.param)


def test_a_seed_gives_one_map_and_another_seed_another(config):
    points = clusters(each=15)
    before = points.copy()
    first, again, other = (embed(points, config, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(points, before)
    np.testing.assert_array_equal(first.points_ND, again.points_ND)
    assert (first.kl, first.seed) == (again.kl, 3)
    assert np.abs(first.points_ND - other.points_ND).max() > 1e-3


def test_neighbours_stay_and_the_divergence_is_of_all_pairs(config):
    points = clusters(each=20)
    embedding = embed(points, config, seed=0)
    assert embedding.points_ND.dtype == np.float32
    assert embedding.points_ND.shape == (60, 2)
    distances = cdist(embedding.points_ND, embedding.points_ND)
    np.fill_diagonal(distances, np.inf)
    cluster_of = np.repeat(np.arange(3), 20)
    assert (cluster_of[distances.argmin(axis=1)] == cluster_of).all()
    affinities_NN = joint_affinities(points.astype(np.float64), 10.0)
    assert embedding.kl == pytest.approx(kl_divergence(affinities_NN, embedding.points_ND))


def test_runs_together_are_those_made_one_by_one(config):
    config = dataclasses.replace(config, iterations=300)
    layers = [clusters(each=12), clusters(each=13)]
    together = embed_many(layers, config, runs=2, seed=5, jobs=1)
    some = embed_each(layers, config, seeds=[[6], []], jobs=1)
    assert [[run.seed for run in runs] for runs in together] == [[5, 6]] * 2
    assert [[run.seed for run in runs] for runs in some] == [[6], []]
    np.testing.assert_array_equal(some[0][0].points_ND, together[0][1].points_ND)
    alone = embed(layers[1], config, seed=5)
    np.testing.assert_array_equal(together[1][0].points_ND, alone.points_ND)


def test_what_has_no_map_is_refused(config):
    points = clusters(each=15)
    with pytest.raises(ParameterError, match="below the number of points"):
        embed(points[:11], config, seed=0)
    with pytest.raises(DegenerateError, match="all points coincide"):
        embed(np.ones((45, 4)), config, seed=0, name="Conv1")
    points[1, 2] = np.nan
    with pytest.raises(DegenerateError, match=r"t-SNE of Conv1 .* 1 coordinates are NaN"):
        embed(points, config, seed=0, name="Conv1")


def in_batches(features_ND, *, components: int, name: str = "features") -> PcaProjection:
    def batches() -> Iterator[np.ndarray]:
        for start in range(0, len(features_ND), 7):
            yield features_ND[start : start + 7]

    return pca_of_stream(batches(), components=components, name=name)


Path = Callable[..., PcaProjection]


@pytest.fixture(params=[pca, in_batches], ids=["at once", "as a stream"])
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.mark.parametrize("shape", [(60, 700), (90, 30)], ids=["wide", "narrow"])
def test_points_are_those_of_scikit_learn(path, shape):
    random = np.random.default_rng(0)
    features_ND = random.normal(size=shape) * np.geomspace(10, 0.1, shape[1]) + 5
    found = path(features_ND, components=4)
    reference = PCA(4, svd_solver="full")
    points_NC = reference.fit_transform(features_ND)
    signs_C = np.sign((points_NC * found.points_NC).sum(axis=0))
    np.testing.assert_allclose(found.points_NC, points_NC * signs_C, atol=2e-4)
    np.testing.assert_allclose(found.explained_C, reference.explained_variance_ratio_, rtol=1e-4)
    largest_C = found.points_NC[np.abs(found.points_NC).argmax(axis=0), np.arange(4)]
    assert (largest_C > 0).all()


def test_what_has_no_axes_is_refused(path):
    features_ND = np.random.default_rng(0).normal(size=(20, 50))
    with pytest.raises(ParameterError, match=r"number of samples of Conv1 must be at least 21"):
        path(features_ND, components=20, name="Conv1")
    with pytest.raises(DegenerateError, match=r"PCA of Conv1 .*all 20 samples are alike"):
        path(np.ones((20, 50)), components=4, name="Conv1")
    features_ND[3, 4] = np.inf
    with pytest.raises(DegenerateError, match="PCA of Conv1"):
        path(features_ND, components=4, name="Conv1")
