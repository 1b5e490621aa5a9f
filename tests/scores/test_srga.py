"""SRGA against an implementation of its own, and what the index can and cannot show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import gamma

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.photographs import interval_of, photograph_counts
from srscope.scores.products import inner_products
from srscope.scores.srga import (
    GeneralizedGaussian,
    density_of_products,
    divergence,
    fit_generalized_gaussian,
    null_scores,
    resampled_scores,
    sampling_floor,
    shift_of,
    srga,
)


def _brute_force_shape_and_std(values):
    """The moments by a plain loop over the grid, with gamma and not its logarithm."""
    near = [v for v in values.tolist() if abs(v - values.mean()) <= 5 * values.std()]
    kept = np.array(near)
    ratio = (kept**2).mean() / np.abs(kept - kept.mean()).mean() ** 2
    best, error = 0.0, math.inf
    for step in range(200, 10_001):
        b = step / 1000
        away = abs(ratio - gamma(1 / b) * gamma(3 / b) / gamma(2 / b) ** 2)
        if away < error:
            best, error = b, away
    return best, math.sqrt((kept**2).mean())


def _independent_srga(reference_ND, test_ND, components):
    """SVD, loops, and the divergence in the published form with I1 to I4."""
    fits = []
    for features_ND in (reference_ND, test_ND):
        centred = features_ND.astype(np.float64) - features_ND.mean(axis=0, dtype=np.float64)
        u, s, _ = np.linalg.svd(centred, full_matrices=False)
        points = (u * s)[:, : min(components, len(centred) - 1)]
        for c in range(points.shape[1]):
            if points[np.abs(points[:, c]).argmax(), c] < 0:
                points[:, c] *= -1
        fits.append(_brute_force_shape_and_std(points.ravel()))
    (b1, s1), (b2, s2) = fits
    i1 = b1 * s2 * gamma(1 / b2) * math.sqrt(gamma(1 / b2) * gamma(3 / b1))
    i2 = b2 * s1 * gamma(1 / b1) * math.sqrt(gamma(1 / b1) * gamma(3 / b2))
    i3 = s1 * math.sqrt(gamma(1 / b1) * gamma(3 / b2))
    i4 = s2 * math.sqrt(gamma(1 / b2) * gamma(3 / b1))
    nats = math.log(i1 / i2) - 1 / b1 + (i3 / i4) ** b2 * gamma((b2 + 1) / b1) / gamma(1 / b1)
    return math.log10(nats + 1e-5) + 5


def _features(seed, *, images=40, width=500, gain=1.0, noise=0.0):
    random = np.random.default_rng(seed)
    base = random.standard_t(4, size=(images, 60)) @ random.normal(size=(60, width))
    base *= np.geomspace(1, 0.05, width)
    return (gain * base + noise * random.normal(size=base.shape)).astype(np.float32)


@pytest.mark.parametrize("components", [300, 7])
@pytest.mark.parametrize(("gain", "noise"), [(1.3, 0.0), (1.0, 4.0), (0.5, 1.0)])
def test_equals_an_independent_implementation(gain, noise, components):
    one, other = _features(0), _features(1, gain=gain, noise=noise)
    ours = srga(one, other, components=components).score
    assert ours == pytest.approx(_independent_srga(one, other, components), abs=1e-6)


def test_features_narrower_than_the_images_give_the_same_as_the_independent_one():
    one, other = _features(0, width=12), _features(1, width=12, noise=2.0)
    assert srga(one, other).score == pytest.approx(_independent_srga(one, other, 12), abs=1e-6)


def test_identity_scores_zero():
    features = _features(3)
    assert srga(features, features).score == 0.0
    assert srga(features, features.copy()).divergence == 0.0


def test_exact_gaussians_give_the_stated_digits():
    one, two = (GeneralizedGaussian(shape=2.0, std=s) for s in (1.0, 2.0))
    assert round(shift_of(one, two).score, 3) == 4.503
    assert round(shift_of(two, one).score, 3) == 4.907


def test_samples_of_gaussians_come_near_them():
    # At 2,000,000 values the standard error of log(std) is 5e-4: 0.01 in the index is ample.
    random = np.random.default_rng(0)
    one, two = (fit_generalized_gaussian(random.normal(0, s, 2_000_000)) for s in (1.0, 2.0))
    assert shift_of(one, two).score == pytest.approx(4.503, abs=0.01)
    assert shift_of(two, one).score == pytest.approx(4.907, abs=0.01)


@pytest.mark.parametrize(
    ("shapes", "stds"), [((2, 1), (1, 1)), ((0.7, 1.5), (2, 3)), ((4, 4), (1, 3))]
)
def test_divergence_equals_its_integral(shapes, stds):
    pair = [GeneralizedGaussian(shape=b, std=s) for b, s in zip(shapes, stds, strict=True)]
    laws = [
        stats.gennorm(g.shape, scale=g.std * math.sqrt(gamma(1 / g.shape) / gamma(3 / g.shape)))
        for g in pair
    ]
    nats, _ = integrate.quad(
        lambda x: laws[0].pdf(x) * (laws[0].logpdf(x) - laws[1].logpdf(x)), 0, 60, limit=500
    )
    assert divergence(*pair) == pytest.approx(2 * nats, abs=1e-7)


def test_values_beyond_five_deviations_are_dropped_once():
    values = np.r_[np.random.default_rng(0).normal(size=10_000), 50.0, -60.0]
    fitted = fit_generalized_gaussian(values)
    assert (fitted.values, fitted.dropped) == (10_000, 2)
    assert fitted.std == pytest.approx(1.0, abs=0.03)
    assert fitted.shape == pytest.approx(2.0, abs=0.15)


def test_a_rotation_of_the_features_scores_zero():
    features = _features(0, width=200)
    rotation = np.linalg.qr(np.random.default_rng(5).normal(size=(200, 200)))[0]
    assert srga(features, features @ rotation).score < 1e-3
    assert srga(features, features + 100.0).score < 1e-3


def test_the_floor_is_near_the_one_measured_before():
    # Measured before, over a few pairs: 0.04 to 0.56 at 240,000 values, 0.18 to 1.15 at 30,000.
    low, middle, high = sampling_floor(240_000, draws=20)
    assert low < 0.1
    assert 0.04 < middle < 0.56
    assert 0.3 < high < 0.9
    low, middle, high = sampling_floor(30_000, draws=60)
    assert 0.18 < middle < 1.15
    assert 0.9 < high < 1.7


def test_the_floor_follows_its_seed():
    assert sampling_floor(1000, draws=5) == sampling_floor(1000, draws=5)
    assert sampling_floor(1000, draws=5) != sampling_floor(1000, draws=5, seed=1)


def test_the_floor_refuses_too_little():
    with pytest.raises(ParameterError, match="draws must be 2 or more"):
        sampling_floor(1000, draws=1)


def test_the_null_is_what_halves_of_the_same_photographs_score():
    photograph_N = np.repeat(np.arange(10), 4)
    products = inner_products(_features(0))
    scores = null_scores(products, photograph_N, splits=20)
    assert len(scores) == 20
    assert not np.array_equal(scores, null_scores(products, photograph_N, splits=20, seed=1))
    # By hand, for the first split.
    half = np.random.default_rng(0).permutation(np.arange(10))[:5]
    inside = np.isin(photograph_N, half)
    features = _features(0)
    assert scores[0] == pytest.approx(srga(features[inside], features[~inside]).score, abs=1e-6)
    # A shift far beyond it is told from it.
    assert srga(features, 3 * features).score > np.quantile(scores, 0.95)


def test_the_null_needs_photographs_to_halve():
    products = inner_products(_features(0))
    with pytest.raises(DegenerateError, match="3 photographs cannot be halved"):
        null_scores(products, np.arange(40) % 3)


def test_draws_of_photographs_give_an_interval_about_the_score():
    reference, test = _features(0), _features(0) + _features(9, gain=0.8)
    products = [inner_products(each) for each in (reference, test)]
    counts = photograph_counts(np.repeat(np.arange(10), 4), draws=40, seed=0)
    draws = resampled_scores(*products, counts)
    score = srga(reference, test).score
    found = interval_of(score, draws, centred=True)
    assert found.low < score < found.high
    assert found.high - found.low < 1.5
    # A draw of every row once is the score itself.
    once = resampled_scores(*products, np.ones((1, 40), dtype=np.int64))
    assert once[0] == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.array([1.0, math.nan]), "1 of 2 values are NaN or infinite"),
        (np.full(10, 3.0), "all values are alike"),
        (np.array([]), "it is empty"),
    ],
)
def test_an_undefined_density_is_refused(values, says):
    with pytest.raises(DegenerateError, match=says):
        fit_generalized_gaussian(values)


def test_rows_that_are_all_alike_are_refused():
    features = _features(0)
    with pytest.raises(DegenerateError, match="alike"):
        srga(features, np.ones_like(features))
    products = inner_products(features)
    with pytest.raises(DegenerateError, match="all 3 rows it is fitted on are alike"):
        density_of_products(products, np.zeros(3, dtype=np.int64))


def test_a_density_needs_a_width():
    with pytest.raises(ParameterError, match="std must be a finite number above 0"):
        GeneralizedGaussian(shape=2.0, std=0.0)
