"""Scores along the depth of the network: CHI with its controls, and the variance split.

Suffix: L layers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import ArrayLike, NDArray

from srscope.figures import style
from srscope.scores.record import LayerScores
from srscope.scores.separability import BANDS
from srscope.study import words
from srscope.study.record import Study

CHI_FLOOR = 1.0
"""CHI below this is drawn here: the axis is logarithmic, and chance gives about 1."""


def _name_places(axes: Axes, place_L: NDArray[Any], names: list[str]) -> None:
    """Label the horizontal axis; many names are slanted, so that none touches the next."""
    axes.set_xticks(place_L, names)
    if len(names) > 7:
        for text in axes.get_xticklabels():
            text.set(rotation=45, ha="right", rotation_mode="anchor")


def chi_tick(value: float) -> str:
    r"""Return what stands at an axis of CHI.

    Example:
        >>> chi_tick(1), chi_tick(10), chi_tick(1000) == "1\N{THIN SPACE}000"
        ('≤1', '10', True)
    """
    if value <= CHI_FLOOR * 1.001:
        return f"≤{value:g}"
    return f"{value:,.12g}".replace(",", "\N{THIN SPACE}")


def _chi_tick(value: float, _position: int) -> str:
    return chi_tick(value)


def _percent_tick(value: float, _position: int) -> str:
    return f"{100 * value:.0f} %"


def _tick_labels(record: Study) -> list[str]:
    limit = 16 if len(record.layers) > 7 else max(8, 84 // len(record.layers))
    return words.short_labels(record.layers, limit)


def _drawn(value: float) -> float:
    return max(value, CHI_FLOOR) if math.isfinite(value) else math.nan


def chi_errorbar(
    axes: Axes,
    place_L: ArrayLike,
    entries: Sequence[LayerScores],
    *,
    label: str | None,
    **looks: Any,
) -> None:
    """Draw CHI (mean ± std) of layers at these places, as a line with error bars.

    Args:
        axes: What to draw on; :func:`chi_axis` makes its scale.
        place_L: Where, across.
        entries: The layers.
        label: For the legend.
        looks: As for ``Axes.errorbar``.
    """
    chis = [e.tsne.chi for e in entries]
    mean_L = np.array([_drawn(c.mean) for c in chis])
    low_L = np.array([_drawn(c.mean - c.std) for c in chis])
    high_L = np.array([_drawn(c.mean + c.std) for c in chis])
    spread = np.stack([mean_L - low_L, high_L - mean_L])
    axes.errorbar(place_L, mean_L, yerr=spread, label=label, capsize=2, elinewidth=0.8, **looks)


def percent_axis(axes: Axes) -> None:
    """Label the vertical axis in percent."""
    axes.yaxis.set_major_formatter(FuncFormatter(_percent_tick))


def chi_axis(axes: Axes, tops: Sequence[float], *, graded: bool = True) -> None:
    """Make the vertical axis a logarithmic one of CHI.

    Args:
        axes: What to draw on.
        tops: The values that have to find room.
        graded: Whether to draw the paper's grades, which are for t-SNE points, as bands.
    """
    top = max([1000.0, *(2 * t for t in tops)])
    axes.set_yscale("log")
    axes.set_ylim(CHI_FLOOR * 0.7, top)
    axes.yaxis.set_major_formatter(FuncFormatter(_chi_tick))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel("CHI on t-SNE points" if graded else "CHI of the features")
    if not graded:
        return
    edges = [CHI_FLOOR * 0.7, *(edge for edge, _ in BANDS), top]
    signs = ["\N{MINUS SIGN}", *(sign for _, sign in BANDS)]
    for i, sign in enumerate(signs):
        if i % 2:
            axes.axhspan(edges[i], edges[i + 1], color="#F2F2F2", zorder=0)
        middle = math.sqrt(max(edges[i], CHI_FLOOR) * edges[i + 1])
        axes.annotate(sign, (1.008, middle), xycoords=("axes fraction", "data"), va="center",
                      annotation_clip=False)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Curve:
    """CHI along the shown layers, for :func:`chi_curves`.

    Args:
        name: For the legend.
        mean_L: A value a layer.
        std_L: Its standard deviation; 0 where there is none.
        colour: Index of the colour and marker; ``None`` for a control, in grey.
        published: Somebody else's numbers: dashed, with open markers.
    """

    name: str
    mean_L: Sequence[float]
    std_L: Sequence[float]
    colour: int | None = None
    published: bool = False


@style.in_house_style
def chi_curves(labels: Sequence[str], curves: Sequence[Curve]) -> Figure:
    """Draw CHI (mean ± std, log scale) of several networks and controls by layer.

    Args:
        labels: Of the layers, in depth order.
        curves: One value a layer each, or a single one that holds for all.
    """
    figure = style.new_figure(height=3.1)
    axes = figure.subplots()
    for number, curve in enumerate(curves):
        own = curve.colour is not None
        colour = style.colour_of(curve.colour) if curve.colour is not None else style.CONTROL_COLOUR
        if len(curve.mean_L) == 1:
            level = _drawn(curve.mean_L[0])
            axes.axhline(level, color=colour, linestyle=":", linewidth=1.3, label=curve.name)
            continue
        # A little apart, so that error bars at one layer do not cover each other.
        place_L = np.arange(len(labels)) + 0.05 * (number - (len(curves) - 1) / 2)
        pairs = list(zip(curve.mean_L, curve.std_L, strict=True))
        mean_L = np.array([_drawn(m) for m, _ in pairs])
        below_L = mean_L - np.array([_drawn(m - s) for m, s in pairs])
        above_L = np.array([_drawn(m + s) for m, s in pairs]) - mean_L
        axes.errorbar(
            place_L, mean_L, yerr=np.stack([below_L, above_L]), label=curve.name, color=colour,
            marker=style.marker_of(curve.colour) if curve.colour is not None else "x", ms=4.5,
            mfc="white" if curve.published else colour, linewidth=1.3, capsize=2, elinewidth=0.8,
            linestyle="--" if curve.published or not own else "-", zorder=5 if own else 3,
        )  # fmt: skip
    chi_axis(axes, [m + s for c in curves for m, s in zip(c.mean_L, c.std_L, strict=True)])
    axes.set_xlim(-0.5, len(labels) - 0.5)
    _name_places(axes, np.arange(len(labels)), list(labels))
    handles = dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    figure.legend([handles[c.name] for c in curves], [c.name for c in curves],
                  loc="outside upper center", ncols=3)  # fmt: skip
    return figure


@style.in_house_style
def chi_by_depth(record: Study) -> Figure:
    """Draw CHI (mean ± std over t-SNE runs, log scale) by layer, with the controls.

    The controls are the same architecture untrained, layer by layer, and the raw pixels. The
    shaded bands are the paper's grades.
    """
    figure = style.new_figure(height=2.9)
    axes = figure.subplots()
    place_L = np.arange(len(record.layers))

    chi_errorbar(axes, place_L, record.layers, label="network", color=style.SET_COLOURS[0],
                 marker="o", ms=4, zorder=5, linewidth=1.3)  # fmt: skip
    if record.untrained:
        chi_errorbar(axes, place_L, record.untrained, label="same architecture, untrained",
                     color=style.CONTROL_COLOUR, marker="s", ms=3.5, mfc="white", linestyle="--",
                     linewidth=1.3)  # fmt: skip
    pixels = record.pixels.tsne.chi.mean
    if math.isfinite(pixels):
        axes.axhline(_drawn(pixels), color=style.SET_COLOURS[1], linestyle=":", linewidth=1.3,
                     label="raw pixels")  # fmt: skip
    chis = [e.tsne.chi for e in (*record.layers, *record.untrained, record.pixels)]
    chi_axis(axes, [c.mean + c.std for c in chis if math.isfinite(c.mean)])
    axes.set_xlim(-0.5, len(record.layers) - 0.5)
    _name_places(axes, place_L, _tick_labels(record))
    # Matplotlib lists plain lines before those with error bars; the network comes first here.
    handles = sorted(
        zip(*axes.get_legend_handles_labels(), strict=True),
        key=lambda pair: pair[1] == "raw pixels",
    )
    figure.legend(*zip(*handles, strict=True), loc="outside upper center", ncols=3)
    return figure


@style.in_house_style
def variance_by_depth(record: Study) -> Figure | None:
    """Draw each layer's variance split into degradation, interaction and content.

    Returns:
        The figure, or ``None`` where the design is not crossed and no split exists.
    """
    entries = [record.pixels, *record.layers]
    if all(e.variance is None for e in entries):
        return None
    figure = style.new_figure(height=2.7)
    axes = figure.subplots()
    place_L = np.arange(len(entries), dtype=float)
    place_L[0] -= 0.4  # the control stands apart from the network's layers
    bottom_L = np.zeros(len(entries))
    for part, colour in style.SHARE_COLOURS.items():
        share_L = np.array([getattr(e.variance, part) if e.variance else 0.0 for e in entries])
        axes.bar(place_L, share_L, 0.72, bottom=bottom_L, color=colour, label=part,
                 edgecolor="white", linewidth=0.5)  # fmt: skip
        if len(entries) <= 12:
            ink = "white" if part == "degradation" else "black"
            for x, low, share in zip(place_L, bottom_L, share_L, strict=True):
                if share >= 0.08:
                    axes.text(x, low + share / 2, f"{100 * share:.0f}", ha="center", va="center",
                              color=ink, fontsize=7)  # fmt: skip
        bottom_L += share_L
    _name_places(axes, place_L, ["raw pixels", *_tick_labels(record)])
    axes.set_xlim(-1.0, len(entries) - 0.4)
    axes.set_ylim(0, 1)
    percent_axis(axes)
    axes.set_ylabel("share of variance")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@style.in_house_style
def use_by_depth(record: Study) -> Figure | None:
    """Draw the probe's accuracy above, and below what moving each layer's code does to the output.

    Returns:
        The figure, or ``None`` where the analysis was not asked whether the network uses it.
    """
    if not record.uses:
        return None
    figure = style.new_figure(height=4.2)
    above, below = figure.subplots(2, 1, sharex=True)
    place = {layer.layer: at for at, layer in enumerate(record.layers)}
    for layer in record.layers:
        probe = layer.best_probe
        if probe is not None:
            ends = [[probe.accuracy - probe.low], [probe.high - probe.accuracy]]
            above.errorbar(place[layer.layer], probe.accuracy, yerr=np.maximum(ends, 0.0),
                           color=style.SET_COLOURS[0], marker="o", ms=4, capsize=2)  # fmt: skip
    above.set_ylim(0, 1.02)
    percent_axis(above)
    above.set_ylabel("right by the probe")
    sets = list(dict.fromkeys(each.set for each in record.uses))
    for number, name in enumerate(sets):
        own = [each for each in record.uses if each.set == name]
        at_L = np.array([place[each.layer] for each in own]) + 0.08 * number
        gain_L = np.array([each.gain for each in own])
        ends_2L = np.array([[e.gain - e.low, e.high - e.gain] for e in own]).T
        colour = style.colour_of(number)
        below.errorbar(at_L, gain_L, yerr=np.maximum(ends_2L, 0.0), color=colour, ms=4, capsize=2,
                       marker=style.marker_of(number), label=name)  # fmt: skip
        below.plot(at_L, [each.strongest for each in own], color=colour, linestyle=":",
                   linewidth=1.2, label=f"{name}, strongest random direction")  # fmt: skip
    below.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
    below.set_ylabel("gain of PSNR, dB")
    _name_places(below, np.arange(len(record.layers)), _tick_labels(record))
    figure.legend(*below.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure
