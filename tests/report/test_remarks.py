"""What has to be known of a network stands on every page that shows its numbers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from srscope.analyses.comparison.page import render as comparison_page
from srscope.analyses.course.page import render as course_page
from srscope.analyses.course.record import course_dict
from srscope.report.html import render
from srscope.report.plain_page import write_page
from srscope.study.record import Study, scores_dict
from srscope.study.store import read_study, write_study
from support import several, studies

REMARK = "draws <random> numbers"
SHOWN = "draws &lt;random&gt; numbers"


def remarked(study: Study) -> Study:
    network = dataclasses.replace(study.network, remarks=(REMARK,))
    return dataclasses.replace(study, network=network)


def test_a_study_tells_it_on_its_page_and_in_its_record(tmp_path: Path) -> None:
    study = remarked(studies.make(contents=6))
    assert SHOWN in render(study)
    assert SHOWN not in render(studies.make(contents=6))
    assert scores_dict(study)["network"]["remarks"] == [REMARK]
    write_study(study, tmp_path)
    assert read_study(tmp_path).network.remarks == (REMARK,)


def test_comparison_and_training_tell_it() -> None:
    made = several.comparison()
    entries = [dataclasses.replace(each, study=remarked(each.study)) for each in made.entries]
    page = comparison_page(dataclasses.replace(made, entries=tuple(entries)))
    assert page.count(SHOWN) == len(entries)
    course = several.course()
    moments = [dataclasses.replace(each, study=remarked(each.study)) for each in course.moments]
    course = dataclasses.replace(course, moments=tuple(moments))
    assert SHOWN in course_page(course)
    assert course_dict(course)["network"]["remarks"] == [REMARK]


def test_any_other_page_tells_it(tmp_path: Path) -> None:
    write_page(
        tmp_path / "report.html",
        title="What?",
        kind="dose",
        headline="So it is.",
        sections=(),
        figures={},
        protocol={},
        environment={},
        data="dose.json",
        remarks=[REMARK],
    )
    assert SHOWN in (tmp_path / "report.html").read_text("utf-8")
