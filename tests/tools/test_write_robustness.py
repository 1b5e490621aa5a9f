"""The table of what was tried says what the kept counts say."""

import json

from support.tools import load_tool

tool = load_tool("write_robustness")


def test_the_page_says_what_is_kept() -> None:
    page = tool.PAGE.read_text("utf-8")
    kept = json.loads(tool.KEPT.read_text("utf-8"))
    assert tool.with_table(page, tool.table(kept)) == page, "run python tools/write_robustness.py"


def test_a_table_has_a_row_for_everything_tried() -> None:
    rows = tool.table({"b": {"worked": 1000, "refused": 2, "ran code": 0}, "a": {"x": 1}})
    assert rows.splitlines()[2:] == [
        "| a | 1 | 1 x |",
        "| b | 1,002 | 1,000 worked, 2 refused, 0 ran code |",
    ]
