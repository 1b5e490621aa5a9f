"""The stages composed: a study from files to files, the same twice, rerunnable from the store."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import srscope
from srscope.analyses.separability import analyze, score_features
from srscope.errors import (
    DegenerateError,
    FileProblem,
    ImageError,
    ParameterError,
    UnknownNameError,
)
from srscope.images.folder import load_folder
from srscope.projection.config import TsneConfig
from srscope.study.config import AnalysisConfig
from srscope.study.record import Study, scores_dict
from support.networks import TinySRResNet, assert_no_hooks
from support.tiny import FAST, FASTEST, photographs, tiny_checkpoint

TSNE = TsneConfig(perplexity=5, iterations=300)


@pytest.fixture(scope="module")
def finished(
    network: str, images: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Study, Path]:
    out = tmp_path_factory.mktemp("out") / "study"
    return analyze(network, out=out, images=images, layers=("all",), tsne=TSNE, **FAST), out


def without_times(scores: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in scores.items() if key not in ("timings", "created")}


def test_every_output_is_written(finished: tuple[Study, Path]) -> None:
    _, out = finished
    written = {path.name for path in out.iterdir()}
    assert written == {"report.html", "scores.json", "study.npz", "figures", "features"}
    suffixes = {path.suffix for path in (out / "figures").iterdir()}
    assert suffixes == {".png", ".svg"}
    assert not [path for path in out.rglob("*") if ".part" in path.name]


def test_scores_json_keeps_its_contract(finished: tuple[Study, Path]) -> None:
    study, out = finished
    scores = json.loads((out / "scores.json").read_text("utf-8"))
    assert scores["schema"] == "srscope.scores/1"
    assert {"name", "source", "parameters", "sha256"} <= scores["network"].keys()
    assert scores["suite"]["name"] == "clean-blur-noise"
    assert [(s["name"], s["count"]) for s in scores["suite"]["sets"]] == [
        ("clean", 8),
        ("blur", 8),
        ("noise", 8),
    ]
    assert scores["suite"]["blur_applied_to"] == "lr"
    assert scores["suite"]["quantized"] is True
    assert {"patch", "pca", "tsne", "runs", "seed"} <= scores["protocol"].keys()
    assert {"torch", "device", "threads"} <= scores["environment"].keys()
    layers = [*scores["layers"], scores["controls"]["pixels"], *scores["controls"]["untrained"]]
    for entry in layers:
        assert {"layer", "label", "shape", "tsne", "feature_space", "variance"} <= entry.keys()
        assert {"chi", "wd", "bd", "grade"} <= entry["tsne"].keys()
        for score in ("chi", "wd", "bd"):
            assert entry["tsne"][score].keys() == {"mean", "std", "runs"}
            assert len(entry["tsne"][score]["runs"]) == 2
        assert 0 <= entry["depth"] <= 1
        assert entry["feature_space"].keys() == {"chi", "silhouette", "knn_accuracy", "p_value"}
        shares = entry["variance"]
        parts = ("degradation", "content", "interaction")
        assert shares.keys() == {*parts, "components", "noise_floor"}
        assert shares["components"] is None  # of two photographs
        for split in (shares, shares["noise_floor"]):
            assert sum(split[part] for part in parts) == pytest.approx(1, abs=1e-12)
        assert entry["probe"].keys() == {"accuracy", "low", "high", "chance", "reliable"}
        assert len(entry["pairs"]) == 3
    assert [entry["layer"] for entry in scores["layers"]] == [
        "conv_first",
        "body.0",
        "body.1",
        "body.2",
    ]
    assert scores["layers"][3]["label"] == "ResBlock3"
    assert scores["layers"][3]["shape"] == [6, 16, 16]
    assert without_times(scores) == without_times(json.loads(json.dumps(scores_dict(study))))


def test_depth_runs_from_zero_to_one(finished: tuple[Study, Path]) -> None:
    study, _ = finished
    assert [layer.depth for layer in study.layers] == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_the_same_seed_gives_the_same_scores_and_another_does_not(
    finished: tuple[Study, Path], network: str, images: str, tmp_path: Path
) -> None:
    study, _ = finished
    options = {"images": images, "layers": ("all",), "tsne": TSNE, **FAST}
    again = analyze(network, out=tmp_path / "again", **options)
    assert without_times(scores_dict(again)) == without_times(scores_dict(study))
    other = analyze(network, seed=1, **options)
    assert scores_dict(other)["layers"] != scores_dict(study)["layers"]
    assert not np.array_equal(other.inputs.patches_NHW3, study.inputs.patches_NHW3)


def test_scores_can_be_recomputed_from_the_features_alone(finished: tuple[Study, Path]) -> None:
    study, out = finished
    config = AnalysisConfig(images="not needed", tsne=TSNE, **FAST)
    again = score_features(out / "features", config)
    assert without_times(scores_dict(again)) == without_times(scores_dict(study))
    fewer = score_features(out / "features", dataclasses.replace(config, runs=1))
    assert fewer.layers[0].tsne.chi.runs == study.layers[0].tsne.chi.runs[:1]


def test_controls_are_the_untrained_architecture_and_the_pixels(
    finished: tuple[Study, Path],
) -> None:
    study, _ = finished
    assert [layer.layer for layer in study.untrained] == [layer.layer for layer in study.layers]
    assert study.untrained[0].feature_space != study.layers[0].feature_space
    assert study.pixels.shape == (3, 16, 16)


def test_the_untrained_control_can_be_left_out(network: str, images: str) -> None:
    study = analyze(network, images=images, untrained=False, tsne=TSNE, **FAST)
    assert study.untrained == ()


def test_div2k_stands_for_its_validation_photographs(
    network: str, images: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("srscope.images.sources.div2k_validation", lambda: load_folder(images))
    options = {"tsne": TSNE, "untrained": False, **FAST}
    study = analyze(network, images="div2k", **options)
    assert study.inputs.contents[0] == "photo-0.png#1"


def test_the_package_offers_it(network: str) -> None:
    assert srscope.analyze is analyze


def test_a_suite_that_is_not_crossed_leaves_those_scores_out(network: str, tmp_path: Path) -> None:
    old = photographs(tmp_path / "old", count=3, size=(96, 80))
    (tmp_path / "mine.yaml").write_text(
        f"name: mine\nsets:\n  - name: clean\n  - name: old\n    folder: {old}\n"
    )
    images = str(photographs(tmp_path / "in"))
    study = analyze(network, images=images, suite=str(tmp_path / "mine.yaml"), tsne=TSNE, **FAST)
    assert not study.suite.crossed
    for layer in study.layers:
        assert layer.variance is None
        assert layer.feature_space.knn_accuracy is not None
        assert layer.feature_space.p_value is None
    assert [score for score, _ in study.left_out] == ["variance", "p_value"]
    assert "with 2 and 3 photographs a set" in study.left_out[1][1]


def test_folders_are_sets_of_their_own(network: str, tmp_path: Path) -> None:
    film = photographs(tmp_path / "film", count=5, size=(40, 36))
    phone = photographs(tmp_path / "phone", count=4, size=(64, 40))
    options = {**FAST, "sets": {"film": str(film), "phone": str(phone)}, "contents": 9}
    study = analyze(network, out=tmp_path / "out", tsne=TSNE, **options)
    assert [(s.name, s.count) for s in study.suite.sets] == [("film", 9), ("phone", 9)]
    assert study.suite.name == "film-phone"
    assert study.suite.sets[0].definition == f"images of {film}, as they are"
    # Whatever the network's scale: the very pixels of the files.
    patch = study.inputs.patches_NHW3[0]
    whole = np.asarray(Image.open(film / "photo-0.png"))
    assert any(
        np.array_equal(patch, whole[y : y + 16, x : x + 16]) for y in range(21) for x in range(25)
    )
    assert len(set(study.inputs.photograph_N.tolist())) == 9
    assert study.inputs.photographs[9] == "phone/photo-0.png"
    assert [score for score, _ in study.left_out] == ["variance"]
    for layer in (*study.layers, study.pixels):
        assert layer.variance is None
        assert layer.feature_space.knn_accuracy is not None
        assert layer.feature_space.p_value is not None
    scores = json.loads((tmp_path / "out" / "scores.json").read_text("utf-8"))
    assert scores["left_out"] == [
        {"score": "variance", "why": "the sets do not share their contents"}
    ]
    assert scores["images"]["photographs"] == 9
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Left out in this design:<li>share of variance: the sets do not share" in report
    assert "Which sets of images do" in report


def test_folders_of_different_counts_give_what_they_have(network: str, tmp_path: Path) -> None:
    one = photographs(tmp_path / "one", count=1, size=(64, 48))
    many = photographs(tmp_path / "many", count=12, size=(30, 20))
    sets = {"one": str(one), "many": str(many)}
    study = analyze(network, tsne=TSNE, sets=sets, **{**FAST, "contents": 40})
    assert [s.count for s in study.suite.sets] == [12, 12]
    left_out = dict(study.left_out)
    assert "of one photograph alone" in left_out["knn_accuracy"]
    assert "with 1 and 12 photographs a set" in left_out["p_value"]


def test_an_image_cannot_be_in_two_sets(network: str, tmp_path: Path) -> None:
    folder = photographs(tmp_path / "in")
    sets = {"all": str(tmp_path), "some": str(folder)}
    with pytest.raises(ParameterError, match="different folders, none inside another"):
        analyze(network, sets=sets, **FAST)


def test_unreadable_images_are_skipped_counted_and_named(network: str, tmp_path: Path) -> None:
    images = photographs(tmp_path / "in")
    (images / "broken <script>.png").write_bytes(b"\x89PNG\r\n\x1a\n nonsense")
    study = analyze(network, out=tmp_path / "out", images=str(images), tsne=TSNE, **FAST)
    assert [name for name, _ in study.inputs.skipped] == ["broken <script>.png"]
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "broken &lt;script&gt;.png" in report or "broken \\u003cscript" in report
    assert "broken <script>.png" not in report


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"suite": "clean-blur"}, UnknownNameError, "did you mean 'clean-blur-noise'"),
        ({"layers": ("body.33",)}, UnknownNameError, "unknown layer 'body.33'; did you mean"),
        ({"pca": 24}, ParameterError, "pca must be below the number of images, 24 here"),
        ({"reducer": "flaten"}, UnknownNameError, "did you mean 'flatten'"),
        ({"images": "nowhere"}, ImageError, "nowhere"),
        ({"patch": 512}, ImageError, "the largest is 260x200"),
        ({"device": "tpu"}, ParameterError, "device"),
    ],
)
def test_wrong_input_is_named(
    network: str, images: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        analyze(network, **{"images": images, "tsne": TSNE, **FAST, **options})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite_name_their_layer(
    tmp_path: Path, images: str, value: float
) -> None:
    spoilt = tiny_checkpoint(tmp_path / "spoilt.safetensors", spoil=value)
    with pytest.raises(DegenerateError, match=r"body\.1"):
        analyze(str(spoilt), images=images, layers=("all",), tsne=TSNE, **FAST)


def test_an_output_that_is_a_file_is_refused(network: str, images: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(FileProblem, match="is a file, not a folder"):
        analyze(network, out=tmp_path / "taken", images=images, tsne=TSNE, **FAST)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sets": {"a": "x"}}, "sets must be two folders or more"),
        ({"sets": {"a": "x", "b": "y"}, "suite": "real"}, "suite must be left out beside sets"),
        ({"sets": {"a": "x", "b": "y"}, "images": "z"}, "images must be left out beside sets"),
    ],
)
def test_sets_stand_in_place_of_a_suite(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        AnalysisConfig(**options)


@pytest.mark.parametrize(
    ("name", "value"), [("patch", 4), ("contents", 1), ("runs", 0), ("seed", -1), ("pca", 0)]
)
def test_parameters_out_of_range_are_refused(name: str, value: int) -> None:
    with pytest.raises(ParameterError, match=f"{name} must be .* or more, but is {value}"):
        AnalysisConfig(**{name: value})


def test_features_of_a_study_are_those_in_its_folder(finished: tuple[Study, Path]) -> None:
    study, out = finished
    kept = study.features("ResBlock3")
    assert kept.shape == (24, 6, 16, 16)
    np.testing.assert_array_equal(Study.read(out).features("body.2"), kept)


def test_a_module_and_arrays_will_do() -> None:
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (100, 90, 3), dtype=np.uint8) for _ in range(3)]
    module = TinySRResNet(blocks=1, channels=4).train()
    study = srscope.analyze(module, images=images, layers="conv_first", scale=4, **FASTEST)
    assert (study.network.name, study.inputs.source) == ("TinySRResNet", "3 images given")
    assert module.training
    assert_no_hooks(module)
    count = len(study.inputs.set_N)
    again = study.features()
    assert again.shape == (count, 4, 16, 16)
    np.testing.assert_array_equal(study.features("conv_first"), again)
    assert study.features("upconv").shape == (count, 64, 16, 16)  # not only those analysed
    with pytest.raises(UnknownNameError, match="unknown option 'contnts'"):
        srscope.analyze(module, contnts=3)
