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

from srscope.degradations.record import SuiteInfo
from srscope.networks.record import NetworkInfo
from srscope.runtime import files
from srscope.scores.record import LayerScores, Runs
from srscope.scores.table import scores

SCHEMA = "srscope.scores/1"


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
    if layer.own:
        entry["own"] = plain(layer.own)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Restoration:
    """How well a network restores the contents from their clean reductions.

    Args:
        psnr: Mean over the contents, in dB; ``None`` where it is undefined.
        bicubic: The same of bicubic magnification.
        why: Why it is undefined; empty where it is not.
    """

    psnr: float | None = None
    bicubic: float | None = None
    why: str = ""


def best_layer(study: Study) -> LayerScores:
    """Return the layer with the highest mean CHI, the deeper one of equals."""
    return max(reversed(study.layers), key=lambda layer: layer.tsne.chi.mean)


def score_columns() -> tuple[str, ...]:
    """Return the columns of a layer's scores in CSV files."""
    columns: list[str] = []
    for score in scores():
        columns += [f"{score.key}_mean", f"{score.key}_std"] if score.runs else [score.key]
    return tuple(columns)


def layer_row(layer: LayerScores) -> list[Any]:
    """Return a layer's cells of a CSV table: name, label, depth, then :func:`score_columns`."""
    cells: list[Any] = [layer.layer, layer.label, layer.depth]
    for score in scores():
        value = plain(score.value(layer))
        cells += [value["mean"], value["std"]] if score.runs else [value]
    return cells
