from __future__ import annotations

import numpy as np

from srscope import figures
from srscope.figures.samples import sample_rows
from support import studies


def test_a_row_is_one_content_in_every_set() -> None:
    record = studies.make(contents=20)
    rows = sample_rows(record.inputs, sets=3, crossed=True, rows=5)
    assert len(rows) == 5
    for row in rows:
        assert len({int(record.inputs.content_N[i]) for i in row}) == 1
        assert [int(record.inputs.set_N[i]) for i in row] == [0, 1, 2]
    contents = [int(record.inputs.content_N[row[0]]) for row in rows]
    assert contents == [2, 6, 10, 14, 18]


def test_fewer_contents_than_rows() -> None:
    record = studies.make(contents=2)
    assert len(sample_rows(record.inputs, sets=3, crossed=True, rows=5)) == 2


def test_sets_that_share_nothing_still_fill_rows() -> None:
    record = studies.make(crossed=False, contents=9)
    rows = sample_rows(record.inputs, sets=3, crossed=False, rows=3)
    assert [[int(record.inputs.set_N[i]) for i in row] for row in rows] == [[0, 1, 2]] * 3


def test_the_grid_shows_the_patches_untouched() -> None:
    record = studies.make(contents=3)
    axes = figures.sample_grid(record).axes
    assert len(axes) == 9
    shown = axes[4].get_images()[0].get_array()
    np.testing.assert_array_equal(shown, record.inputs.patches_NHW3[3 + 1])
    assert [a.get_ylabel() for a in axes[::3]] == ["clean", "blur", "noise"]
    assert axes[1].get_title() == "Harbou…png#1"
