"""The forms that scripts rely on: course.json and course.csv."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from srscope.analyses.course.record import write_course
from srscope.study.record import layer_entry, score_columns, scores_dict
from support import several


def test_json_and_csv_keep_their_contracts(tmp_path: Path) -> None:
    made = several.course()
    write_course(made, tmp_path)
    written = json.loads((tmp_path / "course.json").read_text())
    assert list(written) == [
        "schema", "network", "suite", "images", "protocol", "environment", "left_out",
        "checkpoints", "controls", "skipped", "created", "timings",
    ]  # fmt: skip
    assert written["schema"] == "srscope.course/1"
    about = {"name": "mine", "parameters": 1_517_571, "scale": 4, "remarks": []}
    assert written["network"] == about
    assert [c["iteration"] for c in written["checkpoints"]] == [1000, 2000, 3000, 4000]
    last = written["checkpoints"][-1]
    assert list(last) == ["iteration", "file", "sha256", "restoration", "layers"]
    assert last["layers"] == scores_dict(made.moments[-1].study)["layers"]
    assert last["restoration"]["psnr"] == 31
    assert written["controls"]["untrained"] == [layer_entry(each) for each in made.untrained]
    assert written["skipped"] == [
        {"file": "net_g_latest.pth", "reason": "its name tells no iteration"}
    ]
    rows = list(csv.DictReader((tmp_path / "course.csv").read_text().splitlines()))
    assert set(score_columns()) < set(rows[0])
    assert len(rows[0]) == 7 + len(score_columns())
    assert len(rows) == 4 * 4
    assert float(rows[-1]["chi_mean"]) == made.moments[-1].study.layers[-1].tsne.chi.mean


def test_the_best_layer_is_that_of_the_last_checkpoint() -> None:
    assert several.course().best == 3
