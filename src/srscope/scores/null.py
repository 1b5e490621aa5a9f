"""Could the separation be chance? Tests by shuffled labels, and by photographs.

Suffixes: N points, C principal components, K classes, P permutations, S sets, M contents, U units,
F photographs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.labelled import check_labelled
from srscope.scores.variance import is_crossed

_BLOCK_VALUES = 1 << 21
FEWEST_TURNED = 6
"""Photographs that :func:`photograph_p_value` needs: 2 / 2^6 is the first below 0.05."""


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


def photograph_p_value(
    gram_NN: NDArray[np.float64],
    set_N: NDArray[np.integer[Any]],
    photograph_N: NDArray[np.integer[Any]],
    *,
    permutations: int = 999,
    seed: int,
    name: str = "features",
) -> float:
    """Return the p-value of the hypothesis that no set is shifted, on average over photographs.

    This takes the place of shuffling labels within contents in crossed designs. That test supposes
    that a content's versions are exchangeable, and they never are: noise adds variance and blur
    takes it away, whatever a network does. It then rejects what nobody asked, or cannot reject
    at all: its p-value was 0.001 beside a CHI of 0.00, and 1.000 for raw pixels.

    Here each photograph gives one observation: the means of its sets, less their common mean. If
    sets differ in spread alone, or each photograph is shifted its own way, these shifts have mean
    0, and turning all shifts of a photograph about (all sets and coordinates at once) changes
    nothing but chance. It leaves each set's own spread as it is. The statistic is the sum of
    squares of the mean shifts, weighted alike over sets; the p-value is the share of such turns
    that give as much. Small: the sets' means differ, for any photographs of this kind. It says
    nothing about how well single images are told apart: the probe says that, and decides.

    It takes inner products of whole features, not points after PCA: PCA of few photographs keeps
    the directions in which they differ and leaves out the one that they share, so that shifts
    cancel out there whatever they are (p is 1.000 for raw pixels once more).

    Args:
        gram_NN: Inner products of the features of all images, best less their mean.
        set_N: The set of each image.
        photograph_N: The photograph of each image; each has images in every set.
        permutations: Random turns; all are taken where there are no more of them.
        seed: Decides the turns.
        name: What the features are, for messages.

    Returns:
        In (0, 1]. With F photographs the smallest possible is 2 / 2^F: at least 6 are needed
        for 0.05.

    Raises:
        ParameterError: If the shapes do not fit, ``permutations`` is below 1 or ``seed`` below 0.
        DegenerateError: If a photograph lacks a set, there are fewer than 6 photographs, there is
            one set only, or a product is not finite.

    Source: Fisher 1935 (turning signs); Winkler et al. 2014 (blocks); Phipson and Smyth 2010.

    Example:
        >>> set_N, photograph_N = np.repeat([0, 1], 20), np.tile(np.arange(10), 4)
        >>> photograph_p_value(1.0 * np.outer(set_N, set_N), set_N, photograph_N, seed=0)
        0.001953125
    """
    if permutations < 1:
        raise ParameterError("permutations", "1 or more", permutations)
    if seed < 0:
        raise ParameterError("seed", "0 or more", seed)
    what = f"the p-value of {name}"
    if gram_NN.shape != (len(gram_NN),) * 2:
        raise ParameterError(f"the inner products of {name}", "square", gram_NN.shape)
    for kind, label_N in (("sets", set_N), ("photographs", photograph_N)):
        if label_N.shape != gram_NN.shape[:1]:
            rule = f"one an image, shape {gram_NN.shape[:1]}"
            raise ParameterError(f"the {kind} of {name}", rule, label_N.shape)
    if not np.isfinite(gram_NN).all():
        raise DegenerateError(what, "a feature is NaN or infinite", "check the network's weights")
    class_N = np.unique(set_N, return_inverse=True)[1].reshape(-1)
    count = int(class_N.max()) + 1
    if count < 2:
        raise DegenerateError(what, "there is one set only", "give two sets or more")
    found, index_N = np.unique(photograph_N, return_inverse=True)
    photographs = len(found)
    cell_N = index_N.reshape(-1) * count + class_N
    size_FK = np.bincount(cell_N, minlength=photographs * count)
    if (size_FK == 0).any():
        remedy = "test photographs of different sets by shuffling their labels"
        raise DegenerateError(what, "some photographs are not in all sets", remedy)
    if photographs < FEWEST_TURNED:
        why = f"turning {photographs} photographs about gives no p-value below 0.05"
        raise DegenerateError(what, why, f"give {FEWEST_TURNED} photographs or more")
    mean_XN = (cell_N == np.arange(photographs * count)[:, None]) / size_FK[:, None]
    shift_FKN = mean_XN.reshape(photographs, count, -1)
    shift_FKN -= shift_FKN.mean(axis=1, keepdims=True)
    products_FF = np.einsum("fkn,gkn->fg", shift_FKN @ gram_NN, shift_FKN)
    whole = 2 ** (photographs - 1)  # turning all about changes nothing
    if whole <= permutations + 1:
        bits_PF = (np.arange(whole)[:, None] >> np.arange(photographs)) & 1
        observed_too = 0
    else:
        bits_PF = np.random.default_rng(seed).integers(2, size=(permutations, photographs))
        observed_too = 1
    sign_PF = 1.0 - 2.0 * bits_PF
    turned_P = np.einsum("pf,pf->p", sign_PF @ products_FF, sign_PF)
    # The turn that changes nothing gives the same but for rounding, and counts.
    threshold = float(products_FF.sum()) - 1e-10 * float(np.trace(products_FF))
    at_least = int((turned_P >= threshold).sum())
    return (observed_too + at_least) / (observed_too + len(turned_P))


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
