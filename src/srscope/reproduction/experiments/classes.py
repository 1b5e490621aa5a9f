"""What the classifiers' experiments share: scores by object class, as tables and panels.

Suffixes: N images, R runs, D dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srscope.figures.panels import Panel, panel_grid
from srscope.figures.save import save_figure
from srscope.figures.style import CLASS_COLOURS
from srscope.images.digits import CLASSES
from srscope.reproduction.evidence import chi_key
from srscope.reproduction.lab import Lab
from srscope.reproduction.paper import CLASSIFIERS, Scores
from srscope.reproduction.present import NAMES, PAPER_COLUMNS, Kind, paper_cells, with_grade
from srscope.reproduction.records import Cell, Estimate, Finding, LayerPoints, Maps, Table
from srscope.scores.feature_space import chi as feature_chi
from srscope.scores.feature_space import knn_accuracy
from srscope.scores.record import Runs
from srscope.scores.separability import grade, separability

SUITE = "clean"
NEIGHBOURS = 5
CHI_COLUMNS = (
    "WD", "WD std", "BD", "BD std", "CHI", "CHI std", "CHI low", "CHI high", "grade",
)  # fmt: skip
"""Columns of :func:`chi_cells`; low and high end the 95 % interval."""
UNTRAINED = (
    "Untrained: the same architecture with fresh weights; raw pixels: the images themselves. Both "
    "went through the same PCA and t-SNE."
)
SIZES = "Size of WD and BD depends on the t-SNE implementation; their ratio, CHI, does not."


@dataclass(frozen=True, kw_only=True)
class Classes:
    """One layer's maps with their scores by object class.

    Args:
        maps: The maps.
        chi: CHI with its interval.
        wd: WD of every run.
        bd: BD of every run.
    """

    maps: Maps
    chi: Estimate
    wd: Runs
    bd: Runs

    @property
    def runs(self) -> int:
        """How many maps there are."""
        return len(self.maps.points_RND)


def class_of(layer: LayerPoints) -> NDArray[np.int64]:
    """Return the class of each image of a layer, which must have classes."""
    assert layer.images.class_N is not None
    return layer.images.class_N


def score(lab: Lab, maps: Maps) -> Classes:
    """Score maps by object class."""
    class_N = class_of(maps.layer)
    every = [separability(each, class_N, name=maps.layer.label) for each in maps.points_RND]
    return Classes(
        maps=maps,
        chi=lab.chi(maps, class_N),
        wd=Runs.of([s.wd for s in every]),
        bd=Runs.of([s.bd for s in every]),
    )


def chi_words(estimate: Estimate, runs: int) -> str:
    """Return a CHI for a caption; a single map has no spread."""
    return with_grade(estimate.value, estimate.std if runs > 1 else None)


def chi_cells(scored: Classes) -> tuple[Cell, ...]:
    """Return the cells of :data:`CHI_COLUMNS`."""
    wd, bd, chi = scored.wd, scored.bd, scored.chi
    spread = (wd.std, bd.std, chi.std) if scored.runs > 1 else (None,) * 3
    return (
        wd.mean, spread[0], bd.mean, spread[1], chi.value, spread[2], chi.low, chi.high,
        grade(chi.value),
    )  # fmt: skip


def class_panel(title: str, scored: Classes, published: Scores | None) -> Panel:
    """Return the panel of the first map, in colours and markers by object class."""
    class_N = class_of(scored.maps.layer)
    caption = f"CHI {chi_words(scored.chi, scored.runs)}"
    if published is not None:
        caption += f"\npaper {with_grade(published.chi.mean, published.chi.std)}"
    return Panel(
        title=title,
        points_N2=scored.maps.points_RND[0],
        colour_N=class_N,
        marker_N=class_N,
        caption=caption,
    )


def note_on(layer: LayerPoints) -> str:
    """Return what the labelled images are, for a finding's notes."""
    each = int(np.bincount(class_of(layer)[layer.images.set_N == 0]).max())
    return (
        "CIFAR-10 may not be shipped. The labelled images are handwritten digits on photographs, "
        f"{each} a class, of writers and photographs that nothing was trained on."
    )


def run_by_depth(lab: Lab, folder: Path, *, network: str, figure: str, table: str) -> Finding:
    """Map every shown layer of a classifier, and score it by object class.

    Args:
        lab: The lab; as many images a class as it has contents, at most 100.
        folder: Gets the figure.
        network: The classifier.
        figure: The figure's file name, without suffix.
        table: The table's name, after the paper's, e.g. ``table-s1``.
    """
    spec = lab.spec(SUITE, source="digits")
    trained = lab.layers(network, (), spec)
    fresh = lab.layers(network, (trained[-1].label,), spec, untrained=True)
    layers = [*trained, *fresh, lab.pixels(spec)]
    kinds: list[Kind] = ["untrained", "raw pixels"]
    kinds[:0] = ("network",) * len(trained)
    scored = [score(lab, maps) for maps in lab.maps(layers)]
    published = CLASSIFIERS[network]
    shown = scored[: len(trained)]
    drawn = panel_grid(
        [class_panel(s.maps.layer.label, s, published.get(s.maps.layer.label)) for s in shown],
        columns=len(shown),
        colour_names=CLASSES,
        colours=CLASS_COLOURS,
    )
    save_figure(drawn, folder / figure)
    rows: list[tuple[Cell, ...]] = []
    for kind, s in zip(kinds, scored, strict=True):
        layer, class_N = s.maps.layer, class_of(s.maps.layer)
        features = (
            feature_chi(layer.points_NC, class_N, name=layer.label),
            knn_accuracy(
                layer.points_NC, class_N, layer.images.content_N, k=NEIGHBOURS, name=layer.label
            ),
        )
        paper = published.get(layer.label) if kind == "network" else None
        size = "×".join(map(str, layer.shape))
        named = (layer.network, kind, layer.label, size)
        rows.append((*named, *chi_cells(s), *features, *paper_cells(paper)))
    return Finding(
        figures=(figure,),
        tables=(
            Table(
                name=table,
                title=f"Tab. {table.removeprefix('table-').upper()}: {NAMES[network]} by object "
                "class, by layer, with controls",
                columns=(
                    "network", "features of", "layer", "dimensions", *CHI_COLUMNS,
                    "CHI of PCA-50", "k-NN accuracy", *PAPER_COLUMNS,
                ),
                rows=tuple(rows),
            ),
        ),
        evidence={
            chi_key(network, s.maps.layer.label, SUITE, by="class", source="digits"): s.chi
            for s in shown
        },
        notes=(note_on(trained[0]), UNTRAINED, SIZES),
    )  # fmt: skip
