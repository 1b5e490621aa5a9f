"""How much of a layer's variance degradation and content truly take, without the noise's share.

Raw shares of sums of squares are never 0: noise alone gives content (M - 1) / (N - 1) of them, 33 %
for 100 contents in 3 sets. Components are estimated without that bias, as in an analysis of
variance by its expected mean squares. Contents of one photograph are alike, so all is taken from
pairs of contents of different photographs, which are independent. Where every photograph has one
content, that is the analysis of variance to the digit.

Suffixes: N images, D features, S sets, M contents, P photographs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.photographs import Interval, indices, jackknife_interval
from srscope.scores.record import NoiseFloor
from srscope.scores.variance import is_crossed

_PARTS = ("degradation", "content", "residual")


@dataclass(frozen=True, kw_only=True, slots=True)
class VarianceComponents:
    """Unbiased components of variance, as shares of their sum, with intervals over photographs.

    Args:
        degradation: Variance of the sets' means.
        content: Covariance of two versions of the same content: what all versions have in common.
        residual: What is left: noise, and what a degradation does to some contents only.
        negative: Components whose estimate was below 0, and which therefore count as 0.
        total: Sum of the three before they became shares, in squared units of the features.
        noise_floor: What raw shares of sums of squares are to be held against.
        without_3P: The three shares without each photograph; below 0 where the estimate is.
    """

    degradation: Interval
    content: Interval
    residual: Interval
    negative: tuple[str, ...]
    total: float
    noise_floor: NoiseFloor
    without_3P: NDArray[np.float64] = field(repr=False, compare=False)


def noise_floor(sets: int, contents: int) -> NoiseFloor:
    """Return the raw shares of pure noise in a crossed design.

    They are (S - 1) : (M - 1) : (S - 1) (M - 1), over N - 1.

    Raises:
        ParameterError: If there are fewer than two sets or contents.

    Example:
        >>> round(noise_floor(3, 100).content, 3)
        0.331
    """
    for name, value in (("sets", sets), ("contents", contents)):
        if value < 2:
            raise ParameterError(name, "2 or more", value)
    freedom = sets * contents - 1
    return NoiseFloor(
        degradation=(sets - 1) / freedom,
        content=(contents - 1) / freedom,
        interaction=(sets - 1) * (contents - 1) / freedom,
    )


def variance_components_of_gram(
    gram_NN: NDArray[np.float64],
    set_N: NDArray[np.integer[Any]],
    content_N: NDArray[np.integer[Any]],
    photograph_N: NDArray[np.integer[Any]],
    *,
    name: str = "features",
) -> VarianceComponents:
    """Estimate the components of variance, summed over features, from inner products of images.

    Of two contents of different photographs, half the squared difference within a set has the
    expectation V (the variance within a set), half the product of their differences in two sets
    has C (the covariance of versions), and the product of the two sets' differences has the squared
    distance of the sets' means. Content is C, the residual V - C, degradation the sum of squared
    distances over S (S - 1). All are means over all such pairs.

    Args:
        gram_NN: Inner products of the features of all images, best less their mean.
        set_N: The degradation of each image.
        content_N: The content of each image.
        photograph_N: The photograph of each image, the same for all images of a content.
        name: What the features are, for messages.

    Raises:
        ParameterError: If the shapes do not fit, or a content is of two photographs.
        DegenerateError: If the design is not crossed, there are fewer than 3 photographs, a product
            is not finite, or all images are alike.

    Source: Searle, Casella and McCulloch 1992, chapter 4; Efron and Tibshirani 1993, chapter 11.
    """
    what = f"the variance components of {name}"
    images = len(gram_NN)
    if gram_NN.shape != (images, images):
        raise ParameterError(f"the inner products of {name}", "square", gram_NN.shape)
    for kind, label_N in (("sets", set_N), ("contents", content_N), ("photographs", photograph_N)):
        if label_N.shape != (images,):
            rule = f"one an image, shape {(images,)}"
            raise ParameterError(f"the {kind} of {name}", rule, label_N.shape)
    if not is_crossed(set_N, content_N):
        why = "the design is not crossed (each of two or more contents once in each set)"
        raise DegenerateError(what, why)
    if not np.isfinite(gram_NN).all():
        why = "a feature is NaN or infinite"
        raise DegenerateError(what, why, "check the network's weights and its input range")
    sets = len(np.unique(set_N))
    order_N = np.lexsort((content_N, set_N))
    photograph_SM = indices(photograph_N, least=3)[order_N].reshape(sets, -1)
    if (photograph_SM != photograph_SM[0]).any():
        rule = "the same for all images of a content"
        raise ParameterError(f"the photographs of {name}", rule, "one content is of two")
    contents = photograph_SM.shape[1]
    gram_SMSM = gram_NN[np.ix_(order_N, order_N)].reshape(sets, contents, sets, contents)
    part_3, part_3P = _components(gram_SMSM, photograph_SM[0])
    share_3, share_3P = (_shares(each) for each in (part_3, part_3P))
    if not np.isfinite(share_3).all():
        remedy = "choose another layer, or images that differ"
        raise DegenerateError(what, "all images have the same features", remedy)
    if not np.isfinite(share_3P).all():
        why = "without one of the photographs all images have the same features"
        raise DegenerateError(what, why, "give more photographs")
    intervals = [
        jackknife_interval(float(share), share_P, share=True)
        for share, share_P in zip(share_3, share_3P, strict=True)
    ]
    return VarianceComponents(
        degradation=intervals[0],
        content=intervals[1],
        residual=intervals[2],
        negative=tuple(part for part, size in zip(_PARTS, part_3, strict=True) if size < 0),
        total=float(np.maximum(part_3, 0).sum()),
        noise_floor=noise_floor(sets, contents),
        without_3P=share_3P,
    )


def _shares(part_3X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the parts as shares of the sum of those above 0; NaN where there is none."""
    total_X = np.maximum(part_3X, 0.0).sum(axis=0)
    return np.divide(part_3X, total_X, out=np.full_like(part_3X, np.nan), where=total_X > 0)


def _components(
    gram_SMSM: NDArray[np.float64], photograph_M: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return degradation, content and residual: of all photographs, and without each of them."""
    sets, contents = gram_SMSM.shape[:2]
    member_PM = (photograph_M == np.arange(photograph_M.max() + 1)[:, None]).astype(np.float64)
    # Sums over sets with themselves, and over all pairs of sets, as contents x contents.
    products = (np.einsum("smsn->mn", gram_SMSM), gram_SMSM.sum(axis=(0, 2)))
    own_2P = np.stack([member_PM @ np.diag(each) for each in products])
    cross_2PP = np.stack([member_PM @ each @ member_PM.T for each in products])
    cross_2PP[:, np.eye(len(member_PM), dtype=bool)] = 0.0  # pairs of different photographs only
    size_P = member_PM.sum(axis=1)

    # How many ordered pairs of contents there are, and the sums over them, without photograph p.
    pairs_P = (contents - size_P) ** 2 - (np.square(size_P).sum() - np.square(size_P))
    weighted_2 = (own_2P * (contents - size_P)).sum(axis=1)
    own_sum_2P = weighted_2[:, None] - own_2P * (contents - size_P)
    own_sum_2P -= size_P * (own_2P.sum(axis=1)[:, None] - own_2P)
    cross_sum_2 = cross_2PP.sum(axis=(1, 2))
    cross_sum_2P = cross_sum_2[:, None] - 2 * cross_2PP.sum(axis=2)
    pairs = contents**2 - float(np.square(size_P).sum())
    return (
        _parts(weighted_2, cross_sum_2, np.float64(pairs), sets),
        _parts(own_sum_2P, cross_sum_2P, pairs_P, sets),
    )


def _parts(
    own_2X: NDArray[np.float64],
    cross_2X: NDArray[np.float64],
    pairs_X: NDArray[np.float64] | np.float64,
    sets: int,
) -> NDArray[np.float64]:
    within_X = (own_2X[0] - cross_2X[0]) / (sets * pairs_X)
    both_X = (own_2X[1] - own_2X[0]) - (cross_2X[1] - cross_2X[0])
    content_X = both_X / (sets * (sets - 1) * pairs_X)
    degradation_X = (sets * cross_2X[0] - cross_2X[1]) / (sets * (sets - 1) * pairs_X)
    part_3X = np.stack([degradation_X, content_X, within_X - content_X])
    # Differences of equal numbers: what is below rounding is 0.
    return np.where(np.abs(part_3X) > 1e-12 * np.abs(own_2X[0]) / pairs_X, part_3X, 0.0)
