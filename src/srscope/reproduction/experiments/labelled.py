"""Labelled images in several degradations: do features cluster by class, or by degradation?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from srscope.figures.panels import Panel, panel_grid
from srscope.figures.style import CLASS_COLOURS
from srscope.images.digits import CLASSES
from srscope.reproduction.estimate import chi_estimate
from srscope.reproduction.evidence import chi_key
from srscope.reproduction.experiments.classes import chi_words, class_of
from srscope.reproduction.lab import Lab
from srscope.reproduction.present import NAMES
from srscope.reproduction.records import Cell, Estimate, ImageSpec, LayerPoints, Maps, Table

EACH = 30
"""Images a class in each of three sets: 900 points, as t-SNE's time grows with their square."""
BLURRED = "blur"
FED = "Networks of every kind are fed the same 32×32 images, degraded at that size."
COLUMNS = (
    "network", "layer", "dimensions",
    "CHI by class", "std by class", "low by class", "high by class",
    "CHI by degradation", "std by degradation", "low by degradation", "high by degradation",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """One layer's maps, scored both ways."""

    maps: Maps
    by_class: Estimate
    by_set: Estimate

    @property
    def row(self) -> tuple[Cell, ...]:
        """A row of a table of ``COLUMNS``."""
        layer = self.maps.layer
        cells: list[Cell] = [layer.network or None, layer.label, "×".join(map(str, layer.shape))]
        for chi in (self.by_class, self.by_set):
            cells += [chi.value, chi.std, chi.low, chi.high]
        return tuple(cells)

    @property
    def panel(self) -> Panel:
        """Colours for object classes, marker shapes for degradations."""
        layer, runs = self.maps.layer, len(self.maps.points_RND)
        return Panel(
            title=f"{NAMES[layer.network]}, {layer.label}",
            points_N2=self.maps.points_RND[0],
            colour_N=class_of(layer),
            marker_N=layer.images.set_N,
            caption=f"CHI by class {chi_words(self.by_class, runs)}\n"
            f"by degradation {chi_words(self.by_set, runs)}",
        )

    def evidence(self, label: str = "") -> dict[str, Estimate]:
        """Return both scores under their names; ``label`` stands for the layer's own if given."""
        layer = self.maps.layer
        where = label or layer.label
        return {
            chi_key(layer.network, where, by="class", source="digits"): self.by_class,
            chi_key(layer.network, where, by="set", source="digits"): self.by_set,
        }


def labelled_spec(lab: Lab) -> ImageSpec:
    """Return the labelled images: clean, blurred and noisy."""
    return lab.spec(source="digits", contents=min(EACH, lab.config.contents))


def contrast(lab: Lab, layers: Sequence[LayerPoints]) -> list[Contrast]:
    """Map layers, and score each by object class and by degradation."""
    return [
        Contrast(maps=maps, by_class=lab.chi(maps, class_of(maps.layer)), by_set=lab.chi(maps))
        for maps in lab.maps(layers)
    ]


def legible(lab: Lab, each: Contrast) -> Contrast:
    """Score the points of the maps again, without those of blurred images.

    Blur of the suite's width leaves nothing of a digit; what a classifier makes of such images
    says nothing on whether it keeps classes together where it can see them.
    """
    layer, maps = each.maps.layer, each.maps
    images = layer.images
    blurred = [k for k, one in enumerate(images.suite.sets) if one.name == BLURRED]
    own_N = ~np.isin(images.set_N, blurred)

    def score(labels_N: NDArray[np.int64]) -> Estimate:
        return chi_estimate(
            maps.points_RND[:, own_N],
            labels_N[own_N],
            images.content_N[own_N],
            seed=lab.config.seed,
            name=f"{layer.network} {layer.label}",
        )

    return Contrast(maps=maps, by_class=score(class_of(layer)), by_set=score(images.set_N))


def contrast_figure(contrasts: Sequence[Contrast]) -> Figure:
    """Draw contrasts side by side."""
    return panel_grid(
        [each.panel for each in contrasts],
        columns=len(contrasts),
        colour_names=CLASSES,
        marker_names=[each.name for each in contrasts[0].maps.layer.images.suite.sets],
        colours=CLASS_COLOURS,
    )


def contrast_table(name: str, title: str, contrasts: Sequence[Contrast]) -> Table:
    """Return both scores of every layer, with their intervals."""
    return Table(
        name=name, title=title, columns=COLUMNS, rows=tuple(each.row for each in contrasts)
    )
