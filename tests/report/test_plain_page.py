"""The page of an analysis has all of its parts, however they are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from srscope.report.plain_page import Section, write_page


@pytest.mark.parametrize("once", [False, True])
def test_parts_and_figures_are_there_whether_read_once_or_often(tmp_path: Path, once: bool) -> None:
    for name in ("placed", "other"):
        (tmp_path / f"{name}.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    parts = [
        Section(title="A table", columns=("a", "b"), rows=(("one", "two"),), figures=("placed",))
    ]
    write_page(
        tmp_path / "report.html",
        title="What?",
        kind="identify",
        headline="So it is.",
        sections=iter(parts) if once else parts,
        figures={name: tmp_path / f"{name}.svg" for name in ("placed", "other")},
        protocol={},
        environment={},
        data="identify.json",
    )
    page = (tmp_path / "report.html").read_text("utf-8")
    first, second = page.index('alt="placed"'), page.index('alt="other"')
    assert page.index("<td>two</td>") < first < page.index(">Figures</h2>") < second
