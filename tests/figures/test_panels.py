from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from srscope import figures
from srscope.figures import style


def panel(seed: int, *, count: int = 30, classes: int = 3) -> figures.Panel:
    random = np.random.default_rng(seed)
    return figures.Panel(
        title=f"Layer{seed}",
        points_N2=random.normal(size=(count, 2)),
        colour_N=np.arange(count) % classes,
        marker_N=np.arange(count) % 2,
        caption=f"CHI {seed}\npaper 1",
    )


def test_every_point_is_drawn_once_in_its_colour() -> None:
    one = panel(1)
    axes = figures.panel_grid([one], columns=1, colour_names=["a", "b", "c"]).axes[0]
    drawn: dict[str, int] = {}
    for collection in axes.collections:
        assert isinstance(collection, PathCollection)
        colour = to_hex(collection.get_facecolor()[0]) if len(collection.get_offsets()) else ""
        drawn[colour] = drawn.get(colour, 0) + len(collection.get_offsets())
    assert {k: v for k, v in drawn.items() if v} == {
        colour.lower(): 10 for colour in style.SET_COLOURS[:3]
    }


def test_panels_are_lettered_in_rows_with_captions_and_names() -> None:
    figure = figures.panel_grid(
        [panel(i) for i in range(8)],
        columns=4,
        colour_names=["clean", "blur", "noise"],
        row_names=["without", "with"],
    )
    axes = figure.axes
    assert [a.get_title() for a in axes[:2]] == ["(a) Layer0", "(b) Layer1"]
    assert axes[7].get_title() == "(h) Layer7"
    assert axes[5].get_xlabel() == "CHI 5\npaper 1"
    assert [a.get_ylabel() for a in axes[::4]] == ["without", "with"]
    assert [t.get_text().strip() for t in figure.legends[0].get_texts()] == [
        "clean",
        "blur",
        "noise",
    ]
    assert figure.get_size_inches()[0] == pytest.approx(style.FULL_WIDTH)


def test_what_markers_stand_for_has_its_own_legend() -> None:
    figure = figures.panel_grid(
        [panel(0)], columns=1, colour_names=["cat", "dog", "ship"], marker_names=["clean", "blur"]
    )
    assert sorted(len(legend.get_texts()) for legend in figure.legends) == [2, 3]
    figure.draw_without_rendering()
    boxes = [legend.get_window_extent() for legend in figure.legends]
    assert not boxes[0].overlaps(boxes[1])


def test_undefined_points_are_said() -> None:
    broken = panel(0)
    broken.points_N2[3] = np.nan
    axes = figures.panel_grid([broken], columns=1, colour_names=["a"]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["undefined"]
    assert not axes.collections
