"""A study that also says whether the network uses what it separates."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from srscope.analyses.causal import CONTENTS, _z
from srscope.analyses.intervene.command import Config
from srscope.analyses.separability import analyze
from srscope.errors import NetworkError, ParameterError, UnknownNameError
from srscope.study.config import AnalysisConfig
from srscope.study.record import Study
from srscope.study.store import read_study
from support.interventions import Gate, described

QUICK = {
    "contents": 40, "suite": "clean-noise20", "patch": 8, "runs": 1, "most_runs": 1, "pca": 5,
    "permutations": 9,
    "tsne": {"perplexity": 5, "iterations": 250}, "untrained": False, "random": 0,
    "trivial": False, "keep_features": False, "device": "cpu",
}  # fmt: skip


def of_gate(weight: float, **options: object) -> Study:
    return analyze(described(Gate(weight), "code"), causal=True, **{**QUICK, **options})


def test_a_network_that_acts_on_its_code_is_said_to_use_it(tmp_path):
    study = of_gate(6.0, out=tmp_path)
    words = {each.set: each.word for each in study.uses}
    assert words["noise20"] == "uses it"
    assert study.verdict is not None
    assert ", and uses it" in study.verdict.headline
    (finding,) = [f for f in study.verdict.findings if f.question == "Does the network use it?"]
    assert finding.answer.startswith("Yes, at code.")
    noise = next(each for each in study.uses if each.set == "noise20")
    assert f"{noise.gain:+.2f} dB" in finding.answer
    assert noise.gain > noise.strongest
    assert noise.z is not None
    assert noise.z > 3
    assert noise.controls == 20
    assert read_study(tmp_path).uses == study.uses
    assert "Does the network use it?" in (tmp_path / "report.html").read_text("utf-8")
    assert (tmp_path / "figures" / "use-by-depth.png").is_file()


def test_a_code_without_effect_makes_the_headline():
    study = of_gate(0.0)
    assert {each.word for each in study.uses} == {"no effect"}
    assert study.verdict is not None
    assert "; it does not use it" in study.verdict.headline


def test_nothing_is_said_of_use_where_it_was_not_asked_for(tmp_path):
    study = analyze(described(Gate(6.0), "code"), **{**QUICK, "out": tmp_path})
    assert study.uses == ()
    assert study.verdict is not None
    assert "use" not in study.verdict.headline
    assert "Does the network use it?" not in (tmp_path / "report.html").read_text("utf-8")
    assert not (tmp_path / "figures" / "use-by-depth.png").exists()


def test_what_cannot_be_edited_is_refused_before_the_analysis():
    told: list[str] = []

    def progress(stage: str, done: int, total: int) -> None:
        told.append(stage)

    classifier = nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(NetworkError):
        analyze(described(classifier, "0"), causal=True, progress=progress, **QUICK)
    with pytest.raises(UnknownNameError, match="clean"):
        of_gate(1.0, suite="blur-1-4", progress=progress)
    with pytest.raises(ParameterError, match="pca"):
        of_gate(1.0, pca=200, progress=progress)
    assert not told


def test_as_many_contents_are_edited_as_intervene_takes_by_itself():
    assert Config().contents == CONTENTS
    assert not AnalysisConfig().causal


def test_z_counts_the_controls_own_standard_deviations():
    assert _z(3.0, [0.0, 1.0, 2.0]) == pytest.approx(2.0)
    assert _z(3.0, np.zeros(5).tolist()) is None
