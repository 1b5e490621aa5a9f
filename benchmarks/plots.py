"""The committed pictures of what was measured: time and memory against size, ratios."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from srscope.figures.save import save_figure
from srscope.figures.style import SET_COLOURS, house_style

STAGES = {"extraction": "extraction", "pca": "PCA", "t-SNE": "t-SNE"}


def size_plot(entries: list[dict[str, Any]], machine: dict[str, Any], path: Path) -> None:
    """Draw seconds by stage and peak memory against the number of patches."""
    with house_style():
        figure = Figure(figsize=(7.16, 3.0), layout="constrained")
        time_axes, memory_axes = figure.subplots(1, 2)
        for number, (stage, label) in enumerate(STAGES.items()):
            seconds = [_seconds(entry, stage) for entry in entries]
            _line(time_axes, entries, seconds, colour=SET_COLOURS[number], label=label)
        gibibytes = [entry["peak_bytes"] / 2**30 for entry in entries]
        _line(memory_axes, entries, gibibytes, colour=SET_COLOURS[0], label="peak of the process")
        sizes = [entry["samples"] for entry in entries]
        width = entries[0]["width"]
        themselves = [4 * width * size / 2**30 for size in sizes]
        memory_axes.plot(sizes, themselves, "--", color="#6B6B6B", label="the features themselves")
        memory_axes.axhline(2, color="#D55E00", linestyle=":", label="limit")
        for axes in (time_axes, memory_axes):
            axes.set(xscale="log", yscale="log", xlabel="patches", xticks=sizes)
            axes.xaxis.set_major_formatter(FuncFormatter(_short))
            axes.yaxis.set_major_formatter(FuncFormatter(_short))
            axes.minorticks_off()
            axes.legend(loc="upper left", frameon=False)
        # Room for the legend above the lines.
        time_axes.set_ylim(top=30 * time_axes.get_ylim()[1])
        memory_axes.set_ylim(top=30 * memory_axes.get_ylim()[1])
        time_axes.set(ylabel="seconds", title="time (hollow: extrapolated)")
        memory_axes.set(ylabel="GiB", title="memory (hollow: extrapolated)")
        figure.suptitle(
            f"ResBlock16 of SRResNet, {width:,} features a patch, to 50 components and a map\n"
            f"{machine['processor']}, {machine['cores']} cores"
        )
    save_figure(figure, path, suffixes=("png", "svg"))


def _line(
    axes: Axes, entries: list[dict[str, Any]], values: list[float], *, colour: str, label: str
) -> None:
    """Draw what was measured as a line, and what was not as hollow points."""
    sizes = [entry["samples"] for entry in entries]
    known = [entry["measured"] for entry in entries]
    for measured in (True, False):
        axes.plot(
            [size for size, each in zip(sizes, known, strict=True) if each is measured],
            [value for value, each in zip(values, known, strict=True) if each is measured],
            "o-" if measured else "o",
            color=colour,
            markerfacecolor=colour if measured else "white",
            markersize=4,
            label=label if measured else None,
        )


def _short(value: float, _: object) -> str:
    """Return a number as a tick label: 0.1, 20, 3k, 100k."""
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def _seconds(entry: dict[str, Any], stage: str) -> float:
    extra = entry.get("pca_finish", 0.0) if stage == "pca" else 0.0
    return entry[stage] + extra
