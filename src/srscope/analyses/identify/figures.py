"""Confusion of types, calibration of probabilities, and maps over images."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from srscope.analyses.identify.record import IdentifyRecord, ImageTold
from srscope.figures import style
from srscope.study.words import shorten

MAPS = 12
"""Images that get a map of their own; the others stand in ``patches.csv``."""
_UNKNOWN = "#777777"


def figures(record: IdentifyRecord) -> dict[str, Figure]:
    """Return the figures by name."""
    made = {"confusion-and-calibration": confusion(record)}
    large = [each for each in record.images if each.type_RC.size > 1]
    for number, each in enumerate(large[:MAPS], start=1):
        made[f"map-{number}"] = image_map(record, each)
    return made


@style.in_house_style
def confusion(record: IdentifyRecord) -> Figure:
    """Draw what each type was told as, and how often a probability was right."""
    quality = record.chosen.quality
    figure = style.new_figure(height=2.9)
    panels: Any = figure.subplots(1, 2)
    left, right = panels
    names = [shorten(name, 16) for name in quality.types]
    left.imshow(quality.confusion_TT, vmin=0, vmax=1, cmap="Blues")
    for (row, column), share in np.ndenumerate(quality.confusion_TT):
        ink = "white" if share > 0.6 else "black"
        left.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=ink)
    left.set_xticks(range(len(names)), names)
    left.set_yticks(range(len(names)), names)
    left.set_xlabel("told, %")
    left.set_ylabel("done")
    right.plot([0, 1], [0, 1], color=style.CONTROL_COLOUR, ls=":", lw=0.8)
    bins = quality.calibration
    right.plot([b.confidence for b in bins], [b.accuracy for b in bins], marker="o", ms=4, lw=1.2,
               color=style.colour_of(0))  # fmt: skip
    right.set_xlim(0, 1.02)
    right.set_ylim(0, 1.02)
    right.set_xlabel("probability of the type told")
    right.set_ylabel("share told right")
    return figure


@style.in_house_style
def image_map(record: IdentifyRecord, told: ImageTold) -> Figure:
    """Draw the type of every patch of an image, and its degree."""
    colours = [_UNKNOWN, *(style.colour_of(k) for k in range(len(record.types)))]
    figure = style.new_figure(height=2.9)
    panels: Any = figure.subplots(1, 2)
    left, right = panels
    norm = BoundaryNorm(np.arange(-1.5, len(record.types)), len(colours))
    height, width = told.size_HW
    frame = {"extent": (0, width, height, 0), "aspect": "equal", "interpolation": "nearest"}
    image = left.imshow(told.type_RC, cmap=ListedColormap(colours), norm=norm, **frame)
    bar = figure.colorbar(image, ax=left, ticks=range(-1, len(record.types)), shrink=0.8)
    bar.ax.set_yticklabels(["unknown", *(shorten(name, 16) for name in record.types)])
    shown = np.ma.masked_where(told.type_RC < 0, np.ma.masked_invalid(told.level_RC))
    levels = right.imshow(shown, cmap="magma", **frame)
    figure.colorbar(levels, ax=right, label="level of the type told", shrink=0.8)
    left.set_title(shorten(told.name, 40), pad=4)
    for axes in panels:
        style.bare(axes)
    return figure
