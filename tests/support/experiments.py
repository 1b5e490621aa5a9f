"""Experiments that measure nothing, for tests of what is built around them."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from srscope.errors import DegenerateError
from srscope.figures.save import save_figure
from srscope.reproduction.estimate import estimate_of
from srscope.reproduction.evidence import chi_key
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.lab import Lab
from srscope.reproduction.records import Estimate, Finding, Table


def estimate(value: float, spread: float = 0.1) -> Estimate:
    samples_B = value + spread * np.random.default_rng(0).normal(size=200)
    return estimate_of([value], samples_B)


def planted(
    name: str, *, chi: float = 600.0, network: str = "srgan-wgr", shift: float = 0.0
) -> Experiment:
    """Return an experiment that finds a planted CHI, writes a figure, and caches a stage."""

    def run(lab: Lab, folder: Path) -> Finding:
        made = lab.stages.get("planted", {"chi": chi}, lambda: {"chi": np.array(chi)})
        figure = Figure(figsize=(7.16, 2))
        axes = figure.subplots()
        axes.plot([0, 1], [0, float(made["chi"])])
        save_figure(figure, folder / name)
        table = Table(
            name=name,
            title=f"CHI in {name}",
            columns=("layer", "here", "paper"),
            rows=(("ResBlock16", float(made["chi"]), 626.0), ("<b>Conv1", None, float("nan"))),
        )
        return Finding(
            figures=(name,),
            tables=(table,),
            evidence={chi_key(network, "ResBlock16"): estimate(float(made["chi"]) + shift)},
            notes=("Planted, not measured.",),
        )

    title = f"Planted {name} <script>"
    return Experiment(id=name, title=title, where="Fig. 2", networks=(), measure=run)


def needing(name: str, *networks: str) -> Experiment:
    """Return an experiment that needs networks which there may not be."""

    def run(lab: Lab, folder: Path) -> Finding:
        raise AssertionError("its networks are missing")

    return Experiment(
        id=name, title=f"Needs {name}", where="Fig. 3", networks=networks, measure=run
    )


def failing(name: str, *, fault: bool = False) -> Experiment:
    """Return an experiment that fails: by what it was given, or by a fault of ours."""

    def run(lab: Lab, folder: Path) -> Finding:
        if fault:
            raise KeyError("a fault of ours")
        raise DegenerateError("CHI of nothing", "there is nothing")

    return Experiment(id=name, title=f"Fails {name}", where="Fig. 4", networks=(), measure=run)


def slow(name: str, seconds: float = 60.0) -> Experiment:
    """Return an experiment that says when it began, and takes long."""

    def run(lab: Lab, folder: Path) -> Finding:
        (folder / f"{name}.begun").touch()
        time.sleep(seconds)
        return Finding()

    return Experiment(id=name, title=name, where="", networks=(), measure=run)
