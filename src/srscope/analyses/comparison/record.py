"""The frozen record of several networks analysed alike, and its JSON and CSV forms.

`analysis_compare` fills a :class:`Comparison`; `figures` and `report` only read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srscope.analyses.comparison.differences import Difference
from srscope.runtime import files
from srscope.scores.record import LayerScores
from srscope.study.record import (
    Restoration,
    Study,
    best_layer,
    controls_of,
    layer_row,
    plain,
    score_columns,
    scores_dict,
)

SCHEMA = "srscope.comparison/1"
_ABOUT = (
    "network", "scale", "parameters", "psnr", "bicubic_psnr", "weights", "layer", "label", "depth",
)  # fmt: skip
"""First columns of ``comparison.csv``; ``weights`` is ``trained``, ``untrained`` or ``none``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One of the networks: its name, which no other has, its study, and what it restores."""

    name: str
    study: Study
    restoration: Restoration

    @property
    def best(self) -> LayerScores:
        """The layer with the highest CHI, the deeper one of equals."""
        return best_layer(self.study)


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two or more networks, analysed with the same photographs, seed and protocol.

    ``differences`` are those of each two networks that were fed the same images. ``timings`` maps a
    stage to seconds.
    """

    entries: tuple[Compared, ...]
    timings: Mapping[str, float]
    created: str
    differences: tuple[Difference, ...] = ()


def comparison_dict(comparison: Comparison) -> dict[str, Any]:
    """Return ``comparison`` in the ``srscope.comparison/1`` form, as plain JSON values."""
    whole = [scores_dict(entry.study) for entry in comparison.entries]
    kept = ("network", "suite", "images", "layers", "controls", "verdict", "left_out")
    return {
        "schema": SCHEMA,
        "protocol": whole[0]["protocol"],
        "environment": whole[0]["environment"],
        "networks": [
            {
                "name": entry.name,
                "restoration": plain(entry.restoration),
                **{name: scores[name] for name in kept},
            }
            for entry, scores in zip(comparison.entries, whole, strict=True)
        ],
        "differences": plain(comparison.differences),
        "created": comparison.created,
        "timings": plain(comparison.timings),
    }


def comparison_csv(comparison: Comparison) -> str:
    """Return one row a layer and control, with all scores; undefined values are empty."""
    rows: list[list[Any]] = []
    for entry in comparison.entries:
        network, restored = entry.study.network, entry.restoration
        about = [entry.name, network.scale, network.parameters, restored.psnr, restored.bicubic]
        rows += [[*about, weights, *layer_row(layer)] for weights, layer in _rows(entry.study)]
    return files.csv_text((*_ABOUT, *score_columns()), rows)


def _rows(study: Study) -> Iterator[tuple[str, LayerScores]]:
    yield from (("trained", layer) for layer in study.layers)
    for kind, _, entries in controls_of(study):
        weights = "none" if kind in ("pixels", "trivial") else kind
        yield from ((weights, entry) for entry in entries)


def write_comparison(comparison: Comparison, folder: str | Path) -> None:
    """Write ``comparison.json`` and ``comparison.csv`` into ``folder``."""
    files.write_json(Path(folder) / "comparison.json", comparison_dict(comparison))
    files.write_text(Path(folder) / "comparison.csv", comparison_csv(comparison))
