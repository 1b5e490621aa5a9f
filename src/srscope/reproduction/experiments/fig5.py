"""Fig. 5: on labelled images with blur and noise, classifiers and SR networks cluster otherwise."""

from __future__ import annotations

from pathlib import Path

from srscope.figures.save import save_figure
from srscope.reproduction.evidence import DEEPEST
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.experiments.classes import note_on
from srscope.reproduction.experiments.labelled import (
    FED,
    contrast,
    contrast_figure,
    contrast_table,
    labelled_spec,
    legible,
)
from srscope.reproduction.lab import Lab
from srscope.reproduction.records import Finding

_DEEPEST = {"resnet18": "Conv5_4", "srresnet-wgr": DEEPEST, "srgan-wgr": DEEPEST}


def _run(lab: Lab, folder: Path) -> Finding:
    spec = labelled_spec(lab)
    layers = [lab.layers(network, (label,), spec)[0] for network, label in _DEEPEST.items()]
    contrasts = contrast(lab, [*layers, lab.pixels(spec)])
    networks = contrasts[: len(layers)]
    save_figure(contrast_figure(networks), folder / "fig5")
    return Finding(
        figures=("fig5",),
        tables=(
            contrast_table("fig5", "Separability by class and by degradation", contrasts),
            contrast_table(
                "fig5-legible",
                "The same points without the blurred images, in which no digit can be read",
                [legible(lab, each) for each in contrasts],
            ),
        ),
        evidence={key: chi for each in networks for key, chi in each.evidence().items()},
        notes=(note_on(layers[0]), FED),
    )


EXPERIMENT = Experiment(
    id="fig5",
    title="A classifier's features cluster by object class, those of SR networks by degradation",
    where="Fig. 5",
    networks=tuple(_DEEPEST),
    measure=_run,
)
