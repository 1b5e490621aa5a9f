"""Feature maps as grey images: the first channels of one or of four networks, and all channels.

Every channel has one grey scale for all versions of the image, from its 0.5th to its 99.5th
percentile, so that a difference between versions is one in the picture too. Suffixes: S sets,
C channels, H/W height and width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from srscope.features.channels import FeatureMaps
from srscope.figures import style
from srscope.study import words

MOSTLY_CONTENT = 0.75
"""Channels with this share of content or more are outlined, as the paper outlines by eye."""
_OUTLINE = style.SET_COLOURS[1]
_SMALL, _GAP, _LINE = 6.5, 0.03, 0.15  # points; inches; inches of a line of text
_NARROWEST = 4.5  # inches: room for the title
_LABEL = 0.62  # inches for the names of the rows


def shaded(maps_SHW: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return one channel of all versions in [0, 1], on one scale; 0.5 where it never changes.

    Example:
        >>> shaded(np.array([[[0.0, 2.0]], [[4.0, 4.0]]])).round(2).tolist()
        [[[0.0, 0.5]], [[1.0, 1.0]]]
    """
    low, high = (float(q) for q in np.percentile(maps_SHW, [0.5, 99.5]))
    if not high > low:
        return np.full(maps_SHW.shape, 0.5, dtype=np.float32)
    return np.clip((maps_SHW - low) / (high - low), 0, 1).astype(np.float32)


class _Sheet:
    """A figure whose one pair of axes is in inches, from the upper left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.figure = style.new_figure(width=width, height=height)
        self.figure.set_layout_engine("none")
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set_autoscale_on(False)
        self.width, self.height = width, height

    def tile(
        self, image: NDArray[Any], x: float, y: float, w: float, h: float, *, outline: bool = False
    ) -> None:
        extent = (x, x + w, y + h, y)
        self.axes.imshow(image, extent=extent, cmap="gray", vmin=0, vmax=1, aspect="auto")
        if outline:
            frame = Rectangle((x, y), w, h, fill=False, edgecolor=_OUTLINE, linewidth=1.2)
            self.axes.add_patch(frame)

    def text(self, words_: str, x: float, y: float, **looks: Any) -> None:
        looks = {"ha": "center", "va": "center", "fontsize": _SMALL} | looks
        self.axes.text(x, y, words_, **looks)

    def done(self) -> Figure:
        self.axes.set_xlim(0, self.width)
        self.axes.set_ylim(self.height, 0)
        return self.figure


def _share(maps: FeatureMaps, channel: int) -> float:
    return math.nan if maps.content_C is None else float(maps.content_C[channel])


def _ratio(maps: FeatureMaps) -> float:
    height, width = maps.inputs_SHW3.shape[1:3]
    return height / width


def _block(
    sheet: _Sheet, maps: FeatureMaps, channels: int, x: float, y: float, side: float
) -> None:
    """Draw the first channels (columns) in every version (rows), shares of content below."""
    high = side * _ratio(maps)
    for column, channel in enumerate(maps.ranking.order_C[:channels].tolist()):
        share, left = _share(maps, channel), x + column * (side + _GAP)
        grey_SHW = shaded(maps.maps_SCHW[:, channel])
        for row, grey_HW in enumerate(grey_SHW):
            top = y + row * (high + _GAP)
            sheet.tile(grey_HW, left, top, side, high, outline=share >= MOSTLY_CONTENT)
        if maps.content_C is not None:
            below = y + len(grey_SHW) * (high + _GAP) + 0.05
            text = words.percent(share) if math.isfinite(share) else "\N{EN DASH}"
            sheet.text(text, left + side / 2, below)


def _inputs(sheet: _Sheet, maps: FeatureMaps, y: float, side: float) -> None:
    """Draw the versions of the image in the first column, with their names."""
    high = side * _ratio(maps)
    for row, name in enumerate(maps.sets):
        top = y + row * (high + _GAP)
        sheet.tile(np.clip(maps.inputs_SHW3[row], 0, 1), _LABEL, top, side, high)
        name = words.shorten(name, 8)
        sheet.text(name, _LABEL - 0.06, top + high / 2, ha="right", fontsize=7)


def _legend(sheet: _Sheet, x: float, y: float) -> None:
    """Say what the outline means, at this height."""
    size = 0.09
    frame = Rectangle((x, y - size / 2), size, size, fill=False, edgecolor=_OUTLINE, linewidth=1.2)
    sheet.axes.add_patch(frame)
    text = f"content is {words.percent(MOSTLY_CONTENT)} or more of the channel's variance"
    sheet.text(text, x + 0.16, y, ha="left")


def _title(maps: FeatureMaps) -> str:
    return f"{words.shorten(maps.network, 30)}, {words.shorten(maps.label, 18)}"


@style.in_house_style
def chosen_channels(maps: FeatureMaps, *, channels: int = 8) -> Figure:
    """Draw the first channels of one network in every version of the image.

    Args:
        maps: The channels.
        channels: How many.
    """
    channels = min(channels, len(maps.ranking.order_C))
    side = min(1.2, (style.FULL_WIDTH - _LABEL - 0.15) / (channels + 1) - _GAP)
    high = side * _ratio(maps) + _GAP
    top = 2 * _LINE + 0.12
    bottom = 0.4 if maps.content_C is not None else 0.05
    width = max(_NARROWEST, _LABEL + (channels + 1) * (side + _GAP) + 0.15)
    sheet = _Sheet(width, top + len(maps.sets) * high + bottom)
    title = _title(maps)
    if maps.content is not None:
        title += f": content {words.percent(maps.content)} of the variance"
    sheet.text(title, width / 2, _LINE, fontsize=8)
    _inputs(sheet, maps, top, side)
    sheet.text("input", _LABEL + side / 2, top - 0.08)
    first = _LABEL + side + 0.1
    for column, channel in enumerate(maps.ranking.order_C[:channels].tolist()):
        sheet.text(f"#{channel}", first + column * (side + _GAP) + side / 2, top - 0.08)
    _block(sheet, maps, channels, first, top, side)
    if maps.content_C is not None:
        below = top + len(maps.sets) * high + 0.05
        sheet.text("content", _LABEL + side, below, ha="right")
        _legend(sheet, _LABEL, below + 0.2)
    return sheet.done()


@style.in_house_style
def networks_side_by_side(
    networks: Sequence[FeatureMaps], captions: Sequence[str], *, channels: int = 8
) -> Figure:
    """Draw the first channels of several networks, two beside each other, as the paper does.

    Args:
        networks: The channels of the same image in the same versions, in reading order.
        captions: One a network, drawn under it.
        channels: How many of each.
    """
    columns = min(2, len(networks))
    rows = -(-len(networks) // columns)
    apart = 0.14
    room = style.FULL_WIDTH - _LABEL - columns * apart - 0.04
    side = room / (columns * channels + 1) - _GAP
    high = side * _ratio(networks[0]) + _GAP
    block = len(networks[0].sets) * high + 0.18 + 0.2 + 0.14
    top = 0.22
    note = 0.2 if any(each.content_C is not None for each in networks) else 0.0
    sheet = _Sheet(style.FULL_WIDTH, top + rows * block + note)
    sheet.text("input", _LABEL + side / 2, top - 0.08)
    for index, (maps, caption) in enumerate(zip(networks, captions, strict=True)):
        row, column = divmod(index, columns)
        y = top + row * block
        wide = channels * (side + _GAP)
        x = _LABEL + side + apart + column * (wide + apart)
        if column == 0:
            _inputs(sheet, maps, y, side)
            if maps.content_C is not None:
                below = y + len(maps.sets) * high + 0.05
                sheet.text("content", _LABEL + side, below, ha="right")
        _block(sheet, maps, channels, x, y, side)
        sheet.text(
            caption, x + wide / 2, y + len(maps.sets) * high + 0.05 + _LINE + 0.03, fontsize=8
        )
    if note:
        _legend(sheet, _LABEL, top + rows * block + 0.05)
    return sheet.done()


@style.in_house_style
def all_channels(maps: FeatureMaps, *, title: str = "") -> Figure:
    """Draw every channel of one network, one square of channels a version, by rank row by row.

    Args:
        maps: The channels.
        title: Stands above; network and layer if absent.
    """
    order, versions = maps.ranking.order_C.tolist(), len(maps.sets)
    beside = min(versions, 3)
    across = math.ceil(math.sqrt(len(order)))
    down = -(-len(order) // across)
    gap, apart = 0.015, 0.12
    square = (style.FULL_WIDTH - (beside + 1) * apart) / beside
    side = min(square / across - gap, 0.8)
    high = side * _ratio(maps)
    square = across * (side + gap)
    block = down * (high + gap) + 0.3
    rows, first = -(-versions // beside), 0.25
    note = 0.0 if maps.content_C is None else 0.2
    wide = beside * (square + apart) + apart
    sheet = _Sheet(max(wide, _NARROWEST), first + rows * block + 0.05 + note)
    start = (sheet.width - wide) / 2 + apart
    title = words.shorten(title or _title(maps), int(11 * sheet.width))
    sheet.text(title, sheet.width / 2, 0.14, fontsize=8)
    grey_CSHW = [shaded(maps.maps_SCHW[:, channel]) for channel in order]
    for version, name in enumerate(maps.sets):
        row, column = divmod(version, beside)
        left, top = start + column * (square + apart), first + row * block + 0.2
        sheet.text(words.shorten(name, 24), left + square / 2, top - 0.08, fontsize=7)
        for place, channel in enumerate(order):
            y, x = divmod(place, across)
            sheet.tile(
                grey_CSHW[place][version],
                left + x * (side + gap),
                top + y * (high + gap),
                side,
                high,
                outline=_share(maps, channel) >= MOSTLY_CONTENT,
            )
    if note:
        _legend(sheet, min(start, 0.9), first + rows * block + 0.1)
    return sheet.done()
