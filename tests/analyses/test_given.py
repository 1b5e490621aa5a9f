"""Features that were made elsewhere get the scores and the verdict of an analysis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import srscope
from srscope.analyses.given import score
from srscope.analyses.separability import analyze
from srscope.errors import ParameterError
from srscope.study.record import Study, scores_dict
from support.tiny import FASTEST

OPTIONS: dict[str, Any] = {"pca": 5, "runs": 1, "most_runs": 1, "permutations": 9,
                           "tsne": {"perplexity": 4, "iterations": 260}}  # fmt: skip


def test_an_analysis_own_features_give_its_own_scores(
    network: str, images: str, tmp_path: Path
) -> None:
    study = analyze(network, images=images, **FASTEST)
    inputs = study.inputs
    given = score(
        {layer.label: study.features(layer.layer) for layer in study.layers},
        [study.suite.sets[k].name for k in inputs.set_N],
        contents=inputs.content_N,
        photographs=inputs.photograph_N,
        images=inputs.patches_NHW3,
        out=tmp_path,
        **OPTIONS,
        trivial=False,
    )
    for one, other in zip(
        (*study.layers, study.pixels), (*given.layers, given.pixels), strict=True
    ):
        assert one.probe == other.probe
        assert one.tsne.chi.mean == pytest.approx(other.tsne.chi.mean)
        assert one.variance == other.variance
    assert given.verdict is not None
    assert study.verdict is not None
    assert given.verdict.kind == study.verdict.kind
    assert (tmp_path / "report.html").is_file()
    again = Study.read(tmp_path)
    assert json.dumps(scores_dict(again)) == json.dumps(scores_dict(given))
    np.testing.assert_array_equal(given.features("Conv1"), study.features("Conv1"))


def vectors(**more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    features_ND = rng.normal(size=(24, 6)) + 4 * (np.arange(24)[:, None] < 12)
    labels = ["sharp"] * 12 + ["blurred"] * 12
    return {"features": features_ND, "labels": labels, **OPTIONS, **more}


def test_features_alone_are_enough(tmp_path: Path) -> None:
    study = srscope.score(**vectors(out=tmp_path))
    assert [(s.name, s.count) for s in study.suite.sets] == [("sharp", 12), ("blurred", 12)]
    assert study.verdict is not None
    assert study.verdict.separates == "yes"
    assert study.verdict.kind == "uncompared"
    left_out = dict(study.left_out)
    assert left_out["raw pixels and simple statistics"] == "no images were given"
    assert study.layer().probe is not None
    again = Study.read(tmp_path)
    assert again.verdict == study.verdict
    report = (tmp_path / "report.html").read_text("utf-8")
    assert "No images were given." in report
    assert "<b>Raw pixels</b>" not in report
    assert study.plot().axes


@pytest.mark.parametrize("kind", ["float16", "tensor", "memory map"])
def test_any_kind_of_array_will_do(kind: str, tmp_path: Path) -> None:
    given = vectors()
    if kind == "float16":
        given["features"] = given["features"].astype(np.float16)
    elif kind == "tensor":
        given["features"], given["labels"] = torch.tensor(given["features"]), torch.arange(24) // 12
    else:
        np.save(tmp_path / "x.npy", given["features"].astype(np.float32))
        given["features"] = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert score(**given).layers[0].shape == (6,)


def spoilt() -> Any:
    features_ND = vectors()["features"].copy()
    features_ND[3, 2] = np.nan
    return features_ND


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"labels": ["a"] * 24}, "labels must be of two sets or more"),
        ({"labels": ["a", "b"]}, "labels must be one for each of the 24 images, but is 2"),
        ({"contents": [1, 2]}, "contents must be one for each of the 24 images"),
        ({"contents": [*range(12), *range(12)], "photographs": range(24)},
         "photographs must be one photograph for each content"),
        ({"features": np.zeros(24)}, r"of shape \(N, D\)"),
        ({"features": {}}, "features must be of one layer or more"),
        ({"features": {"a": np.zeros((24, 2)), "b": np.zeros((23, 2))}}, "of the same images"),
        ({"features": spoilt()}, "features must be finite, but is 'NaN or inf in row 3'"),
        ({"images": np.zeros((3, 8, 8, 3))}, "images must be 24 of one size"),
        ({"pca": 24}, "pca must be below the number of images, 24 here"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        score(**vectors(**more))
