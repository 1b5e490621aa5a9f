"""Fig. 4 and Table S1: a classifier's features cluster by object class, more so with depth."""

from __future__ import annotations

from functools import partial

from srscope.reproduction.experiment import Experiment
from srscope.reproduction.experiments.classes import run_by_depth

EXPERIMENT = Experiment(
    id="fig4",
    title="A classifier's features cluster by object class, more so with depth",
    where="Figs. 4 and S1, Tab. S1",
    networks=("resnet18",),
    measure=partial(run_by_depth, network="resnet18", figure="fig4", table="table-s1"),
)
