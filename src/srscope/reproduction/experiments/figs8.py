"""Fig. S8 and Table S5: t-SNE against PCA alone, two dimensions against more."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from srscope.figures.panels import panel_grid
from srscope.figures.save import save_figure
from srscope.figures.style import CLASS_COLOURS
from srscope.images.digits import CLASSES
from srscope.reproduction.evidence import chi_key
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.experiments.classes import (
    CHI_COLUMNS,
    SIZES,
    SUITE,
    chi_cells,
    class_panel,
    note_on,
    score,
)
from srscope.reproduction.lab import Lab
from srscope.reproduction.paper import REDUCTION
from srscope.reproduction.present import NAMES, PAPER_COLUMNS, paper_cells
from srscope.reproduction.records import Finding, LayerPoints, Maps, Table

_NETWORK, _LABEL = "resnet18", "Conv5_4"
_PCA_DIMENSIONS = (2, 3, 4, 5)
_SHOWN = ("tsne2", "tsne3", "pca2", "pca3")


def _run(lab: Lab, folder: Path) -> Finding:
    layer = lab.layers(_NETWORK, (_LABEL,), lab.spec(SUITE, source="digits"))[0]
    scored = {kind: score(lab, each) for kind, each in _reductions(lab, layer).items()}
    drawn = panel_grid(
        [class_panel(_title(kind), scored[kind], REDUCTION[kind]) for kind in _SHOWN],
        columns=len(_SHOWN),
        colour_names=CLASSES,
        colours=CLASS_COLOURS,
    )
    save_figure(drawn, folder / "figs8")
    rows = [
        (*_words(kind), *chi_cells(each), *paper_cells(REDUCTION[kind]))
        for kind, each in scored.items()
    ]
    table = Table(
        name="table-s5",
        title=f"Tab. S5: {NAMES[_NETWORK]}'s {_LABEL} by object class, by method and dimensions",
        columns=("method", "dimensions", *CHI_COLUMNS, *PAPER_COLUMNS),
        rows=tuple(rows),
    )
    return Finding(
        figures=("figs8",),
        tables=(table,),
        evidence={_key(kind): each.chi for kind, each in scored.items()},
        notes=(
            note_on(layer),
            "PCA has no runs, so its scores have no spread over runs; their intervals are over "
            "images.",
            SIZES,
        ),
    )


def _reductions(lab: Lab, layer: LayerPoints) -> dict[str, Maps]:
    """Return the layer's points by method and dimensions, t-SNE as often as it is run."""
    solid = dataclasses.replace(lab.tsne, dimensions=3)
    reduced = {"tsne2": lab.maps([layer])[0], "tsne3": lab.maps([layer], tsne=solid)[0]}
    for dimensions in _PCA_DIMENSIONS:
        points_1ND = layer.points_NC[None, :, :dimensions].astype(np.float32)
        reduced[f"pca{dimensions}"] = Maps(layer=layer, points_RND=points_1ND, kl_R=np.zeros(1))
    return reduced


def _words(kind: str) -> tuple[str, int]:
    method = {"tsne": "PCA-50, then t-SNE", "pca": "PCA"}[kind[:-1]]
    return method, int(kind[-1])


def _title(kind: str) -> str:
    method, dimensions = _words(kind)
    return f"{method.removeprefix('PCA-50, then ')}, {dimensions}-D"


def _key(kind: str) -> str:
    variant = "" if kind == "tsne2" else kind  # the usual reduction has no variant's name
    return chi_key(_NETWORK, _LABEL, SUITE, by="class", source="digits", variant=variant)


EXPERIMENT = Experiment(
    id="figs8",
    title="t-SNE separates classes better than PCA, and two dimensions better than more",
    where="Fig. S8, Tab. S5",
    networks=(_NETWORK,),
    measure=_run,
)
