"""Writing a reproduction into its output folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from srscope.reproduction.outcome import Reproduction
from srscope.reproduction.page import render
from srscope.reproduction.write import (
    FIGURES,
    FINDINGS,
    TABLES,
    csv_text,
    figure_files,
    findings_dict,
    scorecard,
    scorecard_markdown,
    second_scorecard,
    table_dict,
    to_json,
)
from srscope.runtime import files


def write_outputs(done: Reproduction) -> None:
    """Write everything but the figures, which the experiments wrote, into ``done.out``.

    Figures and tables of an earlier run go where this one has not made them: they would stand
    beside a page that does not speak of them, and may be of another seed or other networks.
    """
    _remove_earlier(done)
    for finding in done.findings:
        for table in finding.tables:
            path = done.out / TABLES / table.name
            files.write_text(path.with_name(f"{table.name}.csv"), csv_text(table))
            files.write_text(path.with_name(f"{table.name}.json"), to_json(table_dict(table)))
    files.write_text(done.out / FINDINGS, to_json(findings_dict(done)))
    files.write_text(done.out / "scorecard.json", to_json(scorecard(done.judgements)))
    second = to_json(second_scorecard(done.second))
    files.write_text(done.out / "scorecard-second.json", second)
    files.write_text(done.out / "scorecard.md", scorecard_markdown(done))
    files.write_text(done.out / "report.html", render(done))


def _remove_earlier(done: Reproduction) -> None:
    """Delete figures and tables that the folder's ``findings.json`` lists and this run lacks."""
    try:
        earlier: Any = json.loads((done.out / FINDINGS).read_text("utf-8"))
        figures = {str(name) for each in earlier["experiments"] for name in each["figures"]}
        tables = {str(name) for each in earlier["experiments"] for name in each["tables"]}
    except (OSError, ValueError, KeyError, TypeError):  # no earlier run
        return
    figures -= {name for finding in done.findings for name in finding.figures}
    tables -= {table.name for finding in done.findings for table in finding.tables}
    old = [file for name in figures for file in figure_files(done.out, name)]
    old += [f"{TABLES}/{name}.{suffix}" for name in tables for suffix in ("csv", "json")]
    for file in old:
        if Path(file).parts[:-1] in ((FIGURES,), (TABLES,)):  # whatever else that file may name
            (done.out / file).unlink(missing_ok=True)
