"""Feature shift against loss of quality, one point a set."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from srscope.analyses.generalize.record import GeneralizeRecord
from srscope.figures import style
from srscope.study.words import shorten


def figures(record: GeneralizeRecord) -> dict[str, Figure]:
    """Return the figures by name."""
    return {"shift-against-loss": scatter(record)} if record.networks else {}


@style.in_house_style
def scatter(record: GeneralizeRecord) -> Figure:
    """Draw one panel a network: SRGA across, loss of PSNR up, with intervals over photographs.

    The grey band is the network's own null: what lies left of its right end is no shift.
    """
    columns = min(3, len(record.networks))
    rows = -(-len(record.networks) // columns)
    figure = style.new_figure(height=0.3 + 2.7 * rows)
    panels: Any = figure.subplots(rows, columns, squeeze=False, sharey=True, sharex=True)
    for axes, each in zip(panels.flat, record.networks, strict=False):
        axes.axvspan(each.null[0], each.null[2], color="#DDDDDD", zorder=0, lw=0)
        for number, found in enumerate(each.sets):
            shift, loss = found.shift, found.loss_psnr
            axes.errorbar(
                shift.value,
                loss.value,
                xerr=[[shift.value - shift.low], [shift.high - shift.value]],
                yerr=[[loss.value - loss.low], [loss.high - loss.value]],
                fmt=style.marker_of(number),
                color=style.colour_of(number),
                ms=5,
                lw=0.8,
            )
            place = {"textcoords": "offset points", "xytext": (4, 4), "fontsize": 6.5}
            axes.annotate(shorten(found.name, 14), (shift.value, loss.value), **place)
        axes.set_title(shorten(each.network, 36), pad=4)
        axes.set_xlabel("SRGA against clean")
    for axes in panels.flat[len(record.networks) :]:
        axes.set_visible(False)
    panels[0][0].set_ylabel("loss of PSNR, dB")
    return figure
