"""Panels of 2-D points in rows and columns, as the paper shows its t-SNE maps.

Suffix: N points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from srscope.figures import space, style
from srscope.study import words

_SIZE_OF_POINTS, _LEVELS = 1400, 4


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One map.

    Args:
        title: Above it, e.g. the layer.
        points_N2: The points; of three columns, they are drawn in space.
        colour_N: Each point's index into the colours.
        marker_N: Each point's index into the marker shapes.
        caption: Below it, e.g. the score; may have several lines.
    """

    title: str
    points_N2: NDArray[np.floating[Any]]
    colour_N: NDArray[np.int64]
    marker_N: NDArray[np.int64]
    caption: str = ""


def draw_points(
    axes: Axes,
    points_N2: NDArray[np.floating[Any]],
    colour_N: NDArray[np.int64],
    marker_N: NDArray[np.int64],
    colours: Sequence[str] = style.SET_COLOURS,
) -> None:
    """Draw points with equal units on both axes; says so where there are none, or undefined ones.

    Points lie over each other in a fixed shuffle, so that no class is on top because it was
    drawn last.
    """
    if not len(points_N2) or not np.isfinite(points_N2).all():
        axes.text(0.5, 0.5, words.UNDEFINED, ha="center", va="center", transform=axes.transAxes)
        return
    size = float(np.clip(_SIZE_OF_POINTS / len(points_N2), 3.0, 10))
    order_N = np.random.default_rng(0).permutation(len(points_N2))
    level_N = np.empty(len(points_N2), dtype=np.int64)
    level_N[order_N] = np.arange(len(points_N2)) % _LEVELS
    kinds = sorted({(int(c), int(m)) for c, m in zip(colour_N, marker_N, strict=True)})
    for colour, marker in kinds:
        for level in range(_LEVELS):
            own_N = (colour_N == colour) & (marker_N == marker) & (level_N == level)
            axes.scatter(
                *points_N2[own_N].T, s=size, marker=style.marker_of(marker),
                color=colours[colour % len(colours)], linewidths=0, alpha=0.85, zorder=2 + level,
            )  # fmt: skip
    axes.margins(0.06)
    # Equal units on both axes: t-SNE distances mean the same in every direction.
    axes.set_aspect("equal", adjustable="datalim")


@style.in_house_style
def panel_grid(
    panels: Sequence[Panel],
    *,
    columns: int,
    colour_names: Sequence[str],
    marker_names: Sequence[str] | None = None,
    row_names: Sequence[str] = (),
    colours: Sequence[str] = style.SET_COLOURS,
    letters: bool = True,
) -> Figure:
    """Draw panels row by row, lettered (a), (b), ... as in the paper, with a legend below.

    Args:
        panels: In reading order; the last row may be short.
        columns: Panels a row.
        colour_names: What the colours stand for.
        marker_names: What the marker shapes stand for; ``None`` where they say the same as the
            colours, index by index.
        row_names: What the rows show, written up their left side; empty to leave it.
        colours: The colours.
        letters: Put letters before the titles.
    """
    rows = -(-len(panels) // columns)
    side = min(style.FULL_WIDTH / columns, 2.4)
    lines = max((panel.caption.count("\n") + 1 if panel.caption else 0) for panel in panels)
    width = max(side * columns, 2.4)
    legend = 0.2 * len(_legend_rows(colour_names, width)) + (0.1 if marker_names is None else 0.3)
    height = rows * (side + 0.18 + 0.13 * lines) + legend
    figure = style.new_figure(width=width, height=height)
    figure.get_layout_engine().set(h_pad=0.04, w_pad=0.04)  # type: ignore[union-attr]
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for index, (axes, panel) in enumerate(zip(grid, panels, strict=False)):
        solid = panel.points_N2.shape[1:] == (3,) and np.isfinite(panel.points_N2).all()
        draw = space.draw_space if solid and len(panel.points_N2) else draw_points
        draw(axes, panel.points_N2, panel.colour_N, panel.marker_N, colours)
        style.bare(axes)
        axes.set_box_aspect(1)
        letter = f"({chr(ord('a') + index)}) " if letters and 1 < len(panels) <= 26 else ""
        axes.set_title(letter + words.shorten(panel.title, int(side * 15)), pad=3)
        axes.set_xlabel(panel.caption, labelpad=2, fontsize=7, linespacing=1.15)
        if index % columns == 0 and index // columns < len(row_names):
            axes.set_ylabel(row_names[index // columns], labelpad=3)
    _legend(figure, colour_names, marker_names, colours)
    return figure


def _legend(
    figure: Figure,
    colour_names: Sequence[str],
    marker_names: Sequence[str] | None,
    colours: Sequence[str],
) -> None:
    """Say below the panels what colours stand for, and above them what marker shapes do."""

    def entry(marker: int, colour: str) -> Line2D:
        shape = style.marker_of(marker)
        return Line2D([], [], linestyle="", marker=shape, color=colour, markersize=5)

    width = figure.get_size_inches()[0]
    common: dict[str, Any] = {
        "handletextpad": 0.1,
        "handlelength": 1.0,
        "columnspacing": 1.2,
    }
    if marker_names is not None:
        handles = [entry(i, style.CONTROL_COLOUR) for i in range(len(marker_names))]
        names = [f" {words.shorten(n, 24)}" for n in marker_names]
        figure.legend(
            handles, names, loc="outside upper center", ncols=len(names), **common
        ).set_zorder(5)
    handles = [
        entry(i if marker_names is None else 0, colours[i % len(colours)])
        for i in range(len(colour_names))
    ]
    rows = _legend_rows(colour_names, width)
    # A legend fills column by column; it is to be read row by row.
    order = [row[column] for column in range(len(rows[0])) for row in rows if column < len(row)]
    figure.legend(
        [handles[i] for i in order], [f" {words.shorten(colour_names[i], 24)}" for i in order],
        loc="outside lower center", ncols=len(rows[0]), **common,
    ).set_zorder(5)  # fmt: skip


def _legend_rows(names: Sequence[str], width: float) -> list[list[int]]:
    """Return the names' indices in rows of about equal length that fit ``width``, in inches."""
    widest = 0.35 + 0.075 * max(len(words.shorten(name, 24)) + 1 for name in names)
    rows = -(-len(names) // max(1, int(width // widest)))
    columns = -(-len(names) // rows)
    return [
        list(range(first, min(first + columns, len(names))))
        for first in range(0, len(names), columns)
    ]
