"""The paper's picture: every layer's t-SNE points, one panel a layer, CHI below.

Suffixes: N images, R runs.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from srscope.figures import style
from srscope.figures.panels import Panel, panel_grid
from srscope.study import words
from srscope.study.record import Study


def columns_of(panels: int) -> int:
    """Return how many panels stand in a row: one row up to five, then few gaps in the last.

    Example:
        >>> [columns_of(n) for n in (1, 4, 5, 6, 8, 17)]
        [1, 4, 5, 6, 4, 6]
    """
    if panels <= 5:
        return max(panels, 1)
    return min((6, 5, 4), key=lambda columns: (-panels % columns, columns))


def layer_scatter(record: Study, *, run: int = 0) -> Figure:
    """Draw one panel a layer with its CHI (mean ± std over the runs) and grade below.

    Args:
        record: The finished study.
        run: Which t-SNE run's points are drawn, from 0.
    """
    columns, set_N = columns_of(len(record.layers)), record.inputs.set_N
    titles = words.short_labels(record.layers, int(12 * min(style.FULL_WIDTH / columns, 2.2)))
    panels = [
        Panel(
            title=title,
            points_N2=entry.points_RN2[run] if run < len(entry.points_RN2) else np.empty((0, 2)),
            colour_N=set_N,
            marker_N=set_N,
            caption=f"CHI {words.with_spread(entry.tsne.chi)} "
            f"({words.grade_sign(entry.tsne.grade)})",
        )
        for entry, title in zip(record.layers, titles, strict=True)
    ]
    names = [each.name for each in record.suite.sets]
    return panel_grid(panels, columns=columns, colour_names=names, letters=False)
