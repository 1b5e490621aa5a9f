"""t-SNE: one run, or many layers times many runs over the processors.

Suffixes: N points, C input dimensions, D map dimensions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from joblib import Parallel, cpu_count, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from srscope.errors import DegenerateError, ParameterError
from srscope.projection.affinities import joint_affinities, kl_divergence
from srscope.projection.config import TsneConfig
from srscope.projection.engines import ENGINES

__all__ = ["Embedding", "TsneConfig", "embed", "embed_many"]

# Up to here everything is summed over all pairs: N x N affinities fit, and it is the fastest.
EXACT_LIMIT = 5000
_START_DEVIATION = 1e-4
# A run of a reference takes about 4e-6 N^2 seconds; below this many in all, worker processes cost
# more to start.
_WORTH_PROCESSES = 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Embedding:
    """One t-SNE map.

    Args:
        points_ND: The map, in the units of t-SNE's kernel.
        kl: Kullback-Leibler divergence of the map from the affinities, in nats: over all pairs
            up to 5,000 points, the engine's own estimate above.
        seed: Of the random start.
    """

    points_ND: NDArray[np.float32]
    kl: float
    seed: int


def embed(
    points_NC: NDArray[np.floating[Any]], config: TsneConfig, *, seed: int, name: str = "points"
) -> Embedding:
    """Run t-SNE once, on one thread. The same seed gives the same map, bit for bit.

    Args:
        points_NC: Usually the first 50 principal components.
        config: Every parameter.
        seed: Decides the random start, and nothing else is random.
        name: What the points are, for messages, e.g. a layer's name.

    Returns:
        The map.

    Raises:
        ParameterError: If there are too few points for the perplexity, or the seed is negative.
        DegenerateError: If a point is not finite, all points coincide, or the descent diverged.

    Source: Liu et al. 2021, section 3.1; van der Maaten and Hinton 2008.

    Example:
        >>> points_NC = np.random.default_rng(0).normal(size=(40, 5))
        >>> embedding = embed(points_NC, TsneConfig(perplexity=5, iterations=300), seed=1)
        >>> embedding.points_ND.shape, embedding.seed
        ((40, 2), 1)
    """
    points_NC = np.ascontiguousarray(points_NC, dtype=np.float64)
    _check(points_NC, config, seed, name)
    # One thread: the processors are shared by runs, and sums keep one order.
    with threadpool_limits(limits=1):
        return _Task(points_NC, config, name, runs=1).run(seed)


class _Task:
    """The runs of one layer; all share its affinities, which go when the last run has them."""

    def __init__(
        self, points_NC: NDArray[np.float64], config: TsneConfig, name: str, *, runs: int
    ) -> None:
        self._points_NC, self._config, self._name = points_NC, config, name
        self._lock, self._runs = threading.Lock(), runs
        self._affinities_NN: NDArray[np.float64] | None = None

    def _affinities(self) -> NDArray[np.float64] | None:
        """Compute them in the first run that asks, while the others wait."""
        with self._lock:
            affinities_NN = self._affinities_NN
            if affinities_NN is None and len(self._points_NC) <= EXACT_LIMIT:
                affinities_NN = joint_affinities(self._points_NC, self._config.perplexity)
            self._runs -= 1
            self._affinities_NN = affinities_NN if self._runs else None
            return affinities_NN

    def run(self, seed: int) -> Embedding:
        """Run t-SNE once."""
        config = self._config
        shape = (len(self._points_NC), config.dimensions)
        start_ND = np.random.default_rng(seed).standard_normal(shape) * _START_DEVIATION
        affinities_NN = self._affinities()
        engine = ENGINES[config.engine]
        with np.errstate(all="ignore"):  # overflow of a descent that diverges is reported below
            map_ND, divergence = engine(self._points_NC, affinities_NN, config, start_ND)
            points_ND = map_ND.astype(np.float32)
        if not np.isfinite(points_ND).all():
            raise DegenerateError(
                f"t-SNE of {self._name}", "the descent diverged", "lower tsne.learning_rate"
            )
        if affinities_NN is not None:
            divergence = kl_divergence(affinities_NN, points_ND)
        return Embedding(points_ND=points_ND, kl=divergence, seed=seed)


def embed_many(
    layers: Sequence[NDArray[np.floating[Any]]],
    config: TsneConfig,
    *,
    runs: int,
    seed: int,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    names: Sequence[str] | None = None,
) -> list[list[Embedding]]:
    """Run t-SNE ``runs`` times on every layer, over the processors.

    Run r of every layer has the seed ``seed + r``: all layers start from the same random points,
    and more runs keep the earlier ones. The maps do not depend on ``jobs``.

    Args:
        layers: One (N, C) array a layer.
        config: Every parameter.
        runs: Maps a layer.
        seed: Of each layer's first run.
        jobs: Runs at the same time; by default one a processor. They are threads of this process
            where the compiled engine runs; those of the references are processes, by default
            none for work of a few seconds.
        progress: Called with runs done and in all, after every run.
        names: Of the layers, for messages.

    Returns:
        For every layer, in order, its maps in order of run.

    Raises:
        ParameterError: If ``runs`` or ``jobs`` is below 1; or as :func:`embed`.
        DegenerateError: As :func:`embed`.
    """
    if runs < 1:
        raise ParameterError("runs", "1 or more", runs)
    seeds = [range(seed, seed + runs)] * len(layers)
    return embed_each(layers, config, seeds=seeds, jobs=jobs, progress=progress, names=names)


def embed_each(
    layers: Sequence[NDArray[np.floating[Any]]],
    config: TsneConfig,
    *,
    seeds: Sequence[Sequence[int]],
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    names: Sequence[str] | None = None,
) -> list[list[Embedding]]:
    """Run t-SNE on every layer with seeds of its own, over the processors: see :func:`embed_many`.

    Args:
        layers: One (N, C) array a layer.
        config: Every parameter.
        seeds: Of each layer's runs; there may be none.
        jobs: As of :func:`embed_many`.
        progress: As of :func:`embed_many`.
        names: Of the layers, for messages.

    Returns:
        For every layer, in order, its maps in order of seeds.
    """
    if jobs is not None and jobs < 1:
        raise ParameterError("jobs", "1 or more", jobs)
    names = [f"layer {i}" for i in range(len(layers))] if names is None else names
    for points_NC, own, name in zip(layers, seeds, names, strict=True):
        _check(points_NC, config, min(own, default=0), name)  # all, before the first of many runs
    tasks = [
        (np.ascontiguousarray(points_NC, dtype=np.float64), name)
        for points_NC, name in zip(layers, names, strict=True)
    ]
    threads = config.engine == "srscope" and all(len(points) <= EXACT_LIMIT for points in layers)
    if jobs is None:
        runs = [len(own) for own in seeds]
        seconds = sum(
            4e-6 * n * len(points_NC) ** 2 for points_NC, n in zip(layers, runs, strict=True)
        )
        jobs = int(cpu_count()) if threads or seconds > _WORTH_PROCESSES else 1
    calls: list[Any] = []
    for (points_NC, name), own in zip(tasks, seeds, strict=True):
        if threads:
            task = _Task(points_NC, config, name, runs=len(own))
            calls += [delayed(task.run)(s) for s in own]
        else:
            calls += [delayed(embed)(points_NC, config, seed=s, name=name) for s in own]
    jobs = min(jobs, len(calls))
    done: list[Embedding] = []
    with threadpool_limits(limits=1):
        results: Iterable[Embedding]
        if jobs <= 1:
            results = (function(*given, **named) for function, given, named in calls)
        else:
            backend = "threading" if threads else "loky"
            parallel = Parallel(n_jobs=jobs, backend=backend, return_as="generator")
            results = cast(Iterable[Embedding], parallel(calls))
        for embedding in results:
            done.append(embedding)
            if progress is not None:
                progress(len(done), len(calls))
    maps = iter(done)
    return [[next(maps) for _ in own] for own in seeds]


def _check(points_NC: NDArray[np.floating[Any]], config: TsneConfig, seed: int, name: str) -> None:
    """Raise if t-SNE of these points is not possible or not defined."""
    if points_NC.ndim != 2:
        raise ParameterError(name, "an array (points, dimensions)", points_NC.shape)
    if seed < 0:
        raise ParameterError("seed", "0 or more", seed)
    count = len(points_NC)
    if not config.perplexity < count - 1:
        rule = f"below the number of points less 1, {count - 1} for {name}"
        remedy = "lower it, or give more images"
        raise ParameterError("tsne.perplexity", rule, config.perplexity, remedy)
    if not np.isfinite(points_NC).all():
        bad = int((~np.isfinite(points_NC)).sum())
        raise DegenerateError(f"t-SNE of {name}", f"{bad} coordinates are NaN or infinite")
    if (points_NC == points_NC[0]).all():
        raise DegenerateError(f"t-SNE of {name}", "all points coincide", "choose another layer")
