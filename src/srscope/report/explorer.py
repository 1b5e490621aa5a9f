"""What scripts of linked plots are given: points, names and scores, as plain JSON values.

Suffixes: N images, R runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.report.pictures import Sprite
from srscope.scores.record import LayerScores
from srscope.study import words
from srscope.study.record import Study

_OUTSIDE = -9.0
GRID = 9999
"""Points are drawn on a grid of this many steps: finer than any screen, and short to write."""


def on_grid(points_N2: NDArray[np.float32]) -> list[int] | None:
    """Return x and y in turn, from 0 to :data:`GRID`, upright for a screen, or ``None``.

    Both axes have one scale, and the cloud stands in the middle. Images that a control was not
    shown, which have no place, are put far outside.
    """
    shown_N = np.isfinite(points_N2).all(axis=1)
    if not shown_N.any():
        return None
    points = points_N2.astype(np.float64)
    low, high = points[shown_N].min(axis=0), points[shown_N].max(axis=0)
    span = float((high - low).max()) or 1.0
    unit = (points - (low + high) / 2) / span + 0.5
    unit[:, 1] = 1 - unit[:, 1]
    unit[~shown_N] = _OUTSIDE
    return [int(v) for v in np.rint(unit * GRID).ravel()]


def entry(layer: LayerScores, short: str) -> dict[str, Any]:
    """Return what the plots need of one layer, under a short name."""
    chi = layer.tsne.chi
    return {
        "short": short,
        "label": words.printable(layer.label),
        "layer": words.printable(layer.layer),
        "chi": words.with_spread(chi),
        "grade": words.grade_sign(layer.tsne.grade),
        "runs": [words.number(v) for v in chi.runs],
        "points": [on_grid(points_N2) for points_N2 in layer.points_RN2],
    }


def payload(record: Study, sprite: Sprite) -> dict[str, Any]:
    """Return everything the plots need."""
    inputs = record.inputs
    short = words.short_labels(record.layers, 18)
    seed = record.protocol.get("seed")
    return {
        "sets": [{"name": words.printable(s.name), "count": s.count} for s in record.suite.sets],
        "contents": [words.printable(c) for c in inputs.contents],
        "photographs": photographs(record),
        "set": inputs.set_N.tolist(),
        "content": inputs.content_N.tolist(),
        "photograph": inputs.photograph_N.tolist(),
        "seed": seed if isinstance(seed, int) else None,
        "pixels": entry(record.pixels, "Raw pixels"),
        "layers": list(map(entry, record.layers, short)),
        "untrained": list(map(entry, record.untrained, short)),
        "sprite": sheet(sprite),
    }


def photographs(record: Study) -> list[str]:
    """Return the photographs' names, in the order of their numbers."""
    inputs = record.inputs
    return list(map(words.printable, dict.fromkeys(inputs.photographs or inputs.contents)))


def sheet(sprite: Sprite) -> dict[str, int]:
    """Return how patches are found on a sprite sheet."""
    return {"columns": sprite.columns, "height": sprite.height, "width": sprite.width}
