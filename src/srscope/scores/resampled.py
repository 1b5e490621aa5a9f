"""The two-way variance split on resampled contents, exactly, from inner products alone.

A bootstrap over contents repeats some and leaves others out. The sums of squares of such a sample
are quadratic in how often each content was drawn, with inner products of features as coefficients:
they are taken once, and every draw then costs a few products of small matrices.

Suffixes: N images, D features, S sets, M contents, B draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError
from srscope.scores.variance import is_crossed


@dataclass(frozen=True, kw_only=True, slots=True)
class CrossedProducts:
    """Inner products of a crossed design, from which all its sums of squares follow.

    Args:
        set_SMM: Between contents, within each set.
        mean_MM: Between the contents' means over the sets.
    """

    set_SMM: NDArray[np.float64]
    mean_MM: NDArray[np.float64]


def crossed_products(
    gram_NN: NDArray[np.float64],
    set_N: NDArray[np.integer[Any]],
    content_N: NDArray[np.integer[Any]],
    *,
    name: str = "features",
) -> CrossedProducts:
    """Return the inner products of a crossed design.

    Args:
        gram_NN: Inner products of the features of all images, less their mean, as PCA has them.
        set_N: The degradation of each image.
        content_N: The content of each image; in the result, they stand in ascending order.
        name: What the features are, for messages.

    Raises:
        DegenerateError: If the design is not crossed.
    """
    if not is_crossed(set_N, content_N):
        why = "the design is not crossed (each of two or more contents once in each set)"
        raise DegenerateError(f"the variance split of {name}", why)
    sets, contents = len(np.unique(set_N)), len(np.unique(content_N))
    order_N = np.lexsort((content_N, set_N))
    gram_SMSM = gram_NN[np.ix_(order_N, order_N)].reshape(sets, contents, sets, contents)
    set_SMM = np.stack([gram_SMSM[s, :, s] for s in range(sets)])
    return CrossedProducts(set_SMM=set_SMM, mean_MM=gram_SMSM.mean(axis=(0, 2)))


def content_shares(
    products: CrossedProducts,
    count_BM: NDArray[np.integer[Any] | np.floating[Any]],
    *,
    corrected: bool = False,
) -> NDArray[np.float64]:
    """Return the share of content in the variance of samples of contents.

    It is that of :func:`~srscope.scores.variance.two_way_variance` on a data set in which content m
    appears ``count_BM[b, m]`` times, each time as a content of its own.

    A bootstrap sample repeats contents, which makes them look more alike than they are: of M drawn
    contents, the sums of squares of content and interaction are smaller by a factor (M - 1) / M on
    average, and that of degradation is larger by 1 / M of the interaction. ``corrected`` takes this
    back, so that the samples spread about the share of the data and not below it.

    Args:
        products: Of all contents.
        count_BM: How often each sample has each content; every row has the same positive sum.
        corrected: Undo what repetition does to the sums of squares; for bootstrap samples.

    Returns:
        One share a sample, in [0, 1]; NaN where a sample has no variance.

    Example:
        >>> centred_ND = np.array([[-1.5], [0.5], [-0.5], [1.5]])
        >>> sets, contents = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
        >>> products = crossed_products(centred_ND @ centred_ND.T, sets, contents)
        >>> content_shares(products, np.array([[1, 1], [2, 0]])).tolist()
        [0.8, 0.0]
    """
    count_BM = np.asarray(count_BM, dtype=np.float64)
    sets, drawn_B = len(products.set_SMM), count_BM.sum(axis=1)
    squares_M = np.einsum("smm->m", products.set_SMM)
    # Differences of equal numbers: what is below rounding is 0.
    least = 1e-12 * float(squares_M.sum())

    def rounded(squares_B: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(squares_B > least, squares_B, 0.0)

    grand_B = sets * _quadratic(products.mean_MM, count_BM) / drawn_B
    content_B = rounded(sets * (count_BM @ np.diag(products.mean_MM)) - grand_B)
    degradation_B = rounded(_quadratic(products.set_SMM.sum(axis=0), count_BM) / drawn_B - grand_B)
    interaction_B = rounded(count_BM @ squares_M - grand_B - content_B - degradation_B)
    if corrected:
        degradation_B = np.maximum(degradation_B - interaction_B / (drawn_B - 1), 0.0)
        content_B = content_B * drawn_B / (drawn_B - 1)
        interaction_B = interaction_B * drawn_B / (drawn_B - 1)
    total_B = content_B + degradation_B + interaction_B
    share_B = np.full(len(count_BM), np.nan)
    np.divide(content_B, total_B, out=share_B, where=total_B > 0)
    return share_B


def _quadratic(
    products_MM: NDArray[np.float64], count_BM: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.einsum("bm,bm->b", count_BM @ products_MM, count_BM)
