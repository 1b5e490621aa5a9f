"""A finished study as matplotlib figures. Nothing here computes a score."""

from srscope.figures.depth import chi_by_depth, variance_by_depth
from srscope.figures.panels import Panel, panel_grid
from srscope.figures.samples import picture_grid, sample_grid
from srscope.figures.save import save_figure, save_figures
from srscope.figures.scatter import layer_scatter

__all__ = [
    "Panel",
    "chi_by_depth",
    "layer_scatter",
    "panel_grid",
    "picture_grid",
    "sample_grid",
    "save_figure",
    "save_figures",
    "variance_by_depth",
]
