"""The outputs of a reproduction as files: tables, findings, scorecard, report."""

from __future__ import annotations

import dataclasses
import json
import math
import platform
from collections import Counter
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, get_args

from srscope.reproduction.outcome import Reproduction
from srscope.reproduction.records import Cell, Finding, Judgement, Table, Verdict
from srscope.runtime import files
from srscope.study import words

FIGURES, TABLES, FINDINGS = "figures", "tables", "findings.json"
"""Folders of the figures and tables in the output folder, and what they are listed in."""
SIGNS: dict[Verdict, str] = {
    "holds": "\N{CHECK MARK}",
    "does not hold": "\N{MULTIPLICATION X}",
    "inconclusive": "?",
    "not run": "\N{EN DASH}",
}


def to_json(value: Any) -> str:
    """Return a value as the text of a JSON file."""
    return json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def finite(value: Cell) -> Cell:
    """Return ``value``, or ``None`` for NaN and infinity, which JSON cannot say."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def csv_text(table: Table) -> str:
    r"""Return a table as CSV; empty cells where there is nothing to say.

    Example:
        >>> table = Table(name="a", title="", columns=("x", "y"), rows=(("b,c", None), ("d", 1.5)))
        >>> csv_text(table)
        'x,y\n"b,c",\nd,1.5\n'
    """
    return files.csv_text(table.columns, ([finite(cell) for cell in row] for row in table.rows))


def table_dict(table: Table) -> dict[str, Any]:
    """Return a table as JSON values."""
    rows = [[finite(cell) for cell in row] for row in table.rows]
    return {**dataclasses.asdict(table), "columns": list(table.columns), "rows": rows}


def environment() -> dict[str, str]:
    """Return the versions that numbers may depend on."""
    packages = ("srscope", "torch", "numpy", "scipy", "scikit-learn", "opentsne", "numba")
    return {"python": platform.python_version(), **{p: metadata.version(p) for p in packages}}


def findings_dict(done: Reproduction) -> dict[str, Any]:
    """Return everything measured as JSON values."""
    return {
        "schema": "srscope.findings/1",
        "config": dataclasses.asdict(done.config),
        "networks": {n.name: {"source": n.source, "sha256": n.sha256} for n in done.networks},
        "environment": environment(),
        "experiments": [_finding_dict(finding) for finding in done.findings],
        "left_out": [dataclasses.asdict(each) for each in done.left_out],
        "failed": [
            {"id": each.id, "title": each.title, "problem": each.problem} for each in done.failures
        ],
    }


def _finding_dict(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "title": finding.title,
        "where": finding.where,
        "figures": list(finding.figures),
        "tables": [table.name for table in finding.tables],
        "notes": list(finding.notes),
        "evidence": {
            key: {name: finite(getattr(estimate, name)) for name in ("value", "std", "low", "high")}
            for key, estimate in sorted(finding.evidence.items())
        },
    }


def scorecard(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    """Return one object a claim: the contract of ``scorecard.json``."""
    cards: list[dict[str, Any]] = []
    for j in judgements:
        card = dataclasses.asdict(j)
        card["interval"] = None if j.interval is None else [finite(end) for end in j.interval]
        del card["networks"], card["beside"]  # the second edition's
        cards.append(card)
    return cards


def second_scorecard(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    """Return one object a claim, with the networks that judged it and what stands beside it."""
    return [
        {
            **told,
            "networks": each.networks,
            "beside": [dataclasses.asdict(one) for one in each.beside],
        }
        for each, told in zip(judgements, scorecard(judgements), strict=True)
    ]


def tally(judgements: Sequence[Judgement]) -> str:
    """Say how many claims hold, of those that were judged.

    Example:
        >>> tally([])
        'no claim was judged'
    """
    count = Counter(j.verdict for j in judgements)
    holds, not_, unsure, not_run = (count[verdict] for verdict in get_args(Verdict))
    judged = len(judgements) - not_run
    left = f", {not_run} not run" if not_run else ""
    if not judged:
        return f"no claim was judged{left}"
    of = f"the {judged} judged" if not_run else f"{judged} claims"
    return (
        f"{holds} of {of} {'holds' if holds == 1 else 'hold'}, {not_} "
        f"{'does' if not_ == 1 else 'do'} not hold, {unsure} "
        f"{'is' if unsure == 1 else 'are'} inconclusive{left}"
    )


def interval_text(interval: tuple[float, float] | None) -> str:
    """Return an interval's ends to about three digits; empty where there is none.

    Example:
        >>> interval_text((0.1234, 1234.5)) == "0.12 to 1\N{THIN SPACE}234"
        True
    """
    if interval is None:
        return ""
    return " to ".join(words.number(end) for end in interval)


def scorecard_markdown(done: Reproduction) -> str:
    """Return the scorecard as a page of Markdown."""
    lines = [
        "# The paper's claims, judged",
        "",
        f"{tally(done.judgements)}. The criteria were written when the two L1 networks had been "
        "analysed, and before the other networks were trained. A claim holds only where whole "
        "95 % intervals are on the right side.",
        "",
        "| claim | where | verdict | why | measured | 95 % interval | paper |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for j in done.judgements:
        cells = (
            f"**{j.id}** {j.claim}", j.where, f"{SIGNS[j.verdict]} {j.verdict}", j.why,
            j.measured, interval_text(j.interval), j.paper,
        )  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    lines += ["", "## Criteria", ""]
    lines += [f"- **{j.id}**: {j.criterion}." for j in done.judgements]
    lines += [
        "",
        "## Second edition",
        "",
        f"{tally(done.second)}. These criteria were written before the photographs and the "
        "population that judge them had been looked at.",
        "",
        "| claim | verdict | why | measured | judged by | beside |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for j in done.second:
        beside = "; ".join(f"{each.name}: {each.verdict}" for each in j.beside)
        cells = (
            f"**{j.id}** {j.claim}", f"{SIGNS[j.verdict]} {j.verdict}", j.why, j.measured,
            j.networks, beside,
        )  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    lines += ["", "Criteria:", ""]
    lines += [f"- **{j.id}**: {j.criterion}." for j in done.second]
    if done.left_out:
        lines += ["", "## Left out for want of networks", ""]
        lines += [
            f"- {each.title} ({each.id}): {', '.join(each.networks)}" for each in done.left_out
        ]
    if done.failures:
        lines += ["", "## Failed", ""]
        lines += [f"- {each.title} ({each.id}): {each.problem}" for each in done.failures]
    return "\n".join(lines) + "\n"


def figure_files(out: Path, name: str) -> list[str]:
    """Return the files of a figure below ``out``, e.g. ``figures/fig7.png``."""
    return [f"{name}.{s}" for s in ("png", "svg", "pdf") if (out / f"{name}.{s}").is_file()]
