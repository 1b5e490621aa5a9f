"""A network over its training as one HTML file that opens offline."""

from __future__ import annotations

import math
from collections.abc import Callable

from srscope.analyses.course.figures import axis_start, drawn_layers
from srscope.analyses.course.record import Course, Moment
from srscope.report import tables
from srscope.report.curves import Axis, Point, Series, curves, iteration_ticks, key
from srscope.report.markup import prose, text
from srscope.report.several import (
    Cell,
    Head,
    Panel,
    Telling,
    page,
    psnr_cells,
    score_cells,
    score_heads,
    table,
)
from srscope.scores.record import LayerScores
from srscope.study import words
from srscope.study.verdict import named_sets, verdict_of


def render(course: Course) -> str:
    """Return the whole report as HTML."""
    last = course.moments[-1].study
    labels = words.short_labels(last.layers, 24)
    panels = [
        Panel(name=f"{count(moment.iteration)} iterations", study=moment.study)
        for moment in course.moments
    ]
    reasons = {m.restoration.why for m in course.moments if m.restoration.why}
    sets = named_sets(last)
    return page(
        panels,
        [(f"i{n}", label) for n, label in enumerate(labels)],
        Telling(
            title=f"{text(course.name)} over its training",
            kind="training",
            question=f"From when on do the features of <b>{text(course.name)}</b> tell "
            f"{text(sets)} apart?",
            headline=prose(headline(course)),
            scores=(
                "Checkpoint by checkpoint",
                f"At {text(labels[course.best])}, where the last checkpoint's CHI is "
                "highest. A click on a column's head sorts by it.",
                _checkpoints(course)
                + "".join(f'<p class="note">PSNR undefined: {text(why)}.</p>' for why in reasons)
                + f"<details><summary>All layers</summary>{_layers(course, labels)}</details>",
            ),
            curves=(
                "By iteration",
                "One curve a layer. Bars: standard deviation over the t-SNE runs. "
                + _dotted(course),
                _curves(course),
            ),
            layers_title="Every image, at every checkpoint",
            shown='<div class="scroll" tabindex="0" role="region" aria-label="Samples">'
            f"{tables.samples(last)}</div>"
            '<div class="scroll" tabindex="0" role="region" aria-label="Sets">'
            f"{tables.sets(last)}</div>{tables.remarks(last.network)}{tables.left_out(last)}"
            + tables.skipped_files(course.skipped),
            created=course.created,
            footer="The numbers are in <code>course.json</code> and <code>course.csv</code> "
            "beside this file.",
            chosen=f"i{course.best}",
        ),
    )


def count(iterations: int) -> str:
    """Return a number of iterations as it is written.

    Example:
        >>> count(24000) == "24\N{THIN SPACE}000"
        True
    """
    return f"{iterations:,}".replace(",", "\N{THIN SPACE}")


def headline(course: Course) -> str:
    """Say how CHI changed over the training where it ended highest, and from when it separates."""
    first, last = course.moments[0], course.moments[-1]
    start, end = (m.study.layers[course.best].tsne.chi for m in (first, last))
    label = words.shorten(last.study.layers[course.best].label, 40)
    spread = f"from {words.with_spread(start)} ({count(first.iteration)} iterations) to " + (
        f"{words.with_spread(end)} ({count(last.iteration)})"
    )
    if end.mean - end.std > start.mean + start.std:
        change = f"grows {spread}"
    elif end.mean + end.std < start.mean - start.std:
        change = f"falls {spread}"
    else:
        change = f"hardly changes, {spread}"
    since = separates_since(course)
    if since is None:
        since_when = f"it does not surely separate {named_sets(last.study)} at the end"
    elif since is first:
        since_when = f"it separates {named_sets(last.study)} at every checkpoint"
    else:
        since_when = f"it separates {named_sets(last.study)} from {count(since.iteration)} on"
    return f"{course.name}: at {label} CHI {change}; {since_when}."


def separates_since(course: Course) -> Moment | None:
    """Return the first of the checkpoints that separate the sets up to the last, if that does."""
    since = None
    for moment in reversed(course.moments):
        found = moment.study.verdict or verdict_of(moment.study)
        if found.separates != "yes":
            break
        since = moment
    return since


def _checkpoints(course: Course) -> str:
    heads = [
        Head(name="Iterations"),
        *score_heads()[:2],
        Head(name="PSNR", meaning="On the clean set."),
        Head(name="Over bicubic", meaning="PSNR less that of bicubic magnification."),
        *score_heads()[2:],
    ]
    rows: list[list[Cell]] = []
    for moment in course.moments:
        scores = score_cells(moment.study.layers[course.best])
        rows.append(
            [_iterations(moment), *scores[:2], *psnr_cells(moment.restoration), *scores[2:]]
        )
    return table(heads, rows, label="Scores, checkpoint by checkpoint")


def _iterations(moment: Moment) -> Cell:
    return Cell(shown=count(moment.iteration), value=moment.iteration, title=moment.file)


def _layers(course: Course, labels: list[str]) -> str:
    heads = [Head(name="Iterations"), Head(name="Layer", words=True), *score_heads()]
    rows = [
        [_iterations(moment), Cell(shown=short, value=short), *score_cells(layer)]
        for moment in course.moments
        for layer, short in zip(moment.study.layers, labels, strict=True)
    ]
    return table(heads, rows, label="Scores of all layers")


def series_of(
    course: Course, value: Callable[[LayerScores], tuple[float, float]], name: str
) -> list[Series]:
    """Return one curve a drawn layer.

    Args:
        course: The training.
        value: Takes mean and standard deviation out of a layer; NaN breaks the curve.
        name: Of the value, for the pointer.
    """
    last = course.moments[-1].study
    labels = words.short_labels(last.layers, 24)
    series: list[Series] = []
    for pair, number in enumerate(drawn_layers(len(labels), course.best)):
        points: list[Point] = []
        for moment in course.moments:
            mean, std = value(moment.study.layers[number])
            written = words.number(mean) + (f" ± {words.number(std)}" if std else "")
            told = f"{labels[number]} at {count(moment.iteration)}: {name} {written}"
            points.append(Point(x=float(moment.iteration), mean=mean, std=std, told=told))
        series.append(Series(name=labels[number], points=tuple(points), pair=pair))
    return series


def tsne_chi(layer: LayerScores) -> tuple[float, float]:
    """Return CHI on t-SNE points, with its spread."""
    return layer.tsne.chi.mean, layer.tsne.chi.std


def feature_chi(layer: LayerScores) -> tuple[float, float]:
    """Return CHI on the features, which has no spread."""
    return layer.feature_space.chi, 0.0


def knn(layer: LayerScores) -> tuple[float, float]:
    """Return k-NN accuracy; NaN where it is undefined."""
    accuracy = layer.feature_space.knn_accuracy
    return math.nan if accuracy is None else accuracy, 0.0


def _dotted(course: Course) -> str:
    """Say what the dotted lines are, of those that are drawn."""
    meant: list[str] = []
    if any(math.isfinite(layer.tsne.chi.mean) for layer in course.untrained):
        meant.append("the same architecture untrained, at its highest")
    if _has_knn(course):
        meant.append("for k-NN, chance")
    return f"Dotted: {'; '.join(meant)}." if meant else ""


def _has_knn(course: Course) -> bool:
    return any(math.isfinite(knn(layer)[0]) for layer in course.moments[-1].study.layers)


def _curves(course: Course) -> str:
    last = course.moments[-1]
    low = axis_start(course)
    axis = Axis(
        name="iterations",
        low=low,
        high=float(max(1, last.iteration)),
        ticks=iteration_ticks(last.iteration, low),
    )
    control = max((layer.tsne.chi.mean for layer in course.untrained), default=math.nan)
    control_features = max((e.feature_space.chi for e in course.untrained), default=math.nan)

    def untrained(value: float) -> tuple[float, str] | None:
        if not math.isfinite(value):
            return None
        return value, f"untrained, highest: CHI {words.number(value)}"

    tsne = series_of(course, tsne_chi, "CHI")
    whole = key(tsne)
    if len(last.study.layers) > len(tsne):
        whole += (
            f'<p class="note">{len(tsne)} of {len(last.study.layers)} layers are drawn; the '
            "table has all.</p>"
        )
    whole += "<h3>CHI on t-SNE points, log scale</h3>" + curves(
        tsne, axis, name="CHI on t-SNE points by iteration, log scale", line_at=untrained(control)
    )
    chart = curves(
        series_of(course, feature_chi, "CHI of the features"),
        axis,
        name="CHI in feature space by iteration, log scale",
        graded=False,
        line_at=untrained(control_features),
    )
    charts = (
        f"<figure><figcaption><h3>CHI in feature space, log scale</h3></figcaption>{chart}</figure>"
    )
    if _has_knn(course):
        counts = [each.count for each in last.study.suite.sets]
        chance = max(counts) / sum(counts)
        chart = curves(
            series_of(course, knn, "k-NN"),
            axis,
            kind="share",
            name="k-NN accuracy by iteration",
            line_at=(chance, f"chance: {words.percent(chance)}"),
        )
        charts += f"<figure><figcaption><h3>k-NN accuracy</h3></figcaption>{chart}</figure>"
    return f'{whole}<div class="charts">{charts}</div>'
