"""The paper's picture: every layer's t-SNE points, one panel a layer, CHI below.

Suffixes: N images, R runs.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from srscope.figures import style
from srscope.figures.panels import draw_points
from srscope.scores.record import LayerScores
from srscope.study import words
from srscope.study.record import Inputs, Study


def columns_of(panels: int) -> int:
    """Return how many panels stand in a row: one row up to five, then few gaps in the last.

    Example:
        >>> [columns_of(n) for n in (1, 4, 5, 6, 8, 17)]
        [1, 4, 5, 6, 4, 6]
    """
    if panels <= 5:
        return max(panels, 1)
    return min((6, 5, 4), key=lambda columns: (-panels % columns, columns))


def _scatter(axes: Axes, entry: LayerScores, inputs: Inputs, run: int) -> None:
    points_N2 = entry.points_RN2[run] if run < len(entry.points_RN2) else np.empty((0, 2))
    draw_points(axes, points_N2, inputs.set_N, inputs.set_N)


@style.in_house_style
def layer_scatter(record: Study, *, run: int = 0) -> Figure:
    """Draw one panel a layer with its CHI (mean ± std over the runs) and grade below.

    Args:
        record: The finished study.
        run: Which t-SNE run's points are drawn, from 0.
    """
    columns = columns_of(len(record.layers))
    rows = -(-len(record.layers) // columns)
    side = min(style.FULL_WIDTH / columns, 2.2)
    figure = style.new_figure(width=side * columns, height=rows * (side + 0.28) + 0.3)
    figure.get_layout_engine().set(h_pad=0.05, w_pad=0.04)  # type: ignore[union-attr]
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(record.layers) :]:
        axes.set_axis_off()
    titles = words.short_labels(record.layers, int(side * 12))
    for axes, entry, title in zip(grid, record.layers, titles, strict=False):
        _scatter(axes, entry, record.inputs, run)
        style.bare(axes)
        axes.set_box_aspect(1)
        axes.set_title(title, pad=3)
        grade = words.grade_sign(entry.tsne.grade)
        axes.set_xlabel(
            f"CHI {words.with_spread(entry.tsne.chi)} ({grade})", labelpad=2, fontsize=7
        )
    names = [words.shorten(s.name, 24) for s in record.suite.sets]
    handles = [
        Line2D([], [], linestyle="", marker=style.marker_of(k), color=style.colour_of(k))
        for k in range(len(names))
    ]
    legend = figure.legend(handles, [f" {n}" for n in names], loc="outside lower center",
                           ncols=min(len(names), max(1, int(side * columns // 1.3))),
                           handletextpad=0.1)  # fmt: skip
    legend.set_zorder(5)
    return figure
