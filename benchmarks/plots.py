"""The committed pictures of what was measured: time and memory against size, ratios."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from srscope.figures.save import save_figure
from srscope.figures.style import SET_COLOURS, house_style

STAGES = {"extraction": "extraction", "pca": "PCA", "t-SNE": "t-SNE"}


def size_plot(entries: list[dict[str, Any]], machine: dict[str, Any], path: Path) -> None:
    """Draw seconds by stage and peak memory against the number of patches."""
    with house_style():
        figure = Figure(figsize=(7.16, 2.9), layout="constrained")
        time_axes, memory_axes = figure.subplots(1, 2)
    for number, (stage, label) in enumerate(STAGES.items()):
        colour = SET_COLOURS[number]
        for measured in (True, False):
            some = [entry for entry in entries if entry["measured"] is measured]
            time_axes.loglog(
                [entry["samples"] for entry in some],
                [_seconds(entry, stage) for entry in some],
                "o-" if measured else "o",
                color=colour,
                markerfacecolor=colour if measured else "white",
                markersize=4,
                linewidth=1.2,
                label=label if measured else None,
            )
    for measured in (True, False):
        some = [entry for entry in entries if entry["measured"] is measured]
        memory_axes.semilogx(
            [entry["samples"] for entry in some],
            [entry["peak_bytes"] / 2**30 for entry in some],
            "o-" if measured else "o",
            color=SET_COLOURS[0],
            markerfacecolor=SET_COLOURS[0] if measured else "white",
            markersize=4,
            linewidth=1.2,
            label="peak, measured" if measured else "extrapolated",
        )
    sizes = [entry["samples"] for entry in entries]
    width = entries[0]["width"]
    memory_axes.semilogx(
        sizes,
        [4 * width * size / 2**30 for size in sizes],
        "--",
        color="#6B6B6B",
        linewidth=1,
        label="the features themselves",
    )
    memory_axes.axhline(2, color="#D55E00", linewidth=1, linestyle=":", label="limit")
    memory_axes.set_ylim(0, 4)
    time_axes.set(xlabel="patches", ylabel="seconds", title="time (hollow: extrapolated)")
    memory_axes.set(xlabel="patches", ylabel="GiB", title="peak memory of the process")
    time_axes.legend()
    memory_axes.legend()
    figure.suptitle(
        f"ResBlock16 of SRResNet, {width:,} features a patch, to 50 components and a map; "
        f"{machine['processor']}, {machine['cores']} cores",
        fontsize=8,
    )
    save_figure(figure, path, suffixes=("png", "svg"))


def _seconds(entry: dict[str, Any], stage: str) -> float:
    extra = entry.get("pca_finish", 0.0) if stage == "pca" else 0.0
    return entry[stage] + extra
