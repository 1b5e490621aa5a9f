"""The frozen record of a network over its training, and its JSON and CSV forms.

`analysis_course` fills a :class:`Course`; `figures` and `report` only read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srscope.runtime import files
from srscope.scores.record import LayerScores
from srscope.study.record import (
    Restoration,
    Study,
    best_layer,
    layer_entry,
    layer_row,
    plain,
    score_columns,
    scores_dict,
)

SCHEMA = "srscope.course/1"
_ABOUT = ("iteration", "file", "psnr", "bicubic_psnr", "layer", "label", "depth")
"""First columns of ``course.csv``; the controls stand in ``course.json`` alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """One checkpoint: its iteration, its file's name, its study, and what it restores."""

    iteration: int
    file: str
    study: Study
    restoration: Restoration


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """One network at several iterations of its training, analysed alike.

    ``moments`` rise in iterations. ``untrained`` is the control of them all, layer by layer, or
    empty. ``skipped`` lists (file, reason) of weight files left out; ``timings`` maps a stage to
    seconds.
    """

    name: str
    moments: tuple[Moment, ...]
    untrained: tuple[LayerScores, ...]
    skipped: tuple[tuple[str, str], ...]
    timings: Mapping[str, float]
    created: str

    @property
    def best(self) -> int:
        """Number of the layer whose CHI is highest at the last checkpoint."""
        last = self.moments[-1].study
        return last.layers.index(best_layer(last))


def course_dict(course: Course) -> dict[str, Any]:
    """Return ``course`` in the ``srscope.course/1`` form, as plain JSON values."""
    whole = [scores_dict(moment.study) for moment in course.moments]
    first = whole[0]
    shared = ("suite", "images", "protocol", "environment", "left_out")
    untrained = [layer_entry(layer) for layer in course.untrained]
    return {
        "schema": SCHEMA,
        "network": {
            "name": course.name,
            "parameters": first["network"]["parameters"],
            "scale": first["network"]["scale"],
            "remarks": whole[-1]["network"]["remarks"],
        },
        **{name: first[name] for name in shared},
        "checkpoints": [
            {
                "iteration": moment.iteration,
                "file": moment.file,
                "sha256": scores["network"]["sha256"],
                "restoration": plain(moment.restoration),
                "layers": scores["layers"],
            }
            for moment, scores in zip(course.moments, whole, strict=True)
        ],
        "controls": {"pixels": first["controls"]["pixels"], "untrained": untrained},
        "skipped": [{"file": name, "reason": why} for name, why in course.skipped],
        "created": course.created,
        "timings": plain(course.timings),
    }


def course_csv(course: Course) -> str:
    """Return one row a checkpoint and layer, with all scores; undefined values are empty."""
    rows: list[list[Any]] = []
    for moment in course.moments:
        restored = moment.restoration
        about = [moment.iteration, moment.file, restored.psnr, restored.bicubic]
        rows += [[*about, *layer_row(layer)] for layer in moment.study.layers]
    return files.csv_text((*_ABOUT, *score_columns()), rows)


def write_course(course: Course, folder: str | Path) -> None:
    """Write ``course.json`` and ``course.csv`` into ``folder``."""
    files.write_json(Path(folder) / "course.json", course_dict(course))
    files.write_text(Path(folder) / "course.csv", course_csv(course))
