"""Curves of several series as inline SVG: a score against depth, or against iterations.

As in `charts`, positions across are percentages, so that the drawing is as wide as its box while
type and markers keep their size. Colours and markers are those of the scatter plots' pairs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.ticker import MaxNLocator

from srscope.figures.depth import CHI_FLOOR, chi_tick
from srscope.report.markup import text
from srscope.scores.separability import BANDS
from srscope.study import words

Kind = Literal["chi", "share", "gain"]
HEIGHT = 300
"""Pixels: of the drawing without its axis."""
COLOURS = 8
_LEFT, _RIGHT = 2.0, 98.0
_TOP = 10
_MARKERS = (
    "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0",
    "M0 -6.5L6.2 4.5H-6.2Z",
    "M-4.5 -4.5h9v9h-9Z",
    "M0 -6.5L6.5 0L0 6.5L-6.5 0Z",
    "M0 6.5L6.2 -4.5H-6.2Z",
    "M-2 -6h4v4h4v4h-4v4h-4v-4h-4v-4h4Z",
    "M-6 -3.5L-3.5 -6L0 -2.5L3.5 -6L6 -3.5L2.5 0L6 3.5L3.5 6L0 2.5L-3.5 6L-6 3.5L-2.5 0Z",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One mark of a series.

    Args:
        x: Its place, on the axis's own scale.
        mean: Its height; NaN breaks the line.
        std: Length of its error bar to either side.
        told: What the pointer is told.
    """

    x: float
    mean: float
    std: float = 0.0
    told: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One curve.

    Args:
        name: For the key.
        points: Its marks, from left to right.
        pair: Number of its colour and marker.
        control: Whether it is a control: dashed, without markers.
    """

    name: str
    points: tuple[Point, ...]
    pair: int
    control: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """The horizontal axis.

    Args:
        name: What it measures.
        low: Its left end.
        high: Its right end.
        ticks: (value, label).
    """

    name: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float) -> float:
        """Return where a value stands, in percent of the drawing's width."""
        span = (self.high - self.low) or 1.0
        return _LEFT + (value - self.low) / span * (_RIGHT - _LEFT)


class _Heights:
    """Positions in pixels from the top: logarithmic for CHI, linear for shares and gains."""

    def __init__(self, kind: Kind, least: float, largest: float) -> None:
        self.kind = kind
        self.low, self.high = {
            "chi": (math.log10(CHI_FLOOR), math.log10(max(1000.0, 1.4 * largest))),
            "share": (0.0, 1.0),
            "gain": (min(least, -0.1), max(largest, 0.1)),
        }[kind]

    def __call__(self, value: float) -> float:
        scaled = math.log10(max(value, CHI_FLOOR)) if self.kind == "chi" else value
        return _TOP + (self.high - scaled) / (self.high - self.low) * (HEIGHT - _TOP)

    def ticks(self) -> list[tuple[float, str]]:
        if self.kind == "share":
            return [(v / 4, f"{25 * v} %") for v in range(5)]
        if self.kind == "gain":
            values = MaxNLocator(nbins=6).tick_values(self.low, self.high)
            values = [float(v) for v in values if self.low <= v <= self.high]
            return [(v, f"{v:+.3g}" if v else "0") for v in values]
        values = [10.0**n for n in range(round(self.low), math.floor(self.high) + 1)]
        return [(v, chi_tick(v)) for v in values]


def curves(
    series: Sequence[Series],
    axis: Axis,
    *,
    kind: Kind = "chi",
    name: str,
    graded: bool = True,
    line_at: tuple[float, str] | None = None,
) -> str:
    """Return the chart.

    Args:
        series: The curves, controls among them.
        axis: The horizontal axis.
        kind: ``chi`` for a logarithmic vertical axis, ``share`` for one from 0 to 1, ``gain`` for
            dB above and below 0.
        name: Of the vertical axis, for readers of the screen as well.
        graded: Whether to show the paper's bands of CHI, which are for t-SNE points.
        line_at: A height to mark across, such as chance, and what the pointer is told of it.
    """
    known = [p for s in series for p in s.points if math.isfinite(p.mean)]
    height = _Heights(
        kind,
        min((p.mean - p.std for p in known), default=0.0),
        max((p.mean + p.std for p in known), default=1.0),
    )
    left = right = bands = ticks = ""
    for value, label in height.ticks():
        y = f"{height(value):.1f}"
        bands += f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        left += f'<text class="tick last" x="100%" y="{height(value) + 4:.1f}">{label}</text>'
    if kind == "chi" and graded:
        shaded, right = _grades(height)
        bands = shaded + bands
    for value, label in axis.ticks:
        place = axis.place(value)
        ticks += f'<text class="tick" x="{place:.2f}%" y="{HEIGHT + 18}">{text(label)}</text>'
    if line_at is not None:
        y = f"{height(line_at[0]):.1f}"
        bands += (
            f'<g class="level"><line x1="0" x2="100%" y1="{y}" y2="{y}"/>'
            f"<title>{text(line_at[1])}</title></g>"
        )
    drawn = "".join(
        _curve(each, axis, height) for each in sorted(series, key=lambda s: not s.control)
    )
    summary = "; ".join(f"{s.name}: {_ends(s, kind)}" for s in series if not s.control)
    whole = HEIGHT + 44
    return (
        '<div class="curves">'
        f'<svg class="chart ends" width="44" height="{whole}" aria-hidden="true">{left}</svg>'
        f'<svg class="chart" role="img" aria-label="{text(name)}. {text(summary)}" width="100%" '
        f'height="{whole}">{bands}{drawn}{ticks}'
        f'<text class="axis" x="50%" y="{HEIGHT + 40}">{text(axis.name)}</text></svg>'
        f'<svg class="chart ends" width="30" height="{whole}" aria-hidden="true">{right}</svg>'
        "</div>"
    )


def _grades(height: _Heights) -> tuple[str, str]:
    """Return the bands of the paper's grades, and their signs."""
    shaded = signs = ""
    edges = [CHI_FLOOR, *(edge for edge, _ in BANDS), 10**height.high]
    for i, sign in enumerate(["\N{MINUS SIGN}", *(sign for _, sign in BANDS)]):
        low, high = height(edges[i]), height(edges[i + 1])
        if i % 2:
            shaded += (
                f'<rect class="band" x="0" y="{high:.1f}" width="100%" height="{low - high:.1f}"/>'
            )
        signs += f'<text class="grade first" x="0" y="{(low + high) / 2 + 4:.1f}">{sign}</text>'
    return shaded, signs


def _curve(series: Series, axis: Axis, height: _Heights) -> str:
    colour = f"s{series.pair % COLOURS}"
    kind = "control" if series.control else "own"
    marks, stretches, current = "", list[list[str]](), list[str]()
    for point in series.points:
        if not math.isfinite(point.mean):
            stretches, current = [*stretches, current], []
            continue
        x, y = axis.place(point.x), height(point.mean)
        current.append(f"{10 * x:.2f},{y:.1f}")
        if series.control:
            continue
        low, high = height(point.mean - point.std), height(point.mean + point.std)
        at = f'x1="{x:.2f}%" x2="{x:.2f}%"'
        marks += (
            f'<g class="{colour}"><line {at} y1="{low:.1f}" y2="{high:.1f}"/>'
            f'<svg x="{x:.2f}%" y="{y:.1f}" overflow="visible">'
            f'<path class="c{series.pair % COLOURS}" d="{_MARKERS[series.pair % len(_MARKERS)]}"/>'
            f"</svg><title>{text(point.told)}</title></g>"
        )
    lines = "".join(
        f'<polyline class="{kind} {colour}" points="{" ".join(s)}"/>'
        for s in [*stretches, current]
        if s
    )
    return (
        f'<svg width="100%" height="{HEIGHT}" viewBox="0 0 1000 {HEIGHT}" '
        f'preserveAspectRatio="none">{lines}</svg>{marks}'
    )


def _ends(series: Series, kind: Kind) -> str:
    """Return a curve's first and last value in words."""
    finite = [p.mean for p in series.points if math.isfinite(p.mean)]
    if not finite:
        return words.UNDEFINED
    write = {"chi": words.number, "share": words.percent, "gain": "{:+.2f} dB".format}[kind]
    return f"{write(finite[0])} to {write(finite[-1])}"


def key(series: Sequence[Series], *, control: str = "") -> str:
    """Return what the curves stand for, as a list; ``control`` names the dashed lines."""
    items = "".join(
        f'<li><svg width="26" height="14"><line class="s{s.pair % COLOURS}" x2="26" y1="7" y2="7"/>'
        f'<svg x="13" y="7" overflow="visible"><path class="c{s.pair % COLOURS}" '
        f'd="{_MARKERS[s.pair % len(_MARKERS)]}"/></svg></svg>{text(s.name)}</li>'
        for s in series
        if not s.control
    )
    if control:
        items += (
            '<li><svg width="26" height="14"><line class="untrained" x2="26" y1="7" y2="7"/></svg>'
            f"{text(control)}</li>"
        )
    return f'<ul class="key">{items}</ul>'


def iteration_ticks(last: int, first: float = 0.0) -> tuple[tuple[float, str], ...]:
    """Return about five round iterations up to the last, with their labels.

    Example:
        >>> [label for _, label in iteration_ticks(24000)]
        ['0', '5k', '10k', '15k', '20k']
        >>> [label for _, label in iteration_ticks(24000, first=22000)]
        ['22k', '22.5k', '23k', '23.5k', '24k']
    """
    high = max(1, last)
    locator = MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=True)
    values = locator.tick_values(first, high)
    return tuple((float(v), _thousands(round(v))) for v in values if first <= v <= high)


def _thousands(count: int) -> str:
    if count >= 1_000_000:
        return f"{count / 1_000_000:g}M"
    return f"{count / 1000:g}k" if count >= 1000 else str(count)
