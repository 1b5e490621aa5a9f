"""What a study shows of itself."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from srscope.errors import ParameterError, SrscopeError, UnknownNameError
from srscope.study.methods import HOMES
from srscope.study.record import Study
from support import studies
from support.markup import Balanced

STUDY = studies.make(contents=10)


@pytest.mark.parametrize("name", HOMES)
def test_what_stands_behind_a_method_is_there(name: str) -> None:
    module, _, attribute = HOMES[name].partition(":")
    assert callable(getattr(importlib.import_module(module), attribute))
    if "." not in name:
        assert hasattr(Study, name)


def test_it_is_short_in_a_session_and_whole_in_its_summary() -> None:
    assert repr(STUDY) == (
        "<Study of srresnet-wgr on clean-blur-noise: 4 layers, 30 images of 10 photographs>"
    )
    assert STUDY.verdict is not None
    text = STUDY.summary()
    assert text.startswith(STUDY.verdict.headline)
    assert all(each.question in text for each in STUDY.verdict.findings)
    rows = text.splitlines()[-len(STUDY.layers) :]
    assert len(text.splitlines()) > len(rows)
    assert any(line.startswith("ResBlock16") and "Grade" not in line for line in text.splitlines())


def test_a_notebook_shows_verdict_map_and_table() -> None:
    page = Balanced()
    html = STUDY._repr_html_()
    page.feed(html)
    assert page.open == []
    assert html.count("<tr>") == 1 + len(STUDY.layers)
    assert "<svg" in html
    assert "#0072B2" in html
    spoilt = studies.make(contents=["</b><script>", "b", "c"], network="<script>")
    assert "<script>" not in spoilt._repr_html_()


def test_layers_go_by_name_or_label_and_the_best_by_none() -> None:
    assert STUDY.layer("ResBlock4") is STUDY.layer("body.3") is STUDY.layers[1]
    assert STUDY.verdict is not None
    assert STUDY.layer().layer == STUDY.verdict.layer
    assert STUDY.layer("pixels") is STUDY.pixels
    with pytest.raises(UnknownNameError, match=r"unknown layer of this study 'body\.33'"):
        STUDY.layer("body.33")


def test_points_of_a_run() -> None:
    np.testing.assert_array_equal(STUDY.embedding("Conv1", run=2), STUDY.layers[0].points_RN2[2])
    with pytest.raises(ParameterError, match="run must be 0 to 4, but is 5"):
        STUDY.embedding(run=5)


def test_every_score_stands_in_the_frame() -> None:
    pytest.importorskip("pandas")
    frame = STUDY.to_frame()
    assert frame.group.tolist()[:5] == ["network"] * 4 + ["pixels"]
    row = frame[frame.label == "ResBlock16"].iloc[0]
    assert row.chi_mean == STUDY.layers[-1].tsne.chi.mean


def test_features_that_are_gone_are_said_to_be() -> None:
    with pytest.raises(SrscopeError, match="were not kept; analyse again"):
        STUDY.features()


def test_it_is_saved_and_read(tmp_path: Path) -> None:
    STUDY.save(tmp_path / "study")
    assert (tmp_path / "study" / "report.html").is_file()
    assert repr(Study.read(tmp_path / "study")) == repr(STUDY)


def test_figures_are_drawn() -> None:
    assert next(axes.get_title() for axes in STUDY.plot.layers().axes) == "Conv1"
    best = STUDY.plot("ResBlock8").axes
    assert [axes.get_title() for axes in best][:2] == ["ResBlock8", "raw pixels"]
    assert "probe" in best[0].get_xlabel()
    assert STUDY.plot.depth().axes
    assert STUDY.plot.variance() is not None
