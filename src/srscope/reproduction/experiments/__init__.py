"""The experiments of the paper, in its order. A new one adds its import and its entry here."""

from __future__ import annotations

from srscope.reproduction.experiment import Experiment
from srscope.reproduction.experiments import (
    by_depth,
    clusters,
    datasets,
    degrees,
    feature_maps,
    fig1,
    fig4,
    fig5,
    fig11,
    figs8,
    patch_size,
    tsne_parameters,
    unified,
)

EXPERIMENTS: tuple[Experiment, ...] = (
    fig1.EXPERIMENT,
    *clusters.EXPERIMENTS,
    fig4.EXPERIMENT,
    fig5.EXPERIMENT,
    *by_depth.EXPERIMENTS,
    degrees.EXPERIMENT,
    feature_maps.FIG10,
    fig11.EXPERIMENT,
    patch_size.EXPERIMENT,
    tsne_parameters.EXPERIMENT,
    feature_maps.FIGS4,
    *unified.EXPERIMENTS,
    figs8.EXPERIMENT,
    datasets.EXPERIMENT,
)
"""Main paper first, then the supplement; each id is used once."""
