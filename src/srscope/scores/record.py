"""Scores of one layer, as records. Suffixes: N images, R t-SNE runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from srscope.scores.runs import MeanOfRuns


@dataclass(frozen=True, kw_only=True, slots=True)
class Runs:
    """One score over several t-SNE runs: mean, sample standard deviation and every value."""

    mean: float
    std: float
    runs: tuple[float, ...]

    @classmethod
    def of(cls, values: list[float] | tuple[float, ...]) -> Runs:
        """Summarise ``values``, one per run."""
        array = np.asarray(values, dtype=np.float64)
        std = float(array.std(ddof=1)) if len(array) > 1 else 0.0
        return cls(mean=float(array.mean()), std=std, runs=tuple(map(float, array)))


@dataclass(frozen=True, kw_only=True, slots=True)
class TsneScores:
    """Separability of the 2-D points, by degradation set; ``grade`` is the paper's band of CHI.

    ``chi`` and the others are of the runs that the protocol names. ``chi_known`` is CHI's mean over
    as many runs as make it known to 10 %. ``trustworthiness`` and ``continuity`` say how far the
    first map keeps neighbours.
    """

    chi: Runs
    wd: Runs
    bd: Runs
    kl: Runs
    grade: str
    chi_known: MeanOfRuns | None = None
    trustworthiness: float | None = None
    continuity: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureSpaceScores:
    """Scores on the PCA-50 features themselves; ``None`` where the design leaves one undefined.

    ``knn_accuracy`` never counts a neighbour of the same content, or of the same photograph where
    the design is not crossed; ``p_value`` is from turning the shifts of photographs
    about where it is, else from the permutation test on feature-space CHI.
    """

    chi: float
    silhouette: float
    knn_accuracy: float | None
    p_value: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeScore:
    """How many images a linear probe tells right when their whole photograph was left out.

    ``accuracy`` is balanced over the sets; ``low`` and ``high`` end its 95 % interval over
    photographs, which is ``reliable`` from 8 photographs on; ``chance`` is one over the sets.
    """

    accuracy: float
    low: float
    high: float
    chance: float
    reliable: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class PairScore:
    """Two sets along the probe's axis, on photographs left out: AUC with its interval, and d'."""

    sets: tuple[str, str]
    auc: float
    low: float
    high: float
    d_prime: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Components:
    """Unbiased components of a layer's variance, as shares of their sum.

    Pure noise gives a content of 0 here, while it gives raw shares of :class:`NoiseFloor`.
    ``degradation_low`` and the like end 95 % intervals over photographs.
    """

    degradation: float
    content: float
    residual: float
    degradation_low: float
    degradation_high: float
    content_low: float
    content_high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class NoiseFloor:
    """The raw shares of variance that features of pure noise have in this design."""

    degradation: float
    content: float
    interaction: float


@dataclass(frozen=True, kw_only=True, slots=True)
class VarianceShares:
    """Shares of a layer's total variance; they add up to 1. Only for crossed designs."""

    degradation: float
    content: float
    interaction: float
    components: Components | None = None
    noise_floor: NoiseFloor | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerUse:
    """What moving a layer's mean code of one set towards clean does to the network's output.

    Args:
        layer: Dotted name.
        label: The paper's name where it has one.
        set: The degraded set.
        word: ``"uses it"``, ``"no effect"`` or ``"not decided"``, by
            :func:`~srscope.scores.effects.judge_use`.
        gain: Of PSNR against the original, in dB.
        low: Lower end of its 95 % interval over photographs.
        high: Upper end.
        share: Of the gain in mean squared error that all of the layer's clean features bring;
            ``None`` where these gain nothing.
        controls: Number of matched random directions.
        strongest: The largest gain among them, in dB.
        z: How many of their standard deviations the gain lies above their mean; ``None`` where
            they have no spread.
        shrinkage: Gain in dB of making all of the layer's values smaller.
        failed: What speaks against use, in words.
    """

    layer: str
    label: str
    set: str
    word: str
    gain: float
    low: float
    high: float
    share: float | None
    controls: int
    strongest: float
    z: float | None
    shrinkage: float
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerScores:
    """Everything known of one layer.

    ``layer`` is the module's dotted name (``"pixels"`` for the raw-pixel control), ``label`` the
    paper's name or the dotted name, ``shape`` one image's feature shape (C, H, W). ``depth`` runs
    from 0 to 1 over the network's tap points. ``points_RN2`` are the t-SNE points of every run.
    ``own`` holds the scores that the user registered, by key. ``probe`` reads flattened features
    through PCA; ``knn_photographs`` counts neighbours of other photographs only; ``told_RN`` says
    of every image whether each reading of the probe told its set: flattened features, channel
    means, channel log standard deviations.
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
    probe: ProbeScore | None = None
    probe_channel_means: ProbeScore | None = None
    probe_channel_log_std: ProbeScore | None = None
    knn_photographs: ProbeScore | None = None
    pairs: tuple[PairScore, ...] = ()
    told_RN: NDArray[np.bool_] | None = field(default=None, compare=False)

    @property
    def best_probe(self) -> ProbeScore | None:
        """The most accurate of the probe's readings."""
        readings = (self.probe, self.probe_channel_means, self.probe_channel_log_std)
        return max((r for r in readings if r is not None), key=lambda r: r.accuracy, default=None)
