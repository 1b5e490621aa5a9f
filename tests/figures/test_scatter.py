from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.colors import to_hex

from srscope import figures
from srscope.figures import scatter, style
from support import studies


def test_one_panel_a_layer_with_label_above_and_chi_below() -> None:
    record = studies.make()
    axes = figures.layer_scatter(record).axes
    assert [a.get_title() for a in axes] == ["Conv1", "ResBlock4", "ResBlock8", "ResBlock16"]
    last = record.layers[-1].tsne.chi
    assert axes[-1].get_xlabel() == f"CHI {last.mean:.0f} ± {last.std:.0f} (+++)"
    assert axes[0].get_xlabel().endswith("(\N{MINUS SIGN})")


def test_every_point_is_drawn_once_in_the_colour_of_its_set() -> None:
    record = studies.make(layers=2, contents=11)
    panel = figures.layer_scatter(record, run=1).axes[1]
    drawn: dict[str, set[tuple[float, ...]]] = {}
    for marks in panel.collections:
        own = {tuple(np.float32(p)) for p in np.asarray(marks.get_offsets())}
        drawn.setdefault(to_hex(marks.get_facecolor()[0]).upper(), set()).update(own)
    points_N2 = record.layers[1].points_RN2[1]
    for k in range(3):
        expected = {tuple(p) for p in points_N2[record.inputs.set_N == k]}
        assert drawn[style.colour_of(k)] == expected
    assert sum(map(len, drawn.values())) == 33


def test_sets_differ_in_marker_as_well_as_in_colour() -> None:
    pairs = {(style.colour_of(k), style.marker_of(k)) for k in range(56)}
    assert len(pairs) == 56
    assert len({style.marker_of(k) for k in range(7)}) == 7


@pytest.mark.parametrize(("panels", "columns"), [(1, 1), (5, 5), (6, 6), (8, 4), (12, 4), (17, 6)])
def test_rows_leave_few_gaps(panels: int, columns: int) -> None:
    assert scatter.columns_of(panels) == columns


def test_seventeen_layers_fit_the_text_width_and_stay_legible() -> None:
    figure = figures.layer_scatter(studies.make(layers=17, contents=4))
    with style.house_style():
        figure.draw_without_rendering()
    assert figure.get_size_inches()[0] == pytest.approx(style.FULL_WIDTH)
    for axes in figure.axes[:17]:
        for text in (axes.title, axes.xaxis.label):
            assert float(text.get_fontsize()) >= 7
            box = text.get_window_extent()
            assert box.width <= axes.get_window_extent().width * 1.02, text.get_text()


def test_undefined_points_are_said_so() -> None:
    record = studies.make(layers=2)
    gone = studies.without_chi(record.layers[0])
    record = dataclasses.replace(record, layers=(gone, record.layers[1]))
    panel = figures.layer_scatter(record).axes[0]
    assert [t.get_text() for t in panel.texts] == ["undefined"]
    assert "undefined" in panel.get_xlabel()


def test_all_sets_are_named_even_those_matplotlib_would_hide() -> None:
    record = studies.make(layers=1, sets=("_hidden", "a$b$"), chis=[5.0])
    (legend,) = figures.layer_scatter(record).legends
    assert [t.get_text().strip() for t in legend.get_texts()] == ["_hidden", "a$b$"]
