"""Names and numbers as they are written in figures and in the report."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

from srscope.scores.record import LayerScores, ProbeScore, Runs
from srscope.scores.runs import MeanOfRuns
from srscope.scores.table import Score
from srscope.study.record import Study

UNDEFINED = "undefined"
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


def printable(text: object) -> str:
    r"""Return ``text`` with control characters and broken encodings replaced.

    A file name may hold line breaks, bytes that are not UTF-8, or marks that turn the reading
    direction; none of them belongs into an SVG or HTML file.

    Example:
        >>> printable("a\nb") == "a\N{REPLACEMENT CHARACTER}b"
        True
    """
    return "".join(
        c if c.isprintable() or c in _JOINERS or unicodedata.category(c) == "Zs" else _REPLACED
        for c in str(text)
    )


def shorten(text: object, limit: int) -> str:
    """Return ``text`` in at most ``limit`` characters, its middle left out.

    Both ends are kept: layer and file names mostly differ there.

    Example:
        >>> shorten("layers.3.blocks.5.attention.projection", 15)
        'layers.…jection'
    """
    whole = printable(text)
    if len(whole) <= limit:
        return whole
    tail = (limit - 1) // 2
    head = limit - 1 - tail
    return whole[:head] + "…" + whole[len(whole) - tail :]


def _decimals(value: float) -> int:
    return 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2


def network_name(record: Study, limit: int = 48) -> str:
    """Return the network's name for running text: of a path only the last part, shortened.

    The whole name stands in the report's protocol.
    """
    whole = printable(record.network.name)
    if len(whole) <= limit:
        return whole
    return shorten(whole.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1], limit)


def number(value: float | None) -> str:
    """Return a score with about three digits that mean something; ``None`` and NaN are said.

    Example:
        >>> number(613.77), number(38.21), number(0.023), number(float("nan"))
        ('614', '38.2', '0.02', 'undefined')
    """
    if value is None or not math.isfinite(value):
        return UNDEFINED
    if abs(value) >= 1e6:
        return f"{value:.2e}"
    written = f"{value:,.{_decimals(value)}f}"
    return written.replace(",", "\N{THIN SPACE}").replace("-", "\N{MINUS SIGN}")


def with_spread(runs: Runs) -> str:
    """Return mean ± standard deviation over the runs, to the same decimal.

    Example:
        >>> with_spread(Runs(mean=613.77, std=33.4, runs=(580.37, 647.17)))
        '614 ± 33'
        >>> with_spread(Runs(mean=613.77, std=0.0, runs=(613.77,)))
        '614'
    """
    if not math.isfinite(runs.mean) or len(runs.runs) < 2:
        return number(runs.mean)
    return f"{number(runs.mean)} ± {runs.std:.{_decimals(runs.mean)}f}"


def percent(share: float | None) -> str:
    """Return a share of 1 in percent.

    Example:
        >>> percent(0.412) == "41\N{NO-BREAK SPACE}%", percent(None)
        (True, 'undefined')
    """
    if share is None or not math.isfinite(share):
        return UNDEFINED
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def score_text(score: Score, layer: LayerScores) -> str:
    """Return a layer's score as every table writes it."""
    value = score.value(layer)
    if value is None:
        return UNDEFINED
    if isinstance(value, Runs):
        return with_spread(value)
    if isinstance(value, str):
        return grade_sign(value) if math.isfinite(layer.tsne.chi.mean) else "–"
    if isinstance(value, MeanOfRuns):
        if not math.isfinite(value.low):
            return number(value.mean)
        return f"{number(value.mean)} [{number(value.low)}, {number(value.high)}]"
    if isinstance(value, ProbeScore):
        low, high = (f"{100 * end:.0f}" for end in (value.low, value.high))
        return f"{percent(value.accuracy)} [{low}, {high}]"
    if not math.isfinite(value):
        return UNDEFINED
    if score.form == "share":
        return percent(value)
    return f"{value:.3g}" if score.form == "small" else number(value)


def probe_and_chi(layer: LayerScores) -> str:
    """Return what stands below a layer's map: how many images the probe is right for, and CHI."""
    probe, chi = layer.best_probe, f"CHI {with_spread(layer.tsne.chi)}"
    return chi if probe is None else f"probe {percent(probe.accuracy)}, {chi}"


def listed(names: Sequence[str]) -> str:
    """Return names as one would say them.

    Example:
        >>> listed(["clean", "blur", "noise"]), listed(["clean"])
        ('clean, blur and noise', 'clean')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def grade_sign(grade: str) -> str:
    """Return the paper's grade with a true minus sign, fit for print."""
    return grade.replace("-", "\N{MINUS SIGN}")


def short_labels(entries: Sequence[LayerScores], limit: int) -> list[str]:
    """Return every layer's label in at most ``limit`` characters (8 or more), no two alike.

    Where some are too long, the dotted parts that all of them end with, begin with, or both,
    are left out; what is still too long loses its middle; what is then alike gets its number.
    """
    return distinct([e.label for e in entries], limit)


def distinct(names: Sequence[str], limit: int) -> list[str]:
    """Return ``names`` in at most ``limit`` characters, no two alike.

    Example:
        >>> distinct(["net.0.mlp.fc2", "net.1.mlp.fc2"], 9)
        ['net.0…', 'net.1…']
        >>> distinct(["aaaaaaaaa1aaaaaaaaa", "aaaaaaaaa2aaaaaaaaa"], 10)
        ['1: aaa…aa', '2: aaa…aa']
    """
    whole = [printable(n) for n in names]
    for candidate in (whole, *_without_common_parts(whole)):
        if max(map(len, candidate), default=0) <= limit:
            return candidate
    short = [shorten(n, limit) for n in whole]
    if len(set(short)) == len(set(whole)):
        return short
    return [f"{i + 1}: {shorten(n, max(3, limit - 4))}" for i, n in enumerate(whole)]


def _without_common_parts(names: list[str]) -> list[list[str]]:
    """Return ``names`` without their common tail, without their common head, without both."""
    parts = [n.split(".") for n in names]
    spare = min(map(len, parts), default=1) - 1
    tail = _alike([p[::-1] for p in parts], spare)
    head = _alike(parts, spare - tail)

    def cut(head: int, tail: int) -> list[str]:
        start, end = "…" if head else "", "…" if tail else ""
        return [start + ".".join(p[head : len(p) - tail]) + end for p in parts]

    return [cut(0, tail), cut(head, 0), cut(head, tail)]


def _alike(parts: list[list[str]], most: int) -> int:
    """Return how many leading parts (at most ``most``) all lists have in common."""
    count = 0
    while count < most and len({p[count] for p in parts}) == 1:
        count += 1
    return count
