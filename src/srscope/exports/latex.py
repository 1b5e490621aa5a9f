r"""The score table for a paper, in LaTeX with ``booktabs``.

The file holds one ``table``; ``\input`` it.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path

from srscope.exports.spaces import Exported
from srscope.runtime.files import write_text
from srscope.scores.record import LayerScores, Runs
from srscope.scores.table import Score, plain_value, scores
from srscope.study import words
from srscope.study.record import Study, control_label, controls_of

TABLE = "scores.tex"
_UNDEFINED = "--"
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def escaped(text: object) -> str:
    r"""Return ``text`` as it reads, whatever LaTeX would make of it.

    Example:
        >>> print(escaped("body_1 & 50% #3"))
        body\_1 \& 50\% \#3
    """
    return "".join(_SPECIAL.get(c, c) for c in words.printable(text))


def write_latex(data: Exported, folder: Path) -> list[Path]:
    """Write the scores of every layer and control as a LaTeX table.

    Args:
        data: The study.
        folder: Gets ``scores.tex``.

    Returns:
        The file.
    """
    path = folder / TABLE
    write_text(path, score_table(data.study))
    return [path]


def score_table(study: Study) -> str:
    """Return the table: layers in depth order, then the controls."""
    shown = scores(all_columns=False)
    groups = [("", 1), *((g, len(list(e))) for g, e in itertools.groupby(s.group for s in shown))]
    spans, rules, start = [], "", 1
    for group, width in groups:
        spans.append(rf"\multicolumn{{{width}}}{{c}}{{{escaped(group)}}}" if group else "")
        if group:
            rules += rf"\cmidrule(lr){{{start}-{start + width - 1}}}"
        start += width
    lines = [
        "% written by srscope export; needs \\usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_caption(study)}}}",
        r"\begin{tabular}{l" + "r" * len(shown) + "}",
        r"\toprule",
        " & ".join(spans) + r" \\",
        rules,
        " & ".join(["Layer", *(escaped(score.label) for score in shown)]) + r" \\",
        r"\midrule",
        *(_row(entry, entry.label) for entry in study.layers),
        r"\midrule",
        *(
            _row(entry, control_label(kind, entry))
            for kind, _, entries in controls_of(study)
            for entry in entries
        ),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _caption(study: Study) -> str:
    counts = sorted({each.count for each in study.suite.sets})
    sets = ", ".join(escaped(each.name) for each in study.suite.sets)
    runs = len(study.pixels.tsne.chi.runs)
    each = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    spread = ", mean $\\pm$ standard deviation" if runs > 1 else ""
    return (
        f"Separation of the sets {sets} in the features of {escaped(study.network.name)}. "
        f"{each} images a set; {runs} t-SNE run{'s' if runs > 1 else ''}{spread}."
    )


def _row(entry: LayerScores, label: str) -> str:
    cells = [escaped(label), *(_cell(score, entry) for score in scores(all_columns=False))]
    return " & ".join(cells) + r" \\"


def _cell(score: Score, entry: LayerScores) -> str:
    value = score.value(entry)
    if isinstance(value, str):
        return f"${value}$"
    if isinstance(value, Runs) and len(value.runs) > 1 and math.isfinite(value.mean):
        return rf"${value.mean:.2f} \pm {value.std:.2f}$"
    number = plain_value(value)
    if number is None or isinstance(number, str) or not math.isfinite(number):
        return _UNDEFINED
    if score.form == "share":
        return f"{100 * number:.1f}\\%"
    written = f"{number:.3g}" if score.form == "small" else f"{number:.2f}"
    return f"${written}$" if written.startswith("-") else written
