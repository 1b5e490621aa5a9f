"""What a study can do, by name: mostly in later stages, so loaded when it is called."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HOMES = {
    "_repr_html_": "srscope.report.inline:inline",
    "embedding": "srscope.study.view:embedding",
    "features": "srscope.study.view:features",
    "plot": "srscope.figures.plots:plot",
    "plot.depth": "srscope.figures.depth:chi_by_depth",
    "plot.layers": "srscope.figures.scatter:layer_scatter",
    "plot.variance": "srscope.figures.depth:variance_by_depth",
    "read": "srscope.study.store:read_study",
    "save": "srscope.analyses.separability:write_outputs",
    "summary": "srscope.study.view:summary",
    "to_frame": "srscope.study.view:to_frame",
}
"""Where the methods of a study are defined."""


def method(name: str, *given: Any, **named: Any) -> Any:
    """Call what stands behind a method of a study."""
    module, _, attribute = HOMES[name].partition(":")
    return getattr(importlib.import_module(module), attribute)(*given, **named)


@dataclass(frozen=True, slots=True)
class Plot:
    """The figures of a study: ``study.plot()``, ``study.plot.layers()``, ..."""

    study: Any

    def __call__(self, layer: str | None = None, *, run: int = 0) -> Figure:
        """Draw a layer's map large, beside those of raw pixels and the best simple statistic."""
        return method("plot", self.study, layer, run=run)

    def layers(self, *, run: int = 0) -> Figure:
        """Draw the map of every layer, as the paper does."""
        return method("plot.layers", self.study, run=run)

    def depth(self) -> Figure:
        """Draw CHI by layer, with the controls."""
        return method("plot.depth", self.study)

    def variance(self) -> Figure | None:
        """Draw every layer's variance split; ``None`` where sets do not share contents."""
        return method("plot.variance", self.study)
