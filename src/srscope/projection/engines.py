"""The engines that minimise t-SNE's objective, behind one signature.

Each is single-threaded under the caller's limit, so that runs can share the processors.

Suffixes: N points, C input dimensions, E map dimensions, B points of one block.
"""

from __future__ import annotations

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
Gradient = Callable[..., tuple[float, NDArray[np.float64]]]

# Measured, one thread of an EPYC core: exact gradients win up to 1,700 points in two dimensions
# (300: 0.35 s a run against 1.3), interpolation above about 9,000.
EXACT_LIMIT = 1500
BARNES_HUT_LIMIT = 10_000
_BLOCK_VALUES = 1 << 15  # float64 values: a block and its copy stay in the second-level cache


def exact_gradient(count: int, dimensions: int) -> Gradient:
    """Return an objective for openTSNE's optimiser that sums over all pairs of points.

    It takes dense affinities, and returns the gradient without its factor 4, as openTSNE does;
    the divergence it returns is NaN, for it is computed once, at the end, by `kl_divergence`.

    Args:
        count: Points, N.
        dimensions: Of the map, E.

    Source: van der Maaten and Hinton 2008, equation 5, split into attraction and repulsion.
    """
    rows = max(1, min(count, _BLOCK_VALUES // count))
    kernel_BN, product_BN = np.empty((rows, count)), np.empty((rows, count))
    # left @ right is 1 + squared distance: one matrix product instead of E differences.
    left = np.ones((count, dimensions + 2))
    right = np.ones((dimensions + 2, count))
    homogeneous = np.ones((count, dimensions + 1))
    attraction, repulsion = np.empty_like(homogeneous), np.empty_like(homogeneous)
    diagonal = np.arange(count)

    def objective(
        embedding: NDArray[np.float64], P: NDArray[np.float64], **_: Any
    ) -> tuple[float, NDArray[np.float64]]:
        points_NE = embedding.view(np.ndarray)
        square_N = np.einsum("ne,ne->n", points_NE, points_NE)
        np.multiply(points_NE, -2, out=left[:, :dimensions])
        left[:, dimensions + 1] = square_N + 1
        right[:dimensions] = points_NE.T
        right[dimensions] = square_N
        homogeneous[:, :dimensions] = points_NE
        total = 0.0
        for start in range(0, count, rows):
            stop = min(count, start + rows)
            kernel, product = kernel_BN[: stop - start], product_BN[: stop - start]
            np.matmul(left[start:stop], right, out=kernel)
            np.reciprocal(kernel, out=kernel)
            kernel[diagonal[: stop - start], diagonal[start:stop]] = 0.0
            total += float(kernel.sum())
            np.multiply(P[start:stop], kernel, out=product)
            np.matmul(product, homogeneous, out=attraction[start:stop])
            np.multiply(kernel, kernel, out=kernel)
            np.matmul(kernel, homogeneous, out=repulsion[start:stop])
        force = attraction - repulsion / total
        return float("nan"), force[:, -1:] * points_NE - force[:, :-1]

    return objective


def run_opentsne(
    points_NC: NDArray[np.float64],
    affinities_NN: NDArray[np.float64] | None,
    config: TsneConfig,
    start_NE: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """Minimise with openTSNE's optimiser: exact, Barnes-Hut or interpolated gradients, by size.

    Momentum and gains start anew after the exaggerated iterations, and steps are not clipped:
    as in scikit-learn, so that the extent of a map, and with it WD and BD, is comparable.
    """
    from openTSNE.affinity import Affinities, PerplexityBasedNN
    from openTSNE.tsne import TSNEEmbedding, gradient_descent

    count = len(points_NC)
    method: str | Gradient
    if affinities_NN is not None and count <= EXACT_LIMIT:
        affinities: Any = Affinities()
        affinities.P = affinities_NN.copy()  # exaggeration is applied in place
        method = exact_gradient(count, config.dimensions)
    else:
        affinities = PerplexityBasedNN(
            points_NC,
            perplexity=config.perplexity,  # pyright: ignore[reportArgumentType] (any real number)
            method="exact",
            n_jobs=1,
        )
        # Interpolation exists for two dimensions only.
        method = "fft" if count > BARNES_HUT_LIMIT and config.dimensions == 2 else "bh"
    make: Any = TSNEEmbedding
    embedding = make(
        start_NE,
        affinities,
        negative_gradient_method=method,
        theta=0.5,
        learning_rate=4 * config.learning_rate,  # openTSNE's gradient lacks the factor 4
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
    return embedding.view(np.ndarray), float(embedding.kl_divergence)


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


ENGINES: dict[Engine, Run] = {"openTSNE": run_opentsne, "scikit-learn": run_scikit_learn}
