"""The maps that a report opens with: the best layer large, raw pixels and a statistic small.

They are drawings in the page itself, so that they need no script. Suffix: N images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from srscope.report.explorer import GRID, on_grid
from srscope.report.markup import prose, text
from srscope.scores.record import LayerScores
from srscope.study import words
from srscope.study.record import Study, best_statistic

_LEVELS = 12
_COLOURS = 8


def _outlines(radius: float) -> tuple[str, ...]:
    """Return seven outlines round a point, as in ``scatter.js``, from its middle on."""

    def path(*steps: tuple[float, float]) -> str:
        first, *others = [f"{x * radius:.3g} {y * radius:.3g}" for x, y in steps]
        return f"m{first}l{'l'.join(others)}z"

    r = f"{radius:.3g}"
    return (
        f"m-{r} 0a{r} {r} 0 1 0 {2 * radius:.3g} 0a{r} {r} 0 1 0 -{2 * radius:.3g} 0z",
        path((0, -1.3), (1.25, 2.2), (-2.5, 0)),
        path((-0.9, -0.9), (1.8, 0), (0, 1.8), (-1.8, 0)),
        path((0, -1.3), (1.3, 1.3), (-1.3, 1.3), (-1.3, -1.3)),
        path((0, 1.3), (1.25, -2.2), (-2.5, 0)),
        path((-0.42, -1.25), (0.84, 0), (0, 0.83), (0.83, 0), (0, 0.84), (-0.83, 0), (0, 0.83),
             (-0.84, 0), (0, -0.83), (-0.83, 0), (0, -0.84), (0.83, 0)),
        path((-1.2, -0.7), (0.5, -0.5), (0.7, 0.7), (0.7, -0.7), (0.5, 0.5), (-0.7, 0.7),
             (0.7, 0.7), (-0.5, 0.5), (-0.7, -0.7), (-0.7, 0.7), (-0.5, -0.5), (0.7, -0.7)),
    )  # fmt: skip


def map_svg(
    entry: LayerScores,
    set_N: NDArray[np.int64],
    *,
    radius: float,
    colours: Sequence[str] | None = None,
) -> str:
    """Return a layer's first t-SNE map as SVG.

    The points lie over each other in shuffled order, so that no set hides another.

    Args:
        entry: The layer.
        set_N: The set of each image: its colour and marker.
        radius: Of a marker, of a side of 100.
        colours: Of the sets; by default the style sheet's.
    """
    told = f"{entry.label}: {words.probe_and_chi(entry)}"
    head = f'<svg class="map" viewBox="0 0 100 100" role="img" aria-label="{text(told)}">'
    points = on_grid(entry.points_RN2[0])
    if points is None:
        note = f'<text x="50" y="50" text-anchor="middle" font-size="5">{words.UNDEFINED}</text>'
        return f"{head}{note}</svg>"
    place_N2 = 4 + np.array(points).reshape(-1, 2) * (92 / GRID)
    level_N = np.random.default_rng(0).permutation(len(set_N)) % _LEVELS
    outlines, drawn = _outlines(radius), ""
    for level in range(_LEVELS):
        for k in np.unique(set_N[level_N == level]).tolist():
            own_N2 = place_N2[(level_N == level) & (set_N == k)]
            path = "".join(f"M{x:.4g} {y:.4g}{outlines[k % len(outlines)]}" for x, y in own_N2)
            drawn += f'<path {_fill(k, colours)} fill-opacity="0.85" d="{path}"/>'
    return f"{head}{drawn}</svg>"


def key(record: Study, colours: Sequence[str] | None = None) -> str:
    """Return the sets with their colours and markers, as list items."""
    outlines, items = _outlines(5), ""
    for k, each in enumerate(record.suite.sets):
        mark = f'<path {_fill(k, colours)} d="M7 7{outlines[k % len(outlines)]}"/>'
        icon = f'<svg width="14" height="14" aria-hidden="true">{mark}</svg>'
        items += f"<li>{icon} {text(each.name)}</li>"
    return items


def _fill(k: int, colours: Sequence[str] | None) -> str:
    if colours is None:
        return f'class="c{k % _COLOURS}"'
    return f'fill="{colours[k % len(colours)]}"'


def lead(record: Study, detail: str) -> str:
    """Return the maps, the sets' colours and what is to be known of them.

    Args:
        record: The study.
        detail: The numbers behind the headline, as a sentence.
    """
    best, statistic = record.layer(), best_statistic(record)
    beside = [(record.pixels, "Raw pixels")] if record.pixels.shape else []
    if statistic is not None:
        beside.append((statistic, f"Best simple statistic: {statistic.label}"))
    small = "".join(_figure(entry, title, record, radius=1.9) for entry, title in beside)
    large = _figure(best, f"{best.label}, the best layer", record, radius=1.2)
    coloured = "degradation" if record.suite.crossed else "set"
    return (
        f'<div class="maps"><div class="best">{large}</div>'
        + (f'<div class="beside">{small}</div>' if small else "")
        + f'<div class="reading">{f"<p>{prose(detail)}</p>" if detail else ""}'
        f'<ul class="key">{key(record)}</ul>'
        f'<p class="note">A point is one image. Its colour is its {coloured}. Near points have '
        "similar features. Where colours part, the features tell them apart.</p>"
        '<p class="note"><a href="#layers">Look at every image in every layer</a></p></div></div>'
    )


def _figure(entry: LayerScores, title: str, record: Study, *, radius: float) -> str:
    drawn = map_svg(entry, record.inputs.set_N, radius=radius)
    told = f"<b>{text(title)}</b> {prose(words.probe_and_chi(entry))}"
    return f"<figure>{drawn}<figcaption>{told}</figcaption></figure>"
