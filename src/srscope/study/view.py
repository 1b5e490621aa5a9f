"""A study as text, as a table, and as arrays. Suffix: N images."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ParameterError, SrscopeError
from srscope.scores.table import scores
from srscope.study import words
from srscope.study.record import Study, controls_of, layer_row, score_columns


def summary(study: Study) -> str:
    """Return the verdict, what it rests on, and the main scores of every layer, as text."""
    lines: list[str] = []
    if study.verdict is not None:
        lines += [study.verdict.headline, ""]
        lines += [f"{each.question} {each.answer}" for each in study.verdict.findings]
    shown = scores(all_columns=False)
    rows = [["layer", *(each.label for each in shown)]]
    rows += [
        [words.printable(entry.label), *(words.score_text(each, entry) for each in shown)]
        for entry in (*study.layers, *(e for _, _, entries in controls_of(study) for e in entries))
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines += ["", *(_line(row, widths) for row in rows)]
    return "\n".join(lines)


def _line(row: list[str], widths: list[int]) -> str:
    first, *others = (
        cell.ljust(width) if number == 0 else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join((first, *others)).rstrip()


def to_frame(study: Study) -> Any:
    """Return every score as a ``pandas.DataFrame``, a row a layer and a control.

    Raises:
        SrscopeError: If pandas is not installed.
    """
    try:
        pandas: Any = importlib.import_module("pandas")
    except ImportError:
        raise SrscopeError("a data frame needs pandas; install it: pip install pandas") from None
    groups = [("network", study.layers), *((kind, each) for kind, _, each in controls_of(study))]
    rows = [[group, *layer_row(entry)] for group, entries in groups for entry in entries]
    return pandas.DataFrame(rows, columns=["group", "layer", "label", "depth", *score_columns()])


def features(study: Study, layer: str | None) -> NDArray[np.float32]:
    """Return what a layer made of the images.

    Raises:
        SrscopeError: If they were not kept, and the network is not at hand.
    """
    entry = None
    if layer is None or layer in {word for e in study.layers for word in (e.layer, e.label)}:
        entry = study.layer(layer)
    if study.reader is None:
        raise SrscopeError(
            "the features of this study were not kept; analyse again with an output folder, or "
            "keep the study that srscope.analyze returned"
        )
    values = study.reader(entry.layer if entry else str(layer))
    shape = entry.shape if entry and study.protocol.get("reducer") == "flatten" else ()
    return values.reshape(len(values), *shape) if shape else values


def embedding(study: Study, layer: str | None, run: int) -> NDArray[np.float32]:
    """Return a layer's t-SNE points (N, 2) of one run.

    Raises:
        ParameterError: If there is no such run.
    """
    points_RN2 = study.layer(layer).points_RN2
    if not 0 <= run < len(points_RN2):
        raise ParameterError("run", f"0 to {len(points_RN2) - 1}", run)
    return points_RN2[run]
