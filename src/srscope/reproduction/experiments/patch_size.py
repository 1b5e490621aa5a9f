"""Supplement, section 3: the size of the patches that a network is fed."""

from __future__ import annotations

import math
from pathlib import Path

from srscope.figures.panels import panel_grid
from srscope.figures.save import save_figure
from srscope.reproduction.conditions import PATCHES
from srscope.reproduction.evidence import DEEPEST, chi_key
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.lab import Lab
from srscope.reproduction.present import NAMES, OWN_COLUMNS, measure, own_cells, panel
from srscope.reproduction.records import Cell, Finding, Table

NETWORK = "srgan-wgr"


def run(lab: Lab, folder: Path) -> Finding:
    """Map SRGAN-wGR's last block on patches of 16 to 64 pixels, beside their raw pixels."""
    specs = [lab.spec(patch=patch) for patch in PATCHES]
    networks = measure(lab, [lab.layers(NETWORK, (DEEPEST,), spec)[0] for spec in specs])
    pixels = measure(lab, [lab.pixels(spec) for spec in specs], kind="raw pixels")
    figure = panel_grid(
        [panel(m, f"{size} × {size} px") for size, m in zip(PATCHES, networks, strict=True)],
        columns=len(PATCHES),
        colour_names=[s.name for s in networks[0].maps.layer.images.suite.sets],
    )
    save_figure(figure, folder / "patch-size")
    rows: list[tuple[Cell, ...]] = []
    for found in (networks, pixels):
        for size, m in zip(PATCHES, found, strict=True):
            layer = m.maps.layer
            contents = layer.images.suite.sets[0].count
            rows.append(
                (layer.network, m.kind, layer.label, size, contents, math.prod(layer.shape),
                 *own_cells(m))
            )  # fmt: skip
    return Finding(
        figures=("patch-size",),
        tables=(
            Table(
                name="patch-size",
                title=f"{NAMES[NETWORK]} at {DEEPEST} by patch size (the paper gives no numbers)",
                columns=(
                    "network", "features of", "layer", "patch", "contents", "features",
                    *OWN_COLUMNS,
                ),
                rows=tuple(rows),
            ),
        ),
        evidence={
            chi_key(NETWORK, DEEPEST, variant=f"patch{size}"): m.chi
            for size, m in zip(PATCHES, networks, strict=True)
        },
        notes=(
            "Patches of different sizes are cut round the same grid points, so that they show "
            "the same places in more or less of their surroundings.",
        ),
    )  # fmt: skip


EXPERIMENT = Experiment(
    id="patch-size",
    title="Patch sizes",
    where="supplement section 3",
    networks=(NETWORK,),
    measure=run,
)
