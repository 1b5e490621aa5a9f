"""Which images stand for the whole in a picture of samples, and that picture.

Suffixes: N images, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from srscope.figures import style
from srscope.study import words
from srscope.study.record import Inputs, Study


def sample_rows(inputs: Inputs, *, sets: int, crossed: bool, rows: int) -> list[list[int]]:
    """Choose images evenly over the contents; nobody picks them by hand.

    Args:
        inputs: The images of a study.
        sets: How many sets there are.
        crossed: Whether every content appears in every set.
        rows: How many rows to choose at most.

    Returns:
        Rows of image indices, one a set. In a crossed design a row is one content in every
        set; otherwise the images of a row have nothing in common but their place.

    Example:
        >>> pixels = np.zeros((4, 8, 8, 3), np.uint8)
        >>> images = Inputs(
        ...     patches_NHW3=pixels,
        ...     set_N=np.array([0, 0, 1, 1]),
        ...     content_N=np.array([0, 1, 0, 1]),
        ...     contents=("a", "b"),
        ...     source="",
        ...     skipped=(),
        ... )
        >>> sample_rows(images, sets=2, crossed=True, rows=5)
        [[0, 2], [1, 3]]
    """
    members = [np.flatnonzero(inputs.set_N == k) for k in range(sets)]
    available = min((len(m) for m in members), default=0)
    if crossed:
        members = [m[np.argsort(inputs.content_N[m], kind="stable")] for m in members]
    # Middles of equal stretches: neither the first nor the last content is always shown.
    count = min(rows, available)
    places = [int((i + 0.5) * available / count) for i in range(count)]
    return [[int(m[place]) for m in members] for place in places]


@style.in_house_style
def picture_grid(
    pictures: Sequence[Sequence[NDArray[Any]]],
    *,
    row_names: Sequence[str],
    column_names: Sequence[str] = (),
) -> Figure:
    """Draw pictures in rows and columns, pixel by pixel.

    Args:
        pictures: Rows of equally many images, (H, W, 3), uint8 or float in [0, 1].
        row_names: Written left of the rows.
        column_names: Written above the columns; empty to leave it.
    """
    rows, columns = len(pictures), len(pictures[0])
    cell = style.FULL_WIDTH / (columns + 1.2)
    figure = style.new_figure(height=cell * rows + 0.35)
    grid = figure.subplots(rows, columns, squeeze=False)
    for row, images in enumerate(pictures):
        for column, image_HW3 in enumerate(images):
            axes = grid[row, column]
            axes.imshow(image_HW3, interpolation="nearest")
            style.bare(axes)
            if column == 0:
                axes.set_ylabel(
                    words.shorten(row_names[row], 16), rotation=0, ha="right", va="center"
                )
            if row == 0 and column < len(column_names):
                axes.set_title(words.shorten(column_names[column], 12), fontsize=7)
    return figure


def sample_grid(record: Study) -> Figure:
    """Draw a few contents (columns) in every set (rows)."""
    inputs, sets = record.inputs, record.suite.sets
    columns = sample_rows(inputs, sets=len(sets), crossed=record.suite.crossed, rows=8)
    names = [inputs.contents[int(inputs.content_N[indices[0]])] for indices in columns]
    return picture_grid(
        [[inputs.patches_NHW3[indices[row]] for indices in columns] for row in range(len(sets))],
        row_names=[each.name for each in sets],
        column_names=names if record.suite.crossed else (),
    )
