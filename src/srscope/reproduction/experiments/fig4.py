"""Fig. 4 and Table S1: a classifier's features cluster by object class, more so with depth."""

from __future__ import annotations

from pathlib import Path

from srscope.reproduction.experiment import Experiment
from srscope.reproduction.experiments.classes import run_by_depth
from srscope.reproduction.lab import Lab
from srscope.reproduction.records import Finding

_ABOUT = Finding(
    id="fig4",
    title="A classifier's features cluster by object class, more so with depth",
    where="Figs. 4 and S1, Tab. S1",
)


def _run(lab: Lab, folder: Path) -> Finding:
    return run_by_depth(
        lab, folder, network="resnet18", figure=_ABOUT.id, table="table-s1", about=_ABOUT
    )


EXPERIMENT = Experiment(
    id=_ABOUT.id, title=_ABOUT.title, where=_ABOUT.where, networks=("resnet18",), run=_run
)
