"""PCA of features that come a batch at a time and are never all in memory.

What is kept is a set of directions, several times as many as there will be components, with the
coordinates of every sample so far along them. When enough rows have come, they and the directions,
scaled by their singular values, are merged into a new set through a small Gram matrix, and the
coordinates are turned along at the end. So the features are read once, the cost is linear in the
number of samples, and memory is a few hundred rows of features and the coordinates. Features no
wider than there would be directions are kept as they are, and reduced exactly.

Suffixes: N samples, D features, C components, B rows of a batch, R directions kept, M = R + B.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from srscope.errors import DegenerateError, ParameterError
from srscope.projection.pca import PcaProjection, fixed_signs, pca

_COLUMNS = 8192  # float32 products are added up in float64 after as many features
_ROWS = 4096  # the same of coordinates
_NOISE = 1e-6  # variance that float32 products cannot tell from none, beside the largest


class StreamingPca:
    """PCA in one pass over batches of features.

    Wide features are worked on in float32: an axis whose variance is below a millionth of the first
    one's cannot be told from rounding there, and its coordinates are 0.

    Args:
        components: Axes wanted.
        directions: Directions kept between merges; more are more exact and cost in proportion.
            By default 8 times ``components``, which real features need: beyond the first few
            axes their variance falls slowly, so that neighbouring axes are hard to tell apart.
        name: What the features are, for messages, e.g. a layer's name.

    Raises:
        ParameterError: If ``directions`` are not more than ``components``.

    Source: Brand 2002, "Incremental singular value decomposition", without its mean update: rows
        are taken relative to the mean of the first ones, and centred in their coordinates.

    Example:
        >>> features_ND = np.random.default_rng(0).normal(size=(400, 3)) @ np.eye(3, 90)
        >>> stream = StreamingPca(components=2)
        >>> for start in range(0, 400, 50):
        ...     stream.update(features_ND[start : start + 50])
        >>> stream.finish().points_NC.shape
        (400, 2)
    """

    def __init__(
        self, *, components: int = 50, directions: int | None = None, name: str = "features"
    ) -> None:
        if components < 1:
            raise ParameterError("components", "1 or more", components)
        self.components, self.name = components, name
        self.directions = 8 * components if directions is None else directions
        if self.directions <= components:
            rule = f"more than the {components} components"
            raise ParameterError("directions", rule, self.directions)
        self.samples = 0
        self._rows_at_once = 2 * self.directions
        self._buffer_BD: NDArray[np.float32] | None = None
        self._filled = 0
        self._origin_D: NDArray[np.float32] | None = None
        self._scaled_RD: NDArray[np.float32] | None = None
        # Of every merge: coordinates of its rows, and how older coordinates turn into the new.
        self._coordinates: list[NDArray[np.float32]] = []
        self._turns: list[NDArray[np.float64]] = []
        self._sum_D: NDArray[np.float64] | None = None
        self._squares = 0.0
        self._narrow: list[NDArray[np.float32]] = []

    def update(self, features_BD: NDArray[np.floating[Any]]) -> None:
        """Take the next batch.

        Args:
            features_BD: One row a sample, as wide as every batch before; it is copied.

        Raises:
            ParameterError: If the width differs.
            DegenerateError: If a feature is not finite.
        """
        if features_BD.ndim != 2 or features_BD.shape[1] < 1:
            raise ParameterError(self.name, "an array (samples, features)", features_BD.shape)
        narrow = self._buffer_BD is None and features_BD.shape[1] <= self.directions
        if narrow or self._narrow:
            self._keep(features_BD)
            return
        if self._buffer_BD is None:
            self._buffer_BD = np.empty((self._rows_at_once, features_BD.shape[1]), np.float32)
        width = self._buffer_BD.shape[1]
        if features_BD.shape[1] != width:
            raise ParameterError(self.name, f"{width} features in every batch", features_BD.shape)
        done = 0
        while done < len(features_BD):
            part = features_BD[done : done + self._rows_at_once - self._filled]
            self._buffer_BD[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            done += len(part)
            if self._filled == self._rows_at_once:
                self._merge()

    def finish(self) -> PcaProjection:
        """Return all samples in their principal axes, in the order they came; call it once.

        Raises:
            ParameterError: If there were fewer than ``components + 1`` samples.
            DegenerateError: If all samples are alike.
        """
        if self._narrow:
            features_ND = np.concatenate(self._narrow)
            return pca(features_ND, components=self.components, name=self.name)
        if self._filled:
            self._merge(last=True)
        if self.samples < self.components + 1:
            rule = f"at least {self.components + 1} for {self.components} PCA components"
            remedy = "give more images, or lower the PCA components"
            what = f"the number of samples of {self.name}"
            raise ParameterError(what, rule, self.samples, remedy)
        assert self._sum_D is not None
        mean_D = self._sum_D / self.samples
        total = self._squares - self.samples * float(mean_D @ mean_D)
        self._buffer_BD = None  # room for the coordinates
        coordinates_NR = self._turned()
        coordinates_NR -= coordinates_NR.mean(axis=0, dtype=np.float64).astype(np.float32)
        scatter_RR = np.zeros((coordinates_NR.shape[1],) * 2)
        for start in range(0, self.samples, _ROWS):
            part = coordinates_NR[start : start + _ROWS].astype(np.float64)
            scatter_RR += part.T @ part
        if not total > 0 or not scatter_RR.any():
            why, remedy = f"all {self.samples} samples are alike", "choose another layer"
            raise DegenerateError(f"PCA of {self.name}", why, f"{remedy}, or images that differ")
        count = min(self.components, len(scatter_RR))
        size = len(scatter_RR)
        value_C, axes_RC = eigh(scatter_RR, subset_by_index=(size - count, size - 1))
        value_C, axes_RC = value_C[::-1], axes_RC[:, ::-1]
        real_C = value_C > _NOISE * value_C[0]
        points_NC = np.zeros((self.samples, self.components))
        for start in range(0, self.samples, _ROWS):
            part = coordinates_NR[start : start + _ROWS].astype(np.float64)
            points_NC[start : start + _ROWS, :count] = (part @ axes_RC) * real_C
        points_NC -= points_NC.mean(axis=0)
        explained_C = np.zeros(self.components)
        explained_C[:count] = np.where(real_C, value_C / total, 0.0)
        width = min(self.components, len(mean_D))
        return PcaProjection(
            points_NC=fixed_signs(points_NC[:, :width]), explained_C=explained_C[:width]
        )

    def _keep(self, features_BD: NDArray[np.floating[Any]]) -> None:
        """Keep rows that are no wider than coordinates would be."""
        rows_BD = np.array(features_BD, dtype=np.float32)
        width = (self._narrow or [rows_BD])[0].shape[1]
        if rows_BD.shape[1] != width:
            raise ParameterError(self.name, f"{width} features in every batch", features_BD.shape)
        if not np.isfinite(rows_BD).all():
            raise _not_finite(self.name)
        self._narrow.append(rows_BD)
        self.samples += len(rows_BD)

    def _merge(self, *, last: bool = False) -> None:
        """Replace the directions by the best ones for the rows so far and those in the buffer.

        After the last merge only the coordinates are wanted.
        """
        assert self._buffer_BD is not None
        rows_BD = self._buffer_BD[: self._filled]
        if self._sum_D is None or self._scaled_RD is None:
            self._sum_D = np.zeros(rows_BD.shape[1])
            self._scaled_RD = np.zeros((0, rows_BD.shape[1]), np.float32)
        origin_D = self._origin_D
        with np.errstate(invalid="ignore", over="ignore"):  # seen in the products
            if origin_D is None:
                origin_D = rows_BD.mean(axis=0)
            rows_BD -= origin_D
            self._sum_D += rows_BD.sum(axis=0, dtype=np.float64)
        self._origin_D = origin_D
        kept = len(self._scaled_RD)
        gram_MM = _gram(self._scaled_RD, rows_BD)
        if not np.isfinite(gram_MM).all():
            raise _not_finite(self.name)
        self._squares += float(np.trace(gram_MM[kept:, kept:]))
        size = len(gram_MM)
        count = min(self.directions, size)
        value_R, vector_MR = eigh(gram_MM, subset_by_index=(size - count, size - 1))
        real_R = value_R > _NOISE * max(value_R[-1], 0.0)
        value_R, vector_MR = value_R[real_R], vector_MR[:, real_R]
        scale_R = np.sqrt(value_R)
        # Row m of the stack is vector_m · scale in the new directions; an old direction of length
        # one is that divided by its own scale.
        own_R = np.sqrt(np.diagonal(gram_MM)[:kept])
        turn_RR = vector_MR[:kept] * scale_R / np.where(own_R > 0, own_R, 1.0)[:, None]
        self._turns.append(turn_RR)
        self._coordinates.append((vector_MR[kept:] * scale_R).astype(np.float32))
        if not last:
            turned_RM = np.ascontiguousarray(vector_MR.T, dtype=np.float32)
            new_RD = turned_RM[:, kept:] @ rows_BD
            if kept:
                for start in range(0, new_RD.shape[1], _COLUMNS):
                    part = slice(start, start + _COLUMNS)
                    new_RD[:, part] += turned_RM[:, :kept] @ self._scaled_RD[:, part]
            self._scaled_RD = new_RD
        self.samples += self._filled
        self._filled = 0

    def _turned(self) -> NDArray[np.float32]:
        """Return the coordinates of every sample in the last directions."""
        turn_RR = np.eye(self._coordinates[-1].shape[1])
        turned_NR = np.empty((self.samples, len(turn_RR)), np.float32)
        stop = self.samples
        for coordinates_BR, step_RR in zip(
            reversed(self._coordinates), reversed(self._turns), strict=True
        ):
            turned_NR[stop - len(coordinates_BR) : stop] = coordinates_BR @ turn_RR
            stop -= len(coordinates_BR)
            turn_RR = step_RR @ turn_RR
        return turned_NR


def pca_of_stream(
    batches: Iterable[NDArray[np.floating[Any]]],
    *,
    components: int = 50,
    directions: int | None = None,
    name: str = "features",
) -> PcaProjection:
    """Project features onto their first principal axes as they come: see :class:`StreamingPca`.

    Args:
        batches: Arrays (B, D); read once, one at a time.
        components: As of :class:`StreamingPca`.
        directions: As of :class:`StreamingPca`.
        name: As of :class:`StreamingPca`.

    Returns:
        The points: exact for features no wider than ``directions``; for wider ones exact to float32
        up to ``2 * directions`` samples, and close to that beyond.
    """
    stream = StreamingPca(components=components, directions=directions, name=name)
    for features_BD in batches:
        stream.update(features_BD)
    return stream.finish()


def _not_finite(name: str) -> DegenerateError:
    return DegenerateError(
        f"PCA of {name}",
        "values are NaN, infinite or overflow",
        "check the network's weights and its input range",
    )


def _gram(scaled_RD: NDArray[np.float32], rows_BD: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return all inner products of the rows of both, in blocks of columns."""
    kept, size = len(scaled_RD), len(scaled_RD) + len(rows_BD)
    gram_MM = np.zeros((size, size))
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, rows_BD.shape[1], _COLUMNS):
            rows = rows_BD[:, start : start + _COLUMNS]
            gram_MM[kept:, kept:] += rows @ rows.T
            if kept:
                scaled = scaled_RD[:, start : start + _COLUMNS]
                gram_MM[:kept, :kept] += scaled @ scaled.T
                gram_MM[kept:, :kept] += rows @ scaled.T
    gram_MM[:kept, kept:] = gram_MM[kept:, :kept].T
    return gram_MM
