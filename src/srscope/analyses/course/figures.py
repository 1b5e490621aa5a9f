"""A network over its training: scores against iterations, and t-SNE maps of checkpoints.

Suffix: T checkpoints.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from srscope.analyses.comparison.figures import map_panel
from srscope.analyses.course.record import Course
from srscope.figures import style
from srscope.figures.depth import CHI_FLOOR, chi_axis, chi_errorbar, percent_axis
from srscope.figures.panels import panel_grid
from srscope.study import words

DRAWN = 8
"""Layers with a curve each; of more, as many are drawn, evenly, the strongest among them."""
MAPS = 8
"""Checkpoints with a map each; of more, as many are drawn, evenly."""


def drawn_layers(layers: int, best: int) -> list[int]:
    """Return which layers are drawn as curves: all, or some evenly with the strongest.

    Example:
        >>> drawn_layers(3, 2), drawn_layers(17, 15)
        ([0, 1, 2], [0, 2, 5, 7, 9, 11, 15, 16])
    """
    if layers <= DRAWN:
        return list(range(layers))
    places = [round(i * (layers - 1) / (DRAWN - 1)) for i in range(DRAWN)]
    if best not in places:
        places[min(range(1, DRAWN - 1), key=lambda i: abs(places[i] - best))] = best
    return sorted(places)


def axis_start(course: Course) -> float:
    """Return where the axis of iterations begins: at 0, unless that left half of it empty."""
    first, last = course.moments[0].iteration, course.moments[-1].iteration
    return float(first) if last / 2 < first < last else 0.0


@style.in_house_style
def scores_over_iterations(course: Course) -> Figure:
    """Draw CHI (mean ± std over t-SNE runs), CHI in feature space and k-NN by iteration.

    One curve a layer. Dotted: the same architecture untrained, at its highest, and chance.
    """
    last = course.moments[-1].study
    accuracy = any(e.feature_space.knn_accuracy is not None for e in last.layers)
    columns = 3 if accuracy else 2
    figure = style.new_figure(height=2.9)
    tsne, features, *shares = figure.subplots(1, columns)
    iteration_T = [moment.iteration for moment in course.moments]
    labels = words.short_labels(last.layers, 20)
    for pair, number in enumerate(drawn_layers(len(labels), course.best)):
        layer_T = [moment.study.layers[number] for moment in course.moments]
        looks = {
            "color": style.colour_of(pair), "marker": style.marker_of(pair), "ms": 4,
            "linewidth": 1.2,
        }  # fmt: skip
        chi_errorbar(tsne, iteration_T, layer_T, label=labels[number], **looks)
        chi_T = [max(e.feature_space.chi, CHI_FLOOR) for e in layer_T]
        features.plot(iteration_T, chi_T, **looks)
        for axes in shares:
            knn_T = [e.feature_space.knn_accuracy for e in layer_T]
            axes.plot(iteration_T, [math.nan if v is None else v for v in knn_T], **looks)
    chis = [e.tsne.chi for m in course.moments for e in m.study.layers]
    chi_axis(tsne, [c.mean + c.std for c in chis if math.isfinite(c.mean)])
    tsne.set_title("t-SNE points", pad=4)
    tops = [e.feature_space.chi for m in course.moments for e in m.study.layers]
    chi_axis(features, tops, graded=False)
    features.set_title("features", pad=4)
    _level(tsne, [e.tsne.chi.mean for e in course.untrained])
    _level(features, [e.feature_space.chi for e in course.untrained])
    for axes in shares:
        counts = [each.count for each in last.suite.sets]
        _level(axes, [max(counts) / sum(counts)])
        axes.set_ylim(0, 1.02)
        percent_axis(axes)
        axes.set_ylabel("k-NN accuracy")
        axes.set_title("features", pad=4)
    for axes in (tsne, features, *shares):
        low, high = axis_start(course), max(iteration_T)
        axes.set_xlim(low - (0.04 * (high - low) if low else 0.0), high + 0.04 * (high - low))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set_xlabel("iterations")
    handles, names = tsne.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=min(5, len(names)))
    return figure


def _level(axes: Axes, values: list[float]) -> None:
    """Draw the highest value of a control as a line across."""
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        level = max(*finite, CHI_FLOOR)
        axes.axhline(level, color=style.CONTROL_COLOUR, linestyle=":", linewidth=1.2)


def maps_over_iterations(course: Course) -> Figure:
    """Draw the t-SNE map of each checkpoint at the layer that is strongest at the last one."""
    places = np.unique(np.linspace(0, len(course.moments) - 1, MAPS).round().astype(int))
    moments = [course.moments[place] for place in places]
    panels = [map_panel(_count(m.iteration), m.study, m.study.layers[course.best]) for m in moments]
    names = [each.name for each in moments[0].study.suite.sets]
    return panel_grid(panels, columns=min(4, len(panels)), colour_names=names)


def _count(iterations: int) -> str:
    return f"{iterations:,} iterations".replace(",", "\N{THIN SPACE}")


def figures(course: Course) -> dict[str, Figure]:
    """Return the figures by name."""
    return {
        "scores-by-iteration": scores_over_iterations(course),
        "maps-by-iteration": maps_over_iterations(course),
    }
