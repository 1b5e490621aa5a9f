"""A study as a notebook shows it."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

from srscope.report.inline import inline
from srscope.scores.table import scores
from support import studies

RECORD = studies.make()


def test_it_holds_the_verdict_a_map_and_a_row_a_layer() -> None:
    root = ET.fromstring(inline(RECORD).replace("&nbsp;", " "))
    assert RECORD.verdict is not None
    said = "".join(root.find("p").itertext())  # pyright: ignore[reportOptionalMemberAccess]
    assert said.split() == RECORD.verdict.headline.split()
    rows = root.findall(".//tbody/tr")
    assert [row.findtext("th") for row in rows] == [each.label for each in RECORD.layers]
    assert {len(row.findall("td")) for row in rows} == {len(scores(all_columns=False))}
    assert root.find(".//svg") is not None


def test_a_study_without_a_verdict_says_what_it_is() -> None:
    assert "&lt;Study of " in inline(dataclasses.replace(RECORD, verdict=None))


def test_it_needs_no_style_sheet_and_no_script() -> None:
    shown = inline(RECORD)
    assert "<style" not in shown
    assert "<script" not in shown
    assert 'class="c' not in shown
