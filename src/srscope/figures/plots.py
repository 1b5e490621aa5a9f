"""One layer's map large, beside the controls that it is to be compared with."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from srscope.figures import style
from srscope.figures.panels import draw_points
from srscope.study import words
from srscope.study.record import Study, best_statistic


@style.in_house_style
def plot(record: Study, layer: str | None = None, *, run: int = 0) -> Figure:
    """Draw a layer's t-SNE map large, beside those of raw pixels and the best simple statistic.

    Args:
        record: The finished study.
        layer: Dotted name or label; by default the layer that the verdict is about.
        run: Which t-SNE run is drawn, from 0.
    """
    best, statistic = record.layer(layer), best_statistic(record)
    beside = [each for each in (record.pixels, statistic) if each is not None and each.shape]
    figure = style.new_figure(width=5.6 if beside else 3.8, height=4.1)
    rows = [f"best;best;{i}" if beside else "best" for i in range(max(1, len(beside)))]
    layout: Any = [row.split(";") for row in rows]
    axes_of: dict[str, Axes] = figure.subplot_mosaic(layout)
    for key, entry in zip(["best", "0", "1"], [best, *beside], strict=False):
        axes = axes_of[key]
        draw_points(axes, entry.points_RN2[run], record.inputs.set_N, record.inputs.set_N)
        style.bare(axes)
        axes.set_box_aspect(1)
        axes.set_title(words.shorten(entry.label, 40 if key == "best" else 20), pad=3)
        axes.set_xlabel(words.probe_and_chi(entry), labelpad=2, fontsize=7)
    names = [words.shorten(each.name, 24) for each in record.suite.sets]
    handles = [
        Line2D([], [], linestyle="", marker=style.marker_of(k), color=style.colour_of(k))
        for k in range(len(names))
    ]
    figure.legend(handles, names, loc="outside lower center", ncols=min(4, len(names)))
    return figure
