"""The looks that all figures share: colours, markers, type sizes, and how a figure is made.

Colours are Okabe and Ito's, told apart with every common colour blindness; every set also has
a marker of its own, so that a figure survives a black-and-white print.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Blue, vermillion, green, purple, orange, sky, black, and yellow last: it is hard to see on white.
SET_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#B8A800",
)
CLASS_COLOURS = (*SET_COLOURS, "#882255", "#9A9A9A")
"""Ten colours for ten object classes."""
MARKERS = ("o", "^", "s", "D", "v", "P", "X")
SHARE_COLOURS = {"degradation": "#0072B2", "interaction": "#56B4E9", "content": "#D9D9D9"}
CONTROL_COLOUR = "#6B6B6B"
FULL_WIDTH = 7.16
"""Inches: the text width of a two-column paper."""

_RC: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    # A name may hold dollar signs; it is never a formula.
    "text.parse_math": False,
    "text.usetex": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "srscope",
    "pdf.fonttype": 42,  # whole letters, which printers and editors take
}

_Arguments = ParamSpec("_Arguments")
_Drawn = TypeVar("_Drawn", Figure, Figure | None)


def colour_of(k: int) -> str:
    """Return the colour of the set (or content) of this index; they repeat after eight."""
    return SET_COLOURS[k % len(SET_COLOURS)]


def marker_of(k: int) -> str:
    """Return the marker of the set of this index; seven markers, so pairs repeat after 56."""
    return MARKERS[k % len(MARKERS)]


@contextmanager
def house_style() -> Generator[None]:
    """Draw or save within our settings, whatever the user's own are; they are put back after."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)  # pyright: ignore[reportArgumentType, reportCallIssue]
        # A name in a script the font lacks shows as boxes; the report has it in full.
        warnings.filterwarnings("ignore", message=r"Glyph \d+")
        yield


def in_house_style(draw: Callable[_Arguments, _Drawn]) -> Callable[_Arguments, _Drawn]:
    """Make ``draw`` run within :func:`house_style`."""

    def styled(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Drawn:
        with house_style():
            return draw(*args, **kwargs)

    styled.__name__, styled.__doc__ = draw.__name__, draw.__doc__
    return styled


def new_figure(*, width: float = FULL_WIDTH, height: float) -> Figure:
    """Return an empty figure of this size in inches, tied to no window and no global list."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def bare(axes: Axes) -> None:
    """Take ticks away and draw a thin frame: t-SNE axes have neither unit nor direction."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color("#BBBBBB")
