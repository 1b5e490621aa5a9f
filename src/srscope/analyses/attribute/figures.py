"""Maps beside the images they are of, and how they change with the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from srscope.analyses.attribute.causal import BLOCK
from srscope.analyses.attribute.channels import ChannelSaliency
from srscope.analyses.attribute.filters import CHANCE, FilterRecord
from srscope.analyses.attribute.record import AttributeRecord
from srscope.figures import style
from srscope.study.words import shorten


def figures(record: AttributeRecord) -> dict[str, Figure]:
    """Return the figures by name."""
    made = {"maps": maps(record)}
    if record.random:
        made["random-weights"] = random_weights(record)
    if record.channels:
        made["channels"] = channels(record.channels)
    if record.causal:
        made["causal"] = causal(record)
    if record.filters is not None:
        made["filters"] = filters(record.filters)
    return made


@style.in_house_style
def maps(record: AttributeRecord) -> Figure:
    """Draw one row a version: input, output, and the map of each path."""
    columns = 2 + len(record.versions[0].maps)
    side = style.FULL_WIDTH / columns
    height, width = record.versions[0].input_HW3.shape[:2]
    figure = style.new_figure(height=(side * height / width + 0.2) * len(record.versions))
    grid = figure.subplots(len(record.versions), columns, squeeze=False)
    for row, version in enumerate(record.versions):
        pictures = [("input", version.input_HW3, 1 / record.scale)]
        pictures.append(("output", version.output_HW3, 1.0))
        for axes, (title, picture_HW3, shrunk) in zip(grid[row], pictures, strict=False):
            axes.imshow(picture_HW3, interpolation="nearest")
            _mark(axes, record, shrunk)
            axes.set_title(title if row == 0 else "", pad=3)
        for axes, each in zip(grid[row][2:], version.maps, strict=True):
            axes.imshow(each.map_HW**0.5, cmap="inferno", vmin=0, vmax=1, interpolation="nearest")
            _mark(axes, record, 1 / record.scale)
            title = f"{each.method}\n" if row == 0 else ""
            axes.set_title(f"{title}DI {each.diffusion_index:.1f}", pad=3)
        for axes in grid[row]:
            style.bare(axes)
        grid[row][0].set_ylabel(shorten(version.name, 16))
    return figure


def _mark(axes: Axes, record: AttributeRecord, shrunk: float) -> None:
    """Draw the window's outline in a picture that is so much smaller than the output."""
    window = record.window
    corner = (window.left * shrunk - 0.5, window.top * shrunk - 0.5)
    size = window.side * shrunk
    axes.add_patch(Rectangle(corner, size, size, fill=False, edgecolor="#56B4E9", linewidth=1.0))


@style.in_house_style
def random_weights(record: AttributeRecord) -> Figure:
    """Draw how alike maps are to the trained network's as more weights are at random."""
    figure = style.new_figure(width=style.FULL_WIDTH / 2, height=2.3)
    axes = figure.subplots()
    methods = dict.fromkeys(each.method for each in record.random)
    for place, method in enumerate(methods):
        shown = [e for e in record.random if e.method == method and e.correlation is not None]
        axes.plot(
            [each.share for each in shown], [each.correlation or 0.0 for each in shown],
            color=style.colour_of(place), marker=style.marker_of(place), ms=3, label=method,
        )  # fmt: skip
    axes.axhline(0, color="0.8", lw=0.8, zorder=0)
    axes.set_xlabel("share of layers at random, from the output inwards")
    axes.set_ylabel("rank correlation")
    axes.legend()
    return figure


@style.in_house_style
def channels(layers: Sequence[ChannelSaliency]) -> Figure:
    """Draw PSNR against channels removed: most salient first, least salient first, by chance."""
    figure = style.new_figure(height=2.4)
    panels = figure.subplots(1, len(layers), squeeze=False, sharey=True)[0]
    for axes, layer in zip(panels, layers, strict=True):
        at = [0, *(each.channels for each in layer.removals)]
        for place, (name, field) in enumerate(
            (("most salient first", "salient"), ("least salient first", "least"),
             ("by chance", "random"))
        ):  # fmt: skip
            lost = [getattr(each, field) for each in layer.removals]
            colour = style.CONTROL_COLOUR if field == "random" else style.colour_of(place)
            axes.plot(
                at, [layer.unedited, *(layer.unedited - each.mean for each in lost)],
                color=colour, marker=style.marker_of(place), ms=3, label=name,
            )  # fmt: skip
            ends = (
                [layer.unedited - each.high for each in lost],
                [layer.unedited - each.low for each in lost],
            )
            axes.fill_between(at[1:], *ends, color=colour, alpha=0.12, linewidth=0)
        axes.set_title(shorten(layer.label, 18))
        axes.set_xlabel("channels removed")
    panels[0].set_ylabel("PSNR, dB")
    panels[0].legend()
    return figure


@style.in_house_style
def causal(record: AttributeRecord) -> Figure:
    """Draw what the window loses by block, one panel a version, one colour scale for all."""
    most = max(float(abs(each.effect_RQ).max()) for each in record.causal) or 1.0
    figure = style.new_figure(height=2.6)
    panels: Any = figure.subplots(1, len(record.causal), squeeze=False)[0]
    image = None
    for axes, each in zip(panels, record.causal, strict=True):
        image = axes.imshow(each.effect_RQ, cmap="RdBu_r", vmin=-most, vmax=most)
        _mark(axes, record, 1 / record.scale / BLOCK)
        axes.set_title(shorten(each.version, 16))
        style.bare(axes)
    assert image is not None
    figure.colorbar(image, ax=panels, label="PSNR lost, dB", shrink=0.8)
    return figure


@style.in_house_style
def filters(record: FilterRecord) -> Figure:
    """Draw what is lost against the share of filters put back, on both sets."""
    figure = style.new_figure(height=2.4)
    panels: Any = figure.subplots(1, 2, sharey=True)
    methods = dict.fromkeys(each.method for each in record.replacements)
    for axes, field, name in zip(
        panels, ("lost", "lost_other"), (record.degraded, record.other), strict=True
    ):
        for place, method in enumerate(methods):
            own = [each for each in record.replacements if each.method == method]
            lost = [getattr(each, field) for each in own]
            errors = [[e.mean - e.low for e in lost], [e.high - e.mean for e in lost]]
            axes.errorbar(
                [100 * each.share for each in own], [each.mean for each in lost], yerr=errors,
                color=style.CONTROL_COLOUR if method == CHANCE else style.colour_of(place),
                marker=style.marker_of(place), ms=3, capsize=2, label=method,
            )  # fmt: skip
        axes.axhline(0, color="0.8", lw=0.8, zorder=0)
        axes.set_title(name)
        axes.set_xlabel("filters put back, %")
    panels[0].set_ylabel("PSNR lost, dB")
    panels[0].legend()
    return figure
