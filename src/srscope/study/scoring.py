"""From features to the scores of every layer and control."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
from joblib import Parallel, cpu_count, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from srscope.features.held import Features
from srscope.features.store import hash_of
from srscope.projection.pca import pca
from srscope.projection.tsne import Embedding, embed_each
from srscope.runtime.cache import Entry, hash_of_arrays, pack, values_of
from srscope.scores.design import NEIGHBOURS, Design
from srscope.scores.feature_space import knn_accuracy, silhouette
from srscope.scores.null import permutation_p_value
from srscope.scores.record import FeatureSpaceScores, LayerScores, Runs, TsneScores, VarianceShares
from srscope.scores.separability import grade, separability
from srscope.scores.variance import two_way_variance, two_way_variance_of_gram
from srscope.study.config import AnalysisConfig
from srscope.study.stages import AnalysisCache, found, keep, remembered

_Read = Callable[[], NDArray[np.float32]]
_PCA_VERSION, _SPACE_VERSION, _MAP_VERSION = 1, 1, 1


@dataclass(frozen=True, kw_only=True, slots=True)
class _Waiting:
    """One layer's features: where they are read, their hash, and the shape of its output."""

    name: str
    read: _Read
    sha256: str
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoringInputs:
    """What is scored: the network's store, the control's (or none), and the images themselves.

    With a cache, the features are taken to be those whose hashes the stores tell.
    """

    store: Features
    untrained: Features | None
    images_NCHW: NDArray[np.float32]
    design: Design
    cache: AnalysisCache | None = None


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
    """Score every layer, the raw pixels and the untrained control.

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
        waiting += [
            _Waiting(
                name=entry.name,
                read=partial(each.read, entry.name),
                sha256=entry.sha256,
                shape=entry.feature_shape,
            )
            for entry in each.layers
        ]
        if each is store:
            waiting.append(
                _Waiting(
                    name="pixels",
                    read=lambda: pixels_ND,
                    sha256=hash_of(pixels_ND),
                    shape=images_NCHW.shape[1:],
                )
            )

    def project(layer: _Waiting) -> _Projected:
        tap = taps.get(layer.name, {"label": "raw pixels", "depth": 0.0})
        return _project(layer, set_N, content_N, tap, inputs, config)

    # A layer a thread, each with one processor: most of the work is NumPy's, without the lock.
    with threadpool_limits(limits=1):
        jobs = min(len(waiting), int(cpu_count()))
        parallel = Parallel(n_jobs=jobs, backend="threading")
        done = parallel(delayed(project)(each) for each in waiting)
    projected = cast(list[_Projected], done)
    reduced = time.perf_counter()
    embedded = _embedded([p.points_NC for p in projected], config, inputs.cache, progress)
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
    layer: _Waiting,
    set_N: NDArray[np.int64],
    content_N: NDArray[np.int64],
    tap: dict[str, Any],
    inputs: ScoringInputs,
    config: AnalysisConfig,
) -> _Projected:
    """Reduce one layer by PCA and take the scores that need no t-SNE."""
    cache, design = inputs.cache, inputs.design
    decides: dict[str, Any] = {"features": layer.sha256, "components": config.pca}

    def reduce() -> Entry:
        projection = pca(layer.read(), components=config.pca, name=layer.name)
        gram_NN = projection.gram_NN
        return {"points_NC": projection.points_NC} | ({} if gram_NN is None else {"gram": gram_NN})

    reduced = remembered(cache, "pca", _PCA_VERSION, decides, reduce)
    points_NC = reduced["points_NC"]

    def score() -> Entry:
        space, variance = _scores_of_space(layer, reduced, set_N, content_N, design, config)
        return pack(
            {},
            space=dataclasses.asdict(space),
            variance=None if variance is None else dataclasses.asdict(variance),
        )

    decides |= {
        "design": [
            hash_of_arrays(each) for each in (set_N, content_N, design.kin_N, design.unit_N)
        ],
        "left_out": [list(each) for each in design.left_out],
        "permutations": config.permutations,
        "seed": config.seed,
    }
    scores = values_of(remembered(cache, "space", _SPACE_VERSION, decides, score))
    variance = scores["variance"]
    return _Projected(
        layer=layer.name,
        label=tap["label"],
        shape=tuple(layer.shape),
        depth=float(tap["depth"]),
        points_NC=points_NC,
        feature_space=FeatureSpaceScores(**scores["space"]),
        variance=None if variance is None else VarianceShares(**variance),
    )


def _scores_of_space(
    layer: _Waiting,
    reduced: Entry,
    set_N: NDArray[np.int64],
    content_N: NDArray[np.int64],
    design: Design,
    config: AnalysisConfig,
) -> tuple[FeatureSpaceScores, VarianceShares | None]:
    """Take the scores of points after PCA, and of the inner products of the features."""
    points_NC, name = reduced["points_NC"], layer.name
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
        if "gram" in reduced:
            variance = two_way_variance_of_gram(reduced["gram"], set_N, content_N, name=name)
        else:
            variance = two_way_variance(layer.read(), set_N, content_N, name=name)
    space = FeatureSpaceScores(
        chi=separability(points_NC, set_N, name=name).chi,
        silhouette=silhouette(points_NC, set_N, name=name),
        knn_accuracy=knn,
        p_value=p_value,
    )
    return space, variance


def _embedded(
    layers: Sequence[NDArray[np.float64]],
    config: AnalysisConfig,
    cache: AnalysisCache | None,
    progress: Callable[[int, int], None] | None,
) -> list[list[Embedding]]:
    """Return the maps of every layer; those that are not in the cache are made together."""
    seeds = range(config.seed, config.seed + config.runs)
    tsne = dataclasses.asdict(config.tsne)
    inputs = [
        {seed: {"points": points, "tsne": tsne, "seed": seed} for seed in seeds}
        for points in map(hash_of_arrays, layers)
    ]
    maps: list[dict[int, Embedding]] = []
    for each in inputs:
        entries = {
            seed: found(cache, "map", _MAP_VERSION, decides) for seed, decides in each.items()
        }
        maps.append({s: _unpacked(entry, s) for s, entry in entries.items() if entry is not None})
    missing = [[seed for seed in seeds if seed not in own] for own in maps]
    made = embed_each(layers, config.tsne, seeds=missing, progress=progress)
    for own, new, decides in zip(maps, made, inputs, strict=True):
        for embedding in new:
            own[embedding.seed] = embedding
            entry = pack({"points_ND": embedding.points_ND}, kl=embedding.kl)
            keep(cache, "map", _MAP_VERSION, decides[embedding.seed], entry)
    return [[own[seed] for seed in seeds] for own in maps]


def _unpacked(entry: Entry, seed: int) -> Embedding:
    return Embedding(points_ND=entry["points_ND"], kl=values_of(entry)["kl"], seed=seed)


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
