"""Fig. S9: examples of the data sets, and a list of what every one of them holds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.degradations.catalogue import list_suites
from srscope.figures.samples import picture_grid
from srscope.figures.save import save_figure
from srscope.images.bundled import load_bundled
from srscope.images.contents import crop_contents
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.lab import Lab
from srscope.reproduction.records import Cell, Finding, LabelledImages, Table

COLUMNS = 8
SIDE = 64
"""Of the patches that are drawn, in LR pixels: twice what the networks are fed, to see more."""
SHOWN = (
    ("clean", "clean-blur4-noise20", "DIV2K-clean"),
    ("noise20", "clean-blur4-noise20", "DIV2K-noise20"),
    ("blur4", "clean-blur4-noise20", "DIV2K-blur4"),
    ("mild", "real", "DIV2K-mild"),
    ("historic", "real", "Hollywood100"),
)
"""Set, a suite that has it, and what stands in its place in the paper; in Fig. S9's order."""
SUITES = (
    "clean-blur-noise", "noise-5-10-30", "noise-10-30", "noise-10-20", "blur-1-4", "real",
    "clean-blur4-noise20", "clean-noise20",
)  # fmt: skip
"""The suites that the experiments use."""


def _examples(images: LabelledImages, name: str) -> tuple[list[NDArray[Any]], list[int]]:
    """Return pictures of a set, evenly over its contents, and which contents they are."""
    k = [s.name for s in images.suite.sets].index(name)
    own = np.flatnonzero(images.set_N == k)
    count = min(COLUMNS, len(own))
    chosen = [own[int((i + 0.5) * len(own) / count)] for i in range(count)]
    pictures = [np.clip(images.images_NCHW[i].transpose(1, 2, 0), 0, 1) for i in chosen]
    return pictures, [int(i - own[0]) for i in chosen]


def run(lab: Lab, folder: Path) -> Finding:
    """Draw examples of the five data sets of Fig. S9; list all sets and their photographs."""
    found = {suite: lab.images(lab.spec(suite, patch=SIDE)) for _, suite, _ in SHOWN}
    drawn = {name: _examples(found[suite], name) for name, suite, _ in SHOWN}
    least = min(len(pictures) for pictures, _ in drawn.values())
    figure = picture_grid(
        [drawn[name][0][:least] for name, _, _ in SHOWN],
        row_names=[f"({chr(ord('a') + i)}) {name}" for i, (name, _, _) in enumerate(SHOWN)],
    )
    save_figure(figure, folder / "figs9")
    return Finding(
        figures=("figs9",),
        tables=(_sets(lab), _photographs(lab)),
        notes=(
            f"Drawn are patches of {SIDE} pixels; the networks are fed 32 round the same "
            "places. Rows (a) to (d) show the same contents, row (e) its own.",
        ),
    )


def _sets(lab: Lab) -> Table:
    """Return every set of the experiments' suites: how many images, and how they are made."""
    stands_for = {name: printed for name, _, printed in SHOWN}
    known = {suite.name for suite in list_suites()}
    rows: list[tuple[Cell, ...]] = []
    for suite in SUITES:
        assert suite in known, suite
        info = lab.images(lab.spec(suite)).suite
        rows += [
            (suite, each.name, each.count, each.definition, stands_for.get(each.name))
            for each in info.sets
        ]
    return Table(
        name="data-sets",
        title="The data sets: patches of 32 pixels a set (the paper has 100)",
        columns=("suite", "set", "images", "made by", "in the paper"),
        rows=tuple(rows),
    )


def _photographs(lab: Lab) -> Table:
    """Return every photograph with the number of contents that are cut from it."""
    spec = lab.spec()
    shared = lab.contents(spec)
    historic = crop_contents(
        load_bundled("historic"), count=spec.contents, patch=spec.patch, scale=1, margin=0
    )
    rows: list[tuple[Cell, ...]] = []
    for used, contents in (("all sets but historic", shared), ("historic", historic)):
        rows += [(used, name, count) for name, count in Counter(contents.photographs).items()]
    return Table(
        name="photographs",
        title="The photographs, and how many contents were cut from each",
        columns=("set", "photograph", "contents"),
        rows=tuple(rows),
    )


EXPERIMENT = Experiment(
    id="figs9", title="Examples of the data sets", where="Fig. S9", networks=(), measure=run
)
