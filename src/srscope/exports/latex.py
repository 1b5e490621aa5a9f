r"""The score table for a paper, in LaTeX with ``booktabs``.

The file holds one ``table``; ``\input`` it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from srscope.exports.spaces import Exported
from srscope.runtime.files import write_text
from srscope.scores.record import LayerScores, Runs
from srscope.study import words
from srscope.study.record import Study

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
_HEADS = (
    ("", "Layer"),
    ("t-SNE", "CHI"),
    ("t-SNE", ""),
    ("feature space", "CHI"),
    ("feature space", "silhouette"),
    ("feature space", "$k$-NN"),
    ("feature space", "$p$"),
    ("share of variance (\\%)", "degr."),
    ("share of variance (\\%)", "content"),
    ("share of variance (\\%)", "inter."),
)


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
    groups: list[tuple[str, int]] = []
    for group, _ in _HEADS:
        if groups and groups[-1][0] == group:
            groups[-1] = (group, groups[-1][1] + 1)
        else:
            groups.append((group, 1))
    spans, rules, start = [], "", 1
    for group, width in groups:
        spans.append(rf"\multicolumn{{{width}}}{{c}}{{{group}}}" if group else "")
        if group:
            rules += rf"\cmidrule(lr){{{start}-{start + width - 1}}}"
        start += width
    lines = [
        "% written by srscope export; needs \\usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_caption(study)}}}",
        r"\begin{tabular}{l" + "r" * (len(_HEADS) - 1) + "}",
        r"\toprule",
        " & ".join(spans) + r" \\",
        rules,
        " & ".join(head for _, head in _HEADS) + r" \\",
        r"\midrule",
        *(_row(entry, entry.label) for entry in study.layers),
        r"\midrule",
        _row(study.pixels, "raw pixels"),
        *(_row(entry, f"untrained {entry.label}") for entry in study.untrained),
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
    space, split = entry.feature_space, entry.variance
    shares: Sequence[float | None] = (None,) * 3
    if split is not None:
        shares = (split.degradation, split.content, split.interaction)
    cells = [
        escaped(label),
        _spread(entry.tsne.chi),
        f"${entry.tsne.grade}$",
        _number(space.chi),
        _number(space.silhouette),
        _number(None if space.knn_accuracy is None else space.knn_accuracy, 3),
        _number(space.p_value, 3),
        *(_number(None if share is None else 100 * share, 1) for share in shares),
    ]
    return " & ".join(cells) + r" \\"


def _number(value: float | None, decimals: int = 2) -> str:
    if value is None or not math.isfinite(value):
        return _UNDEFINED
    written = f"{value:.{decimals}f}"
    return f"${written}$" if written.startswith("-") else written


def _spread(runs: Runs) -> str:
    if len(runs.runs) < 2 or not math.isfinite(runs.mean):
        return _number(runs.mean)
    return rf"${runs.mean:.2f} \pm {runs.std:.2f}$"
