"""Fig. 9 and Table 1: degrees of one degradation, in four networks at the last block."""

from __future__ import annotations

from pathlib import Path

from srscope.degradations.catalogue import load_suite
from srscope.figures.panels import panel_grid
from srscope.figures.save import save_figure
from srscope.reproduction import paper
from srscope.reproduction.evidence import DEEPEST, chi_key
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.lab import Lab
from srscope.reproduction.present import (
    NAMES,
    OWN_COLUMNS,
    Measured,
    measure,
    own_cells,
    panel,
    with_grade,
)
from srscope.reproduction.records import Cell, Finding, Table
from srscope.scores.separability import grade

NETWORKS = ("srresnet-wogr", "srresnet-wgr", "srgan-wogr", "srgan-wgr")
DRAWN = ("srresnet-wgr", "srgan-wgr")
"""The rows of Fig. 9."""
DEGREES = ("noise-5-10-30", "noise-10-30", "noise-10-20", "blur-1-4")
SUITES = ("clean-blur-noise", *DEGREES)
UNTRAINED = "srgan-wgr"
"""Whose architecture is the untrained control: without weights all four are the same at a block."""


def _title(suite: str) -> str:
    """Return a suite as the paper writes it.

    Example:
        >>> _title("noise-5-10-30")
        'noise {5, 10, 30}'
        >>> _title("clean-blur-noise")
        'clean-blur-noise'
    """
    kind, *degrees = suite.split("-")
    if not all(degree.isdigit() for degree in degrees):
        return suite
    return f"{kind} {{{', '.join(degrees)}}}"


def run(lab: Lab, folder: Path) -> Finding:
    """Map the last block of four networks on each suite of Table 1."""
    specs = {suite: lab.spec(suite) for suite in SUITES}
    layers = [
        lab.layers(network, (DEEPEST,), specs[suite])[0] for network in NETWORKS for suite in SUITES
    ]
    networks = measure(lab, layers)
    fresh = [lab.layers(UNTRAINED, (DEEPEST,), specs[s], untrained=True)[0] for s in SUITES]
    controls = [
        *measure(lab, fresh, kind="untrained"),
        *measure(lab, [lab.pixels(specs[s]) for s in SUITES], kind="raw pixels"),
    ]
    by_name = {
        (network, suite): networks[i * len(SUITES) + j]
        for i, network in enumerate(NETWORKS)
        for j, suite in enumerate(SUITES)
    }
    _draw(by_name, folder)
    return Finding(
        figures=("fig9",),
        tables=(_as_printed(by_name), _in_full(networks, controls)),
        evidence={
            chi_key(network, DEEPEST, suite): m.chi for (network, suite), m in by_name.items()
        },
        notes=(
            "The paper's Table 1 prints a minus for SRResNet-wGR's 36.53, which its own footnote "
            "grades as a plus; here it stands as the footnote has it.",
        ),
    )


def _draw(by_name: dict[tuple[str, str], Measured], folder: Path) -> None:
    names = list(dict.fromkeys(s.name for suite in DEGREES for s in load_suite(suite).sets))
    names.sort(key=lambda name: (name.startswith("blur"), int(name.lstrip("noiseblur"))))
    panels = [
        panel(
            m := by_name[network, suite],
            _title(suite),
            published=paper.Score(paper.DEGREES[network][suite]),
            index_K=[names.index(s.name) for s in m.maps.layer.images.suite.sets],
        )
        for network in DRAWN
        for suite in DEGREES
    ]
    figure = panel_grid(
        panels,
        columns=len(DEGREES),
        colour_names=names,
        row_names=[NAMES[network] for network in DRAWN],
    )
    save_figure(figure, folder / "fig9")


def _as_printed(by_name: dict[tuple[str, str], Measured]) -> Table:
    """Return Table 1 in the paper's arrangement, the paper's row below ours."""
    rows: list[tuple[Cell, ...]] = []
    for network in NETWORKS:
        runs = [by_name[network, suite].runs_chi for suite in SUITES]
        ours = [with_grade(r.mean, r.std if len(r.runs) > 1 else None) for r in runs]
        theirs = [with_grade(paper.DEGREES[network][suite], None) for suite in SUITES]
        rows += [(NAMES[network], "here", *ours), (NAMES[network], "paper", *theirs)]
    return Table(
        name="table-1",
        title=f"Table 1: CHI at {DEEPEST}",
        columns=("network", "source", *(_title(suite) for suite in SUITES)),
        rows=tuple(rows),
    )


def _in_full(networks: list[Measured], controls: list[Measured]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for m in (*networks, *controls):
        layer, suite = m.maps.layer, m.maps.layer.images.suite.name
        chi = paper.DEGREES[layer.network][suite] if m.kind == "network" else None
        printed: tuple[Cell, Cell] = (None, None) if chi is None else (chi, grade(chi))
        rows.append((layer.network, m.kind, suite, layer.label, *own_cells(m), *printed))
    return Table(
        name="table-1-in-full",
        title="Table 1 with every score and the controls",
        columns=(
            "network", "features of", "suite", "layer", *OWN_COLUMNS, "paper CHI", "paper grade",
        ),
        rows=tuple(rows),
    )  # fmt: skip


EXPERIMENT = Experiment(
    id="fig9",
    title="Degrees of one degradation",
    where="Fig. 9, Table 1",
    networks=NETWORKS,
    measure=run,
)
