"""Fig. 2: features cluster by data set in CinCGAN (a), and by degradation in SRGAN-wGR (b)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from srscope.figures.panels import panel_grid
from srscope.figures.save import save_figure
from srscope.reproduction import paper
from srscope.reproduction.estimate import chi_estimate
from srscope.reproduction.evidence import DEEPEST, DEPTHS, chi_key
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.lab import Lab
from srscope.reproduction.present import (
    NAMES,
    OWN_COLUMNS,
    PAPER_COLUMNS,
    Measured,
    measure,
    own_cells,
    panel,
    paper_cells,
)
from srscope.reproduction.records import Cell, Estimate, Finding, Table

_COLUMNS = ("network", "features of", "layer", *OWN_COLUMNS)


def _measured(
    lab: Lab, network: str, words: Sequence[str], suite: str, shown: int
) -> list[Measured]:
    """Score the last ``shown`` layers, the deepest one untrained, and the raw pixels."""
    spec = lab.spec(suite)
    fresh = lab.layers(network, words, spec, untrained=True)
    return [
        *measure(lab, lab.layers(network, words, spec)[-shown:]),
        *measure(lab, fresh[-1:], kind="untrained"),
        *measure(lab, [lab.pixels(spec)], kind="raw pixels"),
    ]


def _row(measured: Measured) -> tuple[Cell, ...]:
    layer = measured.maps.layer
    return (layer.network, measured.kind, layer.label, *own_cells(measured))


def _sharing_contents(lab: Lab, measured: Measured) -> Estimate:
    """Return CHI of the points of those two sets of ``real`` that show the same contents."""
    images = measured.maps.layer.images
    own_N = np.isin(images.set_N, [k for k, s in enumerate(images.suite.sets) if s.name in PAIR])
    return chi_estimate(
        measured.maps.points_RND[:, own_N],
        images.set_N[own_N],
        images.content_N[own_N],
        seed=lab.config.seed,
        name=f"{measured.maps.layer.network} {measured.maps.layer.label}",
    )


PAIR = ("mild", "noise20")


def run_cincgan(lab: Lab, folder: Path) -> Finding:
    """Map CinCGAN's deepest shown layer, and all shown ones, on mild, noise20 and historic."""
    found = _measured(lab, "cincgan", (), "real", shown=4)
    networks = [m for m in found if m.kind == "network"]
    deepest = networks[-1]
    sets = [s.name for s in deepest.maps.layer.images.suite.sets]
    label = deepest.maps.layer.label
    save_figure(
        panel_grid(
            [panel(deepest, f"CinCGAN, {label}")], columns=1, colour_names=sets, letters=False
        ),
        folder / "fig2a",
    )
    panels = [panel(m, m.maps.layer.label) for m in networks]
    save_figure(
        panel_grid(panels, columns=min(4, len(panels)), colour_names=sets),
        folder / "fig2a-layers",
    )
    same = {id(m): _sharing_contents(lab, m) for m in found}
    rows = [(*_row(m), same[id(m)].value, same[id(m)].low, same[id(m)].high) for m in found]
    pair = " and ".join(PAIR)
    return Finding(
        figures=("fig2a", "fig2a-layers"),
        tables=(
            Table(
                name="fig2a",
                title="Fig. 2a: CHI by data set (the paper gives a picture, no number)",
                columns=(*_COLUMNS, f"CHI of {pair}", "low", "high"),
                rows=tuple(rows),
            ),
        ),
        evidence={chi_key("cincgan", "deepest", "real"): deepest.chi},
        notes=(
            "Mild is our approximation of the official set, and historic photographs stand in "
            "for Hollywood100.",
            f"Historic photographs show other contents than {pair}, which share theirs: the last "
            "columns score the two alone, where content cannot separate them.",
        ),
    )


def run_srgan(lab: Lab, folder: Path) -> Finding:
    """Map SRGAN-wGR's last block on clean, blurred and noisy versions of the same contents."""
    network = "srgan-wgr"
    # All depths are extracted at once, as Fig. 8 asks for them too.
    found = _measured(lab, network, DEPTHS, "clean-blur-noise", shown=1)
    published = paper.SUPER_RESOLUTION[network][DEEPEST]
    figure = panel_grid(
        [panel(found[0], f"{NAMES[network]}, {DEEPEST}", published=published.chi)],
        columns=1,
        colour_names=[s.name for s in found[0].maps.layer.images.suite.sets],
        letters=False,
    )
    save_figure(figure, folder / "fig2b")
    rows = [(*_row(m), *paper_cells(published if m.kind == "network" else None)) for m in found]
    return Finding(
        figures=("fig2b",),
        tables=(
            Table(
                name="fig2b",
                title="Fig. 2b: CHI by degradation, with controls",
                columns=(*_COLUMNS, *PAPER_COLUMNS),
                rows=tuple(rows),
            ),
        ),
        evidence={chi_key(network, DEEPEST): found[0].chi},
    )


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        id="fig2a",
        title="CinCGAN's features by data set",
        where="Fig. 2a",
        networks=("cincgan",),
        measure=run_cincgan,
    ),
    Experiment(
        id="fig2b",
        title="SRGAN-wGR's features by degradation",
        where="Fig. 2b",
        networks=("srgan-wgr",),
        measure=run_srgan,
    ),
)
