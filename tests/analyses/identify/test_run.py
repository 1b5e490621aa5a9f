"""Degradations told by a layer, and images of one's own told by it, from photographs to files."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from srscope.analyses.identify import Config, headline
from srscope.analyses.identify.patches import starts
from srscope.analyses.runner import run_analysis
from srscope.errors import ParameterError, UnknownNameError
from support.tiny import photographs

SMALL = {"contents": 12, "patch": 16, "layers": ("conv_first",)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return str(photographs(tmp_path_factory.mktemp("identify") / "in", count=6, size=(130, 100)))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A smooth picture with strong noise in it, one without, and one too small."""
    folder = tmp_path_factory.mktemp("own")
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(60, 190, (6, 5, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((40, 48), Image.Resampling.BICUBIC)).astype(float)
    noisy = np.clip(smooth + random.normal(0, 32, smooth.shape), 0, 255)
    Image.fromarray(noisy.astype(np.uint8)).save(folder / "noisy.png")
    Image.fromarray(smooth.astype(np.uint8)).save(folder / "smooth.png")
    Image.fromarray(noisy[:8, :8].astype(np.uint8)).save(folder / "tiny.png")
    return str(folder)


@pytest.fixture(scope="module")
def finished(pictures, own, network, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "identify"
    record = run_analysis("identify", network, out=out, images=own, training=pictures, **SMALL)
    return record, out


def test_every_output_is_written(finished):
    record, out = finished
    told = json.loads((out / "identify.json").read_text("utf-8"))
    assert told["schema"] == "srscope.identify/1"
    assert told["headline"] == headline(record)
    assert told["types"] == ["clean", "gaussian-noise", "gaussian-blur"]
    sources = [each["source"] for each in told["evaluations"]]
    assert sources == ["network"] * 3 + ["untrained"] * 3 + ["statistic"] * 3
    for each in told["evaluations"]:
        assert set(each["unknown"]) == {"jpeg", "all"}
        assert len(each["knn"]) == 5
        assert np.sum(each["quality"]["confusion"]) == pytest.approx(3)
    assert (out / "report.html").is_file()
    assert len(list((out / "figures").glob("*.svg"))) == 3  # confusion and two maps


def test_the_best_layer_is_the_one_that_tells_most(finished):
    record, _ = finished
    accuracy = [e.quality.accuracy.value for e in record.evaluations if e.source == "network"]
    assert record.best == int(np.argmax(accuracy))
    assert record.chosen.quality.accuracy.value > record.chosen.quality.chance


def test_own_images_are_told_patch_by_patch(finished):
    record, out = finished
    noisy, smooth = record.images
    assert (noisy.name, smooth.name) == ("noisy.png", "smooth.png")
    assert noisy.type_RC.shape == (3, 3)
    assert (noisy.tops, noisy.lefts) == ((0, 16, 32), (0, 16, 24))
    known = noisy.type_RC[noisy.type_RC >= 0]
    assert (known == record.types.index("gaussian-noise")).all()
    assert (smooth.type_RC != record.types.index("gaussian-noise")).all()
    assert [name for name, _ in record.skipped] == ["tiny.png"]
    rows = list(csv.DictReader((out / "patches.csv").open(encoding="utf-8")))
    assert len(rows) == 18
    assert (rows[-1]["top"], rows[-1]["left"]) == ("32", "24")
    lines = list(csv.DictReader((out / "images.csv").open(encoding="utf-8")))
    assert [line["image"] for line in lines] == ["noisy.png", "smooth.png"]
    assert lines[0]["type"] == noisy.type


def test_nothing_is_told_where_no_images_are_given(pictures, network, tmp_path):
    record = run_analysis("identify", network, out=tmp_path / "out", training=pictures, **SMALL)
    assert record.images == ()
    assert not (tmp_path / "out" / "images.csv").exists()


def test_patches_cover_a_side():
    assert starts(16, 16, 16) == (0,)
    assert starts(40, 16, 16) == (0, 16, 24)
    assert starts(48, 16, 8) == (0, 8, 16, 24, 32)


def test_the_session_learns_from_the_training_photographs():
    config = Config(images="mine", training="theirs")
    assert config.analysis_config().images == "theirs"


def test_families_that_do_not_fit_are_refused():
    with pytest.raises(UnknownNameError, match="unknown family 'rain'"):
        Config(families=("rain",))
    with pytest.raises(ParameterError, match="families and unknown must be given once"):
        Config(families=("jpeg",))
    with pytest.raises(ParameterError, match="families must be one or more"):
        Config(families=())
    with pytest.raises(ParameterError, match="share must be between 0 and 1"):
        Config(share=1.0)
    with pytest.raises(ParameterError, match="stride must be 1 or more"):
        Config(stride=0)
