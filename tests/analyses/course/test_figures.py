from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from srscope.analyses.course.figures import (
    axis_start,
    drawn_layers,
    figures,
    scores_over_iterations,
)
from srscope.figures.depth import CHI_FLOOR
from srscope.figures.save import save_each
from support import several


def test_three_scores_are_drawn_by_iteration() -> None:
    made = several.course()
    figure = scores_over_iterations(made)
    tsne, features, knn = figure.axes
    deepest = tsne.containers[-1].lines[0]
    assert list(deepest.get_xdata()) == [1000, 2000, 3000, 4000]
    drawn = [max(m.study.layers[3].tsne.chi.mean, CHI_FLOOR) for m in made.moments]
    assert list(deepest.get_ydata()) == drawn
    curves = [line for line in features.lines if len(line.get_xdata()) == 4]
    assert list(curves[-1].get_ydata()) == [
        max(m.study.layers[3].feature_space.chi, CHI_FLOOR) for m in made.moments
    ]
    assert knn.get_ylim()[0] == 0
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "Conv1", "ResBlock4", "ResBlock8", "ResBlock16",
    ]  # fmt: skip


def test_without_accuracy_there_are_two(tmp_path: Path) -> None:
    made = several.course(crossed=False, tops=(1, 30))
    assert len(scores_over_iterations(made).axes) == 2
    assert len(save_each(figures(made), tmp_path)) == 4


@pytest.mark.parametrize(("layers", "best"), [(9, 0), (9, 5), (17, 16), (40, 13), (8, 3)])
def test_the_strongest_layer_is_always_drawn(layers: int, best: int) -> None:
    drawn = drawn_layers(layers, best)
    assert best in drawn
    assert drawn[0] == 0
    assert drawn[-1] == layers - 1
    assert len(set(drawn)) == len(drawn) == 8
    assert drawn == sorted(drawn)


@pytest.mark.parametrize(
    ("iterations", "start"),
    [((0, 1, 2, 3), 0), ((12, 20, 22, 24), 0), ((13, 20, 22, 24), 13), ((5, 5, 5, 5), 0)],
)
def test_the_axis_leaves_no_half_empty(iterations: tuple[int, ...], start: int) -> None:
    made = several.course()
    moments = (
        dataclasses.replace(moment, iteration=iteration)
        for moment, iteration in zip(made.moments, iterations, strict=True)
    )
    made = dataclasses.replace(made, moments=tuple(moments))
    assert axis_start(made) == start
    low, high = scores_over_iterations(made).axes[0].get_xlim()
    assert low <= iterations[0] <= iterations[-1] <= high
    assert (low == 0) == (start == 0)
