"""A study in a notebook: verdict, small map and table, without style sheet or script."""

from __future__ import annotations

from srscope.figures.style import SET_COLOURS
from srscope.report.lead import key, map_svg
from srscope.report.markup import prose, text
from srscope.scores.table import scores
from srscope.study import words
from srscope.study.record import Study


def inline(record: Study) -> str:
    """Return the verdict, the best layer's map and the main scores as a piece of HTML."""
    best, shown = record.layer(), scores(all_columns=False)
    drawn = map_svg(best, record.inputs.set_N, radius=1.4, colours=SET_COLOURS)
    heads = "".join(f"<th>{text(each.label)}</th>" for each in shown)
    rows = "".join(
        f"<tr><th>{text(entry.label)}</th>"
        + "".join(f"<td>{text(words.score_text(each, entry))}</td>" for each in shown)
        + "</tr>"
        for entry in record.layers
    )
    headline = record.verdict.headline if record.verdict else repr(record)
    return (
        f"<div><p><b>{prose(headline)}</b></p>"
        f'<div style="width: 260px">{drawn}</div>'
        f"<p>{text(best.label)}: {text(words.probe_and_chi(best))}</p>"
        f'<ul style="list-style: none; padding: 0">{key(record, SET_COLOURS)}</ul>'
        f"<table><thead><tr><th>layer</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
