"""From features to the scores of every layer and control.

Suffixes: N images, D features, C components or channels, R t-SNE runs.
"""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from joblib import Parallel, cpu_count, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from srscope.projection.config import TsneConfig
from srscope.projection.pca import pca
from srscope.projection.tsne import Embedding, embed_each
from srscope.runtime.cache import Entry, hash_of_arrays, pack, values_of
from srscope.scores.design import NEIGHBOURS
from srscope.scores.feature_space import knn_accuracy, silhouette
from srscope.scores.null import permutation_p_value, photograph_p_value
from srscope.scores.products import inner_products
from srscope.scores.record import (
    FeatureSpaceScores,
    LayerScores,
    Runs,
    TsneScores,
    VarianceShares,
)
from srscope.scores.runs import map_quality, mean_of_runs, more_runs
from srscope.scores.separability import grade, separability
from srscope.scores.table import Points, own_scores
from srscope.scores.variance import two_way_variance, two_way_variance_of_gram
from srscope.study.cache import Stages
from srscope.study.config import AnalysisConfig
from srscope.study.evidence import Evidence, evidence_of
from srscope.study.sources import Labels, Source


@dataclass(frozen=True, kw_only=True, slots=True)
class Reduced:
    """A source after PCA, with the scores that need no map."""

    source: Source
    points_NC: NDArray[np.float64]
    gram_NN: NDArray[np.float64] | None
    space: FeatureSpaceScores
    variance: VarianceShares | None
    own: Mapping[str, float | None]
    evidence: Evidence


def reduce_sources(
    sources: Sequence[Source], labels: Labels, config: AnalysisConfig, stages: Stages
) -> list[Reduced]:
    """Reduce sources by PCA and take the scores that need no t-SNE.

    Raises:
        DegenerateError: If a score is undefined; names the layer.
        ParameterError: If there are fewer images than PCA needs.
    """
    # A layer a thread, each with one processor: most of the work is NumPy's, without the lock.
    with threadpool_limits(limits=1):
        jobs = max(1, min(len(sources), int(cpu_count())))
        parallel = Parallel(n_jobs=jobs, backend="threading")
        done = parallel(delayed(_reduced)(each, labels, config, stages) for each in sources)
    return cast(list[Reduced], done)


def projected(source: Source, components: int, stages: Stages) -> Entry:
    """Return a source's points after PCA, ``points_NC``, and their inner products, ``gram``.

    The latter only where the features are more than the images.
    """

    def reduce() -> Entry:
        projection = pca(source.read(), components=components, name=source.name)
        gram_NN = projection.gram_NN
        return {"points_NC": projection.points_NC} | ({} if gram_NN is None else {"gram": gram_NN})

    return stages.get("pca", {"features": source.sha256, "components": components}, reduce)


def _reduced(source: Source, labels: Labels, config: AnalysisConfig, stages: Stages) -> Reduced:
    reduced = projected(source, config.pca, stages)

    def score() -> Entry:
        space, variance = _scores_of_space(source, reduced, labels, config)
        return pack(
            {},
            space=dataclasses.asdict(space),
            variance=None if variance is None else dataclasses.asdict(variance),
        )

    decides: dict[str, Any] = {
        "features": source.sha256,
        "components": config.pca,
        "design": labels.key,
        "left_out": [list(each) for each in labels.design.left_out],
        "permutations": config.permutations,
        "seed": config.seed,
    }
    scores = values_of(stages.get("space", decides, score))
    variance = scores["variance"]
    return Reduced(
        source=source,
        points_NC=reduced["points_NC"],
        gram_NN=reduced.get("gram"),
        space=FeatureSpaceScores(**scores["space"]),
        variance=None if variance is None else VarianceShares(**variance),
        own=_own_scores(reduced["points_NC"], labels),
        evidence=evidence_of(source, reduced, labels, config, stages),
    )


def _own_scores(points_NC: NDArray[np.float64], labels: Labels) -> dict[str, float | None]:
    """Compute the scores that the user registered, anew each time: their code may change."""
    given = Points(
        points_NC=points_NC,
        set_N=labels.set_N,
        content_N=labels.content_N,
        photograph_N=labels.photograph_N,
    )
    return {each.key: each.compute(given) for each in own_scores() if each.compute is not None}


def _scores_of_space(
    source: Source, reduced: Entry, labels: Labels, config: AnalysisConfig
) -> tuple[FeatureSpaceScores, VarianceShares | None]:
    """Take the scores of points after PCA, and of the inner products of the features."""
    points_NC, name, design = reduced["points_NC"], source.name, labels.design
    set_N, content_N = labels.set_N, labels.content_N
    p_value = knn = variance = None
    if design.defines("p_value"):
        shuffles = {"permutations": config.permutations, "seed": config.seed}
        if design.crossed:
            gram_NN = reduced.get("gram")
            if gram_NN is None:  # features narrower than the images are many
                gram_NN = inner_products(source.read(), name=name)
            p_value = photograph_p_value(gram_NN, set_N, design.unit_N, **shuffles, name=name)
        else:
            p_value = permutation_p_value(
                points_NC, set_N, None, unit_N=design.unit_N, **shuffles, name=name
            )
    if design.defines("knn_accuracy"):
        knn = knn_accuracy(points_NC, set_N, design.kin_N, k=NEIGHBOURS, name=name)
    if design.defines("variance"):
        if "gram" in reduced:
            variance = two_way_variance_of_gram(reduced["gram"], set_N, content_N, name=name)
        else:
            variance = two_way_variance(source.read(), set_N, content_N, name=name)
    space = FeatureSpaceScores(
        chi=separability(points_NC, set_N, name=name).chi,
        silhouette=silhouette(points_NC, set_N, name=name),
        knn_accuracy=knn,
        p_value=p_value,
    )
    return space, variance


def maps_of(
    layers: Sequence[NDArray[np.float64]],
    tsne: TsneConfig,
    seeds: Sequence[int],
    stages: Stages,
    *,
    names: Sequence[str] | None = None,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[list[Embedding]]:
    """Return the t-SNE maps of every layer; those that are not in the cache are made together.

    Args:
        layers: Points (N, C) of each layer.
        tsne: Every parameter.
        seeds: Of the maps of a layer.
        stages: Maps are taken from it, and put there.
        names: Of the layers, for messages.
        jobs: As of :func:`~srscope.projection.tsne.embed_many`.
        progress: Called with maps made and in all.
    """
    parameters = dataclasses.asdict(tsne)
    inputs = [
        {seed: {"points": points, "tsne": parameters, "seed": seed} for seed in seeds}
        for points in map(hash_of_arrays, layers)
    ]
    maps: list[dict[int, Embedding]] = []
    for each in inputs:
        entries = {seed: stages.find("map", decides) for seed, decides in each.items()}
        maps.append({s: _unpacked(entry, s) for s, entry in entries.items() if entry is not None})
    missing = [[seed for seed in seeds if seed not in own] for own in maps]
    made = embed_each(layers, tsne, seeds=missing, jobs=jobs, names=names, progress=progress)
    for own, new, decides in zip(maps, made, inputs, strict=True):
        for embedding in new:
            own[embedding.seed] = embedding
            entry = pack({"points_ND": embedding.points_ND}, kl=embedding.kl)
            stages.keep("map", decides[embedding.seed], entry)
    return [[own[seed] for seed in seeds] for own in maps]


def _unpacked(entry: Entry, seed: int) -> Embedding:
    return Embedding(points_ND=entry["points_ND"], kl=values_of(entry)["kl"], seed=seed)


def score_sources(
    sources: Sequence[Source],
    labels: Labels,
    config: AnalysisConfig,
    stages: Stages,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[LayerScores], dict[str, float]]:
    """Score sources in full.

    Args:
        sources: What is scored. With a cache, the features are taken to be those of their hash.
        labels: Of the images.
        config: pca, tsne, runs, seed, permutations.
        stages: Finished stages are taken from it, and put there.
        progress: Called with t-SNE runs done and in all.

    Returns:
        The scores, in the order of the sources, and the seconds that each stage took.

    Raises:
        DegenerateError: If a score is undefined; names the layer.
        ParameterError: If there are fewer images than PCA needs.
    """
    some = next((each.image_M for each in sources if each.image_M is not None), None)
    if some is None:
        return _scored_alike(sources, labels, config, stages, progress=progress)
    # Controls that were shown fewer images: scored by themselves, in their places of all images.
    parts: list[list[LayerScores]] = []
    seconds: Counter[str] = Counter()
    for limited in (False, True):
        part = [each for each in sources if (each.image_M is not None) == limited]
        own = labels.of(some) if limited else labels
        scored, took = _scored_alike(part, own, config, stages, progress=progress)
        seconds.update(took)
        parts.append([_in_place(each, some, len(labels.set_N)) for each in scored]
                     if limited else scored)  # fmt: skip
    whole, others = map(iter, parts)
    return [next(whole if each.image_M is None else others) for each in sources], dict(seconds)


def _in_place(scored: LayerScores, image_M: NDArray[np.int64], count: int) -> LayerScores:
    """Return scores of some images with maps of all: what was not shown is undefined there.

    What the probe told is left out: of an image that was not shown it told nothing, not wrongly.
    """
    points_RN2 = np.full((len(scored.points_RN2), count, 2), np.nan, np.float32)
    points_RN2[:, image_M] = scored.points_RN2
    return dataclasses.replace(scored, points_RN2=points_RN2, told_RN=None)


def _scored_alike(
    sources: Sequence[Source],
    labels: Labels,
    config: AnalysisConfig,
    stages: Stages,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[LayerScores], dict[str, float]]:
    started = time.perf_counter()
    reduced = reduce_sources(sources, labels, config, stages)
    projected = time.perf_counter()
    seeds = range(config.seed, config.seed + config.runs)
    points = [each.points_NC for each in reduced]
    maps = maps_of(points, config.tsne, seeds, stages, progress=progress)
    chis = _known_chis(reduced, maps, labels, config, stages)
    scored = [
        _scored(layer, runs, chi_R, labels.set_N)
        for layer, runs, chi_R in zip(reduced, maps, chis, strict=True)
    ]
    finished = time.perf_counter()
    seconds = {"pca and feature space": projected - started, "t-SNE": finished - projected}
    return scored, seconds


def _known_chis(
    layers: Sequence[Reduced],
    maps: Sequence[Sequence[Embedding]],
    labels: Labels,
    config: AnalysisConfig,
    stages: Stages,
) -> list[list[float]]:
    """Return CHI of as many runs of each layer as make its mean known."""
    chis = [
        [separability(run.points_ND, labels.set_N, name=layer.source.name).chi for run in runs]
        for layer, runs in zip(layers, maps, strict=True)
    ]
    while True:
        more = [more_runs(chi_R, most=config.most_runs) for chi_R in chis]
        waiting = [i for i, count in enumerate(more) if count]
        if not waiting:
            return chis
        by_start: dict[tuple[int, int], list[int]] = {}
        for i in waiting:
            by_start.setdefault((len(chis[i]), more[i]), []).append(i)
        for (start, count), members in by_start.items():
            seeds = range(config.seed + start, config.seed + start + count)
            points = [layers[i].points_NC for i in members]
            for i, runs in zip(members, maps_of(points, config.tsne, seeds, stages), strict=True):
                name = layers[i].source.name
                chis[i] += [separability(r.points_ND, labels.set_N, name=name).chi for r in runs]


def _scored(
    layer: Reduced,
    runs: Sequence[Embedding],
    chi_R: Sequence[float],
    set_N: NDArray[np.int64],
) -> LayerScores:
    """Score the t-SNE runs of one layer; CHI is averaged over runs, not taken of mean WD and BD."""
    source = layer.source
    scores = [separability(run.points_ND, set_N, name=source.name) for run in runs]
    chi = Runs.of([score.chi for score in scores])
    trust, continuity = map_quality(layer.points_NC, runs[0].points_ND)
    return LayerScores(
        layer=source.name,
        label=source.label,
        shape=source.shape,
        depth=source.depth,
        tsne=TsneScores(
            chi=chi,
            wd=Runs.of([score.wd for score in scores]),
            bd=Runs.of([score.bd for score in scores]),
            kl=Runs.of([run.kl for run in runs]),
            grade=grade(chi.mean),
            chi_known=mean_of_runs(chi_R) if len(chi_R) > 1 else None,
            trustworthiness=trust,
            continuity=continuity,
        ),
        feature_space=layer.space,
        variance=layer.evidence.with_components(layer.variance),
        points_RN2=np.stack([run.points_ND for run in runs]),
        own=layer.own,
        **layer.evidence.scores,
    )
