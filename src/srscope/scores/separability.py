"""The paper's scores: dispersion within and between classes, and the Calinski-Harabasz index.

Suffixes: N points, D dimensions, K classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.labelled import check_labelled

BANDS = ((20.0, "+"), (100.0, "++"), (500.0, "+++"))
"""Lower end of each of the paper's bands of CHI, and its grade; below the first, a minus.

Source: Liu et al. 2021, table 1.
"""


# A share of WD in BD that only rounding leaves: distances within classes of 1e-13 of those between
# them. Single precision, in which networks compute, is coarser by a million.
_ROUNDING = 1e-26


@dataclass(frozen=True, kw_only=True, slots=True)
class Separability:
    """How far apart the classes lie; all three are sums or ratios of squared distances.

    Args:
        wd: Within-class dispersion, a sum over all points, in squared units of the points.
        bd: Between-class dispersion, a sum over all points, in the same units.
        chi: Calinski-Harabasz index, without unit: 0 if the class means coincide.
    """

    wd: float
    bd: float
    chi: float


def separability(
    points_ND: NDArray[np.floating[Any]],
    labels_N: NDArray[np.integer[Any]],
    *,
    name: str = "points",
) -> Separability:
    """Score how well the classes of ``labels_N`` are separated.

    WD sums over all points the squared distance to the mean of their class, BD over all points
    that of their class's mean to the mean of all; CHI = BD / WD * (N - K) / (K - 1).

    Args:
        points_ND: One row a point; any number of dimensions.
        labels_N: The class of each point, any integers.
        name: What the points are, for messages, e.g. a layer's name.

    Returns:
        The three scores.

    Raises:
        ParameterError: If the shapes do not fit.
        DegenerateError: If a score is undefined: a point is not finite, there is one class only,
            every point is a class of its own, or all points of every class coincide (for which
            scikit-learn returns 1.0, as if there were no separation at all, or 1e30 by rounding).

    Source: Liu et al. 2021, supplement section 4, equations 8 to 10; Calinski and Harabasz 1974.

    Example:
        >>> points_ND = np.array([[0.0, 0.0], [0.0, 2.0], [4.0, 0.0], [4.0, 2.0]])
        >>> separability(points_ND, np.array([0, 0, 1, 1]))
        Separability(wd=4.0, bd=16.0, chi=8.0)
    """
    points_ND, class_N, count = check_labelled(points_ND, labels_N, score="CHI", name=name)
    mean_D = points_ND.mean(axis=0)
    within = between = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(count):
            members_ND = points_ND[class_N == k]
            # Seen from one of them, members that coincide are exactly 0, whatever the rounding.
            offset_ND = members_ND - members_ND[0]
            centre_D = offset_ND.mean(axis=0)
            within += float(((offset_ND - centre_D) ** 2).sum())
            between += len(members_ND) * float(((members_ND[0] - mean_D + centre_D) ** 2).sum())
    if not math.isfinite(within + between):
        raise DegenerateError(f"CHI of {name}", "squared distances overflow", "scale the points")
    if within == 0:
        raise DegenerateError(
            f"CHI of {name}",
            "all points of every class coincide",
            "the separation is perfect, and has no finite score",
        )
    chi = between / within * (len(points_ND) - count) / (count - 1)
    if within < _ROUNDING * between or not math.isfinite(chi):
        raise DegenerateError(
            f"CHI of {name}",
            "all points of every class coincide to rounding",
            "the separation is perfect, and has no finite score",
        )
    return Separability(wd=within, bd=between, chi=chi)


def grade(chi: float) -> str:
    """Return the paper's band of CHI: ``-`` below 20, ``+`` from 20, ``++`` 100, ``+++`` 500.

    Args:
        chi: 0 or more.

    Raises:
        ParameterError: If ``chi`` is negative or not finite.

    Source: Liu et al. 2021, table 1.

    Example:
        >>> [grade(chi) for chi in (3.55, 36.53, 234.43, 613.77)]
        ['-', '+', '++', '+++']
    """
    if not (math.isfinite(chi) and chi >= 0):
        raise ParameterError("chi", "a finite number of 0 or more", chi)
    return next((band for least, band in reversed(BANDS) if chi >= least), "-")
