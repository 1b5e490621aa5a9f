"""Control networks cost no more than asked for: fewer contents first, then fewer networks."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import srscope
from srscope.degradations.degrade import DegradedImages
from srscope.degradations.record import SetInfo, SuiteInfo
from srscope.errors import ParameterError
from srscope.report.explorer import GRID, on_grid
from srscope.study import budget
from srscope.study.budget import share_of
from srscope.study.config import AnalysisConfig
from srscope.study.store import read_study
from support.tiny import FAST, photographs


def images_of(contents: int, photographs: int, sets: int = 3) -> DegradedImages:
    names = tuple(f"{i % photographs}" for i in range(contents))
    told = tuple(SetInfo(name=f"s{k}", count=contents, definition="") for k in range(sets))
    suite = SuiteInfo(name="s", sets=told, blur_applied_to="lr", quantized=True, crossed=True)
    count = contents * sets
    return DegradedImages(
        images_NCHW=np.zeros((count, 3, 1, 1), np.float32),
        set_N=np.repeat(np.arange(sets), contents),
        content_N=np.tile(np.arange(contents), sets),
        suite=suite, contents=names, photographs=names, source="", skipped=(),
        parameters=({},) * count,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("contents", "names", "passes", "kept", "each"),
    [
        (100, 2, math.inf, 2, None),
        (100, 2, 2.0, 2, None),
        (100, 2, 1.0, 2, 50),
        (120, 2, 1.0, 2, 60),
        (100, 4, 1.0, 2, 50),
        (100, 1, 1.0, 1, None),
        (100, 2, 0.3, 1, 50),  # fewer would say little
        (50, 4, 1.0, 4, None),
    ],
)
def test_networks_and_contents_follow_from_the_budget(
    contents: int, names: int, passes: float, kept: int, each: int | None
) -> None:
    images = images_of(contents, 25)
    share = share_of(images, [f"c{i}" for i in range(names)], passes)
    assert share.names == tuple(f"c{i}" for i in range(kept))
    if each is None:
        assert share.image_N is None
        return
    assert share.image_N is not None
    taken = [images.content_N[share.image_N[images.set_N[share.image_N] == k]] for k in range(3)]
    assert share.contents == each == len(taken[0])
    assert all(np.array_equal(taken[0], other) for other in taken)
    turns = np.bincount([int(images.photographs[c]) for c in taken[0]], minlength=25)
    assert turns.max() - turns.min() <= 1  # all photographs in turn


def test_a_budget_is_above_nothing() -> None:
    with pytest.raises(ParameterError, match="control_budget must be above 0"):
        AnalysisConfig(control_budget=0.0)


def test_an_analysis_within_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "LEAST", 4)
    torch.manual_seed(0)
    network = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(3)))
    folder = photographs(tmp_path / "in")
    options = {**FAST, "images": str(folder), "layers": "all", "contents": 8, "pca": 4, "random": 1}
    options |= {"tsne": {"perplexity": 3, "iterations": 260}}
    out = tmp_path / "out"
    study = srscope.analyze(network, out=out, **options)
    free = srscope.analyze(network, control_budget=2.0, **options)
    assert "controls" not in free.protocol
    told = {"budget": 1.0, "contents": 4, "networks": ["untrained", "random-1"]}
    assert study.protocol["controls"] == told
    assert [e.feature_space for e in study.layers] == [e.feature_space for e in free.layers]
    for one, whole in zip((*study.untrained, *study.random), (*free.untrained, *free.random),
                          strict=True):  # fmt: skip
        assert one.told_RN is None
        assert whole.told_RN is not None
        shown_N = np.isfinite(one.points_RN2).all(axis=(0, 2))
        assert shown_N.sum() == 12
        assert one.points_RN2.shape == whole.points_RN2.shape
        assert one.feature_space != whole.feature_space
        placed = np.array(on_grid(one.points_RN2[0])).reshape(-1, 2)
        assert ((placed >= 0) & (placed <= GRID)).all(axis=1).tolist() == shown_N.tolist()
    assert "were shown 4 contents a set" in (out / "report.html").read_text()
    again = read_study(out)
    assert again.untrained[0].tsne.chi == study.untrained[0].tsne.chi
