"""Feature shift and loss of quality, from photographs to files."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from srscope.analyses.generalize import Config
from srscope.analyses.generalize.record import headline
from srscope.analyses.generalize.restore import originals_of, qualities
from srscope.analyses.runner import run_analysis
from srscope.degradations.resize import imresize
from srscope.errors import ParameterError, UnknownNameError
from srscope.images.contents import crop_contents
from srscope.images.sources import load_photographs
from srscope.networks.zoo import load_network
from support.tiny import photographs, tiny_checkpoint

SMALL = {"contents": 12, "patch": 16, "draws": 20, "splits": 20}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return str(photographs(tmp_path_factory.mktemp("generalize") / "in", count=6, size=(130, 100)))


@pytest.fixture(scope="module")
def finished(pictures, network, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "generalize"
    given = [network, "resnet18"]
    return run_analysis("generalize", given, out=out, images=pictures, **SMALL), out


def test_every_output_is_written_and_a_classifier_is_left_out_with_a_word(finished):
    record, out = finished
    told = json.loads((out / "generalize.json").read_text("utf-8"))
    assert told["schema"] == "srscope.generalize/1"
    assert told["headline"] == headline(record)
    (shift,) = told["generalization"]
    assert shift["layer"] == "conv_hr"
    assert [each["name"] for each in shift["sets"]][:2] == ["noise5", "noise10"]
    assert len(shift["sets"]) == 11
    ((name, why),) = record.left_out
    assert name == "resnet18"
    assert "restores no images" in why
    assert (out / "figures" / "shift-against-loss.svg").is_file()
    assert (out / "report.html").is_file()


def test_numbers_belong_together(finished):
    (network,) = finished[0].networks
    for each in network.sets:
        assert each.loss_psnr.value == pytest.approx(network.clean_psnr.value - each.psnr.value)
        assert each.shift.low < each.shift.value < each.shift.high
        assert each.beyond_null == (each.shift.value > network.null[2])
        assert each.accepted == (each.psnr.value >= each.bicubic.value)
    accepted = np.mean([each.accepted for each in network.sets])
    assert network.acceptance.value == pytest.approx(accepted)
    assert network.null[0] <= network.null[1] <= network.null[2]
    by_name = {each.name: each for each in network.sets}
    assert by_name["noise30"].shift.value > by_name["noise5"].shift.value
    assert by_name["noise30"].same.value < by_name["noise5"].same.value
    assert network.agreement.sets == 11


def test_quality_is_against_original_and_clean_output(pictures, network):
    loaded = load_network(network)
    contents = crop_contents(load_photographs(pictures), count=6, patch=16, scale=4, margin=4)
    originals = originals_of(contents)
    assert originals.shape == (6, 3, 64, 64)
    clean = imresize(originals, 0.25).clamp(0, 1).numpy()
    noisy = np.clip(clean + 0.1, 0, 1).astype(np.float32)
    found = qualities(
        loaded, {"clean": clean, "bright": noisy}, originals, clean="clean", batch_size=4,
        device="cpu",
    )  # fmt: skip
    with torch.no_grad():
        output = loaded.module(torch.from_numpy(clean))
    rounded = (output.clamp(0, 1) * 255).round() / 255
    error = (rounded - originals)[..., 16:-16, 16:-16].double().square().mean(dim=(1, 2, 3))
    np.testing.assert_allclose(found["clean"].psnr_M, -10 * np.log10(error.numpy()), rtol=1e-6)
    assert np.isinf(found["clean"].same_M).all()
    assert (found["bright"].bicubic_M < found["clean"].bicubic_M - 5).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(UnknownNameError, match="unknown set 'clean'"):
        Config(suite="noise-10-30")
    with pytest.raises(ParameterError, match="layers must be left out"):
        Config(layers=("body.1",))
    with pytest.raises(ParameterError, match="two sets or more"):
        Config(suite="clean")
    with pytest.raises(ParameterError, match="splits must be 20 or more"):
        Config(splits=3)


def test_another_layer_may_be_read(pictures, tmp_path):
    path = str(tiny_checkpoint(tmp_path / "tiny.safetensors", blocks=2))
    record = run_analysis(
        "generalize", path, images=pictures, layer="body.1", suite="clean-noise20", **SMALL
    )
    (found,) = record.networks
    assert found.layer == "body.1"
    assert found.agreement is None
    assert [each.name for each in found.sets] == ["noise20"]
