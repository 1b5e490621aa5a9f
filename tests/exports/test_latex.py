"""The LaTeX table by its structure: balanced, as many cells as columns, nothing unescaped."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from srscope.exports.latex import escaped, score_table, write_latex
from srscope.exports.spaces import PcaPoints, exported
from srscope.study.record import Study, controls_of
from support import studies

HOSTILE = r"50%_of $x^2$ & \input{a}~#{1}"


def rows_of(table: str) -> list[list[str]]:
    body = table.partition(r"\toprule")[2].partition(r"\bottomrule")[0]
    lines = [line for line in body.splitlines() if line.endswith(r"\\")]
    return [re.split(r"(?<!\\)&", line.removesuffix(r"\\")) for line in lines]


def check(study: Study) -> list[list[str]]:
    table = score_table(study)
    for name in ("table", "tabular"):
        assert table.count(rf"\begin{{{name}}}") == table.count(rf"\end{{{name}}}") == 1
    plain = re.sub(r"\\[{}%]", "", table)
    assert plain.count("{") == plain.count("}")
    assert table.count("$") % 2 == table.count(r"\$") % 2
    columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", table)
    assert columns is not None
    head, *rows = rows_of(table)
    spans = [int(n) for n in re.findall(r"\\multicolumn\{(\d+)\}", " & ".join(head))]
    assert 1 + sum(spans) == len(columns[1])
    assert {len(row) for row in rows} == {len(columns[1])}
    return rows[1:]


def test_every_layer_and_control_has_a_row() -> None:
    study = studies.make()
    rows = check(study)
    assert len(rows) == 4 + sum(len(entries) for _, _, entries in controls_of(study))
    last = rows[3]
    chi = study.layers[3].tsne.chi
    assert last[0].strip() == "ResBlock16"
    assert last[1].strip() == rf"${chi.mean:.2f} \pm {chi.std:.2f}$"
    assert last[2].strip() == "$+++$"
    assert rows[4][0].strip() == study.pixels.label
    assert "20 images a set; 5 t-SNE runs" in score_table(study)


def test_what_is_undefined_is_a_dash() -> None:
    (row, *_) = check(studies.make(layers=1, chis=[3.0], crossed=False, runs=1))
    assert row[4].strip() == "--"  # k-NN
    assert [cell.strip() for cell in row[-2:]] == ["--", "--"]  # shares of variance
    assert r"\pm" not in row[1]
    assert row[1].strip() == "3.00" or float(row[1]) > 0


def test_no_name_is_taken_for_a_command() -> None:
    study = studies.make(
        layers=[(HOSTILE + "1", HOSTILE + "1"), ("b", "b")], network=HOSTILE, sets=(HOSTILE, "x")
    )
    check(study)
    assert r"\input" not in score_table(study)
    assert escaped("a\nb") == "a\N{REPLACEMENT CHARACTER}b"


def test_it_is_written(tmp_path: Path) -> None:
    study = dataclasses.replace(studies.make(), untrained=())
    (path,) = write_latex(exported(study, PcaPoints()), tmp_path)
    assert path.read_text().startswith("% written by srscope export")
