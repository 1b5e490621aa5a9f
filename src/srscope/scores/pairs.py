"""How far apart each two sets lie along the probe's axis, on photographs left out.

Suffixes: N images, A and B images of two sets, P photographs, Q pairs of sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ParameterError
from srscope.scores.photographs import Balanced, Interval, freedom, indices, share_interval
from srscope.scores.probe import Probe


@dataclass(frozen=True, kw_only=True, slots=True)
class PairScores:
    """Two sets along the axis that the probe learnt for them.

    Args:
        sets: The two sets.
        auc: The chance that an image of the first stands above one of the second; 0.5 if the
            axis tells nothing, below it if what was learnt is misleading.
        d_prime: Distance of the two means in standard deviations, the mean square of both sets';
            ``None`` where neither set has any spread.
    """

    sets: tuple[int, int]
    auc: Interval
    d_prime: float | None


def pair_scores(
    probe: Probe, set_N: NDArray[np.integer[Any]], photograph_N: NDArray[np.integer[Any]]
) -> tuple[PairScores, ...]:
    """Return AUC and d' of each pair of sets, from the same folds as the probe's accuracy.

    The axis of a pair is the probe's own direction between the two sets. Each fold learns another;
    all are scaled to standard deviations within a set, and start midway between the two, so that
    images of different folds can be compared. Intervals are over photographs, with all images of
    both sets.

    Args:
        probe: The finished probe.
        set_N: The set of each image, as the probe was given it.
        photograph_N: The photograph of each image, as the probe was given it.

    Raises:
        ParameterError: If the probe is of another number of images.
        DegenerateError: If both sets are of one photograph.

    Source: Obuchowski 1997 (AUC of clustered observations); Macmillan and Creelman 2005 (d').

    Example:
        >>> from srscope.scores.probe import probe_of_vectors
        >>> set_N, photograph_N = np.arange(200) % 2, np.arange(200) // 4
        >>> vectors_N1 = np.random.default_rng(0).normal(size=(200, 1)) + 2 * set_N[:, None]
        >>> found = probe_of_vectors(vectors_N1, set_N, photograph_N)
        >>> (pair,) = pair_scores(found, set_N, photograph_N)
        >>> round(pair.auc.value, 1), round(pair.d_prime)
        (0.9, 2)
    """
    if set_N.shape != probe.told_N.shape or photograph_N.shape != set_N.shape:
        shape = probe.told_N.shape
        raise ParameterError("sets and photographs", f"those of the probe, {shape}", set_N.shape)
    scores: list[PairScores] = []
    for q, (first, second) in enumerate(probe.pairs):
        both_N = np.flatnonzero((set_N == first) | (set_N == second))
        place_N, first_N = probe.axis_NQ[both_N, q], set_N[both_N] == first
        auc = auc_of_places(place_N, first_N, photograph_N[both_N])
        spread = (place_N[first_N].var(ddof=1) + place_N[~first_N].var(ddof=1)) / 2
        gap = float(place_N[first_N].mean() - place_N[~first_N].mean())
        d_prime = gap / float(np.sqrt(spread)) if spread > 0 else None
        scores.append(
            PairScores(
                sets=(first, second),
                auc=share_interval(auc, folds=probe.folds),
                d_prime=d_prime,
            )
        )
    return tuple(scores)


def auc_of_places(
    place_N: NDArray[np.float64], first_N: NDArray[np.bool_], photograph_N: NDArray[np.integer[Any]]
) -> Balanced:
    """Return AUC, and how each photograph moves it through its images of both sets.

    Args:
        place_N: Place of each image on an axis.
        first_N: Whether it is of the first set.
        photograph_N: The photograph of each image.
    """
    place_A, place_B = place_N[first_N], place_N[~first_N]
    above_A = _share_below(place_A, place_B)
    above_B = 1 - _share_below(place_B, place_A)
    value = float(above_A.mean())
    index_N = indices(photograph_N)
    influence_N = np.empty(len(place_N))
    influence_N[first_N] = (above_A - value) / len(place_A)
    influence_N[~first_N] = (above_B - value) / len(place_B)
    return Balanced(
        value=value,
        influence_P=np.bincount(index_N, weights=influence_N).astype(np.float64),
        freedom=freedom(first_N.astype(np.int64), index_N),
        images=len(place_N),
    )


def _share_below(place_A: NDArray[np.float64], place_B: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each of A the share of B below it; equals count half."""
    sorted_B = np.sort(place_B)
    below_A = np.searchsorted(sorted_B, place_A, side="left")
    not_above_A = np.searchsorted(sorted_B, place_A, side="right")
    return (below_A + not_above_A) / (2 * len(place_B))
