"""The reproduction as one HTML page that opens offline: scorecard, then every experiment."""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from PIL import Image

from srscope.report import markup
from srscope.report.markup import prose, text, text_block
from srscope.report.page import document, filled, resource
from srscope.report.provenance import BIBTEX
from srscope.reproduction.outcome import Reproduction
from srscope.reproduction.records import Cell, Finding, Judgement, Table, Verdict
from srscope.reproduction.write import SIGNS, environment, figure_files, interval_text, tally
from srscope.study import words

_CLASSES: dict[Verdict, str] = {
    "holds": "holds",
    "does not hold": "fails",
    "inconclusive": "open",
    "not run": "absent",
}
_WIDE = 700
"""Pixels of a figure from which a phone scrolls it instead of shrinking its print."""
_SHRUNK = 0.74
"""Pixels of the page to one of a figure: a full-width one fills the page, and a single panel is
no larger than beside others; sharp on finer screens."""
_LONG = 40
"""Rows of a table above which it is folded away."""
_SHORT = 24
"""Letters of the longest cell up to which a column of text is not broken into lines."""


def render(done: Reproduction) -> str:
    """Return the report as HTML; the figures are read from the output folder."""
    told = text(tally(done.judgements))
    main = filled(
        "report.html",
        "srscope.reproduction",
        tally=told,
        counts=_counts(done.judgements),
        claims=_claims(done.judgements),
        second=_second(done.second),
        absent=_absent(done),
        contents=_contents(done.findings),
        experiments="".join(_experiment(finding, done.out) for finding in done.findings),
        protocol=markup.definitions(_protocol(done)),
        networks=markup.definitions([(n.name, n.source) for n in done.networks]),
        environment=markup.definitions(list(environment().items())),
        bibtex=text_block(BIBTEX),
    )
    return document(
        title=told,
        kind="reproduction",
        sections=(("scorecard", "Scorecard"),
                  *((("second", "Second edition"),) if done.second else ()),
                  ("experiments", "Experiments"), ("protocol", "Protocol")),
        first=("scorecard", "scorecard"),
        main=main,
        footer="Beside this file: <code>scorecard.json</code>, <code>scorecard.md</code>, "
        "<code>scorecard-second.json</code>, "
        "<code>findings.json</code>, and the folders <code>figures</code> and "
        "<code>tables</code>.",
        style=resource("report.css") + resource("report.css", "srscope.reproduction"),
    )  # fmt: skip


def _second(judgements: tuple[Judgement, ...]) -> str:
    """Return the second edition's section; nothing where it was not asked for."""
    if not judgements:
        return ""
    return filled(
        "second.html",
        "srscope.reproduction",
        tally=text(tally(judgements)),
        counts=_counts(judgements),
        claims=_claims(judgements, prefix="second-"),
    )


def _sign(verdict: Verdict) -> str:
    return f'<span class="sign" aria-hidden="true">{SIGNS[verdict]}</span>'


def _counts(judgements: tuple[Judgement, ...]) -> str:
    count = Counter(j.verdict for j in judgements)
    verdicts: tuple[Verdict, ...] = get_args(Verdict)
    items = "".join(
        f'<li class="{_CLASSES[v]}">{_sign(v)}<b>{count[v]}</b> {text(v)}</li>' for v in verdicts
    )
    return f'<ul class="tally">{items}</ul>'


def _claims(judgements: tuple[Judgement, ...], *, prefix: str = "") -> str:
    """Return the claims as a table; those that were not run are folded away below it."""
    judged = [each for each in judgements if each.verdict != "not run"]
    absent = [each for each in judgements if each.verdict == "not run"]
    if not absent:
        return _table_of(judged, prefix)
    told = "1 claim was not run" if len(absent) == 1 else f"{len(absent)} claims were not run"
    folded = f"<details><summary>{told}</summary>{_table_of(absent, prefix)}</details>"
    return _table_of(judged, prefix) + folded


def _table_of(judgements: Sequence[Judgement], prefix: str) -> str:
    rows = "".join(
        f'<tr id="{prefix}{text(j.id)}"><th scope="row"><b>{text(j.id)} · {text(j.where)}</b>'
        f"{text(j.claim)}<p>Criterion: {text(j.criterion)}.</p></th>"
        f'<td class="verdict-cell {_CLASSES[j.verdict]}"><span class="said">{_sign(j.verdict)}'
        f"{text(j.verdict)}</span><p>{prose(j.why)}</p>{_judged_by(j)}</td>"
        f'<td class="measured" data-head="Measured">{_measured(j.measured)}</td>'
        f'<td class="interval" data-head="95 % interval">{text(interval_text(j.interval))}</td>'
        f'<td class="paper" data-head="The paper">{text(j.paper)}</td></tr>'
        for j in judgements
    )
    heads = ("Claim", "Verdict", "Measured here", "95 % interval", "The paper")
    head = "".join(f'<th scope="col">{h}</th>' for h in heads)
    return (
        f'<table class="claims"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        if judgements
        else ""
    )


def _judged_by(judgement: Judgement) -> str:
    told = f"<p>Judged by {text(judgement.networks)}.</p>" if judgement.networks else ""
    beside = "; ".join(f"{each.name}: {each.verdict}" for each in judgement.beside)
    return told + (f"<p>Beside: {text(beside)}.</p>" if beside else "")


def _measured(measured: str) -> str:
    if not measured:
        return "not measured"
    return "<ul>" + "".join(f"<li>{prose(part)}</li>" for part in measured.split("; ")) + "</ul>"


def _absent(done: Reproduction) -> str:
    parts = ""
    if done.failures:
        items = "".join(
            f"<li>{text(f.title)} ({text(f.id)}): {text(f.problem)}</li>" for f in done.failures
        )
        parts += f'<h3>Failed</h3><ul class="missing-list">{items}</ul>'
    if done.left_out:
        items = "".join(
            f"<li>{text(each.title)} ({text(each.id)}): {text(', '.join(each.networks))}</li>"
            for each in done.left_out
        )
        parts += f'<h3>Left out for want of networks</h3><ul class="missing-list">{items}</ul>'
    return parts


def _contents(findings: tuple[Finding, ...]) -> str:
    if not findings:
        return "<p>No experiment was run.</p>"
    items = "".join(
        f'<li><a href="#{text(f.id)}">{text(f.title)}</a> <span>{text(f.where)}</span></li>'
        for f in findings
    )
    return f'<ul class="contents">{items}</ul>'


def _experiment(finding: Finding, out: Path) -> str:
    name = text(finding.id)
    figures = "".join(_figure(finding, figure, out) for figure in finding.figures)
    tables = "".join(_table(table) for table in finding.tables)
    notes = "".join(f"<li>{text(note)}</li>" for note in finding.notes)
    return (
        f'<section class="experiment" id="{name}" aria-labelledby="{name}-title">'
        f'<h2 id="{name}-title">{text(finding.title)}</h2>'
        f'<p class="where">{text(finding.where)} · <code>{name}</code></p>'
        f"{figures}{tables}" + (f'<ul class="notes">{notes}</ul>' if notes else "") + "</section>"
    )


def _figure(finding: Finding, name: str, out: Path) -> str:
    uri, width, height = _picture(out / f"{name}.png")
    links = ", ".join(
        f'<a href="{text(path)}">{text(Path(path).suffix[1:].upper())}</a>'
        for path in figure_files(out, name)
    )
    label = f"Figure of {finding.title}"
    wide = ' class="wide"' if width > _WIDE else ""
    return (
        f'<figure class="print"><div class="scroll" tabindex="0" role="region" '
        f'aria-label="{text(label)}"><img{wide} src="{uri}" alt="{text(label)}" '
        f'width="{round(_SHRUNK * width)}" height="{round(_SHRUNK * height)}"></div>'
        f"<figcaption>{text(Path(name).name)}: {links}</figcaption></figure>"
    )


def _picture(path: Path) -> tuple[str, int, int]:
    """Return a figure as a data URI, losslessly smaller than its PNG, with width and height."""
    with Image.open(path) as image:
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "WEBP", lossless=True, method=4)
        width, height = image.size
    data, kind = buffer.getvalue(), "webp"
    if path.stat().st_size < len(data):
        data, kind = path.read_bytes(), "png"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}", width, height


def _table(table: Table) -> str:
    """Return a table, a long one folded; columns with nothing but numbers stand to the right."""
    kinds = [_kind([row[i] for row in table.rows]) for i in range(len(table.columns))]
    head = "".join(
        f'<th scope="col"{kind}>{markup.head(column)}</th>'
        for column, kind in zip(table.columns, kinds, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{kind}>{text(cell_text(cell, column))}</td>"
            for cell, kind, column in zip(row, kinds, table.columns, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    whole = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(table.title)}">'
        f'<table class="numbers"><caption>{text(table.title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    if len(table.rows) <= _LONG:
        return whole
    return (
        f"<details><summary>{text(table.title)}: {len(table.rows)} rows</summary>{whole}</details>"
    )


def _kind(column: list[Cell]) -> str:
    """Return the class of a column's cells, as an attribute."""
    words_in_it = [cell for cell in column if isinstance(cell, str)]
    if not words_in_it:
        return ""
    return ' class="text short"' if max(map(len, words_in_it)) <= _SHORT else ' class="text"'


def cell_text(cell: Cell, column: str = "") -> str:
    """Return a cell as it is shown.

    Example:
        >>> [cell_text(c) for c in (None, "a", 3, 613.77, 0.0234)]
        ['', 'a', '3', '614', '0.02']
        >>> cell_text(0.001, "p-value")
        '0.001'
    """
    if cell is None:
        return ""
    if column == "p-value" and isinstance(cell, float):
        return f"{cell:.3g}"
    return words.number(cell) if isinstance(cell, float) else str(cell)


def _protocol(done: Reproduction) -> list[tuple[str, str]]:
    config = done.config
    minutes, seconds = divmod(round(sum(done.seconds.values())), 60)
    return [
        ("Photographs", config.images or "bundled"),
        ("Contents in every set", str(config.contents)),
        ("t-SNE runs a layer", str(config.runs)),
        ("Seed", str(config.seed)),
        ("Intervals", "95 %, bootstrap over contents and t-SNE runs"),
        ("Time of all experiments, one after the other", f"{minutes} min {seconds} s"),
    ]
