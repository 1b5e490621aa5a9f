"""The page of any analysis: a headline, sections with tables, its figures, and the protocol."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srscope.report import markup
from srscope.report.markup import prose, text
from srscope.report.page import document, joined, section
from srscope.runtime import files

_LONG = 36
"""Letters of a cell above which it is broken into lines."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A part of a page.

    Args:
        title: Its head.
        lead: A line below that.
        columns: Heads of its table; none for a section without.
        rows: The table's cells as text, one row each.
        figures: Keys of the figures that stand here.
        notes: Sentences below.
    """

    title: str
    lead: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    figures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def write_page(
    path: str | Path,
    *,
    title: str,
    kind: str,
    headline: str,
    sections: Iterable[Section],
    figures: Mapping[str, Path],
    protocol: Mapping[str, Any],
    environment: Mapping[str, Any],
    data: str,
    remarks: Sequence[str] = (),
) -> None:
    """Write the page of an analysis, whole or not at all.

    Args:
        path: The file.
        title: What is asked, and of which networks.
        kind: Of analysis.
        headline: The answer.
        sections: Its parts; figures that none of them names stand in a part of their own.
        figures: SVG files by key.
        protocol: The parameters.
        environment: Versions and machine.
        data: The file beside it that holds the numbers.
        remarks: What has to be known of the networks.
    """
    parts = list(sections)  # it may be read once only
    placed = {key for each in parts for key in each.figures}
    rest = tuple(key for key in figures if key not in placed)
    parts += [Section(title="Figures", figures=rest)] if rest else []
    names = [(f"part-{number}", part.title) for number, part in enumerate(parts, start=1)]
    main = (
        '<section id="verdict" class="verdict" aria-labelledby="headline">\n'
        f'  <p class="question">{text(title)}</p>\n'
        f'  <h1 id="headline">{prose(headline)}</h1>\n'
        + "".join(f'  <p class="note">{text(each)}</p>\n' for each in remarks)
        + "</section>\n"
    )
    for (name, _), part in zip(names, parts, strict=True):
        content = _table(part) + "".join(_figure(figures[key], key) for key in part.figures)
        content += "".join(f'<p class="note">{prose(note)}</p>' for note in part.notes)
        main += section(name, text(part.title), prose(part.lead), content)
    told = markup.definitions([*markup.flat(protocol), *markup.flat(environment)])
    main += section("protocol", "Protocol", "How the numbers were made.", told)
    page = document(
        title=text(title),
        kind=text(kind),
        sections=[*((name, text(title)) for name, title in names[:4]), ("protocol", "Protocol")],
        first=("verdict", "answer"),
        main=main,
        footer=f"The numbers are in <code>{text(data)}</code> beside this file.",
        style=joined("report.css", "plain_page.css"),
    )
    files.write_text(path, page)


def _table(part: Section) -> str:
    if not part.columns:
        return ""
    heads = "".join(f'<th scope="col">{text(each)}</th>' for each in part.columns)
    rows = "".join(
        f'<tr><th scope="row">{text(first)}</th>' + "".join(map(_cell, others)) + "</tr>"
        for first, *others in part.rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(part.title)}">'
        f'<table class="scores"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _cell(shown: str) -> str:
    kind = ' class="long"' if len(shown) > _LONG else ""
    return f"<td{kind}>{prose(shown)}</td>"


def _figure(path: Path, key: str) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    name = key.replace("-", " ").replace("_", " ")
    return (
        '<figure class="drawn"><div class="scroll" tabindex="0" role="region" '
        f'aria-label="{text(name)}">'
        f'<img src="data:image/svg+xml;base64,{data}" alt="{text(name)}"></div></figure>'
    )
