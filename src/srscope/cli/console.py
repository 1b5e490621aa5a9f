"""What the command line shows: progress on stderr, tables on stdout."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from srscope.scores.table import scores
from srscope.study import words
from srscope.study.record import control_label, controls_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from srscope.analyses.comparison.record import Comparison
    from srscope.analyses.course.record import Course
    from srscope.degradations.suite import Suite
    from srscope.networks.description import LoadedNetwork
    from srscope.networks.structure.tree import LayerRow
    from srscope.networks.zoo import Card
    from srscope.reproduction.outcome import Reproduction
    from srscope.scores.record import LayerScores
    from srscope.study.profile import StageTime
    from srscope.study.record import Study


@contextmanager
def stage_progress(*, quiet: bool) -> Generator[Callable[[str, int, int], None] | None]:
    """Yield a callback that draws one progress bar a stage on stderr; ``None`` if ``quiet``.

    Where stderr is no terminal, as in a log, every finished stage is one line instead.
    """
    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        yield _stage_lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
    tasks: dict[str, Any] = {}

    def advance(stage: str, done: int, total: int) -> None:
        if not tasks:
            progress.start()
        if stage not in tasks:
            tasks[stage] = progress.add_task(stage, total=total)
        progress.update(tasks[stage], completed=done, total=total)

    try:
        yield advance
    finally:
        if tasks:
            progress.stop()


def _stage_lines() -> Callable[[str, int, int], None]:
    begun = latest = time.perf_counter()
    seen: set[str] = set()

    def advance(stage: str, done: int, total: int) -> None:
        nonlocal latest
        if done < total or stage in seen:
            return
        seen.add(stage)
        now = time.perf_counter()
        told = f"{stage}: {total:,} in {now - latest:.1f} s ({now - begun:.0f} s in all)"
        print(f"srscope: {told}", file=sys.stderr, flush=True)
        latest = now

    return advance


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int = 1
) -> None:
    """Print a table to stdout: the first ``text_columns`` columns as text, the others as numbers.

    Names are shown as they are, without markup.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(
            column, overflow="fold", justify="left" if number < text_columns else "right"
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = 240
    console.print(table)


def print_study(study: Study) -> None:
    """Print the scores of every layer and control, and the verdict."""
    rows = [_score_row(layer, layer.label) for layer in study.layers]
    rows += [
        _score_row(entry, control_label(kind, entry))
        for kind, _, entries in controls_of(study)
        for entry in entries
    ]
    print_table(
        f"{study.network.name} on {study.suite.name}",
        ("layer", *_score_heads()),
        rows,
    )


def print_comparison(comparison: Comparison) -> None:
    """Print one row a network: the layer where it separates most, and its PSNR."""
    rows: list[list[str]] = []
    for entry in comparison.entries:
        restored, best = entry.restoration, entry.best
        psnr = ""
        if restored.psnr is not None and restored.bicubic is not None:
            psnr = f"{restored.psnr:.2f} dB ({restored.psnr - restored.bicubic:+.2f})"
        highest = max((e.tsne.chi.mean for e in entry.study.untrained), default=None)
        control = "" if highest is None else f"{highest:.2f}"
        rows.append([entry.name, *_score_row(best, best.label), control, psnr])
    print_table(
        "each network where it separates most",
        ("network", "layer", *_score_heads(), "untrained CHI", "PSNR (over bicubic)"),
        rows,
        text_columns=2,
    )
    if comparison.differences:
        print_table(
            "how many more images the one tells right, in percentage points, 95 % over photographs",
            ("network", "beside", "difference", "interval"),
            [
                [
                    each.first,
                    each.second,
                    f"{100 * each.value:+.1f}",
                    f"{100 * each.low:+.1f} to {100 * each.high:+.1f}",
                ]
                for each in comparison.differences
            ],
            text_columns=2,
        )


def print_course(course: Course) -> None:
    """Print one row a checkpoint, at the layer where the last one separates most."""
    rows: list[list[str]] = []
    for moment in course.moments:
        layer, psnr = moment.study.layers[course.best], moment.restoration.psnr
        restored = "" if psnr is None else f"{psnr:.2f} dB"
        rows.append([*_score_row(layer, f"{moment.iteration:,}"), restored])
    label = course.moments[-1].study.layers[course.best].label
    columns = ("iterations", *_score_heads(), "PSNR")
    print_table(f"{course.name} over its training, at {label}", columns, rows, text_columns=0)


def _score_heads() -> list[str]:
    return [score.label for score in scores(all_columns=False)]


def _score_row(layer: LayerScores, label: str) -> list[str]:
    return [label, *(words.score_text(score, layer) for score in scores(all_columns=False))]


def print_profile(stages: Sequence[StageTime]) -> None:
    """Print where the time of an analysis went, and what share of the machine's speed was used."""
    rows = [
        [
            each.stage,
            f"{each.seconds:.2f}",
            f"{each.share:.0%}",
            "" if each.operations is None else f"{each.operations / 1e9:,.1f}",
            "" if each.limit is None else f"{each.limit:.2f}",
            "" if each.of_limit is None else f"{each.of_limit:.0%}",
        ]
        for each in stages
    ]
    rows.append(["all", f"{sum(each.seconds for each in stages):.2f}", "", "", "", ""])
    columns = ("stage", "seconds", "share", "GFLOP", "s at the speed of a matrix product", "of it")
    print_table("where the time went", columns, rows)


def print_reproduction(done: Reproduction) -> None:
    """Print the verdict on every claim and why, and on stderr what could not be run."""
    from rich.console import Console

    from srscope.reproduction.write import tally

    rows = [[j.id, j.claim, j.verdict, j.why] for j in done.judgements]
    print_table("the paper's claims", ("", "claim", "verdict", "why"), rows, text_columns=4)
    heads = ("", "claim", "verdict", "why", "judged by")
    rows = [[j.id, j.claim, j.verdict, j.why, j.networks] for j in done.second]
    print_table("by the second edition of the criteria", heads, rows, text_columns=5)
    errors = Console(stderr=True, soft_wrap=True, markup=False, highlight=False)
    for each in done.left_out:
        errors.print(f"srscope: {each.id} is left out: it needs {', '.join(each.networks)}")
    for failure in done.failures:
        if failure.details:
            errors.print(failure.details.rstrip())
        errors.print(f"srscope: {failure.id} failed: {failure.problem}")
    Console(soft_wrap=True, markup=False, highlight=False).print(
        f"First edition: {tally(done.judgements)}\nSecond edition: {tally(done.second)}"
    )


def print_networks(cards: Sequence[Card]) -> None:
    """Print what networks are bundled, from their cards."""
    columns = (
        "network", "trained by", "parameters", "MB", "iterations", "images", "reached", "beside it",
        "licence",
    )  # fmt: skip
    rows = [
        [
            card.name,
            card.facts["task"],
            f"{card.facts['parameters']:,}",
            f"{card.path.stat().st_size / 1e6:.1f}",
            f"{card.facts['iterations']:,}",
            _images(card.facts["data"]),
            *_reached(card.facts["quality"]),
            card.facts["license"],
        ]
        for card in cards
    ]
    print_table("bundled networks", columns, rows)


def _images(data: Mapping[str, Any]) -> str:
    if "digits" in data:
        return f"{data['digits']:,} digits"
    count = data.get("photographs", data.get("images"))
    return f"{count:,} {'photographs' if 'photographs' in data else 'images'}"


def _reached(quality: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a network reaches on its test images, and what to see that beside."""
    if "psnr" in quality:
        gain = quality["psnr"] - quality["bicubic_psnr"]
        detail = f"detail {quality['detail']:.2f} (bicubic {quality['bicubic_detail']:.2f})"
        return (
            f"{quality['psnr']:.2f} dB, SSIM {quality['ssim']:.3f}",
            f"{gain:+.2f} dB over bicubic; {detail}",
        )
    names = [name for name in quality["sets"] if name != "clean"]
    others = ", ".join(f"{name} {quality[f'accuracy_{name}']:.1%}" for name in names)
    return f"accuracy {quality['accuracy_clean']:.1%}", others


def print_layers(network: LoadedNetwork, layers: Sequence[LayerRow], side: int) -> None:
    """Print a network's layers as a tree, with marks at its tap points, and how it is fed."""
    from rich.console import Console

    rows = [
        [
            "  " * layer.depth + layer.name,
            layer.kind + (f", {layer.hidden} inside" if layer.hidden else ""),
            layer.output,
            layer.label,
            "*" if layer.is_default else "",
        ]
        for layer in layers
    ]
    columns = ("layer", "class", f"output for {side}x{side} pixels", "tap point", "default")
    print_table(f"layers of {network.name}", columns, rows, text_columns=4)
    lines = [network.source, *network.notes, *network.remarks]
    if network.no_untrained:
        lines.append(f"no untrained control: {network.no_untrained}")
    Console(soft_wrap=True, markup=False, highlight=False).print("\n".join(lines))


def print_suites(suites: Sequence[Suite]) -> None:
    """Print the suites with the definition of every set."""
    rows = [
        [suite.name if number == 0 else "", each.name, definition]
        for suite in suites
        for number, each in enumerate(suite.sets)
        for definition in [each.definition(scale=4, blur_applied_to=suite.blur_applied_to)]
    ]
    print_table("suites", ("suite", "set", "definition (at x4)"), rows, text_columns=3)
