"""Several networks side by side: CHI over normalised depth, t-SNE maps, the variance split.

Suffix: L layers.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from srscope.analyses.comparison.record import Comparison
from srscope.figures import style
from srscope.figures.depth import chi_axis, chi_errorbar, percent_axis
from srscope.figures.panels import Panel, panel_grid
from srscope.scores.record import LayerScores
from srscope.study import words
from srscope.study.record import Study


def _names(comparison: Comparison, limit: int = 28) -> list[str]:
    return words.distinct([entry.name for entry in comparison.entries], limit)


@style.in_house_style
def chi_over_depth(comparison: Comparison) -> Figure:
    """Draw CHI (mean ± std over t-SNE runs, log scale) of every network over normalised depth.

    Depth runs from 0 at a network's first tap point to 1 at its last. Dashed, in the same colour,
    is the same architecture untrained; the shaded bands are the paper's grades.
    """
    figure = style.new_figure(height=3.1)
    axes = figure.subplots()
    for index, (name, entry) in enumerate(zip(_names(comparison), comparison.entries, strict=True)):
        colour = style.colour_of(index)
        if entry.study.untrained:
            layers = entry.study.untrained
            chi_errorbar(
                axes, [e.depth for e in layers], layers, label=None, color=colour, linestyle="--",
                linewidth=0.9, alpha=0.7,
            )  # fmt: skip
        layers = entry.study.layers
        chi_errorbar(
            axes, [e.depth for e in layers], layers, label=name, color=colour,
            marker=style.marker_of(index), ms=4.5, linewidth=1.3, zorder=5,
        )  # fmt: skip
    chis = [e.tsne.chi for c in comparison.entries for e in (*c.study.layers, *c.study.untrained)]
    chi_axis(axes, [c.mean + c.std for c in chis if np.isfinite(c.mean)])
    axes.set_xlim(-0.03, 1.03)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "25", "50", "75", "100"])
    axes.set_xlabel("depth (% of the tap points)")
    handles, labels = axes.get_legend_handles_labels()
    if any(entry.study.untrained for entry in comparison.entries):
        handles.append(Line2D([], [], color=style.CONTROL_COLOUR, linestyle="--", linewidth=0.9))
        labels.append("untrained")
    figure.legend(handles, labels, loc="outside upper center", ncols=min(4, len(labels)))
    return figure


def strongest_layers(comparison: Comparison) -> Figure:
    """Draw each network's t-SNE map at the layer where its CHI is highest."""
    record = comparison.entries[0].study
    panels = [
        map_panel(name, entry.study, entry.best)
        for name, entry in zip(_names(comparison, 24), comparison.entries, strict=True)
    ]
    columns = min(4, len(panels))
    return panel_grid(panels, columns=columns, colour_names=[s.name for s in record.suite.sets])


def map_panel(name: str, record: Study, layer: LayerScores) -> Panel:
    """Return one layer's first t-SNE run as a panel, its CHI below."""
    chi = f"CHI {words.with_spread(layer.tsne.chi)} ({words.grade_sign(layer.tsne.grade)})"
    points_RN2 = layer.points_RN2
    return Panel(
        title=name,
        points_N2=points_RN2[0] if len(points_RN2) else np.empty((0, 2)),
        colour_N=record.inputs.set_N,
        marker_N=record.inputs.set_N,
        caption=f"{words.shorten(layer.label, 24)}\n{chi}",
    )


@style.in_house_style
def variance_over_depth(comparison: Comparison) -> Figure | None:
    """Draw every network's variance split over normalised depth, as stacked areas side by side.

    Returns:
        The figure, or ``None`` where no network has a split.
    """
    entries = comparison.entries
    if not any(layer.variance for entry in entries for layer in entry.study.layers):
        return None
    columns = min(4, len(entries))
    rows = -(-len(entries) // columns)
    figure = style.new_figure(height=1.75 * rows + 0.5)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes in grid.ravel()[len(entries) :]:
        axes.set_axis_off()
    names = _names(comparison, 24)
    for index, (axes, name, entry) in enumerate(zip(grid.ravel(), names, entries, strict=False)):
        split_L = [layer for layer in entry.study.layers if layer.variance is not None]
        depth_L = np.array([layer.depth for layer in split_L])
        shares = [
            np.array([getattr(layer.variance, part) for layer in split_L])
            for part in style.SHARE_COLOURS
        ]
        if len(depth_L) == 1:  # one layer has no area: as wide as the panel
            depth_L, shares = np.array([0.0, 1.0]), [share.repeat(2) for share in shares]
        axes.stackplot(
            depth_L, shares, colors=list(style.SHARE_COLOURS.values()),
            labels=list(style.SHARE_COLOURS) if index == 0 else (),
        )  # fmt: skip
        axes.set_title(name, pad=3)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_xticks([0, 0.5, 1.0], ["0", "50", "100"])
        if index // columns == rows - 1 or index + columns >= len(entries):
            axes.set_xlabel("depth (%)")
        if index % columns == 0:
            percent_axis(axes)
            axes.set_ylabel("share of variance")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def figures(comparison: Comparison) -> dict[str, Figure | None]:
    """Return the figures by name; ``None`` for one that is undefined."""
    return {
        "chi-by-depth": chi_over_depth(comparison),
        "strongest-layers": strongest_layers(comparison),
        "variance-by-depth": variance_over_depth(comparison),
    }
