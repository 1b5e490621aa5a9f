"""Maps of three dimensions: every point in its colour and marker, in a cube of equal sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex

from srscope import figures
from srscope.figures import style
from srscope.figures.panels import Panel, panel_grid

RANDOM = np.random.default_rng(0)
LABELS_N = np.repeat(np.arange(3), 20)
POINTS_N3 = RANDOM.normal(size=(60, 3)) * (1, 5, 2) + (100, 0, 0)


def panel(points_ND: np.ndarray) -> Panel:
    return Panel(
        title="t", points_N2=points_ND, colour_N=LABELS_N, marker_N=LABELS_N, caption="CHI 3"
    )


def space_of(points_ND: np.ndarray) -> tuple[Any, Any]:
    figure = panel_grid([panel(points_ND)], columns=1, colour_names=["a", "b", "c"])
    flat = figure.axes[0]
    (inset,) = flat.child_axes
    return flat, inset


def test_every_point_is_drawn_once_in_the_colour_of_its_class() -> None:
    flat, space = space_of(POINTS_N3)
    assert flat.get_xlabel() == "CHI 3"
    drawn: dict[str, set[tuple[float, ...]]] = {}
    for marks in space.collections:
        points = {tuple(np.float32(p)) for p in np.stack(marks._offsets3d, axis=1)}
        (colour,) = {to_hex(c).upper() for c in marks.get_facecolor()}
        drawn[colour] = points
    for k in range(3):
        expected = {tuple(np.float32(p)) for p in POINTS_N3[k == LABELS_N]}
        assert drawn[style.colour_of(k)] == expected


def test_all_axes_have_equal_units_and_hold_all_points() -> None:
    _, space = space_of(POINTS_N3)
    limits = np.array([space.get_xlim(), space.get_ylim(), space.get_zlim()])
    np.testing.assert_allclose(np.ptp(limits, axis=1), np.ptp(limits[1]))
    assert (limits[:, 0] < POINTS_N3.min(axis=0)).all()
    assert (limits[:, 1] > POINTS_N3.max(axis=0)).all()


@pytest.mark.parametrize("points_ND", [POINTS_N3[:, :2], np.full((60, 3), np.nan)])
def test_flat_and_undefined_points_get_no_cube(points_ND: np.ndarray) -> None:
    figure = panel_grid([panel(points_ND)], columns=1, colour_names=["a", "b", "c"])
    assert not figure.axes[0].child_axes


def test_it_is_saved_beside_flat_panels_within_their_frames(tmp_path: Any) -> None:
    panels = [panel(POINTS_N3[:, :2]), panel(POINTS_N3)]
    figure = panel_grid(panels, columns=2, colour_names=["a", "b", "c"])
    figures.save_figure(figure, tmp_path / "both", suffixes=("svg", "pdf"))
    first, second = (axes.get_window_extent() for axes in figure.axes[:2])
    assert (first.width, first.height) == pytest.approx((second.width, second.height))
    assert (tmp_path / "both.pdf").stat().st_size > 1000
