"""The frozen record of a finished analysis, and its ``scores.json`` form.

`analysis` fills a :class:`Study`; `figures` and `report` only read it. Nothing here computes
a score. Suffixes: N images, R t-SNE runs, K sets (degradations), H/W height and width in LR pixels.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope import files

SCHEMA = "srscope.scores/1"


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
    """

    layer: str
    label: str
    shape: tuple[int, ...]
    depth: float
    tsne: TsneScores
    feature_space: FeatureSpaceScores
    variance: VarianceShares | None
    points_RN2: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkInfo:
    """Which network was analysed; ``scale`` is its magnification, ``sha256`` of its weights."""

    name: str
    source: str
    parameters: int
    sha256: str
    scale: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SetInfo:
    """One degraded set of the suite."""

    name: str
    count: int
    definition: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteInfo:
    """The suite as it was run. ``crossed``: every content appears once in every set."""

    name: str
    sets: tuple[SetInfo, ...]
    blur_applied_to: str
    quantized: bool
    crossed: bool

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> SuiteInfo:
        """Rebuild the record from what ``dataclasses.asdict`` made of it."""
        return cls(
            name=str(plain["name"]),
            sets=tuple(SetInfo(**entry) for entry in plain["sets"]),
            blur_applied_to=str(plain["blur_applied_to"]),
            quantized=bool(plain["quantized"]),
            crossed=bool(plain["crossed"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """The images that were fed to the network, and where they came from.

    ``patches_NHW3`` are the LR patches as 8-bit RGB (for hover pictures). ``set_N`` and
    ``content_N`` index ``SuiteInfo.sets`` and ``contents``. ``skipped`` lists (file, reason).
    ``photographs`` names, for every content, the photograph it was cut from; empty if unknown.
    """

    patches_NHW3: NDArray[np.uint8]
    set_N: NDArray[np.int64]
    content_N: NDArray[np.int64]
    contents: tuple[str, ...]
    source: str
    skipped: tuple[tuple[str, str], ...]
    photographs: tuple[str, ...] = ()

    @property
    def photograph_N(self) -> NDArray[np.int64]:
        """The photograph of each image, as a number; every content its own where unknown."""
        names = self.photographs or self.contents
        number = {name: index for index, name in enumerate(dict.fromkeys(names))}
        return np.array([number[names[content]] for content in self.content_N], dtype=np.int64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """A finished analysis of one network.

    ``protocol`` and ``environment`` are plain JSON values. ``timings`` maps a stage to seconds;
    it is kept out of the deterministic part of ``scores.json``. ``untrained`` has one entry a
    layer of ``layers``, in the same order; ``pixels`` is the raw-pixel control. ``left_out`` lists
    (score, why) of the scores that this design of sets and contents leaves undefined.
    """

    network: NetworkInfo
    suite: SuiteInfo
    inputs: Inputs
    protocol: Mapping[str, Any]
    environment: Mapping[str, Any]
    layers: tuple[LayerScores, ...]
    pixels: LayerScores
    untrained: tuple[LayerScores, ...]
    timings: Mapping[str, float]
    created: str
    left_out: tuple[tuple[str, str], ...] = ()


def plain(value: Any) -> Any:
    """Turn records into JSON values; what is undefined (NaN, the spread of one run) is ``None``."""
    if isinstance(value, Runs) and len(value.runs) < 2:
        return {"mean": plain(value.mean), "std": None, "runs": list(value.runs)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def layer_entry(layer: LayerScores) -> dict[str, Any]:
    """Return a layer as an entry of ``scores.json``."""
    entry: dict[str, Any] = {"layer": layer.layer, "label": layer.label, "shape": list(layer.shape)}
    entry["depth"] = layer.depth
    entry["tsne"] = plain(layer.tsne)
    entry["feature_space"] = plain(layer.feature_space)
    entry["variance"] = plain(layer.variance)
    return entry


def scores_dict(study: Study) -> dict[str, Any]:
    """Return ``study`` in the ``srscope.scores/1`` form, as plain JSON values."""
    suite = plain(study.suite)
    return {
        "schema": SCHEMA,
        "network": plain(study.network),
        "suite": suite,
        "images": {
            "source": study.inputs.source,
            "contents": len(study.inputs.contents),
            "photographs": len(set(study.inputs.photographs)) or None,
            "skipped": [{"file": name, "reason": why} for name, why in study.inputs.skipped],
        },
        "protocol": plain(study.protocol),
        "environment": plain(study.environment),
        "layers": [layer_entry(layer) for layer in study.layers],
        "controls": {
            "pixels": layer_entry(study.pixels),
            "untrained": [layer_entry(layer) for layer in study.untrained],
        },
        "left_out": [{"score": score, "why": why} for score, why in study.left_out],
        "created": study.created,
        "timings": plain(study.timings),
    }


def write_scores(study: Study, path: str | Path) -> None:
    """Write ``scores.json`` atomically, with stable key order and two-space indents."""
    files.write_json(path, scores_dict(study))
