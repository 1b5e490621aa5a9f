"""Scores by layer, one thin line a seed, and their mean with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from srscope.analyses.population.record import Population, SeedScore, seed_scores
from srscope.figures import style
from srscope.figures.depth import CHI_FLOOR, percent_axis
from srscope.study import words

_DRAWN = ("chi", "best_probe", "component_content")


@style.in_house_style
def scores_by_layer(population: Population) -> Figure:
    """Draw CHI, the probe's accuracy and the content's component by layer."""
    found = seed_scores(population)
    drawn = [[e for e in found if e.score.key == key] for key in _DRAWN]
    drawn = [own for own in drawn if any(e.mean for e in own)]
    figure = style.new_figure(height=2.7)
    panels: Any = figure.subplots(1, max(1, len(drawn)), squeeze=False)
    for place, (axes, own) in enumerate(zip(panels[0], drawn, strict=False)):
        _panel(axes, own, style.colour_of(place))
    return figure


def _panel(axes: Any, own: Sequence[SeedScore], colour: str) -> None:
    at_L = np.arange(len(own))
    is_chi = own[0].score.key == "chi"
    floor = CHI_FLOOR if is_chi else -np.inf
    for values_L in zip(*(each.values_S for each in own), strict=True):
        axes.plot(at_L, np.maximum(values_L, floor), color=style.CONTROL_COLOUR, lw=0.6, alpha=0.7)
    ends = [(e.mean.value, e.mean.low, e.mean.high) if e.mean else (np.nan,) * 3 for e in own]
    mean_L, low_L, high_L = np.maximum(np.array(ends).T, floor)
    axes.fill_between(at_L, low_L, high_L, color=colour, alpha=0.2, linewidth=0)
    axes.plot(at_L, mean_L, color=colour, marker="o", ms=4, lw=1.4)
    axes.set_xticks(at_L, words.distinct([e.label for e in own], 14), rotation=30, ha="right")
    axes.set_title(own[0].score.label, pad=4)
    if is_chi:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, 1.02)
        percent_axis(axes)
