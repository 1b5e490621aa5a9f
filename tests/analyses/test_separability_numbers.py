"""Numbers that nothing can be computed from: a defined result, or the layer and the reason."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import srscope
from srscope.errors import DegenerateError, ParameterError
from srscope.projection.config import TsneConfig
from srscope.scores.record import LayerScores
from srscope.scores.separability import separability
from srscope.study.record import Study
from support.tiny import FASTEST, photographs, tiny_checkpoint


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_checkpoint(tmp_path_factory.mktemp("net") / "tiny.safetensors", blocks=1))


def numbers(layer: LayerScores) -> list[float]:
    space, tsne = layer.feature_space, layer.tsne
    shares = layer.variance
    found = [tsne.chi.mean, tsne.wd.mean, tsne.bd.mean, tsne.kl.mean, space.chi, space.silhouette]
    found += [value for value in (space.knn_accuracy, space.p_value) if value is not None]
    if shares is not None:
        found += [shares.degradation, shares.content, shares.interaction]
    return [*found, *layer.points_RN2.ravel().tolist()]


def assert_defined(study: Study) -> None:
    for layer in (*study.layers, study.pixels):
        assert all(math.isfinite(value) for value in numbers(layer)), layer.layer


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("constant", "PCA of middle is undefined: all 18 samples are alike; choose another layer"),
        ("nan", "feature vector of layer 'middle' is undefined: image 0 gives NaN or infinity"),
        ("half", "feature vector of layer 'middle' is undefined: image 0 gives NaN or infinity"),
        ("huge", "feature vector of layer 'middle' is undefined: image 0 gives NaN or infinity"),
    ],
)
def test_a_layer_that_cannot_be_scored_is_named(images: str, how: str, message: str) -> None:
    spec = f"support.degenerate:Spoilt?how={how}"
    with pytest.raises(DegenerateError) as caught:
        srscope.analyze(spec, images=images, layers=("all",), **FASTEST)
    assert message in str(caught.value)


@pytest.mark.parametrize("how", ["constant", "nan"])
def test_the_layers_before_and_after_it_can_be_scored_alone(images: str, how: str) -> None:
    spec = f"support.degenerate:Spoilt?how={how}"
    study = srscope.analyze(spec, images=images, layers=("first", "last"), **FASTEST)
    assert [layer.layer for layer in study.layers] == ["first", "last"]
    assert_defined(study)


def test_features_whose_squares_underflow_are_scored(images: str) -> None:
    spec = "support.degenerate:Spoilt?how=tiny"
    study = srscope.analyze(spec, images=images, layers=("middle",), **FASTEST)
    assert_defined(study)
    assert study.layers[0].feature_space.chi > 0


def test_duplicate_images_have_defined_scores_or_none_and_it_is_said(
    network: str, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    tile = random.integers(0, 256, (88, 88, 3), dtype=np.uint8)
    (tmp_path / "in").mkdir()
    for number, name in enumerate("abcdef"):
        tile[0, 0, 0] = number  # files with the same pixels would be taken for one photograph
        Image.fromarray(tile).save(tmp_path / "in" / f"{name}.png")
    images = str(tmp_path / "in")
    # Noise differs, clean and blur do not.
    study = srscope.analyze(network, images=images, **FASTEST)
    assert_defined(study)
    with pytest.raises(DegenerateError, match=r"CHI of [\w.]+ is undefined: all points of "):
        srscope.analyze(network, images=images, suite="blur-1-4", **FASTEST)


@pytest.mark.parametrize("contents", [1, 2])
def test_one_content_and_as_many_sets_as_images(
    network: str, tmp_path: Path, contents: int
) -> None:
    images = photographs(tmp_path / "in", count=contents, size=(64, 64))
    options = {**FASTEST, "pca": 2, "tsne": TsneConfig(perplexity=1.5, iterations=260)}
    if contents == 1:
        rule = "is undefined: every point is a class of its own; give more images a set"
        with pytest.raises(DegenerateError, match=rule):
            srscope.analyze(network, images=str(images), **options)
    else:
        study = srscope.analyze(network, images=str(images), **options)
        assert_defined(study)
        assert [score for score, _ in study.left_out] == ["knn_accuracy", "p_value"]


def test_one_set(network: str, images: str, tmp_path: Path) -> None:
    suite = tmp_path / "one.yaml"
    suite.write_text("name: one\nsets:\n  - name: clean\n")
    with pytest.raises(DegenerateError, match="there is one class only; give two sets or more"):
        srscope.analyze(network, images=images, suite=str(suite), **FASTEST)


def test_too_few_images_for_t_sne(network: str, images: str) -> None:
    with pytest.raises(ParameterError, match=r"perplexity must be below the number of images less"):
        srscope.analyze(network, images=images, **{**FASTEST, "tsne": TsneConfig(perplexity=30)})


def test_float16_points_are_scored_without_overflow() -> None:
    random = np.random.default_rng(0)
    labels_N = np.repeat([0, 1], 50)
    points_ND = (random.normal(size=(100, 8)) * 3000 + 9000 * labels_N[:, None]).astype(np.float16)
    with np.errstate(over="ignore"):
        assert np.isinf(np.square(points_ND).sum())
    assert separability(points_ND, labels_N) == separability(points_ND.astype(float), labels_N)
