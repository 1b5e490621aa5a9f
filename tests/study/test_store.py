"""A study comes back from its two files as it was."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srscope.errors import FileProblem
from srscope.exports.export import export
from srscope.scores.record import LayerScores
from srscope.study.record import Study, scores_dict
from srscope.study.store import read_study, write_study
from support import studies


def entries(study: Study) -> list[LayerScores]:
    return [
        *study.layers, study.pixels, *study.untrained, *study.trivial, *study.random,
    ]  # fmt: skip


def same(one: Study, other: Study) -> None:
    assert scores_dict(one) == scores_dict(other)
    for name in ("patches_NHW3", "set_N", "content_N", "contents", "photographs"):
        np.testing.assert_array_equal(getattr(one.inputs, name), getattr(other.inputs, name))
    assert one.verdict == other.verdict
    for a, b in zip(entries(one), entries(other), strict=True):
        np.testing.assert_array_equal(a.points_RN2, b.points_RN2)
        np.testing.assert_array_equal(a.told_RN, b.told_RN)
        assert dataclasses.replace(a, points_RN2=b.points_RN2, told_RN=b.told_RN) == b


@pytest.mark.parametrize(
    "study",
    [
        studies.make(contents=["Dune #1.jpg#1", "</script>\u200b", "ä/ö.png#2"]),
        studies.make(contents=3, crossed=False, skipped=(("notes.txt", "not an image"),)),
        dataclasses.replace(studies.make(contents=3, runs=1), untrained=()),
        dataclasses.replace(studies.make(contents=3), left_out=(("variance", "why"),)),
        studies.make(contents=3, trivial=(), random_chi=None),
    ],
    ids=["crossed", "folders", "one run, no control", "left out", "not compared"],
)
def test_a_study_comes_back(study: Study, tmp_path: Path) -> None:
    write_study(study, tmp_path)
    same(read_study(tmp_path), study)
    assert {path.name for path in tmp_path.iterdir()} == {"scores.json", "study.npz"}


def test_photographs_come_back(tmp_path: Path) -> None:
    study = studies.make(contents=3)
    inputs = dataclasses.replace(study.inputs, photographs=("a", "b", "a"))
    write_study(dataclasses.replace(study, inputs=inputs), tmp_path)
    assert read_study(tmp_path).inputs.photograph_N.tolist() == [0, 1, 0] * 3


def _changed(folder: Path, change: Callable[[dict[str, Any]], None]) -> Study:
    scores = json.loads((folder / "scores.json").read_text())
    change(scores)
    (folder / "scores.json").write_text(json.dumps(scores))
    return read_study(folder)


def test_a_study_of_an_older_version_is_read_and_judged(tmp_path: Path) -> None:
    study = studies.make(contents=8)
    write_study(study, tmp_path)

    def older(scores: dict[str, Any]) -> None:
        del scores["verdict"], scores["controls"]["trivial"], scores["controls"]["random"]
        del scores["images"]["photograph"]
        controls = scores["controls"]
        for entry in (*scores["layers"], controls["pixels"], *controls["untrained"]):
            for name in [*entry]:
                if name.startswith("probe") or name in ("knn_photographs", "pairs"):
                    del entry[name]
            del entry["variance"]["components"], entry["variance"]["noise_floor"]

    with np.load(tmp_path / "study.npz") as stored:
        arrays = {k: stored[k] for k in stored.files if not k.startswith("told_")}
    np.savez_compressed(tmp_path / "study.npz", **arrays)
    read = _changed(tmp_path, older)
    assert (read.trivial, read.random) == ((), ())
    assert all(each.probe is None and each.told_RN is None for each in read.layers)
    assert read.layers[0].pairs == ()
    assert read.layers[0].variance is not None
    assert read.layers[0].variance.components is None
    assert read.layers[-1].tsne == study.layers[-1].tsne
    assert read.verdict is not None
    assert read.verdict.kind == "undefined"


def test_a_verdict_that_was_told_is_not_made_anew(tmp_path: Path) -> None:
    write_study(studies.make(contents=8), tmp_path)
    read = _changed(tmp_path, lambda scores: scores["verdict"].update(headline="As it was."))
    assert read.verdict is not None
    assert read.verdict.headline == "As it was."


def test_what_a_newer_version_adds_is_ignored(tmp_path: Path) -> None:
    study = studies.make(contents=8)
    write_study(study, tmp_path)

    def newer(scores: dict[str, Any]) -> None:
        entry = scores["layers"][0]
        for at in (scores, scores["verdict"], entry, entry["probe"], entry["variance"]):
            at["colour"] = "red"

    same(_changed(tmp_path, newer), study)


def test_equal_studies_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_study(studies.make(contents=3), tmp_path / name)
    for name in ("scores.json", "study.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def _without_points(folder: Path) -> None:
    (folder / "study.npz").unlink()


def _cut(folder: Path) -> None:
    data = (folder / "study.npz").read_bytes()
    (folder / "study.npz").write_bytes(data[: len(data) // 2])


def _another_schema(folder: Path) -> None:
    (folder / "scores.json").write_text('{"schema": "srscope.scores/2"}')


def _no_json(folder: Path) -> None:
    (folder / "scores.json").write_text("CHI is 614")


def _of_another_run(folder: Path) -> None:
    scores = json.loads((folder / "scores.json").read_text())
    (folder / "scores.json").write_text(json.dumps({**scores, "created": "2020"}))


def _a_layer_less(folder: Path) -> None:
    scores = json.loads((folder / "scores.json").read_text())
    scores["layers"].append(scores["layers"][0])
    (folder / "scores.json").write_text(json.dumps(scores))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_without_points, "does not exist; analyse again: versions before 0.2"),
        (_cut, "cannot be read"),
        (_another_schema, "is not of schema srscope.scores/1; give the folder of a finished"),
        (_no_json, "cannot be read"),
        (_of_another_run, "of different analyses"),
        (_a_layer_less, "damaged analysis .*layer_4"),
    ],
)
def test_what_is_no_finished_analysis_is_refused(
    spoil: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    write_study(studies.make(contents=3), tmp_path)
    spoil(tmp_path)
    with pytest.raises(FileProblem, match=message):
        read_study(tmp_path)


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="does not exist"):
        read_study(tmp_path / "none")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where the values of a JSON document stand; of a list the first two."""
    yield path
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*path, name))
    elif isinstance(value, list):
        for number in range(min(2, len(value))):
            yield from places(value[number], (*path, number))


def test_scores_with_values_of_other_kinds_are_exported_or_refused(tmp_path: Path) -> None:
    write_study(studies.make(contents=3), tmp_path)
    text = (tmp_path / "scores.json").read_text()
    values = [None, -1, 1e308, math.nan, "x", [], {}, ["a"], {"a": 1}, True, "../x\n"]
    cases = [(path, value) for path in places(json.loads(text)) if path for value in values]
    refused = 0
    for path, value in random.Random(0).sample(cases, 200):
        scores = json.loads(text)
        at = scores
        for part in path[:-1]:
            at = at[part]
        at[path[-1]] = value
        (tmp_path / "scores.json").write_text(json.dumps(scores))
        with contextlib.suppress(FileProblem):
            export(tmp_path, ["latex", "npz"], to=tmp_path / "out")
            refused -= 1
        refused += 1
    assert 50 < refused < 200
