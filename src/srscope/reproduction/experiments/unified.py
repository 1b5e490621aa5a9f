"""Figs. S5 and S7, Table S4: one backbone under two tails; the task decides what clusters."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from srscope.figures.panels import panel_grid
from srscope.figures.save import save_figure
from srscope.reproduction.evidence import chi_key
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.experiments.classes import UNTRAINED, note_on, run_by_depth
from srscope.reproduction.experiments.labelled import (
    FED,
    contrast,
    contrast_figure,
    contrast_table,
    labelled_spec,
)
from srscope.reproduction.lab import Lab
from srscope.reproduction.present import NAMES, OWN_COLUMNS, measure, own_cells, panel
from srscope.reproduction.records import Estimate, Finding, ImageSpec, LayerPoints, Table

_CLASSIFIER, _SR = "unified-classifier", "unified-sr"


def _run_sr(lab: Lab, folder: Path) -> Finding:
    table, evidence = _by_depth(lab, folder / "figs7")
    spec, both = labelled_spec(lab), "figs7-classes"
    layers = [_deepest(lab, network, spec) for network in (_CLASSIFIER, _SR)]
    contrasts = contrast(lab, layers)
    save_figure(contrast_figure(contrasts), folder / both)
    compared = contrast_table(both, "One backbone, two tasks, the same labelled images", contrasts)
    evidence |= contrasts[0].evidence() | contrasts[1].evidence() | contrasts[1].evidence("deepest")
    return Finding(
        figures=("figs7", both),
        tables=(table, compared),
        evidence=evidence,
        notes=(note_on(layers[0]), FED, UNTRAINED),
    )


def _deepest(lab: Lab, network: str, spec: ImageSpec) -> LayerPoints:
    label = lab.network(network).default_layers[-1]
    return lab.layers(network, (label,), spec)[0]


def _by_depth(lab: Lab, path: Path) -> tuple[Table, dict[str, Estimate]]:
    """Map the shown layers on photographs, and score them by degradation."""
    spec = lab.spec()
    networks = measure(lab, lab.layers(_SR, (), spec))
    controls = [
        *measure(lab, lab.layers(_SR, (), spec, untrained=True), kind="untrained"),
        *measure(lab, [lab.pixels(spec)], kind="raw pixels"),
    ]
    drawn = panel_grid(
        [panel(each, each.maps.layer.label) for each in networks],
        columns=len(networks),
        colour_names=[each.name for each in networks[0].maps.layer.images.suite.sets],
    )
    save_figure(drawn, path)
    rows = [
        (each.maps.layer.network, each.kind, each.maps.layer.label, *own_cells(each))
        for each in (*networks, *controls)
    ]
    evidence = {chi_key(_SR, each.maps.layer.label): each.chi for each in networks}
    evidence[chi_key(_SR, "deepest")] = networks[-1].chi
    table = Table(
        name=path.name,
        title=f"Fig. S7: {NAMES[_SR]} by degradation, by layer, with controls (the paper gives a "
        "picture, no number)",
        columns=("network", "features of", "layer", *OWN_COLUMNS),
        rows=tuple(rows),
    )
    return table, evidence


EXPERIMENTS = (
    Experiment(
        id="figs5",
        title="The unified backbone as a classifier clusters by object class",
        where="Fig. S5, Tab. S4",
        networks=(_CLASSIFIER,),
        measure=partial(run_by_depth, network=_CLASSIFIER, figure="figs5", table="table-s4"),
    ),
    Experiment(
        id="figs7",
        title="The unified backbone as an SR network clusters by degradation",
        where="Fig. S7",
        networks=(_CLASSIFIER, _SR),
        measure=_run_sr,
    ),
)
