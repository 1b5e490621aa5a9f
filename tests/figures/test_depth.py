from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from srscope import figures
from srscope.figures import depth, style
from support import studies


def test_chi_is_drawn_on_a_log_scale_beside_both_controls() -> None:
    record = studies.make()
    (axes,) = figures.chi_by_depth(record).axes
    assert axes.get_yscale() == "log"
    names = [t.get_text() for t in axes.figure.legends[0].get_texts()]
    assert names == ["network", "same architecture, untrained", "raw pixels"]
    drawn = [c.lines[0].get_ydata() for c in axes.containers]
    np.testing.assert_allclose(drawn[0], [max(e.tsne.chi.mean, 1.0) for e in record.layers])
    np.testing.assert_allclose(drawn[1], [max(e.tsne.chi.mean, 1.0) for e in record.untrained])
    assert [t.get_text() for t in axes.get_xticklabels()] == [e.label for e in record.layers]


def test_no_chi_falls_out_of_the_picture() -> None:
    record = studies.make(chis=[0.0, 1e-9, 5.0, 4000.0])
    (axes,) = figures.chi_by_depth(record).axes
    low, high = axes.get_ylim()
    mean_L = axes.containers[0].lines[0].get_ydata()
    assert (mean_L >= low).all()
    assert mean_L[:2] == pytest.approx([depth.CHI_FLOOR] * 2)
    assert high > record.layers[-1].tsne.chi.mean + record.layers[-1].tsne.chi.std


def test_an_undefined_chi_leaves_a_gap_and_no_pixel_line() -> None:
    record = studies.make()
    gone = studies.without_chi(record.layers[1])
    record = dataclasses.replace(
        record,
        layers=(record.layers[0], gone, *record.layers[2:]),
        pixels=studies.without_chi(record.pixels),
        untrained=(),
    )
    figure = figures.chi_by_depth(record)
    (axes,) = figure.axes
    assert np.isnan(axes.containers[0].lines[0].get_ydata()).tolist() == [False, True, False, False]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["network"]


def test_variance_bars_add_up_to_one_with_the_pixels_first() -> None:
    record = studies.make()
    figure = figures.variance_by_depth(record)
    assert figure is not None
    (axes,) = figure.axes
    heights = np.array([[b.get_height() for b in c] for c in axes.containers])
    np.testing.assert_allclose(heights.sum(axis=0), 1)
    assert record.pixels.variance is not None
    assert heights[0, 0] == record.pixels.variance.degradation
    assert axes.get_xticklabels()[0].get_text() == "raw pixels"
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "degradation",
        "interaction",
        "content",
    ]


def test_no_split_no_figure() -> None:
    assert figures.variance_by_depth(studies.make(crossed=False)) is None


@pytest.mark.parametrize("draw", [figures.chi_by_depth, figures.variance_by_depth])
def test_tick_labels_of_seventeen_long_named_layers_do_not_collide(draw: object) -> None:
    names = [(f"layers.{i}.residual_group.blocks.5.mlp.fc2",) * 2 for i in range(17)]
    figure = draw(studies.make(layers=names))
    with style.house_style():
        figure.draw_without_rendering()
    (axes,) = figure.axes
    labels = [t.get_text() for t in axes.get_xticklabels()]
    assert len(set(labels)) == len(labels)
    assert all(t.get_fontsize() >= 7 for t in axes.get_xticklabels())


def test_curves_of_networks_of_the_paper_and_of_controls_are_told_apart() -> None:
    curves = [
        depth.Curve(name="here", mean_L=[0.0, 50.0], std_L=[0.0, 5.0], colour=0),
        depth.Curve(name="paper", mean_L=[0.1, 5000.0], std_L=[0.0, 0.0], colour=0, published=True),
        depth.Curve(name="untrained", mean_L=[0.0, 0.0], std_L=[0.0, 0.0]),
        depth.Curve(name="raw pixels", mean_L=[0.0], std_L=[0.0]),
    ]
    figure = depth.chi_curves(["Conv1", "ResBlock16"], curves)
    axes = figure.axes[0]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [c.name for c in curves]
    assert axes.get_ylim()[1] >= 5000
    assert [t.get_text() for t in axes.get_xticklabels()] == ["Conv1", "ResBlock16"]
    here, paper = (axes.containers[i][0] for i in (0, 1))
    assert (here.get_linestyle(), paper.get_linestyle()) == ("-", "--")
    assert here.get_color() == paper.get_color()
    np.testing.assert_allclose(here.get_ydata(), [depth.CHI_FLOOR, 50.0])  # 0 is on the floor
