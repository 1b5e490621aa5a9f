"""What is logged stands in TensorBoard's files, and was given to a run of W&B."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

import srscope
from srscope.errors import ParameterError
from srscope.exports.trackers import log_scores, tagged
from support import studies


class Run:
    """What is used of a run of W&B."""

    def __init__(self) -> None:
        self.logged: list[tuple[dict[str, float], int]] = []
        self.summary: dict[str, Any] = {}

    def log(self, data: dict[str, Any], step: int | None = None) -> None:
        assert step is not None
        self.logged.append((data, step))


def events(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def test_a_folder_gets_scores_verdict_and_map(tmp_path: Path) -> None:
    study = studies.make(contents=6)
    srscope.log_scores(study, tmp_path, step=7)
    found = events(tmp_path)
    expected = tagged(study)
    assert set(found.Tags()["scalars"]) == set(expected)
    (event,) = found.Scalars("chi/ResBlock16")
    assert (event.step, event.value) == (7, pytest.approx(study.layers[-1].tsne.chi.mean))
    assert found.Tags()["images"] == ["map"]
    assert study.verdict is not None
    (text,) = found.Tensors("verdict/text_summary")
    assert text.tensor_proto.string_val[0].decode() == study.verdict.headline


def test_checkpoints_follow_each_other_in_one_writer(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        for step, chi in ((1000, 5.0), (2000, 300.0)):
            log_scores(studies.make(layers=1, chis=[chi], contents=4), writer, step=step)
    points = events(tmp_path).Scalars("chi/Conv1")
    assert [each.step for each in points] == [1000, 2000]
    assert points[0].value < points[1].value


def test_a_run_of_wandb_gets_the_same() -> None:
    study, run = studies.make(contents=6), Run()
    log_scores(study, run, step=3)
    assert run.logged == [(tagged(study), 3)]
    assert study.verdict is not None
    assert run.summary == {"verdict": study.verdict.headline}


def test_tags_are_main_scores_of_layers_and_controls_that_are_defined() -> None:
    study = studies.make(layers=2, contents=6)
    study = dataclasses.replace(
        study, layers=(studies.without_chi(study.layers[0]), *study.layers[1:])
    )
    found = tagged(study)
    assert "chi/Conv1" not in found
    assert {"best_probe/Conv1", "chi/ResBlock1", "chi/control raw pixels"} <= set(found)
    assert "chi/control untrained ResBlock1" in found
    assert not any(tag.startswith(("grade/", "wd/")) for tag in found)
    assert found["best_probe/ResBlock1"] == study.layers[1].best_probe.accuracy


def test_anything_else_is_refused_with_what_it_takes() -> None:
    with pytest.raises(ParameterError, match=r"a folder, a SummaryWriter .* wandb.init"):
        log_scores(studies.make(layers=1, contents=4), 3)
