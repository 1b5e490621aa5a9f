"""Which degradation, how strong, or nothing known: classifiers on a layer's features.

Held out in the evaluation are photographs and levels at once: what is told of an image was learned
from other photographs at other levels. For "unknown", whole families are held out too.

Suffixes: N rows (images), D features, C components, T types, K cells (a type at a level), U rows
to tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeCV

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.probe import COMPONENTS
from srscope.scores.products import inner_products, principal_points

KNOWN_SHARE = 0.95
"""Share of known images, of photographs not fitted on, that must not be called unknown."""
_PENALTIES = np.logspace(-3, 4, 15)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Labels:
    """What was done to each image.

    Args:
        type_N: Name of the degradation's family, e.g. ``"noise"``; ``"clean"`` is a type too.
        level_N: Its degree, above 0; NaN where the type has none.
        photograph_N: The photograph of each image, any integers.

    Raises:
        ParameterError: If the three do not match, or a level is not above 0.
    """

    type_N: NDArray[np.str_]
    level_N: NDArray[np.float64]
    photograph_N: NDArray[np.integer[Any]]

    def __post_init__(self) -> None:
        shapes = {self.type_N.shape, self.level_N.shape, self.photograph_N.shape}
        if len(shapes) > 1 or self.type_N.ndim != 1:
            raise ParameterError("labels", "one of each an image", sorted(shapes))
        if (self.level_N <= 0).any():
            remedy = "leave it NaN where there is no degree"
            raise ParameterError("level_N", "above 0", float(np.nanmin(self.level_N)), remedy)

    def __len__(self) -> int:
        return len(self.type_N)

    def at(self, rows: NDArray[Any]) -> Labels:
        """Return the labels of some rows."""
        return Labels(
            type_N=self.type_N[rows],
            level_N=self.level_N[rows],
            photograph_N=self.photograph_N[rows],
        )

    @property
    def types(self) -> tuple[str, ...]:
        """The types, in the order in which they first appear."""
        return tuple(dict.fromkeys(self.type_N.tolist()))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Told:
    """What was told of images.

    Args:
        types: The types that could be told.
        type_N: Index of the likeliest type.
        probability_NT: Of each type; rows add up to 1.
        level_NT: The degree, if it is of that type; NaN for a type without degree.
        distance_N: Squared Mahalanobis distance to the nearest known type and level, over the
            number of components. It has no scale of its own: compare it with the distances of
            known images that were held out alike.
    """

    types: tuple[str, ...]
    type_N: NDArray[np.int64]
    probability_NT: NDArray[np.float64]
    level_NT: NDArray[np.float64]
    distance_N: NDArray[np.float64]

    def at(self, rows: NDArray[Any]) -> Told:
        """Return what was told of some images."""
        return Told(
            types=self.types,
            type_N=self.type_N[rows],
            probability_NT=self.probability_NT[rows],
            level_NT=self.level_NT[rows],
            distance_N=self.distance_N[rows],
        )


class Teller:
    """The classifiers, fitted on points in principal axes.

    Args:
        points_NC: Images of all types, in axes fitted on them.
        labels: What was done to them.

    Raises:
        DegenerateError: If there are fewer than 2 types.

    Source: shrinkage as in Ledoit and Wolf 2004; ridge penalty by leave-one-out (``RidgeCV``).
    """

    def __init__(self, points_NC: NDArray[np.float64], labels: Labels) -> None:
        self.types = labels.types
        if len(self.types) < 2:
            why = f"there is one type only, {', '.join(self.types)}"
            raise DegenerateError("the type of a degradation", why, "give clean images and others")
        index_N = np.array([self.types.index(each) for each in labels.type_N.tolist()])
        self._lda = LinearDiscriminantAnalysis(
            solver="lsqr", shrinkage="auto", priors=np.full(len(self.types), 1 / len(self.types))
        ).fit(points_NC, index_N)
        self._scale_C = points_NC.std(axis=0)
        self._scale_C[self._scale_C == 0] = 1.0
        self._ridges = [
            self._ridge(points_NC[index_N == t], labels.level_N[index_N == t])
            for t in range(len(self.types))
        ]
        cell_N = [f"{t} {level}" for t, level in zip(index_N, labels.level_N, strict=True)]
        _, cell_N = np.unique(cell_N, return_inverse=True)
        self._mean_KC = np.stack([points_NC[cell_N == k].mean(0) for k in range(cell_N.max() + 1)])
        # Shrunk in units of the spread within cells: in those of the whole spread, the axes along
        # which the levels lie would be smoothed over.
        around_NC = points_NC - self._mean_KC[cell_N]
        inside_C = around_NC.std(axis=0)
        inside_C[inside_C == 0] = 1.0
        within_CC, _ = ledoit_wolf(around_NC / inside_C)
        self._whiten_CC = np.linalg.cholesky(np.linalg.inv(within_CC)) / inside_C[:, None]

    def _ridge(self, points: NDArray[np.float64], level: NDArray[np.float64]) -> RidgeCV | None:
        if not np.isfinite(level).all() or len(np.unique(level)) < 2:
            return None
        return RidgeCV(_PENALTIES).fit(points / self._scale_C, np.log(level))

    def tell(self, points_UC: NDArray[np.float64]) -> Told:
        """Tell type, degree and distance of images in the same axes."""
        probability_UT = np.asarray(self._lda.predict_proba(points_UC), dtype=np.float64)
        level_UT = np.full(probability_UT.shape, math.nan)
        for t, ridge in enumerate(self._ridges):
            if ridge is not None:
                level_UT[:, t] = np.exp(ridge.predict(points_UC / self._scale_C))
        white_UC, white_KC = points_UC @ self._whiten_CC, self._mean_KC @ self._whiten_CC
        square_UK = ((white_UC[:, None] - white_KC) ** 2).sum(axis=2)
        return Told(
            types=self.types,
            type_N=probability_UT.argmax(axis=1),
            probability_NT=probability_UT,
            level_NT=level_UT,
            distance_N=square_UK.min(axis=1) / points_UC.shape[1],
        )


def tell_held_out(
    products_NN: NDArray[np.float64],
    labels: Labels,
    *,
    unknown: Sequence[str] = (),
    components: int = COMPONENTS,
    groups: int = 10,
    seed: int = 0,
) -> Told:
    """Tell every image by classifiers that saw neither its photograph nor its level.

    The levels of each type are divided into every other one; a type with fewer than four keeps
    them all, so that two are left to fit on. Images of a type in ``unknown`` are told by the
    classifiers of the other types.

    Args:
        products_NN: Inner products of the features.
        labels: What was done to each image.
        unknown: Types that are never fitted on.
        components: Principal components; fitted without the images that are told.
        groups: Groups of photographs that are left out in turn; fewer where there are fewer.
        seed: Of the groups.

    Raises:
        ParameterError: If an unknown type is none, or the products do not match.
        DegenerateError: If fewer than 2 photographs or 2 known types are there.
    """
    if len(products_NN) != len(labels):
        raise ParameterError("products_NN", f"of {len(labels)} images", products_NN.shape)
    missing = [name for name in unknown if name not in labels.types]
    if missing:
        raise ParameterError("unknown", f"among {', '.join(labels.types)}", missing[0])
    photographs = np.unique(labels.photograph_N)
    if len(photographs) < 2:
        why = "there is one photograph only, and one is left out"
        raise DegenerateError("the type of a degradation", why, "give more photographs")
    shuffled = np.random.default_rng(seed).permutation(photographs)
    folds = np.array_split(shuffled, min(groups, len(photographs)))
    known_N = ~np.isin(labels.type_N, list(unknown))
    half_N = _halves(labels)
    parts: list[tuple[NDArray[np.int64], Told]] = []
    for fold in folds:
        outside_N = np.isin(labels.photograph_N, fold)
        for half in (0, 1):
            train = np.flatnonzero(known_N & ~outside_N & (half_N != half))
            other = np.flatnonzero(outside_N & ((half_N == half) | ((half_N < 0) & (half == 0))))
            points, others = principal_points(products_NN, train, other, components=components)
            parts.append((other, Teller(points, labels.at(train)).tell(others)))
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))

    def joined(name: str) -> Any:
        return np.concatenate([getattr(told, name) for _, told in parts])[order]

    return Told(
        types=parts[0][1].types,
        type_N=joined("type_N"),
        probability_NT=joined("probability_NT"),
        level_NT=joined("level_NT"),
        distance_N=joined("distance_N"),
    )


def _halves(labels: Labels) -> NDArray[np.int64]:
    """Return 0 or 1 by the place of an image's level among its type's; -1 where all are kept."""
    half_N = np.full(len(labels), -1)
    for name in labels.types:
        of_type_N = labels.type_N == name
        levels = np.unique(labels.level_N[of_type_N & np.isfinite(labels.level_N)])
        if len(levels) >= 4:
            for place, level in enumerate(levels):
                half_N[of_type_N & (labels.level_N == level)] = place % 2
    return half_N


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Identifier:
    """Classifiers for images of one's own, with the distance from which on they are unknown.

    Args:
        axes_DC: Principal axes, each over its standard length 1.
        mean_D: Mean of the features.
        teller: The classifiers in these axes.
        limit: Distance above which an image is unknown.
    """

    axes_DC: NDArray[np.floating[Any]]
    mean_D: NDArray[np.float64]
    teller: Teller
    limit: float

    @classmethod
    def fit(
        cls,
        features_ND: NDArray[np.floating[Any]],
        labels: Labels,
        *,
        distance_N: NDArray[np.float64],
        components: int = COMPONENTS,
        share: float = KNOWN_SHARE,
    ) -> Self:
        """Fit on all images; the limit comes from distances of held-out ones.

        Args:
            features_ND: One row an image.
            labels: What was done to each.
            distance_N: Their distances as :func:`tell_held_out` found them, all types known.
            components: Principal components.
            share: Of known images that stay known.
        """
        if not 0 < share < 1:
            raise ParameterError("share", "between 0 and 1", share)
        rows = np.arange(len(labels))
        products_NN = inner_products(features_ND)
        points_NC, _ = principal_points(products_NN, rows, rows[:0], components=components)
        mean_D = features_ND.mean(axis=0, dtype=np.float64)
        weight_NC = points_NC / (points_NC**2).sum(axis=0)
        return cls(
            # In the features' own type: a copy of them in float64 would fill twice the memory.
            axes_DC=(features_ND - mean_D.astype(features_ND.dtype)).T
            @ weight_NC.astype(features_ND.dtype),
            mean_D=mean_D,
            teller=Teller(points_NC, labels),
            limit=float(np.quantile(distance_N, share)),
        )

    def tell(self, features_UD: NDArray[np.floating[Any]]) -> Told:
        """Tell images of one's own."""
        return self.teller.tell((features_UD - self.mean_D) @ self.axes_DC)

    def unknown(self, told: Told) -> NDArray[np.bool_]:
        """Return which images are like nothing that was fitted on."""
        return told.distance_N > self.limit
