"""The engines that minimise t-SNE's objective, behind one signature.

Each is single-threaded under the caller's limit, so that runs can share the processors.

Suffixes: N points, C input dimensions, E map dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.projection.config import Engine, TsneConfig

# (points_NC, affinities_NN, config, start_NE) -> the map, and the engine's own estimate of its
# divergence. The affinities are absent where there are too many points for them.
Run = Callable[
    [NDArray[np.float64], NDArray[np.float64] | None, TsneConfig, NDArray[np.float64]],
    tuple[NDArray[np.float64], float],
]

# Above here openTSNE's grid is faster than its trees (measured: about 9,000 points).
BARNES_HUT_LIMIT = 10_000
_THETA = 0.5  # how far away, in their own size, points are summed up as one


def run_srscope(
    points_NC: NDArray[np.float64],
    affinities_NN: NDArray[np.float64] | None,
    config: TsneConfig,
    start_NE: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """Minimise exactly where there are affinities of all pairs, or else with openTSNE."""
    if affinities_NN is None:
        return run_opentsne(points_NC, affinities_NN, config, start_NE)
    from srscope.projection.descent import descend

    return descend(affinities_NN, config, start_NE), math.nan


def run_opentsne(
    points_NC: NDArray[np.float64],
    affinities_NN: NDArray[np.float64] | None,
    config: TsneConfig,
    start_NE: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """Minimise with openTSNE's optimiser: Barnes-Hut or interpolated gradients, by size.

    Momentum and gains start anew after the exaggerated iterations, and steps are not clipped:
    as in scikit-learn, so that the extent of a map, and with it WD and BD, is comparable.
    """
    del affinities_NN
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.tsne import TSNEEmbedding, gradient_descent

    affinities: Any = PerplexityBasedNN(
        points_NC,
        perplexity=config.perplexity,  # pyright: ignore[reportArgumentType] (any real number)
        method="exact",
        n_jobs=1,
    )
    # openTSNE's kernel is (1 + d^2 / a)^-a: with this a, maps are t's, but for their scale.
    freedom = config.degrees_of_freedom
    heaviness = (freedom + 1) / 2
    scale = math.sqrt(heaviness / freedom)
    # Interpolation exists for two dimensions only.
    grid = len(points_NC) > BARNES_HUT_LIMIT and config.dimensions == 2
    make: Any = TSNEEmbedding
    embedding = make(
        start_NE * scale,
        affinities,
        dof=heaviness,
        negative_gradient_method="fft" if grid else "bh",
        theta=_THETA,
        learning_rate=4 * scale**2 * config.learning_rate,  # its gradient lacks the factor 4
        max_step_norm=None,
        n_jobs=1,
    )
    embedding.optimize(
        config.early_iterations,
        exaggeration=config.early_exaggeration,
        momentum=config.early_momentum,
        inplace=True,
    )
    embedding.optimizer = gradient_descent()
    embedding.optimize(
        config.iterations - config.early_iterations, momentum=config.momentum, inplace=True
    )
    return embedding.view(np.ndarray) / scale, float(embedding.kl_divergence)


def run_scikit_learn(
    points_NC: NDArray[np.float64],
    affinities_NN: NDArray[np.float64] | None,
    config: TsneConfig,
    start_NE: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """Minimise with scikit-learn's Barnes-Hut t-SNE, on affinities of its own: the reference."""
    del affinities_NN
    from sklearn.manifold import TSNE

    make: Any = TSNE
    tsne = make(
        n_components=config.dimensions,
        perplexity=config.perplexity,
        early_exaggeration=config.early_exaggeration,
        learning_rate=config.learning_rate,
        max_iter=config.iterations,
        init=start_NE.astype(np.float32),
        method="barnes_hut",
        n_jobs=1,
    )
    points_NE = tsne.fit_transform(points_NC)
    return points_NE.astype(np.float64), float(tsne.kl_divergence_)


ENGINES: dict[Engine, Run] = {
    "srscope": run_srscope,
    "openTSNE": run_opentsne,
    "scikit-learn": run_scikit_learn,
}
