"""From stored features to the scores of every layer and control."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
from joblib import Parallel, cpu_count, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from srscope.analysis_config import AnalysisConfig
from srscope.features.store import FeatureStore
from srscope.projection.pca import pca
from srscope.projection.tsne import Embedding, embed_many
from srscope.scores.design import NEIGHBOURS, Design
from srscope.scores.feature_space import knn_accuracy, silhouette
from srscope.scores.null import permutation_p_value
from srscope.scores.separability import grade, separability
from srscope.scores.variance import two_way_variance, two_way_variance_of_gram
from srscope.study import FeatureSpaceScores, LayerScores, Runs, TsneScores, VarianceShares

_Read = Callable[[], NDArray[np.float32]]
_Waiting = tuple[str, _Read, Sequence[int]]  # a layer's name, its features, its output's shape


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoringInputs:
    """What is scored: the network's store, the control's (or none), and the images themselves."""

    store: FeatureStore
    untrained: FeatureStore | None
    images_NCHW: NDArray[np.float32]
    design: Design


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredLayers:
    """Scores of the network's layers, of the controls, and the seconds each stage took."""

    layers: tuple[LayerScores, ...]
    pixels: LayerScores
    untrained: tuple[LayerScores, ...]
    timings: dict[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Projected:
    """One layer after PCA, waiting for t-SNE."""

    layer: str
    label: str
    shape: tuple[int, ...]
    depth: float
    points_NC: NDArray[np.float64]
    feature_space: FeatureSpaceScores
    variance: VarianceShares | None


def score_layers(
    inputs: ScoringInputs,
    config: AnalysisConfig,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> ScoredLayers:
    """Score every stored layer, the raw pixels and the untrained control.

    Args:
        inputs: The features.
        config: pca, tsne, runs, seed, permutations.
        progress: Called with t-SNE runs done and in all.

    Returns:
        The scores, in the stores' order of layers.

    Raises:
        DegenerateError: If a score is undefined; names the layer.
        ParameterError: If there are fewer images than PCA needs.
    """
    store = inputs.store
    set_N, content_N = store.array("set_N"), store.array("content_N")
    started = time.perf_counter()

    images_NCHW = inputs.images_NCHW
    pixels_ND = images_NCHW.reshape(len(images_NCHW), -1)
    taps = {tap["name"]: tap for tap in store.metadata["taps"]}
    control = inputs.untrained
    waiting: list[_Waiting] = []
    for each in (store,) if control is None else (store, control):
        waiting += [(e.name, partial(each.read, e.name), e.feature_shape) for e in each.layers]
        if each is store:
            waiting.append(("pixels", lambda: pixels_ND, images_NCHW.shape[1:]))

    def project(name: str, read: _Read, shape: Sequence[int]) -> _Projected:
        tap = taps.get(name, {"label": "raw pixels", "depth": 0.0})
        return _project(name, read(), set_N, content_N, shape, tap, inputs.design, config)

    # A layer a thread, each with one processor: most of the work is NumPy's, without the lock.
    with threadpool_limits(limits=1):
        jobs = min(len(waiting), int(cpu_count()))
        parallel = Parallel(n_jobs=jobs, backend="threading")
        done = parallel(delayed(project)(*each) for each in waiting)
    projected = cast(list[_Projected], done)
    reduced = time.perf_counter()
    embedded = embed_many(
        [p.points_NC for p in projected],
        config.tsne,
        runs=config.runs,
        seed=config.seed,
        progress=progress,
    )
    scored = [_scored(p, runs, set_N) for p, runs in zip(projected, embedded, strict=True)]
    finished = time.perf_counter()
    count = len(store.layers)
    return ScoredLayers(
        layers=tuple(scored[:count]),
        pixels=scored[count],
        untrained=tuple(scored[count + 1 :]),
        timings={"pca and feature space": reduced - started, "t-SNE": finished - reduced},
    )


def _project(
    name: str,
    features_ND: NDArray[np.float32],
    set_N: NDArray[np.int64],
    content_N: NDArray[np.int64],
    shape: Sequence[int],
    tap: dict[str, Any],
    design: Design,
    config: AnalysisConfig,
) -> _Projected:
    """Reduce one layer by PCA and take the scores that need no t-SNE."""
    projection = pca(features_ND, components=config.pca, name=name)
    points_NC = projection.points_NC
    p_value = knn = None
    if design.defines("p_value"):
        p_value = permutation_p_value(
            points_NC,
            set_N,
            content_N if design.crossed else None,
            unit_N=None if design.crossed else design.unit_N,
            permutations=config.permutations,
            seed=config.seed,
            name=name,
        )
    if design.defines("knn_accuracy"):
        knn = knn_accuracy(points_NC, set_N, design.kin_N, k=NEIGHBOURS, name=name)
    variance = None
    if design.defines("variance"):
        if projection.gram_NN is None:
            variance = two_way_variance(features_ND, set_N, content_N, name=name)
        else:
            variance = two_way_variance_of_gram(projection.gram_NN, set_N, content_N, name=name)
    return _Projected(
        layer=name,
        label=tap["label"],
        shape=tuple(shape),
        depth=float(tap["depth"]),
        points_NC=points_NC,
        feature_space=FeatureSpaceScores(
            chi=separability(points_NC, set_N, name=name).chi,
            silhouette=silhouette(points_NC, set_N, name=name),
            knn_accuracy=knn,
            p_value=p_value,
        ),
        variance=variance,
    )


def _scored(layer: _Projected, runs: Sequence[Embedding], set_N: NDArray[np.int64]) -> LayerScores:
    """Score the t-SNE runs of one layer; CHI is averaged over runs, not taken of mean WD and BD."""
    scores = [separability(run.points_ND, set_N, name=layer.layer) for run in runs]
    chi = Runs.of([score.chi for score in scores])
    return LayerScores(
        layer=layer.layer,
        label=layer.label,
        shape=layer.shape,
        depth=layer.depth,
        tsne=TsneScores(
            chi=chi,
            wd=Runs.of([score.wd for score in scores]),
            bd=Runs.of([score.bd for score in scores]),
            kl=Runs.of([run.kl for run in runs]),
            grade=grade(chi.mean),
        ),
        feature_space=layer.feature_space,
        variance=layer.variance,
        points_RN2=np.stack([run.points_ND for run in runs]),
    )
