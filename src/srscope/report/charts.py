"""Charts by depth as inline SVG: CHI with its controls, and the variance split.

Depth runs downwards, one row a layer, so that names of any length and any number of layers fit
a phone as well as a page. Positions across are percentages: the chart is as wide as its box, and
type and markers keep their size. Styles come from the sheet; marks carry titles for the pointer.
"""

from __future__ import annotations

import math

from srscope.figures.depth import CHI_FLOOR, chi_tick
from srscope.figures.style import SHARE_COLOURS
from srscope.report.curves import Axis, Point, Series, curves, key
from srscope.report.markup import text
from srscope.scores.record import LayerScores
from srscope.scores.separability import BANDS
from srscope.study import words
from srscope.study.record import Study

ROW = 30
"""Pixels: height of one layer's row."""
FIRST = ROW + 12
"""Pixels: where the first layer's row begins, below the controls' row or the grades."""
_LEFT, _RIGHT = 3.0, 99.0


def _labels(record: Study, first: str) -> str:
    """Return the column of layer names; ``first`` names the row that is no layer, or is empty."""
    items = f'<li class="control">{first}</li>'
    short = words.short_labels(record.layers, 18)
    for entry, name in zip(record.layers, short, strict=True):
        items += f'<li title="{text(entry.label)}">{text(name)}</li>'
    return f'<ol class="labels">{items}</ol>'


class _LogAxis:
    """Positions in percent on a logarithmic axis from :data:`CHI_FLOOR` to 3,000 or more."""

    def __init__(self, largest: float) -> None:
        self.low = math.log10(CHI_FLOOR)
        self.high = math.log10(max(3000.0, 1.4 * largest))

    def __call__(self, value: float) -> float:
        place = (math.log10(max(value, CHI_FLOOR)) - self.low) / (self.high - self.low)
        return _LEFT + place * (_RIGHT - _LEFT)

    def ticks(self) -> list[float]:
        return [10.0**n for n in range(round(self.low), math.floor(self.high) + 1)]


def _series(entries: tuple[LayerScores, ...], axis: _LogAxis, kind: str, height: float) -> str:
    """Return one line over the layers with error bars and markers; undefined layers break it."""
    marks, stretches, current = "", [], []
    for i, entry in enumerate(entries):
        chi, y = entry.tsne.chi, (i + 0.5) * ROW
        if not math.isfinite(chi.mean):
            marks += f'<text x="50%" y="{y + 4:g}" class="missing">{words.UNDEFINED}</text>'
            stretches, current = [*stretches, current], []
            continue
        x = axis(chi.mean)
        current.append(f"{10 * x:.2f},{y:g}")
        low, high = axis(chi.mean - chi.std), axis(chi.mean + chi.std)
        told = f"{entry.label}: CHI {words.with_spread(chi)} ({words.grade_sign(entry.tsne.grade)})"
        shape = (
            f'<circle cx="{x:.2f}%" cy="{y:g}" r="5.5"/>'
            if kind == "network"
            # A square around a point in percent: an inner drawing moved there.
            else f'<svg x="{x:.2f}%" y="{y:g}"><rect x="-4" y="-4" width="8" height="8"/></svg>'
        )
        marks += (
            f'<g class="{kind}"><line x1="{low:.2f}%" x2="{high:.2f}%" y1="{y:g}" y2="{y:g}"/>'
            f"{shape}<title>{text(told)}</title></g>"
        )
    lines = "".join(
        f'<polyline class="{kind}" points="{" ".join(s)}"/>' for s in [*stretches, current] if s
    )
    return (
        f'<svg width="100%" height="{height:g}" viewBox="0 0 1000 {height:g}" '
        f'preserveAspectRatio="none">{lines}</svg>{marks}'
    )


def chi_by_depth(record: Study) -> str:
    """Return the chart of CHI by layer on a log scale, beside untrained and pixel controls."""
    chis = [e.tsne.chi for e in (*record.layers, *record.untrained, record.pixels)]
    axis = _LogAxis(max((c.mean + c.std for c in chis if math.isfinite(c.mean)), default=1.0))
    height = ROW * len(record.layers)
    edges = [CHI_FLOOR, *(e for e, _ in BANDS), 10**axis.high]
    bands = ""
    for i, sign in enumerate(["\N{MINUS SIGN}", *(s for _, s in BANDS)]):
        left, right = axis(edges[i]), axis(edges[i + 1])
        if i % 2:
            bands += (
                f'<rect class="band" x="{left:.2f}%" y="0" width="{right - left:.2f}%" '
                f'height="{height}"/>'
            )
        bands += f'<text class="grade" x="{(left + right) / 2:.2f}%" y="-8">{sign}</text>'
    ticks = ""
    for value in axis.ticks():
        x = f"{axis(value):.2f}%"
        ticks += f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="{height}"/>'
        ticks += f'<text class="tick" x="{x}" y="{height + 17}">{chi_tick(value)}</text>'
    pixels, told = record.pixels.tsne.chi, ""
    line = ""
    if math.isfinite(pixels.mean):
        x = f"{axis(pixels.mean):.2f}%"
        told = f"; raw pixels {words.with_spread(pixels)}"
        line = (
            f'<g class="pixels"><line x1="{x}" x2="{x}" y1="0" y2="{height}"/>'
            f"<title>Raw pixels: CHI {words.with_spread(pixels)}</title></g>"
        )
    series = _series(record.untrained, axis, "untrained", height)
    series += _series(record.layers, axis, "network", height)
    summary = "; ".join(f"{e.label} {words.with_spread(e.tsne.chi)}" for e in record.layers)
    return (
        '<div class="profile">'
        f"{_labels(record, '')}"
        f'<svg class="chart" role="img" aria-label="CHI by layer: {text(summary + told)}" '
        f'width="100%" height="{height + FIRST + 44}">'
        f'<svg y="{FIRST}" width="100%" height="{height}" overflow="visible">'
        f"{bands}{ticks}{line}{series}</svg>"
        f'<text class="axis" x="50%" y="{height + FIRST + 38}">'
        "CHI on t-SNE points, log scale</text></svg></div>"
    )


def chi_key(record: Study) -> str:
    """Return what is drawn in the chart of CHI; a control that is not there is not in the key."""
    items = (
        '<li><svg width="24" height="12"><line class="network" x2="24" y1="6" y2="6"/>'
        '<circle class="network" cx="12" cy="6" r="5"/></svg>network</li>'
    )
    if record.untrained:
        items += (
            '<li><svg width="24" height="12"><line class="untrained" x2="24" y1="6" y2="6"/>'
            '<rect class="untrained" x="8" y="2" width="8" height="8"/></svg>untrained</li>'
        )
    if math.isfinite(record.pixels.tsne.chi.mean):
        items += (
            '<li><svg width="24" height="12"><line class="pixels" x2="24" y1="6" y2="6"/></svg>'
            "raw pixels</li>"
        )
    return f'<ul class="key">{items}</ul>'


def variance_key() -> str:
    """Return what the colours of the variance split stand for."""
    items = "".join(
        f'<li><svg width="12" height="12"><rect class="{part}" width="12" height="12"/></svg>'
        f"{part}</li>"
        for part in SHARE_COLOURS
    )
    return f'<ul class="key">{items}</ul>'


def variance_by_depth(record: Study) -> str:
    """Return the stacked bars of the variance split, the raw pixels first; "" where undefined."""
    entries = [record.pixels, *record.layers]
    if all(e.variance is None for e in entries):
        return ""
    rows, summary = "", []
    for i, entry in enumerate(entries):
        y, left = (0 if i == 0 else FIRST + (i - 1) * ROW), 0.0
        label = "Raw pixels" if i == 0 else words.printable(entry.label)
        if entry.variance is None:
            rows += f'<text class="missing" x="50%" y="{y + 19}">{words.UNDEFINED}</text>'
            continue
        for part in SHARE_COLOURS:
            share = 100 * float(getattr(entry.variance, part))
            rows += (
                f'<g class="{part}"><rect x="{left:.3f}%" y="{y + 4}" width="{share:.3f}%" '
                f'height="{ROW - 8}"/>'
            )
            if share >= 11:
                rows += f'<text x="{left + share / 2:.3f}%" y="{y + 19}">{share:.0f}</text>'
            rows += f"<title>{text(label)}: {share:.1f} % {part}</title></g>"
            left += share
        summary.append(f"{label} {100 * entry.variance.degradation:.0f} % degradation")
    height = FIRST + ROW * len(record.layers)
    ticks = "".join(
        f'<text class="tick {place}" x="{v}%" y="{height + 17}">{v} %</text>'
        for v, place in ((0, "first"), (50, ""), (100, "last"))
    )
    return (
        f'<div class="profile">{_labels(record, "Raw pixels")}'
        f'<svg class="chart" role="img" aria-label="Share of variance: {text("; ".join(summary))}" '
        f'width="100%" height="{height + 44}">{rows}{ticks}'
        f'<text class="axis" x="50%" y="{height + 38}">share of variance</text>'
        "</svg></div>"
    )


def evidence_by_depth(record: Study) -> str:
    """Return the probe and the variance's components by depth: is it missing, or masked?

    Returns:
        The chart with its key; nothing where no layer was probed.
    """
    layers = [each for each in record.layers if each.best_probe is not None]
    if not layers:
        return ""
    series = [Series(name="probe, best reading", points=_probed(layers), pair=0)]
    split = [e for e in layers if e.variance is not None and e.variance.components is not None]
    for pair, part in enumerate(("degradation", "content"), start=1):
        points: list[Point] = []
        for layer in split:
            assert layer.variance is not None
            components = layer.variance.components
            share = float(getattr(components, part))
            half = (getattr(components, f"{part}_high") - getattr(components, f"{part}_low")) / 2
            told = f"{layer.label}: {part} {words.percent(share)} of the variance, free of noise"
            points.append(Point(x=layer.depth, mean=share, std=half, told=told))
        if points:
            series.append(Series(name=f"{part}, free of noise", points=tuple(points), pair=pair))
    simple = [e.best_probe for e in (record.pixels, *record.trivial) if e.best_probe is not None]
    top = max(simple, key=lambda probe: probe.accuracy, default=None)
    line = (
        None
        if top is None
        else (top.accuracy, f"best simple statistic: {words.percent(top.accuracy)}")
    )
    name = "accuracy of the probe, and components of variance, by depth"
    note = "" if line is None else '<p class="note">Dotted: the best simple statistic.</p>'
    return key(series) + curves(series, _DEPTH, kind="share", name=name, line_at=line) + note


def use_by_depth(record: Study) -> str:
    """Return, by depth, what moving a layer's mean code towards clean changes in the output.

    Returns:
        The chart with its key and heading; nothing where it was not asked for.
    """
    if not record.uses:
        return ""
    depth = {layer.layer: layer.depth for layer in record.layers}
    series: list[Series] = []
    sets = list(dict.fromkeys(each.set for each in record.uses))
    for pair, name in enumerate(sets):
        own = [each for each in record.uses if each.set == name]
        points = tuple(
            Point(
                x=depth[each.layer],
                mean=(each.low + each.high) / 2,
                std=(each.high - each.low) / 2,
                told=f"{each.label}, {name}: {each.gain:+.2f} dB, {each.word}",
            )
            for each in own
        )
        series.append(Series(name=name, points=points, pair=pair))
        drawn = tuple(Point(x=depth[each.layer], mean=each.strongest) for each in own)
        series.append(Series(name=f"{name}, controls", points=drawn, pair=pair, control=True))
    chart = curves(
        series, _DEPTH, kind="gain", name="gain of PSNR by depth", line_at=(0.0, "no change")
    )
    return (
        "<h3>Does the network use it?</h3>"
        '<p class="lead">Each layer\'s mean code is moved to that of clean images during the pass. '
        "The height is the gain of PSNR in dB. Only what lies above the dashed line "
        "counts: matched random directions reach that. Bars: 95 % intervals over photographs.</p>"
        + key(series, control="strongest of the random directions")
        + chart
    )


_DEPTH = Axis(
    name="depth: from the first tap point to the last, in percent",
    low=0.0,
    high=1.0,
    ticks=tuple((n / 4, f"{25 * n} %") for n in range(5)),
)


def _probed(layers: list[LayerScores]) -> tuple[Point, ...]:
    points: list[Point] = []
    for layer in layers:
        probe = layer.best_probe
        assert probe is not None
        low, high = (f"{100 * end:.0f}" for end in (probe.low, probe.high))
        told = f"{layer.label}: right for {words.percent(probe.accuracy)} [{low}, {high}]"
        half = (probe.high - probe.low) / 2
        points.append(Point(x=layer.depth, mean=(probe.high + probe.low) / 2, std=half, told=told))
    return tuple(points)
