"""The page of findings says what is kept, and the commands it shows are those that were run."""

import json
import shlex

from srscope.analyses import ANALYSES
from support.tools import load_tool

tool = load_tool("write_findings")


def test_the_pages_say_what_is_kept() -> None:
    for page, path in tool.PAGES.items():
        written = path.read_text("utf-8")
        assert tool.with_findings(page, written) == written, "run make findings"


def test_every_finding_is_a_command_that_can_be_given() -> None:
    for finding in tool.FINDINGS.values():
        words = shlex.split(finding.command)
        assert words[0] == "srscope"
        assert words[1] in ANALYSES
        assert finding.page in tool.PAGES
        assert {"headline", "sections"} <= set(dir(finding.module))
    assert "LadyBird.jpg --target" in tool.FINDINGS["filters"].command
    contrast = shlex.split(tool.FINDINGS["l1-wgr-against-l1-wogr"].command)
    assert contrast[2:] == [
        "runs/population/l1-wgr-*", "runs/population/l1-wogr-*", "--causal", "true"
    ]  # fmt: skip


def test_kept_findings_are_of_the_runs_that_the_tool_names() -> None:
    for path in tool.KEPT.glob("*.json"):
        command = json.loads(path.read_text("utf-8"))["command"]
        assert command == tool.FINDINGS[path.stem].command
        assert shlex.split(command)[1] in ANALYSES


def test_a_table_keeps_its_columns_whatever_its_cells_hold() -> None:
    told = {
        "command": "srscope dose a",
        "headline": "Noticed.",
        "sections": [
            {
                "title": "Levels",
                "lead": "Weakest first.",
                "columns": ["layer", "level"],
                "rows": [["|Laplacian|", "2.0"]],
                "notes": ["Few."],
            }
        ],
    }
    lines = list(tool.lines_of(told))
    assert r"| \|Laplacian\| | 2.0 |" in lines
    assert lines[-1] == "Few."
