"""What a page of several studies is made of: the linked plots, sortable tables, shared pieces.

Both the comparison of networks and the course of a training set studies side by side.
Suffixes: N images, C contents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from srscope.report import explorer, markup, pictures, provenance
from srscope.report.markup import text
from srscope.report.page import Plots, document, filled, joined, resource, section
from srscope.scores.record import LayerScores, Runs
from srscope.scores.table import Score, plain_value, scores
from srscope.study import words
from srscope.study.record import Restoration, Study, best_layer


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One cell of a sortable table: what is shown, and what it is sorted by (``""``: last)."""

    shown: str
    value: float | str
    title: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The head of a column, and what it means; ``words`` sorts by letter, else by number."""

    name: str
    meaning: str = ""
    words: bool = False


def chi_cell(chi: Runs) -> Cell:
    """Return CHI over the runs as a cell."""
    return Cell(shown=words.with_spread(chi), value=chi.mean if chi.mean == chi.mean else "")


def psnr_cells(restored: Restoration) -> list[Cell]:
    """Return PSNR and what it is over bicubic, as cells; why they are undefined is their title."""
    if restored.psnr is None or restored.bicubic is None:
        return [Cell(shown=words.UNDEFINED, value="", title=restored.why)] * 2
    gain = restored.psnr - restored.bicubic
    return [
        Cell(shown=f"{restored.psnr:.2f}\N{NO-BREAK SPACE}dB", value=restored.psnr),
        Cell(shown=f"{gain:+.2f}".replace("-", "\N{MINUS SIGN}"), value=gain),
    ]


_FEW = ("chi", "best_probe", "degradation", "content")


def _main(*, few: bool) -> list[Score]:
    """Return the main scores; if ``few``, those that leave room for other columns."""
    main = scores(all_columns=False)
    return [each for each in main if not few or each.key in _FEW or each.compute is not None]


def score_cells(layer: LayerScores, *, few: bool = False) -> list[Cell]:
    """Return a layer's cells under :func:`score_heads`."""
    cells: list[Cell] = []
    for score in _main(few=few):
        value = plain_value(score.value(layer))
        if score.form == "grade":  # sorted by what it is the band of
            value = layer.tsne.chi.mean
        shown = words.score_text(score, layer)
        cells.append(Cell(shown=shown, value="" if value is None or value != value else value))
    return cells


def score_heads(*, few: bool = False) -> list[Head]:
    """Return the heads of the scores, which are those of every table; or a ``few`` of them."""
    return [Head(name=score.label, meaning=score.meaning) for score in _main(few=few)]


def table(heads: Sequence[Head], rows: Sequence[Sequence[Cell]], *, label: str) -> str:
    """Return a sortable table; the first cell of a row is its head."""
    head = "".join(
        f'<th scope="col" data-kind="{"words" if h.words else "number"}"'
        + (f' title="{text(h.meaning)}"' if h.meaning else "")
        + f">{markup.head(h.name)}</th>"
        for h in heads
    )
    body = ""
    for first, *others in rows:
        title = f' title="{text(first.title)}"' if first.title else ""
        body += (
            f'<tr><th scope="row" data-value="{text(first.value)}"{title}>{text(first.shown)}</th>'
        )
        for cell, of in zip(others, heads[1:], strict=True):
            title = f' title="{text(cell.title)}"' if cell.title else ""
            kind = ' class="words"' if of.words else ""
            kind = ' class="undefined"' if cell.shown == words.UNDEFINED else kind
            body += f'<td{kind}{title} data-value="{text(cell.value)}">{text(cell.shown)}</td>'
        body += "</tr>"
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(label)}">'
        f'<table class="scores sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """One study beside others, under its name."""

    name: str
    study: Study


def payload(
    panels: Sequence[Panel],
    layers: Sequence[tuple[str, str]],
    sprites: Sequence[pictures.Sprite],
    sheet_of: Sequence[int],
    *,
    chosen: str = "",
) -> dict[str, Any]:
    """Return everything the plots need, as plain JSON values.

    Images of different studies are one and the same if set and content have the same names; of
    contents that have one name within a study, as files of two folders may, the first is the
    first of the others, and so on.

    Args:
        panels: The studies.
        layers: (value, name) of the choices of layer: ``b`` for each study's strongest, ``i`` and a
            number for the layer of that number, ``d`` and a depth for the one nearest to it.
        sprites: The sprite sheets.
        sheet_of: Which sheet each panel's pictures are on.
        chosen: The value of the choice to begin with; the first by default.
    """
    sets = [words.printable(s.name) for s in panels[0].study.suite.sets]
    images: dict[tuple[int, int], int] = {}
    contents: dict[tuple[str, int], int] = {}
    photographs: dict[str, int] = {}
    photograph_of: dict[int, int] = {}
    drawn: list[dict[str, Any]] = []
    for panel, sheet in zip(panels, sheet_of, strict=True):
        record, inputs = panel.study, panel.study.inputs
        seen: Counter[str] = Counter()
        number_C: list[int] = []
        for name in map(words.printable, inputs.contents):
            number_C.append(contents.setdefault((name, seen[name]), len(contents)))
            seen[name] += 1
        names = explorer.photographs(record)
        for c, p in zip(inputs.content_N.tolist(), inputs.photograph_N.tolist(), strict=True):
            number = photographs.setdefault(names[p], len(photographs))
            photograph_of.setdefault(number_C[c], number)
        own = [
            images.setdefault((k, number_C[c]), len(images))
            for k, c in zip(inputs.set_N.tolist(), inputs.content_N.tolist(), strict=True)
        ]
        short = words.short_labels(record.layers, 18)
        drawn.append(
            {
                "name": panel.name,
                "sheet": sheet,
                "images": own,
                "best": record.layers.index(best_layer(record)),
                "layers": [
                    {**explorer.entry(layer, name), "depth": layer.depth}
                    for layer, name in zip(record.layers, short, strict=True)
                ],
                "untrained": list(map(explorer.entry, record.untrained, short)),
            }
        )
    return {
        "sets": [{"name": name} for name in sets],
        "contents": [name for name, _ in contents],
        "set": [k for k, _ in images],
        "photographs": list(photographs),
        "content": [number for _, number in images],
        "photograph": [photograph_of[number] for _, number in images],
        "layers": [{"value": value, "name": name} for value, name in layers],
        "chosen": chosen or layers[0][0],
        "panels": drawn,
        "sheets": list(map(explorer.sheet, sprites)),
    }


def sheets(panels: Sequence[Panel]) -> tuple[list[pictures.Sprite], list[int]]:
    """Return the sprite sheets, one where panels show the same pictures, and each panel's."""
    found: dict[bytes, int] = {}
    sprites: list[pictures.Sprite] = []
    sheet_of: list[int] = []
    for panel in panels:
        patches_NHW3 = panel.study.inputs.patches_NHW3
        seen = repr(patches_NHW3.shape).encode() + patches_NHW3.tobytes()
        if seen not in found:
            found[seen] = len(sprites)
            sprites.append(pictures.sprite(patches_NHW3))
        sheet_of.append(found[seen])
    return sprites, sheet_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """What pages of several studies tell each in their own way; all but ``chosen`` as HTML.

    Args:
        title: Of the window.
        kind: Of page, beside our name.
        question: Above the headline.
        headline: The outcome.
        scores: (title, lead, content) of the section of tables.
        curves: The same of the section of curves.
        layers_title: Above the linked plots.
        shown: The samples.
        footer: What else there is, at the end.
        created: When the analysis was made.
        findings: Below the headline.
        chosen: Which choice of layer to begin with; the first by default.
    """

    title: str
    kind: str
    question: str
    headline: str
    scores: tuple[str, str, str]
    curves: tuple[str, str, str]
    layers_title: str
    shown: str
    footer: str
    created: str
    findings: str = ""
    chosen: str = ""


def page(panels: Sequence[Panel], layers: Sequence[tuple[str, str]], telling: Telling) -> str:
    """Return the whole page as HTML.

    Args:
        panels: The studies to draw side by side.
        layers: As for :func:`payload`.
        telling: What is told of them.
    """
    sprites, sheet_of = sheets(panels)
    first = panels[0].study
    main = filled(
        "several.html",
        question=telling.question,
        headline=telling.headline,
        findings=telling.findings,
        scores=section("scores", *telling.scores),
        curves=section("curves", *telling.curves),
        layers_title=telling.layers_title,
        controls=resource("controls.html"),
        inspector=resource("inspector.html"),
        panels=str(min(4, max(2, len(panels)))),
        shown=telling.shown,
        protocol=provenance.protocol(
            markup.definitions(
                [
                    ("images", first.inputs.source),
                    *provenance.of_images(first),
                    ("made", markup.moment(telling.created)),
                    *markup.flat(first.protocol),
                ]
            ),
            markup.definitions(markup.flat(first.environment)),
        ),
    )
    given = payload(panels, layers, sprites, sheet_of, chosen=telling.chosen)
    return document(
        title=telling.title,
        kind=telling.kind,
        sections=(("layers", "Images"), ("curves", "Curves"), ("scores", "Scores"),
                  ("shown", "Samples"), ("protocol", "Protocol")),
        first=("verdict", "outcome"),
        main=main,
        footer=telling.footer,
        style=joined("report.css", "several.css"),
        plots=Plots(
            script=joined("common.js", "sortable.js", "scatter.js", "explorer.js", "several.js"),
            data=markup.script_json(given),
            sheets=[(f"sheet-{n}", sprite.uri) for n, sprite in enumerate(sprites)],
        ),
    )  # fmt: skip
