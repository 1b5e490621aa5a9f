"""The experiments of the paper, in its order. A new one adds its import and its entry here."""

from __future__ import annotations

from srscope.reproduction.experiment import Experiment
from srscope.reproduction.experiments import (
    by_depth,
    clusters,
    datasets,
    degrees,
    feature_maps,
    fig4,
    fig5,
    figs8,
    patch_size,
    tsne_parameters,
    unified,
)

EXPERIMENTS: tuple[Experiment, ...] = (
    *clusters.EXPERIMENTS,
    fig4.EXPERIMENT,
    fig5.EXPERIMENT,
    *by_depth.EXPERIMENTS,
    degrees.EXPERIMENT,
    feature_maps.FIG10,
    patch_size.EXPERIMENT,
    tsne_parameters.EXPERIMENT,
    feature_maps.FIGS4,
    *unified.EXPERIMENTS,
    figs8.EXPERIMENT,
    datasets.EXPERIMENT,
)
"""Main paper first, then the supplement; each id is used once."""
