"""Pictures side by side in a grid, and maps of points among them.

Suffixes: H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from srscope.figures import style
from srscope.figures.panels import Panel, draw_points


@dataclass(frozen=True, kw_only=True)
class Crop:
    """One picture.

    Args:
        pixels_HW3: RGB in [0, 1]; clipped there.
        title: Above it; may have two lines.
        caption: Below it; may have several lines.
    """

    pixels_HW3: NDArray[np.floating]
    title: str = ""
    caption: str = ""


@style.in_house_style
def picture_grid(
    rows: Sequence[Sequence[Crop | Panel | None]],
    *,
    row_names: Sequence[str] = (),
    point_names: Sequence[str] = (),
) -> Figure:
    """Draw pictures and maps in rows of equal length, pixel by pixel, over the full width.

    Args:
        rows: What is drawn; ``None`` leaves a place empty.
        row_names: Written up the left side of each row; empty to leave it.
        point_names: What the colours and markers of the maps stand for, in a legend below.
    """
    columns = max(map(len, rows))
    side = style.FULL_WIDTH / (columns + 0.12)
    titled = sum(
        max((c.title.count("\n") + 1 if c and c.title else 0) for c in row) for row in rows
    )
    lines = sum(
        max((c.caption.count("\n") + 1 if c and c.caption else 0) for c in row) for row in rows
    )
    height = len(rows) * (side + 0.06) + 0.15 * titled + 0.13 * lines + (0.25 if point_names else 0)
    figure = style.new_figure(height=height)
    figure.get_layout_engine().set(h_pad=0.03, w_pad=0.02, wspace=0.0, hspace=0.0)  # type: ignore[union-attr]
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for row, cells in enumerate(rows):
        for column in range(columns):
            axes, cell = grid[row, column], cells[column] if column < len(cells) else None
            if cell is None:
                axes.set_axis_off()
                continue
            if isinstance(cell, Crop):
                pixels_HW3 = np.clip(cell.pixels_HW3.astype(np.float64), 0, 1)
                axes.imshow(pixels_HW3, interpolation="nearest")
            else:
                draw_points(axes, cell.points_N2, cell.colour_N, cell.marker_N)
                axes.set_box_aspect(1)
            style.bare(axes)
            axes.set_title(cell.title, pad=3, linespacing=1.1)
            axes.set_xlabel(cell.caption, labelpad=2, fontsize=7, linespacing=1.15)
            if column == 0 and row < len(row_names):
                axes.set_ylabel(row_names[row], labelpad=3)
    if point_names:
        handles = [
            Line2D([], [], linestyle="", marker=style.marker_of(k), color=style.colour_of(k))
            for k in range(len(point_names))
        ]
        figure.legend(
            handles,
            [f" {name}" for name in point_names],
            loc="outside lower right",
            ncols=len(point_names),
            handletextpad=0.1,
        ).set_zorder(5)
    return figure
