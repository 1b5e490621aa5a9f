"""A dose-response from photographs to files, and what its numbers must be."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from srscope.analyses.dose import Config, headline, to_dict
from srscope.analyses.dose.record import threshold_text
from srscope.analyses.runner import run_analysis
from srscope.errors import ParameterError, UnknownNameError
from srscope.scores.dose import Threshold
from support.tiny import photographs, tiny_checkpoint

SMALL = {"contents": 12, "patch": 16, "draws": 20, "levels": (1.0, 10.0, 100.0)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return str(photographs(tmp_path_factory.mktemp("dose") / "in", count=6, size=(130, 100)))


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twins")
    return [str(tiny_checkpoint(folder / f"{seed}.safetensors", seed=seed)) for seed in (1, 2)]


@pytest.fixture(scope="module")
def finished(pictures, twins, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "dose"
    cache = tmp_path_factory.mktemp("cache")
    options = {**SMALL, "images": pictures, "layers": ("conv_first", "body.2"), "cache": cache}
    return run_analysis("dose", twins, out=out, **options), out, options


def test_every_output_is_written(finished):
    record, out, _ = finished
    told = json.loads((out / "dose.json").read_text("utf-8"))
    assert told["schema"] == "srscope.dose/1"
    assert told["headline"] == headline(record)
    assert len(told["layers"]) == 2 * 2 * 3  # networks, layers, readings
    assert told["reliable"] is False  # six photographs
    assert [each["layer"] for each in told["baselines"]] == [
        "laplacian_quantiles", "statistics", "pixels",
    ]  # fmt: skip
    assert {"auc", "d_prime", "threshold"} <= told["layers"][0].keys()
    assert "draws" not in told["layers"][0]
    assert (out / "report.html").is_file()
    assert len(list((out / "figures").glob("*.svg"))) == 5


def test_the_input_psnr_is_that_of_the_noise(finished):
    record, _, _ = finished
    # Noise of sigma 10 of 255 in float would be 28.1 dB; rounding and clipping change little.
    assert record.input_psnr[1] == pytest.approx(-20 * math.log10(10 / 255), abs=0.5)
    assert record.input_psnr[0] > record.input_psnr[1] > record.input_psnr[2]


def test_strong_noise_is_noticed_by_everything_that_looks_at_it(finished):
    record, _, _ = finished
    for each in record.layers:
        # 12 contents are too few to find it among all positions; the channels' statistics have it.
        if each.reading == "channel log-stds":
            assert each.response.auc[-1].value > 0.9, each.label
        assert all(0 <= auc.low <= auc.high <= 1 for auc in each.response.auc)
        assert each.response.levels == (1.0, 10.0, 100.0)
    assert record.earliest_baseline().response.auc[-1].value == 1.0


def test_twins_are_compared_layer_by_layer_over_the_same_draws(finished):
    record, _, _ = finished
    assert len(record.contrasts) == 2 * 3
    first = record.contrasts[0]
    own = [e for e in record.layers if (e.layer, e.reading) == (first.layer, first.reading)]
    one, other = (np.mean([d.value for d in e.response.d_prime]) for e in own)
    assert first.d_prime.value == pytest.approx(one - other)
    assert first.d_prime.low <= first.d_prime.value <= first.d_prime.high


def test_a_second_run_feeds_the_network_nothing(finished, twins):
    record, _, options = finished
    stages: list[str] = []
    again = run_analysis(
        "dose", twins, progress=lambda stage, done, total: stages.append(stage), **options
    )
    assert to_dict(again) == to_dict(record)
    assert not [stage for stage in stages if "features" in stage]


def test_grids_are_logarithmic_and_whole_where_the_degree_is():
    noise, jpeg = Config(steps=5), Config(family="jpeg", steps=5)
    assert noise.grid[0] == 0.5
    assert noise.grid[-1] == 50
    ratios = np.diff(np.log(noise.grid))
    assert ratios.std() < 0.01
    assert jpeg.grid[0] == 95
    assert jpeg.grid[-1] == 5
    assert all(level == int(level) for level in jpeg.grid)
    assert len(jpeg.suite().sets) == 6


def test_levels_that_are_not_known_are_asked_for():
    with pytest.raises(ParameterError, match="degree must be given for mild"):
        Config(family="mild")
    with pytest.raises(ParameterError, match="weakest must be given for mild"):
        Config(family="mild", degree="sigma")
    with pytest.raises(UnknownNameError, match="unknown parameter of gaussian-blur"):
        Config(family="gaussian-blur", degree="width", weakest=1.0, strongest=2.0).suite()
    with pytest.raises(ParameterError, match="different and above 0"):
        _ = Config(weakest=2.0, strongest=2.0).grid
    with pytest.raises(ParameterError, match="draws must be 20 or more"):
        Config(draws=5)


def test_networks_of_two_magnifications_are_refused(pictures, twins, tmp_path):
    other = str(tiny_checkpoint(tmp_path / "x2.safetensors", scale=2))
    with pytest.raises(ParameterError, match="of one magnification and patch"):
        run_analysis("dose", [twins[0], other], **SMALL, images=pictures)


@pytest.mark.parametrize(
    ("level", "outcome", "says"),
    [(None, "below the grid", "below the grid"), (2.0, "within the grid", "2.0 px [1.0, 4.0]")],
)
def test_thresholds_in_words(level, outcome, says):
    ends = (None, None) if level is None else (1.0, 4.0)
    found = Threshold(
        outcome=outcome, level=level, low=ends[0], high=ends[1], low_outcome=outcome,
        high_outcome=outcome,
    )  # fmt: skip
    assert threshold_text(found, "px") == says
