"""By how much each photograph moves a score: differences and means of scores then need no refit.

A score of photographs is, to first order, its value plus what each photograph adds. Kept so, scores
of several networks on the same photographs are subtracted and averaged photograph by photograph,
and drawn anew with the photographs together. All intervals of populations are made of this.

Suffixes: N images, P photographs, B draws, R maps, D dimensions, Q pairs of sets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.components import VarianceComponents
from srscope.scores.photographs import Balanced, indices, inflation
from srscope.scores.separability import separability


@dataclass(frozen=True, kw_only=True, slots=True)
class Influenced:
    """A score, and by how much each photograph moves it.

    Args:
        value: The score of all photographs.
        influence_P: What each photograph adds; the sum of the squares is the score's variance.
    """

    value: float
    influence_P: NDArray[np.float64]

    @property
    def deviation(self) -> float:
        """Standard deviation over photographs."""
        return math.sqrt(float(np.square(self.influence_P).sum()))

    def draws(self, count_BP: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
        """Return the score of samples that have each photograph so many times.

        Example:
            >>> score = Influenced(value=1.0, influence_P=np.array([-0.5, 0.5]))
            >>> score.draws(np.array([[1, 1], [0, 2]])).tolist()
            [1.0, 2.0]
        """
        return self.value + (count_BP - 1) @ self.influence_P

    def less(self, other: Influenced) -> Influenced:
        """Return the difference to another score of the same photographs."""
        return mean_of([self, other], weights=(1.0, -1.0))


def mean_of(scores: Sequence[Influenced], *, weights: Sequence[float] | None = None) -> Influenced:
    """Return the mean of scores of the same photographs, or another sum of them.

    Args:
        scores: One or more.
        weights: Of each; equal ones that add up to 1 if absent.

    Raises:
        ParameterError: If they are not of equally many photographs.
    """
    sizes = {len(each.influence_P) for each in scores}
    if len(sizes) != 1:
        raise ParameterError("scores", "one or more, of the same photographs", sorted(sizes))
    weight_S = np.full(len(scores), 1 / len(scores)) if weights is None else np.asarray(weights)
    return Influenced(
        value=float(weight_S @ [each.value for each in scores]),
        influence_P=weight_S @ np.stack([each.influence_P for each in scores]),
    )


def of_balanced(result: Balanced, *, folds: int = 0) -> Influenced:
    """Return a mean over images, as wide as its interval: with what the folds share.

    Args:
        result: The mean.
        folds: Of the cross-validation it comes from; 0 where nothing was learnt.
    """
    wider = math.sqrt(inflation(result, folds))
    return Influenced(value=result.value, influence_P=wider * result.influence_P)


def of_jackknife(value: float, without_P: NDArray[np.float64]) -> Influenced:
    """Return a smooth score, from its values with one photograph left out each.

    Raises:
        DegenerateError: If a value is not finite.

    Source: Efron and Tibshirani 1993, chapter 11.

    Example:
        >>> numbers_P = np.array([1.0, 2.0, 6.0])
        >>> mean = of_jackknife(3.0, (9.0 - numbers_P) / 2)
        >>> round(mean.deviation**2, 6) == round(float(numbers_P.var(ddof=1)) / 3, 6)
        True
    """
    if not (math.isfinite(value) and np.isfinite(without_P).all()):
        why = "the score is not finite without some photograph"
        raise DegenerateError("an interval over photographs", why, "give more photographs")
    photographs = len(without_P)
    root = math.sqrt((photographs - 1) / photographs)
    return Influenced(value=value, influence_P=root * (without_P.mean() - without_P))


def left_out(
    score: Callable[[NDArray[np.bool_]], float], photograph_N: NDArray[np.integer[Any]]
) -> Influenced:
    """Return a smooth score of images by leaving out one photograph after the other.

    Args:
        score: Takes which images are there, (N,).
        photograph_N: The photograph of each image.

    Raises:
        DegenerateError: As :func:`of_jackknife`.
    """
    index_N = indices(photograph_N)
    value = score(np.ones(len(index_N), dtype=bool))
    without_P = [score(index_N != p) for p in range(int(index_N.max()) + 1)]
    return of_jackknife(value, np.array(without_P))


def log_chi_of_maps(
    points_RND: NDArray[np.floating[Any]],
    set_N: NDArray[np.integer[Any]],
    photograph_N: NDArray[np.integer[Any]],
    *,
    smallest: float = 0.01,
    name: str = "maps",
) -> Influenced:
    """Return ln of the mean CHI of t-SNE maps, the maps staying as they are.

    A ratio of two CHI is a difference of their logarithms.

    Args:
        points_RND: The maps.
        set_N: The set of each image.
        photograph_N: The photograph of each image.
        smallest: CHI below this counts as this: the last digit that the paper prints.
        name: What the points are, for messages.
    """

    def score(there_N: NDArray[np.bool_]) -> float:
        chis = [separability(p[there_N], set_N[there_N], name=name).chi for p in points_RND]
        return math.log(max(float(np.mean(chis)), smallest))

    return left_out(score, photograph_N)


def components_of(found: VarianceComponents) -> dict[str, Influenced]:
    """Return the shares of degradation and content, which are cut at 0 in value alone."""
    return {
        name: of_jackknife(getattr(found, name).value, found.without_3P[row])
        for row, name in enumerate(("degradation", "content"))
    }
