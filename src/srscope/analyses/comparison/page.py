"""A comparison of networks as one HTML file that opens offline."""

from __future__ import annotations

import dataclasses

from srscope.analyses.comparison.record import Compared, Comparison
from srscope.report import charts, tables
from srscope.report.curves import Axis, Point, Series, curves, key
from srscope.report.markup import prose, text
from srscope.report.several import (
    Cell,
    Head,
    Panel,
    Telling,
    chi_cell,
    page,
    psnr_cells,
    score_cells,
    score_heads,
    table,
)
from srscope.scores.record import LayerScores
from srscope.study import words
from srscope.study.record import Study
from srscope.study.verdict import named_sets, verdict_of

_CONTROL = "dashed: the same architecture untrained"
_DEPTH = Axis(
    name="depth: from the first tap point to the last, in percent",
    low=0.0,
    high=1.0,
    ticks=tuple((n / 4, f"{25 * n} %") for n in range(5)),
)


def render(comparison: Comparison) -> str:
    """Return the whole report as HTML."""
    entries = comparison.entries
    names = short_names(comparison)
    panels = [Panel(name=n, study=e.study) for n, e in zip(names, entries, strict=True)]
    depths = [(f"d{n / 4:g}", f"at depth {25 * n} %, or nearest") for n in range(5)]
    sets = named_sets(entries[0].study)
    series = depth_series(comparison)
    reasons = [f"{n}: {e.restoration.why}" for n, e in zip(names, entries, strict=True)
               if e.restoration.why]  # fmt: skip
    return page(
        panels,
        [("b", "where each separates most"), *depths],
        Telling(
            title=f"Comparison of {len(entries)} networks",
            kind="comparison",
            question=f"Which of {len(entries)} networks tell {text(sets)} apart?",
            headline=prose(headline(comparison)),
            findings=_verdicts(entries, names)
            + "".join(tables.remarks(entry.study.network) for entry in entries),
            scores=(
                "Network by network",
                "Each by the layer where its CHI is highest. A click on a column's head sorts by "
                "it.",
                _networks(entries, names)
                + "".join(f'<p class="note">PSNR undefined for {text(r)}.</p>' for r in reasons)
                + '<p class="note">PSNR: of the contents, reduced but not degraded, after '
                "magnification; 8-bit RGB, margin cut, mean over the contents.</p>"
                + _differences(comparison)
                + f"<details><summary>All layers</summary>{_layers(entries, names)}</details>",
            ),
            curves=(
                "By depth",
                "Networks differ in length, so depth runs from 0 at the first tap point to 100 % "
                "at the last. Bars: standard deviation over the t-SNE runs.",
                key(series, control=_CONTROL if any(s.control for s in series) else "")
                + curves(series, _DEPTH, name="CHI on t-SNE points by depth, log scale")
                + '<p class="note">CHI on t-SNE points, log scale; at the right the grades of the '
                "paper.</p>" + _splits(entries, names),
            ),
            layers_title="Every image, in every network",
            shown=_shown(comparison, names),
            created=comparison.created,
            footer="The numbers are in <code>comparison.json</code> and "
            "<code>comparison.csv</code> beside this file, each network's own report below "
            "<code>networks</code>.",
        ),
    )


def short_names(comparison: Comparison) -> list[str]:
    """Return the networks' names, short enough for a panel, no two alike."""
    return words.distinct([entry.name for entry in comparison.entries], 28)


def headline(comparison: Comparison) -> str:
    """Say how many of the networks separate, how many beyond simple statistics, and which most."""
    entries, names = comparison.entries, short_names(comparison)
    sets = named_sets(entries[0].study)
    verdicts = [entry.study.verdict or verdict_of(entry.study) for entry in entries]
    separating = [v for v in verdicts if v.separates == "yes"]
    beyond = [v for v in separating if v.beyond_simple_statistics == "yes"]
    accuracy = [_accuracy(entry.study) for entry in entries]
    top = max(range(len(entries)), key=lambda i: accuracy[i])
    most = f"{names[top]} most: a probe is right for {words.percent(accuracy[top])} of the images"
    if not separating:
        undecided = sum(v.separates == "not decided" for v in verdicts)
        told = f", {undecided} not decided" if undecided else ""
        return f"None of {len(entries)} networks surely separates {sets}{told}; {most}."
    whole = "All" if len(separating) == len(entries) else f"{len(separating)} of"
    verb = "separates" if len(separating) == 1 else "separate"
    how = (
        f"{len(beyond)} surely beyond simple statistics"
        if any(v.beyond_simple_statistics != "not compared" for v in verdicts)
        else "not compared with simple statistics"
    )
    return f"{whole} {len(entries)} networks {verb} {sets}, {how}; {most}."


def _accuracy(study: Study) -> float:
    """Return the accuracy of the most telling probe in any layer; 0 where none was run."""
    return max((e.best_probe.accuracy for e in study.layers if e.best_probe), default=0.0)


def depth_series(comparison: Comparison) -> list[Series]:
    """Return CHI by depth of every network, and of its untrained control."""
    series: list[Series] = []
    for pair, (name, entry) in enumerate(
        zip(short_names(comparison), comparison.entries, strict=True)
    ):
        for control, layers in ((False, entry.study.layers), (True, entry.study.untrained)):
            if layers:
                points = tuple(_point(layer, name) for layer in layers)
                series.append(Series(name=name, points=points, pair=pair, control=control))
    return series


def _point(layer: LayerScores, name: str) -> Point:
    chi = layer.tsne.chi
    told = f"CHI {words.with_spread(chi)} ({words.grade_sign(layer.tsne.grade)})"
    return Point(x=layer.depth, mean=chi.mean, std=chi.std, told=f"{name}, {layer.label}: {told}")


def _verdicts(entries: tuple[Compared, ...], names: list[str]) -> str:
    items = "".join(
        f"<li>{prose(verdict_of(_renamed(entry.study, name)).headline)}</li>"
        for entry, name in zip(entries, names, strict=True)
    )
    return f'<ul class="networks">{items}</ul>'


def _differences(comparison: Comparison) -> str:
    """Return how much more one network tells than another, as a table; nothing where no two can."""
    if not comparison.differences:
        return ""
    name_of = dict(zip((e.name for e in comparison.entries), short_names(comparison), strict=True))
    told = "<h3>How many more images the one tells right</h3>"
    heads = [
        Head(name="Network", words=True),
        Head(name="beside", words=True),
        Head(name="Points more", meaning="Share of images told right by the best layer of the one, "
             "less that of the other, in percentage points: image by image, with the photograph "
             "left out."),
        Head(name="95 % interval", meaning="Over photographs; the choice of the layer is paid for.",
             words=True),
    ]  # fmt: skip
    rows = [
        [
            Cell(shown=name_of[each.first], value=each.first),
            Cell(shown=name_of[each.second], value=each.second),
            Cell(shown=_points(each.value), value=each.value),
            Cell(shown=f"{_points(each.low)} to {_points(each.high)}", value=each.low),
        ]
        for each in comparison.differences
    ]
    return told + table(heads, rows, label="Differences between networks")


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")


def _renamed(record: Study, name: str) -> Study:
    return dataclasses.replace(record, network=dataclasses.replace(record.network, name=name))


def _networks(entries: tuple[Compared, ...], names: list[str]) -> str:
    heads = [
        Head(name="Network", words=True),
        Head(name="Layer", meaning="Where its CHI is highest.", words=True),
        *score_heads(few=True),
        Head(name="PSNR", meaning="On the clean set."),
        Head(name="Over bicubic", meaning="PSNR less that of bicubic magnification."),
        Head(name="Scale"),
        Head(name="Untrained", meaning="Highest CHI of the same architecture with fresh weights."),
        Head(name="Pixels", meaning="CHI of the raw pixels of the same images."),
        Head(name="Size", meaning="Parameters, in millions."),
    ]
    rows: list[list[Cell]] = []
    for entry, name in zip(entries, names, strict=True):
        record, best = entry.study, entry.best
        chis = [e.tsne.chi for e in record.untrained if e.tsne.chi.mean == e.tsne.chi.mean]
        highest = max(chis, key=lambda chi: chi.mean, default=None)
        label = words.shorten(best.label, 24)
        rows.append(
            [
                Cell(shown=name, value=name, title=record.network.source),
                Cell(shown=label, value=label, title=best.layer),
                *score_cells(best, few=True),
                *psnr_cells(entry.restoration),
                Cell(shown=f"×{record.network.scale}", value=record.network.scale),
                Cell(shown="not run", value="") if highest is None else chi_cell(highest),
                chi_cell(record.pixels.tsne.chi),
                Cell(
                    shown=f"{record.network.parameters / 1e6:.3g}\N{NO-BREAK SPACE}M",
                    value=record.network.parameters,
                ),
            ]
        )
    return table(heads, rows, label="Scores, network by network")


def _layers(entries: tuple[Compared, ...], names: list[str]) -> str:
    heads = [
        Head(name="Network", words=True),
        Head(name="Layer", words=True),
        Head(name="Depth", meaning="From 0 at the first tap point to 100 % at the last."),
        *score_heads(),
    ]
    rows = [
        [
            Cell(shown=name, value=name),
            Cell(shown=short, value=short, title=layer.layer),
            Cell(shown=words.percent(layer.depth), value=layer.depth),
            *score_cells(layer),
        ]
        for entry, name in zip(entries, names, strict=True)
        for layer, short in zip(
            entry.study.layers, words.short_labels(entry.study.layers, 24), strict=True
        )
    ]
    return table(heads, rows, label="Scores of all layers")


def _splits(entries: tuple[Compared, ...], names: list[str]) -> str:
    """Return the variance split of every network, side by side."""
    figures = ""
    for entry, name in zip(entries, names, strict=True):
        chart = charts.variance_by_depth(entry.study)
        if chart:
            figures += f"<figure><figcaption><b>{text(name)}</b></figcaption>{chart}</figure>"
    if not figures:
        return (
            "<h3>The variance split</h3><p>The sets do not share their contents, so the variance "
            "cannot be split into degradation and content.</p>"
        )
    return (
        "<h3>Degradation or content: the variance split</h3>"
        f'{charts.variance_key()}<div class="splits">{figures}</div>'
    )


def _shown(comparison: Comparison, names: list[str]) -> str:
    """Return how the images were made for networks of each scale, with samples."""
    by_kind: dict[tuple[int, int], list[int]] = {}
    for index, entry in enumerate(comparison.entries):
        kind = (entry.study.network.scale, int(entry.study.inputs.patches_NHW3.shape[1]))
        by_kind.setdefault(kind, []).append(index)
    whole = ""
    crossed = comparison.entries[0].study.suite.crossed
    if len(by_kind) > 1 and crossed:
        whole += (
            "<p>Networks of different magnification, or of different input size, cannot be fed "
            "the same pixels. Each is fed reductions by its own scale of crops of the same "
            "photographs, which show the more the larger they are. A content of the same name "
            "is of the same photograph and about the same place; that is how the panels above "
            "are linked.</p>"
        )
    for (scale, patch), indices in sorted(by_kind.items()):
        record = comparison.entries[indices[0]].study
        whole += f"<h3>For {text(', '.join(names[i] for i in indices))} (×{scale})</h3>"
        if crossed:
            whole += (
                f'<p class="note">Crops of {patch * scale} pixels a side'
                f"{f', reduced to {patch}' if scale > 1 else ', not reduced'}: "
                f"{len(record.inputs.set_N)} images of {len(record.inputs.contents)} contents.</p>"
            )
        label = f"Samples at ×{scale}"
        whole += (
            f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
            f"{tables.samples(record)}</div>"
            f'<div class="scroll" tabindex="0" role="region" aria-label="Sets at ×{scale}">'
            f"{tables.sets(record)}</div>{tables.left_out(record)}"
        )
    return whole
