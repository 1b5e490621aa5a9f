"""Scores of one layer, as records. Suffixes: N images, R t-SNE runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Runs:
    """One score over several t-SNE runs: mean, standard deviation (ddof=0) and every value."""

    mean: float
    std: float
    runs: tuple[float, ...]

    @classmethod
    def of(cls, values: list[float] | tuple[float, ...]) -> Runs:
        """Summarise ``values``, one per run."""
        array = np.asarray(values, dtype=np.float64)
        return cls(mean=float(array.mean()), std=float(array.std()), runs=tuple(map(float, array)))


@dataclass(frozen=True, kw_only=True, slots=True)
class TsneScores:
    """Separability of the 2-D points, by degradation set; ``grade`` is the paper's band of CHI."""

    chi: Runs
    wd: Runs
    bd: Runs
    kl: Runs
    grade: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureSpaceScores:
    """Scores on the PCA-50 features themselves; ``None`` where the design leaves one undefined.

    ``knn_accuracy`` never counts a neighbour of the same content, or of the same photograph where
    the design is not crossed; ``p_value`` is from the permutation test on feature-space CHI.
    """

    chi: float
    silhouette: float
    knn_accuracy: float | None
    p_value: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class VarianceShares:
    """Shares of a layer's total variance; they add up to 1. Only for crossed designs."""

    degradation: float
    content: float
    interaction: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerScores:
    """Everything known of one layer.

    ``layer`` is the module's dotted name (``"pixels"`` for the raw-pixel control), ``label`` the
    paper's name or the dotted name, ``shape`` one image's feature shape (C, H, W). ``depth`` runs
    from 0 to 1 over the network's tap points. ``points_RN2`` are the t-SNE points of every run.
    ``own`` holds the scores that the user registered, by key.
    """

    layer: str
    label: str
    shape: tuple[int, ...]
    depth: float
    tsne: TsneScores
    feature_space: FeatureSpaceScores
    variance: VarianceShares | None
    points_RN2: NDArray[np.float32]
    own: Mapping[str, float | None] = field(default_factory=dict[str, float | None])
