"""Points with a known structure, for the tests of projection and scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from srscope.scores.components import VarianceComponents, variance_components_of_gram
from srscope.scores.resampled import CrossedProducts, crossed_products


def clusters(*, each: int = 50, dimensions: int = 50, seed: int = 1) -> NDArray[np.float64]:
    """Return three Gaussian clusters with a falling spectrum, cluster by cluster."""
    rng = np.random.default_rng(seed)
    spread = np.linspace(2, 0.2, dimensions)
    centres = rng.normal(size=(3, dimensions)) * 1.5
    return np.concatenate([c + rng.normal(size=(each, dimensions)) * spread for c in centres])


def degraded_contents(*, contents: int = 50, seed: int = 1) -> NDArray[np.float64]:
    """Return the PCA points of contents under three degradations, set by set.

    Contents have a power-law spectrum; each set is moved, and the second one shrunk as by blur.
    """
    rng = np.random.default_rng(seed)
    content = rng.normal(size=(contents, 50)) * np.arange(1, 51) ** -0.7 * 10
    moved = rng.normal(size=(3, 50)) * 2
    noise = rng.normal(size=(3, contents, 50)) * 0.3
    gains = (1.0, 0.6, 1.0)
    return np.concatenate([content * gains[d] + moved[d] + noise[d] for d in range(3)])


def crossed_labels(sets: int, contents: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (set_N, content_N) of a crossed design in set-major order."""
    return np.repeat(np.arange(sets), contents), np.tile(np.arange(contents), sets)


def gram_of(features_ND: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the inner products of features less their mean."""
    centred_ND = features_ND.astype(np.float64) - features_ND.mean(axis=0)
    return centred_ND @ centred_ND.T


def products_of(
    features_ND: NDArray[np.floating],
    set_N: NDArray[np.int64],
    content_N: NDArray[np.int64],
    **named: str,
) -> CrossedProducts:
    """Return the inner products of a crossed design, straight from features."""
    return crossed_products(gram_of(features_ND), set_N, content_N, **named)


def variance_components(
    features_ND: NDArray[np.floating],
    set_N: NDArray[np.int64],
    content_N: NDArray[np.int64],
    photograph_N: NDArray[np.int64],
) -> VarianceComponents:
    """Return the components of variance of features, from their inner products."""
    centred_ND = features_ND.astype(np.float64) - features_ND.mean(axis=0, dtype=np.float64)
    return variance_components_of_gram(centred_ND @ centred_ND.T, set_N, content_N, photograph_N)
