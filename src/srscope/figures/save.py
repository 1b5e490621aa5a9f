"""Figures as files: PNG for slides, SVG and PDF for papers; equal studies give equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from srscope.figures import depth, samples, scatter, style
from srscope.runtime import files
from srscope.study.record import Study

DPI = 200
_UNDATED: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}
"""By format: the metadata that would tell when or by what a file was made."""


def save_figure(
    figure: Figure, path: str | Path, *, suffixes: Sequence[str] = ("png", "svg", "pdf")
) -> list[Path]:
    """Write one figure as files that are alike whenever and wherever they are made.

    Args:
        figure: The figure; its layout is fixed by this.
        path: Where, without suffix.
        suffixes: ``png`` (200 dpi), ``svg`` (text as paths), ``pdf``.

    Returns:
        The files written.
    """
    with style.house_style():
        figure.draw_without_rendering()
        # Laid out once, for all formats; with an engine, even one that does nothing, each format
        # would draw everything twice.
        figure.set_layout_engine(None)
    written: list[Path] = []
    for suffix in suffixes:
        final = Path(f"{path}.{suffix}")
        with files.atomic_path(final) as temporary, style.house_style():
            figure.savefig(temporary, format=suffix, dpi=DPI, metadata=_UNDATED[suffix])
        written.append(final)
    return written


def save_figures(
    record: Study, folder: str | Path, *, suffixes: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Write every figure of ``record`` into ``folder``, by default as PNG (200 dpi) and SVG.

    Text in the SVG files is drawn as paths, so that they look alike wherever they are opened.
    Nothing in the files tells when or where they were made.

    Args:
        record: The finished study.
        folder: Gets the files.
        suffixes: As for :func:`save_figure`.

    Returns:
        The files written. A figure that the study's design leaves undefined (the variance
        split of sets that do not share their contents) has none.
    """
    figures = {
        "layers": scatter.layer_scatter(record),
        "chi-by-depth": depth.chi_by_depth(record),
        "variance-by-depth": depth.variance_by_depth(record),
        "use-by-depth": depth.use_by_depth(record),
        "samples": samples.sample_grid(record),
    }
    return save_each(figures, folder, suffixes=suffixes)


def save_each(
    figures: Mapping[str, Figure | None],
    folder: str | Path,
    *,
    suffixes: Sequence[str] = ("png", "svg"),
) -> list[Path]:
    """Write figures into ``folder`` under their names, but for those that are ``None``.

    Returns:
        The files written.
    """
    written: list[Path] = []
    for name, figure in figures.items():
        if figure is not None:
            written += save_figure(figure, Path(folder) / name, suffixes=suffixes)
    return written
