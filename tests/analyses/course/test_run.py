"""A folder of checkpoints through the whole analysis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srscope.analyses.course.record import Course
from srscope.analyses.course.run import over_training
from srscope.analyses.separability import analyze
from srscope.cli.main import main
from srscope.errors import CheckpointError, ParameterError
from srscope.projection.config import TsneConfig
from srscope.study.record import scores_dict
from support.tiny import FAST, FAST_WORDS, photographs, tiny_checkpoint

OPTIONS: dict[str, Any] = {
    **FAST, "runs": 1, "permutations": 9, "tsne": TsneConfig(perplexity=5, iterations=260),
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photographs, and a folder of three checkpoints."""
    folder = tmp_path_factory.mktemp("training")
    photographs(folder / "in")
    (folder / "models").mkdir()
    for number in (5, 10, 20):
        tiny_checkpoint(folder / "models" / f"net_g_{number}.safetensors", seed=number)
    return folder


@pytest.fixture(scope="module")
def stages() -> set[str]:
    """The stages that :func:`finished` went through."""
    return set()


@pytest.fixture(scope="module")
def finished(place: Path, stages: set[str]) -> tuple[Course, Path]:
    made = over_training(
        place / "models",
        out=place / "out",
        images=str(place / "in"),
        progress=lambda stage, *_: stages.add(stage),
        **OPTIONS,
    )
    return made, place / "out"


def test_every_checkpoint_is_as_analyze_has_it(finished: tuple[Course, Path], place: Path) -> None:
    course, _ = finished
    assert [moment.iteration for moment in course.moments] == [5, 10, 20]
    path = place / "models" / "net_g_10.safetensors"
    alone = analyze(str(path), images=str(place / "in"), **OPTIONS)
    found = scores_dict(course.moments[1].study)
    assert found["layers"] == scores_dict(alone)["layers"]
    assert found["network"]["sha256"] == scores_dict(alone)["network"]["sha256"]
    assert course.moments[0].study.layers[1] is not course.moments[1].study.layers[1]


def test_the_untrained_control_is_run_once(finished: tuple[Course, Path], stages: set[str]) -> None:
    course, _ = finished
    assert [stage for stage in stages if "untrained" in stage] == ["5: features, untrained"]
    assert {f"{number}: features, network" for number in (5, 10, 20)} <= stages
    assert [layer.layer for layer in course.untrained] == [
        layer.layer for layer in course.moments[0].study.layers
    ]
    assert all(moment.study.untrained == () for moment in course.moments)
    assert all(moment.restoration.psnr is not None for moment in course.moments)
    for moment in course.moments[1:]:
        np.testing.assert_array_equal(
            moment.study.inputs.patches_NHW3, course.moments[0].study.inputs.patches_NHW3
        )


def test_files_are_written_whole(finished: tuple[Course, Path]) -> None:
    _, out = finished
    assert {path.name for path in out.iterdir()} == {
        "report.html", "course.json", "course.csv", "figures",
    }  # fmt: skip
    assert {path.name for path in (out / "figures").iterdir()} == {
        f"{name}.{suffix}"
        for name in ("scores-by-iteration", "maps-by-iteration")
        for suffix in ("png", "svg")
    }
    written = json.loads((out / "course.json").read_text())
    assert written["network"]["name"] == "models"
    assert len(written["controls"]["untrained"]) == 4


def test_the_command_takes_a_folder_for_a_network(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["analyze", str(place / "models"), "--images", str(place / "in"), "--out",
             str(tmp_path), "--checkpoints", "2"]  # fmt: skip
    assert main([*words, *FAST_WORDS]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == str(tmp_path / "report.html")
    assert "models over its training" in printed.out
    assert "hardly changes" in printed.out or "CHI grows" in printed.out or "falls" in printed.out
    written = json.loads((tmp_path / "course.json").read_text())
    assert [each["iteration"] for each in written["checkpoints"]] == [5, 20]


def test_checkpoints_of_another_network_are_refused(place: Path, tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "net_1.safetensors")
    tiny_checkpoint(tmp_path / "net_2.safetensors", blocks=2)
    with pytest.raises(CheckpointError, match=r"net_2.*of another structure than net_1"):
        over_training(tmp_path, images=str(place / "in"), **OPTIONS)


def test_analyze_in_python_names_the_other_call(place: Path) -> None:
    with pytest.raises(ParameterError, match=r"srscope\.over_training, or srscope\.over_seeds"):
        analyze(str(place / "models"))
