"""Curves of AUC over levels with bands, and the map of layers by levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from srscope.analyses.dose.record import READINGS, DoseRecord, ReadResponse
from srscope.figures import style
from srscope.scores.dose import NOTICED
from srscope.study.words import distinct, shorten

_LINES = ("-", "--", ":", "-.")


def figures(record: DoseRecord) -> dict[str, Figure]:
    """Return the figures by name."""
    made: dict[str, Figure] = {}
    for reading in READINGS:
        shown = [each for each in record.layers if each.reading == reading]
        if shown:
            made[f"auc-{reading.replace(' ', '-')}"] = curves(record, shown)
    for network in record.networks:
        made[f"levels-{_file_name(network)}"] = level_map(record, network)
    return made


def _file_name(network: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in network.rsplit("/", 1)[-1])


@style.in_house_style
def curves(record: DoseRecord, shown: Sequence[ReadResponse]) -> Figure:
    """Draw AUC (left) and d' (right) of one reading by level; one line style a network."""
    figure = style.new_figure(height=3.4)
    panels: Any = figure.subplots(1, 2)
    labels = list(dict.fromkeys(each.label for each in shown))
    short = dict(zip(labels, distinct(labels, 18), strict=True))
    several = len(record.networks) > 1
    for axes, field in zip(panels, ("auc", "d_prime"), strict=True):
        for each in (*shown, *record.baselines[:1]):
            base = not each.network
            place = 0 if base else labels.index(each.label)
            colour = style.CONTROL_COLOUR if base else style.colour_of(place)
            line = "-" if base else _LINES[record.networks.index(each.network) % len(_LINES)]
            name = shorten(each.label, 30) if base else short[each.label]
            if several and not base:
                name = f"{shorten(each.network, 20)} {name}"
            values = getattr(each.response, field)
            looks = {"color": colour, "label": name, "lw": 1.2, "ms": 3}
            marker = None if base else style.marker_of(place)
            axes.plot(record.levels, [v.value for v in values], line, marker=marker, **looks)
            ends = ([v.low for v in values], [v.high for v in values])
            axes.fill_between(record.levels, *ends, color=colour, alpha=0.12, linewidth=0)
        _level_axis(axes, record)
    left, right = panels
    left.axhline(NOTICED, color=style.CONTROL_COLOUR, ls=":", lw=0.8)
    left.set_ylim(0.4, 1.02)
    left.set_ylabel("AUC against clean")
    right.set_ylabel("d′ against clean")
    handles, names = left.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3)
    return figure


def _level_axis(axes: Axes, record: DoseRecord) -> None:
    """Put levels on a logarithmic axis, weakest on the left, and PSNR of the input above it."""
    axes.set_xscale("log")
    axes.set_xlim(record.levels[0], record.levels[-1])
    ticks = record.levels[:: max(1, math.ceil(len(record.levels) / 5))]
    axes.set_xticks(ticks, [f"{level:g}" for level in ticks], minor=False)
    axes.set_xticks([], minor=True)
    axes.set_xlabel(f"{record.family}, {record.degree} {record.unit}".rstrip())
    top = axes.secondary_xaxis("top")
    psnr = dict(zip(record.levels, record.input_psnr, strict=True))
    top.set_xticks(ticks, [f"{psnr[t]:.0f}" if math.isfinite(psnr[t]) else "∞" for t in ticks])
    top.set_xticks([], minor=True)
    top.set_xlabel("PSNR of the input, dB")


@style.in_house_style
def level_map(record: DoseRecord, network: str) -> Figure:
    """Draw AUC as a colour, one row a layer and one column a level, one panel a reading."""
    own = [each for each in record.layers if each.network == network]
    readings = [reading for reading in READINGS if any(e.reading == reading for e in own)]
    rows = max(sum(e.reading == reading for e in own) for reading in readings)
    figure = style.new_figure(height=1.3 + 0.22 * rows)
    panels: Any = figure.subplots(1, len(readings), squeeze=False)
    image = None
    for axes, reading in zip(panels[0], readings, strict=True):
        shown = [each for each in own if each.reading == reading]
        auc = np.array([[value.value for value in each.response.auc] for each in shown])
        image = axes.imshow(auc, vmin=0.5, vmax=1.0, aspect="auto", cmap="viridis")
        first = axes is panels[0][0]
        axes.set_yticks(range(len(shown)), distinct([e.label for e in shown], 18) if first else [])
        columns = range(0, len(record.levels), max(1, math.ceil(len(record.levels) / 5)))
        axes.set_xticks(columns, [f"{record.levels[c]:g}" for c in columns])
        axes.set_title(reading, pad=4)
        axes.set_xlabel(f"{record.degree} {record.unit}".rstrip())
        for row, each in enumerate(shown):
            place = _place(each.response.threshold.level, record.levels)
            if place is not None:
                axes.plot([place, place], [row - 0.5, row + 0.5], color="white", lw=1.5)
    assert image is not None
    figure.colorbar(image, ax=panels[0], label="AUC against clean", shrink=0.9)
    return figure


def _place(level: float | None, levels: Sequence[float]) -> float | None:
    """Return where a level lies between the columns."""
    if level is None:
        return None
    distance = [abs(math.log(each / levels[0])) for each in levels]
    return float(np.interp(abs(math.log(level / levels[0])), distance, range(len(levels))))
