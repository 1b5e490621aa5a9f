"""Figures as files: PNG for slides, SVG for papers; equal studies give equal bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from srscope import files, study
from srscope.figures import depth, samples, scatter, style

DPI = 200


def _figures(record: study.Study) -> Iterator[tuple[str, Figure | None]]:
    yield "layers", scatter.layer_scatter(record)
    yield "chi-by-depth", depth.chi_by_depth(record)
    yield "variance-by-depth", depth.variance_by_depth(record)
    yield "samples", samples.sample_grid(record)


def save_figures(record: study.Study, folder: str | Path) -> list[Path]:
    """Write every figure of ``record`` into ``folder`` as PNG (200 dpi) and SVG.

    Text in the SVG files is drawn as paths, so that they look alike wherever they are opened.
    Nothing in the files tells when or where they were made.

    Returns:
        The files written. A figure that the study's design leaves undefined (the variance
        split of sets that do not share their contents) has none.
    """
    written: list[Path] = []
    for name, figure in _figures(record):
        if figure is None:
            continue
        with style.house_style():
            figure.draw_without_rendering()
            figure.set_layout_engine("none")  # laid out once, for both formats
        for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
            path = Path(folder) / f"{name}.{suffix}"
            with files.atomic_path(path) as temporary, style.house_style():
                figure.savefig(temporary, format=suffix, dpi=DPI, metadata=metadata)
            written.append(path)
    return written
