"""SRGA: how far a network's features of other inputs lie from those of its reference inputs.

The index compares two distributions of numbers and nothing else. Every set of features is rotated
into principal axes of its own, so a rotation, a reflection or a shift of the features scores 0
although every single feature may have changed. A low score therefore does not say that the network
treats both sets alike. And a high score may be chance: compare it with :func:`null_scores`, the
same index between two halves of the reference photographs, before it is called a shift.

Suffixes: N rows (images), D features, K sets, B draws, P photographs.

Source: Liu et al., "Evaluating the Generalization Ability of Super-Resolution Networks", TPAMI
2023, section 3. The interval, the null and the sampling floor are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.products import inner_products, principal_points

COMPONENTS = 300
"""Principal components that the paper keeps; fewer images than 301 give one less than images."""
_WIDE = 5.0
"""Standard deviations from the mean beyond which a coefficient is dropped."""
_SMALL, _SHIFT = 1e-5, 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneralizedGaussian:
    """A zero-mean density proportional to exp(-(|x| / a)^shape).

    Args:
        shape: 2 for a Gaussian, 1 for a Laplacian; from 0.2 to 10 where it was fitted.
        std: Standard deviation, in the unit of the values, above 0.
        values: How many values it was fitted to; 0 where it was not fitted.
        dropped: How many values lay too far out and were left aside.
    """

    shape: float
    std: float
    values: int = 0
    dropped: int = 0

    def __post_init__(self) -> None:
        for name, value in (("shape", self.shape), ("std", self.std)):
            if not (math.isfinite(value) and value > 0):
                raise ParameterError(name, "a finite number above 0", value)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureShift:
    """The index of one set against the reference, and what it was computed from.

    Args:
        score: SRGA, from 0; lower is nearer to the reference.
        divergence: Kullback-Leibler divergence of the two densities, in nats.
        reference: Density of the reference set's coefficients.
        test: Density of the other set's.
    """

    score: float
    divergence: float
    reference: GeneralizedGaussian
    test: GeneralizedGaussian


@cache
def _moment_ratios() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the grid of shapes and, for each, variance over squared mean absolute value."""
    shape_G = np.arange(200, 10_001) / 1000
    ratio_G = np.exp(gammaln(1 / shape_G) + gammaln(3 / shape_G) - 2 * gammaln(2 / shape_G))
    return shape_G, ratio_G


def fit_generalized_gaussian(
    values: NDArray[np.floating[Any]], *, name: str = "values"
) -> GeneralizedGaussian:
    """Fit a generalised Gaussian by moments, over shapes from 0.2 to 10 in steps of 0.001.

    Values beyond the mean by more than five standard deviations are dropped first, once. The
    variance is the mean of squares; the shape is where the density's ratio of the variance to the
    squared mean absolute value comes nearest to that of the values.

    Args:
        values: Any shape.
        name: What they are, for messages.

    Returns:
        The density, with how many values it stands for.

    Raises:
        DegenerateError: If a value is not finite, or all are alike.

    Example:
        >>> values = np.random.default_rng(0).normal(0.0, 3.0, 1_000_000)
        >>> fitted = fit_generalized_gaussian(values)
        >>> round(fitted.shape, 1), round(fitted.std, 1)
        (2.0, 3.0)
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    if not len(flat) or not np.isfinite(flat).all():
        bad = int((~np.isfinite(flat)).sum())
        why = f"{bad} of {len(flat)} values are NaN or infinite" if len(flat) else "it is empty"
        raise DegenerateError(f"the density of {name}", why, "check the network's weights")
    centre, spread = flat.mean(), flat.std()
    kept = flat[np.abs(flat - centre) <= _WIDE * spread]
    variance = float(np.mean(kept**2))
    absolute = float(np.abs(kept - kept.mean()).mean())
    if absolute == 0:
        raise DegenerateError(f"the density of {name}", "all values are alike", "use other images")
    shape_G, ratio_G = _moment_ratios()
    nearest = int(np.abs(variance / absolute**2 - ratio_G).argmin())
    return GeneralizedGaussian(
        shape=float(shape_G[nearest]),
        std=math.sqrt(variance),
        values=len(kept),
        dropped=len(flat) - len(kept),
    )


def divergence(reference: GeneralizedGaussian, test: GeneralizedGaussian) -> float:
    """Return the Kullback-Leibler divergence of ``test`` from ``reference``, in nats.

    Example:
        >>> narrow, wide = (GeneralizedGaussian(shape=2.0, std=s) for s in (1.0, 2.0))
        >>> round(divergence(narrow, wide), 6), round(divergence(wide, narrow), 6)
        (0.318147, 0.806853)
    """
    log_width = [
        math.log(g.std) + (gammaln(1 / g.shape) - gammaln(3 / g.shape)) / 2
        for g in (reference, test)
    ]
    log_height = [
        math.log(g.shape) - width - gammaln(1 / g.shape)
        for g, width in zip((reference, test), log_width, strict=True)
    ]
    moment = gammaln((test.shape + 1) / reference.shape) - gammaln(1 / reference.shape)
    ratio = test.shape * (log_width[0] - log_width[1]) + moment
    nats = log_height[0] - log_height[1] - 1 / reference.shape + math.exp(ratio)
    return max(0.0, float(nats))  # rounding may leave it a little below 0


def index_of(nats: float) -> float:
    """Return SRGA of a divergence: log10(nats + 1e-5) + 5, so that no divergence scores 0.

    Example:
        >>> index_of(0.0), round(index_of(0.318147), 3), round(index_of(0.806853), 3)
        (0.0, 4.503, 4.907)
    """
    return math.log10(nats + _SMALL) + _SHIFT


def shift_of(reference: GeneralizedGaussian, test: GeneralizedGaussian) -> FeatureShift:
    """Return the index of two densities."""
    nats = divergence(reference, test)
    return FeatureShift(score=index_of(nats), divergence=nats, reference=reference, test=test)


def density_of_products(
    products_NN: NDArray[np.float64],
    rows: NDArray[np.integer[Any]] | None = None,
    *,
    components: int = COMPONENTS,
    name: str = "features",
) -> GeneralizedGaussian:
    """Return the density of a set's principal coefficients, all components in one vector.

    Args:
        products_NN: Inner products of the set's features: :func:`inner_products`.
        rows: Rows of the set to take, some perhaps several times; all of them if absent.
        components: Principal components to keep; at most one less than the rows.
        name: What the features are, for messages.
    """
    taken = np.arange(len(products_NN)) if rows is None else rows
    kept = min(components, len(taken) - 1)
    points_TC, _ = principal_points(products_NN, taken, taken[:0], components=kept, name=name)
    return fit_generalized_gaussian(points_TC, name=f"the coefficients of {name}")


def srga(
    reference_ND: NDArray[np.floating[Any]],
    test_ND: NDArray[np.floating[Any]],
    *,
    components: int = COMPONENTS,
    name: str = "features",
) -> FeatureShift:
    """Return SRGA of one set of features against the reference set.

    Each set gets a PCA of its own, as in the paper: a rotation of the features scores 0. See the
    module's text before a low or a high score is interpreted.

    Args:
        reference_ND: Features of the reference images, one row an image: of the layer before the
            output convolution.
        test_ND: The same layer's features of other images; as many rows, or the number of rows
            adds to the index.
        components: Principal components to keep, 300 in the paper; at most one less than the rows.
        name: What the features are, for messages.

    Returns:
        The index with both densities.

    Raises:
        DegenerateError: If a feature is not finite, or all rows of a set are alike.
        ParameterError: If a set has no two rows.

    Source: Liu et al., TPAMI 2023, section 3.

    Example:
        >>> features_ND = np.random.default_rng(0).normal(size=(50, 400))
        >>> srga(features_ND, features_ND).score
        0.0
        >>> rotation_DD = np.linalg.qr(np.random.default_rng(1).normal(size=(400, 400)))[0]
        >>> bool(srga(features_ND, features_ND @ rotation_DD).score < 1e-6)
        True
    """
    densities = [
        density_of_products(inner_products(each, name=what), components=components, name=what)
        for each, what in ((reference_ND, f"{name} of the reference"), (test_ND, name))
    ]
    return shift_of(*densities)


def sampling_floor(
    values: int, *, shape: float = 2.0, draws: int = 200, seed: int = 0
) -> tuple[float, float, float]:
    """Return what two samples of one and the same density score: 2.5 %, 50 % and 97.5 % quantile.

    The index cannot be lower than that in earnest. It takes the coefficients for independent,
    which those of an image are not: the null of a network, :func:`null_scores`, is far higher.

    Args:
        values: Coefficients in each sample: images times components.
        shape: Of the density; 2 is Gaussian.
        draws: Pairs of samples.
        seed: Of the samples.

    Raises:
        ParameterError: If ``values`` or ``draws`` is below 2.

    Source: ours.

    Example:
        >>> low, middle, high = sampling_floor(30_000, draws=20)
        >>> bool(0.1 < low < middle < high < 1.5)
        True
    """
    for what, count in (("values", values), ("draws", draws)):
        if count < 2:
            raise ParameterError(what, "2 or more", count)
    random = np.random.default_rng(seed)
    scores: list[float] = []
    for _ in range(draws):
        pair = [
            random.gamma(1 / shape, size=values) ** (1 / shape) * random.choice((-1.0, 1.0), values)
            for _ in range(2)
        ]
        scores.append(shift_of(*(fit_generalized_gaussian(each) for each in pair)).score)
    low, middle, high = np.quantile(scores, (0.025, 0.5, 0.975))
    return float(low), float(middle), float(high)


def null_scores(
    products_NN: NDArray[np.float64],
    photograph_N: NDArray[np.integer[Any]],
    *,
    splits: int = 200,
    components: int = COMPONENTS,
    seed: int = 0,
    name: str = "features",
) -> NDArray[np.float64]:
    """Return the index of one half of the reference photographs against the other, many times.

    This is what the network scores where nothing was done to the images. The halves show other
    contents and have half as many rows as a comparison of whole sets, which share their contents:
    so the null is wide, and what lies above its 95 % quantile is a shift indeed, while what lies
    below is not shown to be one.

    Args:
        products_NN: Inner products of the reference features: :func:`inner_products`.
        photograph_N: The photograph of each row, any integers.
        splits: How often the photographs are divided at random.
        components: As for :func:`srga`.
        seed: Of the divisions.
        name: What the features are, for messages.

    Returns:
        One score a split.

    Raises:
        DegenerateError: If there are fewer than 4 photographs.

    Source: ours.
    """
    photographs_P = np.unique(photograph_N)
    if len(photographs_P) < 4:
        why = f"{len(photographs_P)} photographs cannot be halved often enough"
        raise DegenerateError(f"the null of {name}", why, "give 4 photographs or more")
    random = np.random.default_rng(seed)
    scores: list[float] = []
    for _ in range(splits):
        half_P = random.permutation(photographs_P)[: len(photographs_P) // 2]
        inside_N = np.isin(photograph_N, half_P)
        one, other = (
            density_of_products(products_NN, np.flatnonzero(rows), components=components, name=name)
            for rows in (inside_N, ~inside_N)
        )
        scores.append(shift_of(one, other).score)
    return np.array(scores)


def resampled_scores(
    reference_NN: NDArray[np.float64],
    test_NN: NDArray[np.float64],
    count_BN: NDArray[np.integer[Any]],
    *,
    components: int = COMPONENTS,
    name: str = "features",
) -> NDArray[np.float64]:
    """Return the index for every draw of photographs, with each PCA fitted anew.

    Both sets show the same contents and are drawn alike. A draw repeats rows and so has fewer
    directions than the data: its scores lie lower, by 0.2 in our trials. Take their interval with
    ``interval_of(score, draws, centred=True)``, which covered the expected score in 98 of 100
    trials with 10 photographs; without it 10 to 53.

    Args:
        reference_NN: Inner products of the reference features: :func:`inner_products`.
        test_NN: Those of the other set, its rows in the same order of contents.
        count_BN: How often each draw has each row: ``photograph_counts``.
        components: As for :func:`srga`.
        name: What the features are, for messages.

    Returns:
        One score a draw.
    """
    scores: list[float] = []
    for count_N in count_BN:
        rows = np.repeat(np.arange(len(count_N)), count_N)
        one, other = (
            density_of_products(products, rows, components=components, name=name)
            for products in (reference_NN, test_NN)
        )
        scores.append(shift_of(one, other).score)
    return np.array(scores)
