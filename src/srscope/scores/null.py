"""Could the separation be chance? A permutation test on CHI.

Suffixes: N points, C principal components, K classes, P permutations, S sets, M contents, U units.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ParameterError
from srscope.scores.labelled import check_labelled
from srscope.scores.variance import is_crossed

_BLOCK_VALUES = 1 << 21


def permutation_p_value(
    points_NC: NDArray[np.floating[Any]],
    set_N: NDArray[np.integer[Any]],
    content_N: NDArray[np.integer[Any]] | None,
    *,
    unit_N: NDArray[np.integer[Any]] | None = None,
    permutations: int = 999,
    seed: int,
    name: str = "points",
) -> float:
    """Return the p-value of the sets' separation, under shuffled labels.

    In a crossed design labels are shuffled within each content: under the null hypothesis a
    content's versions are exchangeable, while contents differ. Otherwise all are shuffled, or
    those of whole units: points of one unit, such as patches of one photograph, are alike for
    reasons of their own, and keep a common label.
    Shuffling leaves WD + BD as it is, so CHI ranks as BD does, and only BD is computed.

    Args:
        points_NC: One row a point.
        set_N: The set of each point.
        content_N: The content of each point; ``None`` shuffles over all.
        unit_N: The unit of each point, which is all in one set; not together with ``content_N``.
        permutations: Shuffles; the smallest p-value is 1 / (permutations + 1).
        seed: Decides the shuffles.
        name: What the points are, for messages.

    Returns:
        (1 + shuffles with CHI at least as high) / (1 + permutations), in (0, 1].

    Raises:
        ParameterError: If the shapes do not fit, a unit is in two sets, contents are given as well,
            ``permutations`` is below 1 or ``seed`` below 0.
        DegenerateError: If a point is not finite, all points coincide, there is one class only,
            or every point is a class of its own.

    Source: Phipson and Smyth 2010 (the observed labels count as one of the shuffles).

    Example:
        >>> set_N, content_N = np.repeat([0, 1], 20), np.tile(np.arange(20), 2)
        >>> points_NC = (9.0 * set_N + content_N)[:, None]
        >>> permutation_p_value(points_NC, set_N, content_N, permutations=99, seed=0)
        0.01
    """
    if permutations < 1:
        raise ParameterError("permutations", "1 or more", permutations)
    if seed < 0:
        raise ParameterError("seed", "0 or more", seed)
    points_NC, class_N, count = check_labelled(points_NC, set_N, score="the p-value", name=name)
    if content_N is not None and content_N.shape != class_N.shape:
        rule = f"one a point, shape {class_N.shape}"
        raise ParameterError(f"the contents of {name}", rule, content_N.shape)
    first_U: NDArray[np.int64] | None = None
    if unit_N is not None:
        unit_N, first_U = _units(class_N, unit_N, content_N, name)
    points_NC -= points_NC.mean(axis=0)
    points_NC /= np.abs(points_NC).max()  # no overflow, no underflow
    if content_N is not None and is_crossed(class_N, content_N):
        # Points content by content, so that a content's labels are one row of a matrix.
        order_N = np.lexsort((class_N, content_N))
        points_NC, class_N = points_NC[order_N], class_N[order_N]
        exchangeable = count
    else:
        exchangeable = len(class_N)
    observed = float(_between(points_NC, class_N[None], count)[0])
    # Shuffles that only rename the classes give the same BD but for rounding, and count.
    threshold = observed * (1 - 1e-10)
    generator = np.random.default_rng(seed)
    at_least = 0
    step = max(1, _BLOCK_VALUES // len(class_N))
    for start in range(0, permutations, step):
        shuffles = min(step, permutations - start)
        if first_U is not None:
            rows = np.tile(class_N[first_U], (shuffles, 1))
            class_PN = generator.permuted(rows, axis=1)[:, unit_N]
        else:
            rows = np.tile(class_N, shuffles).reshape(-1, exchangeable)
            class_PN = generator.permuted(rows, axis=1).reshape(shuffles, -1)
        at_least += int((_between(points_NC, class_PN, count) >= threshold).sum())
    return (1 + at_least) / (1 + permutations)


def _between(
    points_NC: NDArray[np.floating[Any]], class_PN: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Return BD of the points, whose mean is 0, under each labelling."""
    between_P = np.zeros(len(class_PN))
    for k in range(count):
        of_k_PN = class_PN == k
        sum_PC = of_k_PN.astype(np.float64) @ points_NC
        between_P += np.einsum("pc,pc->p", sum_PC, sum_PC) / of_k_PN.sum(axis=1)
    return between_P


def _units(
    class_N: NDArray[np.int64],
    unit_N: NDArray[np.integer[Any]],
    content_N: NDArray[np.integer[Any]] | None,
    name: str,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each point's unit from 0 to U - 1, and the first point of every unit."""
    if content_N is not None:
        raise ParameterError("unit_N", "left out where contents are given", "both")
    if unit_N.shape != class_N.shape:
        rule = f"one a point, shape {class_N.shape}"
        raise ParameterError(f"the units of {name}", rule, unit_N.shape)
    _, first_U, index_N = np.unique(unit_N, return_index=True, return_inverse=True)
    index_N = index_N.reshape(-1)
    if (class_N[first_U][index_N] != class_N).any():
        raise ParameterError(f"the units of {name}", "in one set each", "one is in two sets")
    return index_N.astype(np.int64), first_U.astype(np.int64)
