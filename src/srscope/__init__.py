"""srscope: which image degradations do a super-resolution network's features tell apart?

Every public name is loaded on first use, so that ``import srscope`` loads neither torch nor numpy.
A new one goes into the ``TYPE_CHECKING`` block (for type checkers and editors), ``_HOME`` and
``__all__``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srscope.analyses import register_analysis
    from srscope.analyses.adapt.networks import edit_degradation, restore, transfer
    from srscope.analyses.calls import adapt, attribute, dose, generalize, identify, intervene
    from srscope.analyses.comparison.run import compare
    from srscope.analyses.course.run import over_training
    from srscope.analyses.given import score
    from srscope.analyses.maps.run import feature_maps, write_maps
    from srscope.analyses.photographs import photograph_features, photograph_means
    from srscope.analyses.population.run import over_seeds
    from srscope.analyses.runner import run_analysis
    from srscope.analyses.separability import analyze, score_features, write_outputs
    from srscope.degradations.catalogue import list_suites, load_suite
    from srscope.degradations.write import write_degraded as degrade
    from srscope.errors import SrscopeError
    from srscope.exports.export import export
    from srscope.exports.trackers import log_scores
    from srscope.features.arrays import features
    from srscope.features.edit import edit
    from srscope.images.bundled import load_bundled
    from srscope.images.folder import load_folder
    from srscope.images.io import read_image, write_image
    from srscope.networks.calls import layers, upscale
    from srscope.networks.zoo import list_networks, load_network
    from srscope.reproduction.reproduce import reproduce
    from srscope.scores.table import register_score
    from srscope.study.config import AnalysisConfig
    from srscope.study.record import Study
    from srscope.study.store import read_study
    from srscope.training.loop import train
    from srscope.training.recipes import load_recipe

    __version__: str

# Public name -> where it is defined.
_HOME = {
    "AnalysisConfig": "srscope.study.config:AnalysisConfig",
    "SrscopeError": "srscope.errors:SrscopeError",
    "adapt": "srscope.analyses.calls:adapt",
    "attribute": "srscope.analyses.calls:attribute",
    "Study": "srscope.study.record:Study",
    "analyze": "srscope.analyses.separability:analyze",
    "compare": "srscope.analyses.comparison.run:compare",
    "dose": "srscope.analyses.calls:dose",
    "edit": "srscope.features.edit:edit",
    "edit_degradation": "srscope.analyses.adapt.networks:edit_degradation",
    "degrade": "srscope.degradations.write:write_degraded",
    "export": "srscope.exports.export:export",
    "features": "srscope.features.arrays:features",
    "feature_maps": "srscope.analyses.maps.run:feature_maps",
    "generalize": "srscope.analyses.calls:generalize",
    "identify": "srscope.analyses.calls:identify",
    "intervene": "srscope.analyses.calls:intervene",
    "layers": "srscope.networks.calls:layers",
    "list_networks": "srscope.networks.zoo:list_networks",
    "list_suites": "srscope.degradations.catalogue:list_suites",
    "load_bundled": "srscope.images.bundled:load_bundled",
    "load_folder": "srscope.images.folder:load_folder",
    "load_network": "srscope.networks.zoo:load_network",
    "load_recipe": "srscope.training.recipes:load_recipe",
    "load_suite": "srscope.degradations.catalogue:load_suite",
    "log_scores": "srscope.exports.trackers:log_scores",
    "over_seeds": "srscope.analyses.population.run:over_seeds",
    "over_training": "srscope.analyses.course.run:over_training",
    "photograph_features": "srscope.analyses.photographs:photograph_features",
    "photograph_means": "srscope.analyses.photographs:photograph_means",
    "read_image": "srscope.images.io:read_image",
    "read_study": "srscope.study.store:read_study",
    "register_analysis": "srscope.analyses:register_analysis",
    "register_score": "srscope.scores.table:register_score",
    "reproduce": "srscope.reproduction.reproduce:reproduce",
    "restore": "srscope.analyses.adapt.networks:restore",
    "run_analysis": "srscope.analyses.runner:run_analysis",
    "score": "srscope.analyses.given:score",
    "score_features": "srscope.analyses.separability:score_features",
    "transfer": "srscope.analyses.adapt.networks:transfer",
    "train": "srscope.training.loop:train",
    "upscale": "srscope.networks.calls:upscale",
    "write_image": "srscope.images.io:write_image",
    "write_maps": "srscope.analyses.maps.run:write_maps",
    "write_outputs": "srscope.analyses.separability:write_outputs",
}

__all__ = [
    "AnalysisConfig",
    "SrscopeError",
    "Study",
    "__version__",
    "adapt",
    "analyze",
    "attribute",
    "compare",
    "degrade",
    "dose",
    "edit",
    "edit_degradation",
    "export",
    "feature_maps",
    "features",
    "generalize",
    "identify",
    "intervene",
    "layers",
    "list_networks",
    "list_suites",
    "load_bundled",
    "load_folder",
    "load_network",
    "load_recipe",
    "load_suite",
    "log_scores",
    "over_seeds",
    "over_training",
    "photograph_features",
    "photograph_means",
    "read_image",
    "read_study",
    "register_analysis",
    "register_score",
    "reproduce",
    "restore",
    "run_analysis",
    "score",
    "score_features",
    "train",
    "transfer",
    "upscale",
    "write_image",
    "write_maps",
    "write_outputs",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home and keep it."""
    if name == "__version__":
        value: Any = importlib.import_module("importlib.metadata").version("srscope")
    elif name in _HOME:
        module, _, attribute = _HOME[name].partition(":")
        value = getattr(importlib.import_module(module), attribute)
        if name == "features":  # the stage of that name, which can be called
            value = importlib.import_module("srscope.features")
    else:
        raise AttributeError(f"module 'srscope' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
