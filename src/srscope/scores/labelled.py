"""What every score asks of labelled points, checked in one place.

Suffixes: N points, D dimensions, K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError, ParameterError


def check_labelled(
    points_ND: NDArray[np.floating[Any]],
    labels_N: NDArray[np.integer[Any]],
    *,
    score: str,
    name: str,
) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """Return the points as float64, each one's class from 0 to K - 1, and K.

    Args:
        points_ND: One row a point.
        labels_N: Any integers, equal within a class.
        score: What is to be computed, for messages.
        name: What the points are, for messages.

    Raises:
        ParameterError: If the shapes do not fit.
        DegenerateError: If a point is not finite, all points coincide, there is one class only,
            or every point is a class of its own.
    """
    if points_ND.ndim != 2 or len(points_ND) == 0:
        raise ParameterError(name, "an array (points, dimensions)", points_ND.shape)
    if labels_N.shape != points_ND.shape[:1]:
        rule = f"one a point, shape {points_ND.shape[:1]}"
        raise ParameterError(f"the labels of {name}", rule, labels_N.shape)
    points_ND = points_ND.astype(np.float64)
    what = f"{score} of {name}"
    if not np.isfinite(points_ND).all():
        bad = int((~np.isfinite(points_ND)).sum())
        raise DegenerateError(what, f"{bad} coordinates are NaN or infinite")
    classes, class_N = np.unique(labels_N, return_inverse=True)
    count = len(classes)
    if count < 2:
        raise DegenerateError(what, "there is one class only", "give two sets or more")
    if count == len(points_ND):
        why = "every point is a class of its own"
        raise DegenerateError(what, why, "give more images a set")
    if (points_ND == points_ND[0]).all():
        raise DegenerateError(what, "all points coincide", "choose another layer")
    return points_ND, class_N.reshape(-1).astype(np.int64), count
