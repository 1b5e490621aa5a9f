"""Principal axes inside a fold, from inner products alone, so that wide features are read once.

Cross-validation and resampling fit a PCA many times, each time on other rows of the same features.
All these fits follow from the inner products between rows, which are N x N and not N x D.

Suffixes: N rows, D features, T training rows, U other rows, C components.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from srscope.errors import DegenerateError, ParameterError
from srscope.projection.pca import fixed_signs, pca


def inner_products(
    features_ND: NDArray[np.floating[Any]], *, name: str = "features"
) -> NDArray[np.float64]:
    """Return the inner products of the rows, less their mean.

    Args:
        features_ND: One row an image; any float type, may be memory-mapped.
        name: What the features are, for messages, e.g. a layer's name.

    Returns:
        (N, N), in squared units of the features.

    Raises:
        ParameterError: If it is no array (rows, features) with 2 rows or more.
        DegenerateError: If a feature is not finite, or all rows are alike.

    Example:
        >>> inner_products(np.array([[0.0], [2.0]])).tolist()
        [[1.0, -1.0], [-1.0, 1.0]]
    """
    projection = pca(features_ND, components=1, name=name)
    if projection.gram_NN is not None:
        return projection.gram_NN
    centred_ND = features_ND - features_ND.mean(axis=0, dtype=np.float64)
    return centred_ND @ centred_ND.T


def principal_points(
    products_NN: NDArray[np.float64],
    train_T: NDArray[np.integer[Any]],
    other_U: NDArray[np.integer[Any]],
    *,
    components: int,
    name: str = "features",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit a PCA on some rows, and project these and others onto its axes.

    Args:
        products_NN: Inner products of all rows, relative to any one origin.
        train_T: Rows to fit on; a row may stand there several times, as a bootstrap draws it.
        other_U: Rows that are only projected; may be empty.
        components: Axes to keep. Axes without variance are left out, so there may be fewer.
        name: What the features are, for messages.

    Returns:
        (T, C) and (U, C). The sign of an axis is such that its largest training coordinate is
        positive.

    Raises:
        ParameterError: If ``components`` is below 1.
        DegenerateError: If all training rows are alike.

    Example:
        >>> rows = np.arange(4)
        >>> products_NN = inner_products(np.array([[0.0], [3.0], [9.0], [12.0]]))
        >>> train, other = principal_points(products_NN, rows[:3], rows[3:], components=5)
        >>> train.round(6).tolist(), other.round(6).tolist()
        ([[-4.0], [-1.0], [5.0]], [[8.0]])
    """
    if components < 1:
        raise ParameterError("components", "1 or more", components)
    between_TT = products_NN[np.ix_(train_T, train_T)]
    mean_T = between_TT.mean(axis=0)
    centred_TT = between_TT - mean_T - mean_T[:, None] + mean_T.mean()
    size = len(train_T)
    kept = min(components, size)
    value_C, vector_TC = eigh(centred_TT, subset_by_index=(size - kept, size - 1))
    value_C, vector_TC = value_C[::-1], vector_TC[:, ::-1]
    # Rounding leaves a little of what is zero. The scale is that of the products, not of the
    # largest eigenvalue: rows that are all alike have rounding for an eigenvalue.
    floor = (
        size * np.finfo(np.float64).eps * max(float(value_C[0]), float(np.abs(between_TT).max()))
    )
    above_C = value_C > floor
    if not above_C.any():
        why = f"all {size} rows it is fitted on are alike"
        raise DegenerateError(f"PCA of {name}", why, "choose another layer, or images that differ")
    value_C, vector_TC = value_C[above_C], vector_TC[:, above_C]
    points_TC = vector_TC * np.sqrt(value_C)
    signed_TC = fixed_signs(points_TC)
    turned_C = np.where((signed_TC * points_TC).sum(axis=0) < 0, -1.0, 1.0)
    cross_UT = products_NN[np.ix_(other_U, train_T)]
    centred_UT = cross_UT - cross_UT.mean(axis=1, keepdims=True) - mean_T + mean_T.mean()
    others_UC = centred_UT @ (vector_TC * (turned_C / np.sqrt(value_C)))
    return signed_TC, others_UC
