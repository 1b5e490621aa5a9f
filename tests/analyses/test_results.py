"""No result is mixed with one of another kind, and none is replaced unsaid."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from srscope.analyses.results import held, refuse_mixture
from srscope.analyses.runner import run_analysis
from srscope.analyses.separability import analyze
from srscope.cli.common import telling_replaced
from srscope.errors import FileProblem
from srscope.exports.export import export
from srscope.features.extract import extract
from srscope.study.store import write_study
from support import studies


@pytest.mark.parametrize(
    ("there", "now"),
    [
        ("comparison.json", "scores.json"),
        ("scores.json", "dose.json"),
        ("dose.json", "course.json"),
    ],
)
def test_another_kind_is_refused_and_the_remedy_works(tmp_path: Path, there: str, now: str) -> None:
    refuse_mixture(tmp_path, now)
    (tmp_path / there).write_text("{}")
    with pytest.raises(FileProblem, match=rf"{there}\); name another folder with --out, or move"):
        refuse_mixture(tmp_path, now)
    refuse_mixture(tmp_path, there)
    refuse_mixture(None, now)
    refuse_mixture(tmp_path / "another", now)
    (tmp_path / there).rename(tmp_path / "away.json")
    refuse_mixture(tmp_path, now)


def test_analyses_refuse_before_they_compute(tmp_path: Path) -> None:
    (tmp_path / "comparison.json").write_text("{}")
    with pytest.raises(FileProblem, match="holds the result of srscope compare"):
        analyze("srresnet-wgr", out=tmp_path)
    with pytest.raises(FileProblem, match="holds the result of srscope compare"):
        run_analysis("dose", "srresnet-wgr", out=tmp_path)


def test_what_is_replaced_is_said_unless_it_is_the_same_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = studies.make(contents=6, network="first")
    other = dataclasses.replace(
        study, network=dataclasses.replace(study.network, name="second", sha256="f" * 64)
    )
    for each in (study, study, other):
        with telling_replaced(tmp_path, "scores.json"):
            write_study(each, tmp_path)
    told = capsys.readouterr().err.splitlines()
    short = f"first ({study.network.sha256[:8]}) on {study.suite.name}"
    assert told == [f"srscope: {tmp_path} held the result of {short}, now replaced"]
    assert held(tmp_path, "scores.json") == f"second (ffffffff) on {study.suite.name}"
    (tmp_path / "scores.json").write_text("[")
    assert held(tmp_path, "scores.json") == ""
    several = {"networks": [{"name": "a", "sha256": "0"}, {"name": "b"}]}
    (tmp_path / "dose.json").write_text(json.dumps(several))
    assert held(tmp_path, "dose.json") == "a (0), b ()"


def test_of_a_comparison_every_network_is_exported(tmp_path: Path) -> None:
    (tmp_path / "comparison.json").write_text("{}")
    for name in ("one", "two"):
        write_study(studies.make(contents=6, network=name), tmp_path / "networks" / name)
    written = export(tmp_path, ["latex"])
    expected = [tmp_path / "networks" / n / "export" / "scores.tex" for n in ("one", "two")]
    assert written == expected
    assert all(path.is_file() for path in written)
    to = tmp_path / "to"
    assert export(tmp_path, ["latex"], to=to) == [to / n / "scores.tex" for n in ("one", "two")]


def test_features_of_another_network_are_not_exported_with_a_study(tmp_path: Path) -> None:
    study = studies.make(contents=6)
    write_study(study, tmp_path)
    images_NCHW = np.zeros((len(study.inputs.set_N), 3, 4, 4), np.float32)
    network = nn.Sequential(nn.Conv2d(3, 2, 1))
    extract(
        network,
        images_NCHW,
        ["0"],
        store=tmp_path / "features" / "network",
        arrays={"images_NCHW": images_NCHW},
        metadata={"network": {"sha256": "0" * 64}},
    )
    with pytest.raises(FileProblem, match=r"of another network .*; delete that folder, or"):
        export(tmp_path, ["npz"])
    shutil.rmtree(tmp_path / "features")
    assert export(tmp_path, ["npz"])
