"""One layer's map, large, beside its controls."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from srscope.errors import UnknownNameError
from srscope.figures.plots import plot
from srscope.study import words
from support import studies

RECORD = studies.make(trivial=(0.9,))


def test_the_layer_stands_beside_raw_pixels_and_the_best_statistic() -> None:
    figure = plot(RECORD)
    titles = [axes.get_title() for axes in figure.axes]
    assert RECORD.verdict is not None
    statistic = words.shorten(RECORD.trivial[0].label, 20)
    assert titles == [RECORD.layer().label, RECORD.pixels.label, statistic]
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == [s.name for s in RECORD.suite.sets]


def test_the_run_that_is_asked_for_is_drawn() -> None:
    layer = RECORD.layers[0]
    for run in range(2):
        (axes, *_) = plot(RECORD, layer.layer, run=run).axes
        drawn = np.concatenate([c.get_offsets() for c in axes.collections])
        assert sorted(map(tuple, drawn)) == sorted(map(tuple, layer.points_RN2[run]))


def test_without_images_there_are_no_controls() -> None:
    pixels = dataclasses.replace(RECORD.pixels, shape=())
    bare = dataclasses.replace(RECORD, pixels=pixels, trivial=())
    assert len(plot(bare).axes) == 1


def test_a_layer_that_was_not_analysed_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        plot(RECORD, "nowhere")
