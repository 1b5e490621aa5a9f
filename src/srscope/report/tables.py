"""The report's tables: scores of every layer and control, samples, sets, skipped files."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from srscope.figures.samples import sample_rows
from srscope.networks.record import NetworkInfo
from srscope.report import pictures
from srscope.report.markup import head as column_head
from srscope.report.markup import text
from srscope.scores.record import LayerScores
from srscope.scores.table import Score, scores
from srscope.study import words
from srscope.study.record import Study, controls_of

_MAJOR = ("chi", "best_probe")
"""Scores that a phone shows beside each other."""


def _groups(*, all_columns: bool) -> list[tuple[str, list[Score]]]:
    """Return the scores by what stands above them."""
    shown = scores(all_columns=all_columns)
    return [(name, list(group)) for name, group in itertools.groupby(shown, lambda s: s.group)]


def _class(score: Score, shown: str = "") -> str:
    """Return the class of a cell: a phone hides what is minor."""
    kinds = ["minor"] if score.key not in _MAJOR else []
    kinds += ["undefined"] if shown == words.UNDEFINED else []
    return f' class="{" ".join(kinds)}"' if kinds else ""


def _cell(score: Score, entry: LayerScores) -> str:
    shown = words.score_text(score, entry)
    return f"<td{_class(score, shown)}>{text(shown)}</td>"


def _row(entry: LayerScores, label: str, shown: Sequence[Score]) -> str:
    shape = "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}".join(str(n) for n in entry.shape)
    dotted = (
        "" if entry.layer in ("pixels", label) else text(entry.layer).replace(".", ".<wbr>") + " · "
    )
    head = f'<th scope="row">{text(label)}<small>{dotted}{shape}</small></th>'
    cells = "".join(_cell(score, entry) for score in shown)
    return f"<tr>{head}{cells}</tr>"


def _body(title: str, entries: Sequence[LayerScores], shown: Sequence[Score]) -> str:
    if not entries:
        return ""
    labels = words.short_labels(entries, 32)
    rows = "".join(_row(e, label, shown) for e, label in zip(entries, labels, strict=True))
    width = 1 + len(shown)
    head = (
        f'<tr class="group"><th scope="rowgroup" colspan="{width}"><span>{title}</span></th></tr>'
    )
    return f"<tbody>{head}{rows}</tbody>"


def score_table(record: Study, *, all_columns: bool = False) -> str:
    """Return the score table: the network's layers, then every control.

    Args:
        record: The study.
        all_columns: Show every score, not only the main ones, and all layers of every control.
    """
    shown = scores(all_columns=all_columns)
    groups_of = _groups(all_columns=all_columns)
    groups = "".join(
        f'<th scope="colgroup" colspan="{len(columns)}">{name}</th>' for name, columns in groups_of
    )
    heads = "".join(
        f'<th scope="col"{_class(c)} title="{text(c.meaning)}">{column_head(c.label)}</th>'
        for _, columns in groups_of
        for c in columns
    )
    columns = "<colgroup></colgroup>" + "".join(
        f'<colgroup span="{len(c)}"></colgroup>' for _, c in groups_of
    )
    return (
        f'<table class="scores{"" if all_columns else " main"}">{columns}'
        f'<thead><tr><th scope="col" rowspan="2">Layer</th>{groups}</tr><tr>{heads}</tr></thead>'
        f"{_body('Network', record.layers, shown)}"
        + "".join(
            _body(f"Control: {title}", entries if all_columns else _shown(kind, entries), shown)
            for kind, title, entries in controls_of(record)
        )
        + "</table>"
    )


def _shown(kind: str, entries: tuple[LayerScores, ...]) -> list[LayerScores]:
    """Return a control's entries for the main table: of networks, where CHI or probe is highest."""
    if kind in ("pixels", "trivial"):
        return list(entries)
    chis = [chi if math.isfinite(chi := e.tsne.chi.mean) else -1.0 for e in entries]
    probes = [e.best_probe.accuracy if e.best_probe else -1.0 for e in entries]
    best = {chis.index(max(chis)), probes.index(max(probes))}
    return [entries[i] for i in sorted(best)]


_NAMES = {"variance": "share of variance", "knn_accuracy": "k-NN", "p_value": "p"}


def remarks(network: NetworkInfo) -> str:
    """Return what has to be known of a network as a list; nothing where nothing has."""
    items = "".join(f"<li>{text(each)}</li>" for each in network.remarks)
    name = text(network.name)
    return f'<ul class="note">To be known of {name}:{items}</ul>' if items else ""


def left_out(record: Study) -> str:
    """Return which scores this design leaves undefined, and why; nothing where none is."""
    items = "".join(
        f"<li>{text(_NAMES.get(score, score))}: {text(why)}</li>" for score, why in record.left_out
    )
    return f'<ul class="note">Left out in this design:{items}</ul>' if items else ""


def column_meanings() -> str:
    """Return what every column means, as a definition list."""
    rows = "".join(
        f"<div><dt>{text(c.label)}<small>{name}</small></dt><dd>{text(c.meaning)}</dd></div>"
        for name, columns in _groups(all_columns=True)
        for c in columns
    )
    return f'<dl class="meanings">{rows}</dl>'


def samples(record: Study) -> str:
    """Return a table of pictures: sets downwards, a few contents across."""
    inputs, sets, crossed = record.inputs, record.suite.sets, record.suite.crossed
    if not record.pixels.shape:  # features that were made elsewhere
        return "<p>No images were given.</p>"
    chosen = sample_rows(inputs, sets=len(sets), crossed=crossed, rows=8)
    names = [words.printable(inputs.contents[int(inputs.content_N[row[0]])]) for row in chosen]
    head = ""
    if crossed:
        cells = "".join(f'<th scope="col" title="{text(n)}">{_breakable(n)}</th>' for n in names)
        head = f"<thead><tr><td></td>{cells}</tr></thead>"
    _, height, width, _ = inputs.patches_NHW3.shape
    rows = ""
    for k, one in enumerate(sets):
        cells = ""
        for row in chosen:
            name = inputs.contents[int(inputs.content_N[row[k]])]
            uri = pictures.picture(inputs.patches_NHW3[row[k]])
            cells += (
                f'<td><img src="{uri}" width="{width}" height="{height}" '
                f'alt="{text(one.name)}: {text(name)}" title="{text(one.name)}: {text(name)}"></td>'
            )
        rows += f'<tr><th scope="row">{text(one.name)}</th>{cells}</tr>'
    return f'<table class="samples">{head}<tbody>{rows}</tbody></table>'


def _breakable(name: str) -> str:
    """Return a content's name, shortened, with places where it may be broken into lines."""
    parts = [text(part).replace("_", "_<wbr>") for part in words.shorten(name, 24).split("#")]
    return "<wbr>#".join(parts)


def sets(record: Study) -> str:
    """Return the sets of the suite with their definitions."""
    rows = "".join(
        f'<tr><th scope="row">{text(s.name)}</th><td>{s.count}</td>'
        f"<td>{text(s.definition)}</td></tr>"
        for s in record.suite.sets
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Set", "Images", "Definition"))
    return f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def skipped(record: Study) -> str:
    """Return the files that could not be used, each with the reason."""
    return skipped_files(record.inputs.skipped) or "<p>None: every file could be used.</p>"


def skipped_files(files: Sequence[tuple[str, str]]) -> str:
    """Return (file, reason) as a table; nothing where there are none."""
    if not files:
        return ""
    rows = "".join(f"<tr><td>{text(name)}</td><td>{text(why)}</td></tr>" for name, why in files)
    count = "1 file was" if len(files) == 1 else f"{len(files)} files were"
    return (
        f"<p>{count} left out of the analysis.</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Skipped files">'
        '<table class="plain"><thead><tr><th scope="col">File</th><th scope="col">Reason</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )
