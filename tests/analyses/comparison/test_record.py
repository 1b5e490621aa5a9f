"""The forms that scripts rely on: comparison.json and comparison.csv."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

from srscope.analyses.comparison.record import Comparison, comparison_csv, write_comparison
from srscope.study.record import controls_of, score_columns, scores_dict
from support import several, studies


def rows_of(comparison: Comparison) -> list[dict[str, str]]:
    return list(csv.DictReader(comparison_csv(comparison).splitlines()))


def test_json_keeps_its_contract(tmp_path: Path) -> None:
    made = several.comparison()
    write_comparison(made, tmp_path)
    written = json.loads((tmp_path / "comparison.json").read_text())
    assert list(written) == [
        "schema", "protocol", "environment", "networks", "differences", "created", "timings"
    ]  # fmt: skip
    assert written["schema"] == "srscope.comparison/1"
    assert [entry["name"] for entry in written["networks"]] == [e.name for e in made.entries]
    for entry, given in zip(written["networks"], made.entries, strict=True):
        assert list(entry) == [
            "name", "restoration", "network", "suite", "images", "layers", "controls", "verdict",
            "left_out",
        ]  # fmt: skip
        # Layers and controls are those of scores.json.
        assert entry["layers"] == scores_dict(given.study)["layers"]
        assert entry["controls"] == scores_dict(given.study)["controls"]
    assert written["networks"][1]["restoration"] == {"psnr": 35.1, "bicubic": 33.2, "why": ""}
    assert written["networks"][2]["restoration"] == {
        "psnr": None, "bicubic": None, "why": "it does not magnify"
    }  # fmt: skip


def test_csv_has_a_row_a_layer_and_control() -> None:
    made = several.comparison()
    rows = rows_of(made)
    assert set(score_columns()) < set(rows[0])
    assert len(rows[0]) == 9 + len(score_columns())
    assert len(rows) == sum(
        len(study.layers) + sum(len(entries) for _, _, entries in controls_of(study))
        for study in (entry.study for entry in made.entries)
    )
    assert {row["weights"] for row in rows} == {"trained", "untrained", "random", "none"}
    deepest = next(r for r in rows if r["network"] == "srgan-wgr" and r["label"] == "ResBlock16")
    layer = made.entries[0].study.layers[-1]
    assert float(deepest["chi_mean"]) == layer.tsne.chi.mean
    assert float(deepest["depth"]) == 1
    assert layer.variance is not None
    assert float(deepest["degradation"]) == layer.variance.degradation
    assert float(deepest["psnr"]) == 29.55
    assert rows[-1]["psnr"] == ""


def test_what_is_undefined_is_empty_in_csv() -> None:
    study = studies.make(contents=3, crossed=False, runs=1, layers=1)
    made = several.comparison()
    entry = dataclasses.replace(made.entries[0], study=study)
    row = rows_of(dataclasses.replace(made, entries=(entry,)))[0]
    empty = {name for name, value in row.items() if value == ""}
    assert empty == {
        "chi_std", "chi_known", "knn_accuracy", "degradation", "content", "interaction",
        "component_degradation", "component_content",
    }  # fmt: skip


def test_the_best_layer_is_the_deeper_of_equals() -> None:
    made = several.comparison()
    assert made.entries[1].best is made.entries[1].study.layers[2]
    study = made.entries[0].study
    alike = dataclasses.replace(study, layers=(study.layers[0],) * 3)
    assert dataclasses.replace(made.entries[0], study=alike).best is alike.layers[2]
