"""Figs. 7 and 8, Tabs. S2 and S3: a pair of networks with and without global residual, by depth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from srscope.figures.depth import Curve, chi_curves
from srscope.figures.panels import panel_grid
from srscope.figures.save import save_figure
from srscope.reproduction import paper
from srscope.reproduction.evidence import DEPTHS, chi_key
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
from srscope.reproduction.records import Cell, Finding, Table


def run_pair(lab: Lab, folder: Path, *, number: int, table: int, pair: tuple[str, str]) -> Finding:
    """Map both networks at the paper's four depths, beside untrained ones and raw pixels.

    Args:
        lab: Measures.
        folder: Gets the figure.
        number: Of the figure.
        table: Of the supplement's table.
        pair: The networks without and with global residual.
    """
    spec = lab.spec()
    trained = [layer for name in pair for layer in lab.layers(name, DEPTHS, spec)]
    fresh = [layer for name in pair for layer in lab.layers(name, DEPTHS, spec, untrained=True)]
    networks = measure(lab, trained)
    controls = [
        *measure(lab, fresh, kind="untrained"),
        *measure(lab, [lab.pixels(spec)], kind="raw pixels"),
    ]
    published = {name: paper.SUPER_RESOLUTION[name] for name in pair}
    panels = [
        panel(m, m.maps.layer.label, published=published[_network(m)][m.maps.layer.label].chi)
        for m in networks
    ]
    figure = panel_grid(
        panels,
        columns=len(DEPTHS),
        colour_names=[s.name for s in networks[0].maps.layer.images.suite.sets],
        row_names=[NAMES[name] for name in pair],
    )
    save_figure(figure, folder / f"fig{number}")
    save_figure(
        chi_curves(DEPTHS, _curves(pair, networks, controls)), folder / f"fig{number}-depth"
    )
    rows: list[tuple[Cell, ...]] = []
    for m in (*networks, *controls):
        layer = m.maps.layer
        scores = published[layer.network][layer.label] if m.kind == "network" else None
        rows.append((layer.network, m.kind, layer.label, *own_cells(m), *paper_cells(scores)))
    return Finding(
        figures=(f"fig{number}", f"fig{number}-depth"),
        tables=(
            Table(
                name=f"table-s{table}",
                title=f"Tab. S{table}: scores by layer, with controls",
                columns=("network", "features of", "layer", *OWN_COLUMNS, *PAPER_COLUMNS),
                rows=tuple(rows),
            ),
        ),
        evidence={chi_key(_network(m), m.maps.layer.label): m.chi for m in networks},
        notes=(
            "Untrained: the same architecture with fresh weights; raw pixels: the images "
            "themselves. Both went through the same PCA and t-SNE.",
            "Size of WD and BD depends on the t-SNE implementation; their ratio, CHI, does not.",
        ),
    )


def _curves(
    pair: tuple[str, str], networks: Sequence[Measured], controls: Sequence[Measured]
) -> list[Curve]:
    """Return CHI by depth of both networks, here and in the paper, and of the controls."""

    def here(name: str, found: Sequence[Measured], colour: int | None) -> Curve:
        runs = [m.runs_chi for m in found]
        means, stds = [r.mean for r in runs], [r.std for r in runs]
        return Curve(name=name, mean_L=means, std_L=stds, colour=colour)

    curves: list[Curve] = []
    for colour, network in enumerate(pair):
        own = [m for m in networks if _network(m) == network]
        printed = [paper.SUPER_RESOLUTION[network][label].chi for label in DEPTHS]
        curves += [
            here(NAMES[network], own, colour),
            Curve(
                name=f"{NAMES[network]}, paper",
                mean_L=[score.mean for score in printed],
                std_L=[score.std or 0.0 for score in printed],
                colour=colour,
                published=True,
            ),
        ]
    fresh = [m for m in controls if m.kind == "untrained" and _network(m) == pair[1]]
    pixels = [m for m in controls if m.kind == "raw pixels"]
    return [*curves, here("untrained", fresh, None), here("raw pixels", pixels, None)]


def _network(measured: Measured) -> str:
    return measured.maps.layer.network


EXPERIMENTS: tuple[Experiment, ...] = tuple(
    Experiment(
        id=f"fig{number}",
        title=f"{kind} networks without and with global residual, by depth",
        where=f"Figs. {number} and S{table}, Tab. S{table}",
        networks=pair,
        measure=partial(run_pair, number=number, table=table, pair=pair),
    )
    for kind, number, table, pair in (
        ("L1", 7, 2, ("srresnet-wogr", "srresnet-wgr")),
        ("GAN", 8, 3, ("srgan-wogr", "srgan-wgr")),
    )
)
