"""One list of scores: every table shows the same; a score of one's own stands in all of them."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import srscope
from srscope.analyses.comparison.page import render as comparison_page
from srscope.analyses.comparison.record import Comparison, comparison_csv
from srscope.analyses.course.page import render as course_page
from srscope.cli.console import print_comparison, print_course, print_study
from srscope.errors import ParameterError
from srscope.exports.latex import score_table
from srscope.report.html import render
from srscope.scores.table import Points, register_score, scores, unregister_score
from srscope.study.record import Study
from support import several, studies
from support.tiny import FASTEST


@pytest.fixture
def own() -> Iterator[str]:
    register_score(
        "spread_of_points",
        lambda points: float(points.points_NC.std()),
        label="Spread of mine",
        meaning="Standard deviation of all coordinates.",
    )
    yield "spread_of_points"
    unregister_score("spread_of_points")


@pytest.mark.parametrize("key", ["chi", "content", "no word", ""])
def test_a_key_that_is_taken_or_none_is_refused(key: str) -> None:
    with pytest.raises(ParameterError, match="key must be"):
        register_score(key, lambda _: 0.0, label="", meaning="")


def test_keys_and_labels_are_told_apart() -> None:
    every = scores()
    assert len({each.key for each in every}) == len(every)
    assert len({each.label for each in every}) == len(every)


def heads_of(comparison: Comparison, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return every human table, by where it stands."""
    study = comparison.entries[0].study
    course = several.course()
    shown: dict[str, str] = {}
    for name, show in (
        ("terminal", lambda: print_study(study)),
        ("terminal, comparison", lambda: print_comparison(comparison)),
        ("terminal, course", lambda: print_course(course)),
    ):
        show()
        shown[name] = " ".join(capsys.readouterr().out.split())
    shown["report"] = render(study)
    shown["comparison"] = comparison_page(comparison)
    shown["course"] = course_page(course)
    shown["LaTeX"] = score_table(study)
    return shown


def test_every_table_shows_the_same_scores(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    for where, shown in heads_of(several.comparison(), capsys).items():
        plain = shown.replace('<span class="whole">', "").replace("</span>", "")
        for score in scores(all_columns=False):
            assert score.label in plain, f"{where} lacks {score.label}"


def test_files_hold_every_score(own: str) -> None:
    text = comparison_csv(several.comparison())
    (head, *_) = csv.reader(io.StringIO(text))
    for score in scores():
        assert score.key in head or f"{score.key}_mean" in head


def test_a_score_of_ones_own_is_computed_written_and_read(
    own: str, network: str, images: str, tmp_path: Path
) -> None:
    study = srscope.analyze(network, images=images, out=tmp_path, **FASTEST)
    written = json.loads((tmp_path / "scores.json").read_text("utf-8"))
    value = written["layers"][0]["own"][own]
    assert value == study.layers[0].own[own]
    assert value > 0
    again = srscope.read_study(tmp_path)
    assert again.layers[0].own == study.layers[0].own


def test_it_is_given_points_and_labels() -> None:
    given = Points(
        points_NC=np.eye(3), set_N=np.arange(3), content_N=np.arange(3), photograph_N=np.arange(3)
    )
    seen: list[Points] = []

    def compute(points: Points) -> None:
        seen.append(points)

    score = register_score("nothing", compute, label="Nothing", meaning="Undefined.")
    assert score.compute is not None
    assert score.compute(given) is None
    assert seen == [given]
    unregister_score("nothing")


def test_every_score_of_srscope_is_taken_from_a_record() -> None:
    study: Study = studies.make()
    for score in scores():
        assert score.value(study.layers[0]) is not None, score.key
    bare = dataclasses.replace(study.layers[0], variance=None)
    assert next(s for s in scores() if s.key == "content").value(bare) is None
