"""Differences of two recipes by layer, with their intervals, seed by seed behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from srscope.analyses.contrast.record import AS_TRAINED, AT_EQUAL_PSNR, ContrastRecord, Gap
from srscope.figures import style
from srscope.study import words


def figures(record: ContrastRecord) -> dict[str, Figure]:
    """Return the figures by name."""
    return {"differences": differences(record)}


@style.in_house_style
def differences(record: ContrastRecord) -> Figure:
    """Draw one panel a quantity: the difference at every layer, as trained and at equal PSNR."""
    quantities = list(dict.fromkeys(each.quantity for each in record.gaps))
    columns = min(3, len(quantities))
    rows = -(-len(quantities) // columns)
    figure = style.new_figure(height=2.2 * rows + 0.3)
    panels: Any = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.ravel()[len(quantities) :]:
        axes.set_axis_off()
    for axes, quantity in zip(panels.ravel(), quantities, strict=False):
        own = [each for each in record.gaps if each.quantity == quantity]
        labels = list(dict.fromkeys(each.label for each in own))
        for place, state in enumerate((AS_TRAINED, AT_EQUAL_PSNR)):
            _draw(axes, [e for e in own if e.state == state], labels, place)
        axes.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
        axes.set_xticks(range(len(labels)), words.distinct(labels, 14), rotation=30, ha="right")
        axes.set_title("ln CHI" if quantity == "CHI" else quantity, pad=4)
    panels[0, 0].legend(fontsize=6)
    return figure


def _draw(axes: Any, shown: list[Gap], labels: list[str], place: int) -> None:
    if not shown:
        return
    at_L = np.array([labels.index(each.label) for each in shown]) + 0.16 * (2 * place - 1)
    colour = style.colour_of(place)
    for at, each in zip(at_L, shown, strict=True):
        if each.gap.paired:
            seeds_S = np.subtract(each.first_S, each.second_S)
            axes.plot([at] * len(seeds_S), seeds_S, "_", color=colour, alpha=0.5)
    value_L, low_L, high_L = np.array([(e.gap.value, e.gap.low, e.gap.high) for e in shown]).T
    axes.errorbar(
        at_L, value_L, yerr=(value_L - low_L, high_L - value_L), fmt=style.marker_of(place),
        color=colour, ms=4, capsize=2, label=shown[0].state,
    )  # fmt: skip
