"""srscope: which image degradations do a super-resolution network's features tell apart?

Every public name is loaded on first use, so that ``import srscope`` loads neither torch nor numpy.
A new one goes into the ``TYPE_CHECKING`` block (for type checkers and editors), ``_HOME`` and
``__all__``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srscope.analysis import analyze, score_features, write_outputs
    from srscope.analysis_compare import compare
    from srscope.analysis_config import AnalysisConfig
    from srscope.analysis_course import over_training
    from srscope.analysis_export import export
    from srscope.analysis_maps import feature_maps, write_maps
    from srscope.analysis_photographs import photograph_features, photograph_means
    from srscope.degradations.suite import list_suites, load_suite
    from srscope.degradations.write import write_degraded as degrade
    from srscope.errors import SrscopeError
    from srscope.images.bundled import load_bundled
    from srscope.images.folder import load_folder
    from srscope.images.io import read_image, write_image
    from srscope.networks.upscale import upscale
    from srscope.networks.zoo import list_networks, load_network
    from srscope.reproduction.reproduce import reproduce
    from srscope.study_file import read_study
    from srscope.training.loop import train
    from srscope.training.recipes import load_recipe

    __version__: str

# Public name -> where it is defined.
_HOME = {
    "AnalysisConfig": "srscope.analysis_config:AnalysisConfig",
    "SrscopeError": "srscope.errors:SrscopeError",
    "analyze": "srscope.analysis:analyze",
    "compare": "srscope.analysis_compare:compare",
    "degrade": "srscope.degradations.write:write_degraded",
    "export": "srscope.analysis_export:export",
    "feature_maps": "srscope.analysis_maps:feature_maps",
    "list_networks": "srscope.networks.zoo:list_networks",
    "list_suites": "srscope.degradations.suite:list_suites",
    "load_bundled": "srscope.images.bundled:load_bundled",
    "load_folder": "srscope.images.folder:load_folder",
    "load_network": "srscope.networks.zoo:load_network",
    "load_recipe": "srscope.training.recipes:load_recipe",
    "load_suite": "srscope.degradations.suite:load_suite",
    "over_training": "srscope.analysis_course:over_training",
    "photograph_features": "srscope.analysis_photographs:photograph_features",
    "photograph_means": "srscope.analysis_photographs:photograph_means",
    "read_image": "srscope.images.io:read_image",
    "read_study": "srscope.study_file:read_study",
    "reproduce": "srscope.reproduction.reproduce:reproduce",
    "score_features": "srscope.analysis:score_features",
    "train": "srscope.training.loop:train",
    "upscale": "srscope.networks.upscale:upscale",
    "write_image": "srscope.images.io:write_image",
    "write_maps": "srscope.analysis_maps:write_maps",
    "write_outputs": "srscope.analysis:write_outputs",
}

__all__ = [
    "AnalysisConfig",
    "SrscopeError",
    "__version__",
    "analyze",
    "compare",
    "degrade",
    "export",
    "feature_maps",
    "list_networks",
    "list_suites",
    "load_bundled",
    "load_folder",
    "load_network",
    "load_recipe",
    "load_suite",
    "over_training",
    "photograph_features",
    "photograph_means",
    "read_image",
    "read_study",
    "reproduce",
    "score_features",
    "train",
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
    else:
        raise AttributeError(f"module 'srscope' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
