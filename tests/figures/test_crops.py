"""Pictures side by side: all there, pixels untouched, nothing over anything."""

from __future__ import annotations

import itertools

import numpy as np

from srscope.figures.crops import Crop, picture_grid
from srscope.figures.panels import Panel

RANDOM = np.random.default_rng(0)


def crop(title: str = "", caption: str = "") -> Crop:
    return Crop(pixels_HW3=RANDOM.normal(0.5, 1, size=(8, 8, 3)), title=title, caption=caption)


def panel() -> Panel:
    kind_N = np.arange(20) % 2
    return Panel(title="features", points_N2=RANDOM.normal(size=(20, 2)), colour_N=kind_N,
                 marker_N=kind_N, caption="CHI 20.0 ± 1.0")  # fmt: skip


def test_pictures_are_drawn_pixel_by_pixel_and_clipped() -> None:
    shown = crop()
    figure = picture_grid([[shown, shown]])
    (image,) = figure.axes[0].images
    assert image.get_interpolation() == "nearest"
    np.testing.assert_allclose(image.get_array(), np.clip(shown.pixels_HW3, 0, 1))


def test_nothing_overlaps() -> None:
    rows = [
        [crop("input"), crop("two\nlines", "+1.0 dB"), None, panel()],
        [crop(), crop("", "a longer caption\nof two lines"), crop("", "c"), panel()],
    ]
    figure = picture_grid(rows, row_names=("one\ntwo", "three"), point_names=("clean", "noise20"))
    figure.draw_without_rendering()
    drawn = [axes for axes in figure.axes if axes.axison]
    assert len(drawn) == 7
    boxes = [axes.get_tightbbox() for axes in drawn] + [figure.legends[0].get_window_extent()]
    for first, second in itertools.combinations(boxes, 2):
        assert not (
            first.x0 < second.x1 - 1 and second.x0 < first.x1 - 1
            and first.y0 < second.y1 - 1 and second.y0 < first.y1 - 1
        )  # fmt: skip
    width, height = figure.bbox.width, figure.bbox.height
    for box in boxes:
        assert box.x0 > -1
        assert box.y0 > -1
        assert box.x1 < width + 1
        assert box.y1 < height + 1


def test_rows_of_one_column_are_equally_large() -> None:
    figure = picture_grid([[crop("a"), crop("b")], [crop(), crop("", "c")]])
    figure.draw_without_rendering()
    sides = [axes.get_position().width for axes in figure.axes]
    np.testing.assert_allclose(sides, sides[0], rtol=1e-3)
