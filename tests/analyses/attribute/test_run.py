"""Attribution from an image file to the page."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srscope
from srscope.analyses.attribute import Config, headline
from srscope.analyses.attribute.gradients import WindowDetail, batch_of
from srscope.analyses.attribute.paths import along, blur_path
from srscope.cli.main import main
from srscope.errors import ParameterError, UnknownNameError
from srscope.figures.save import save_figure
from srscope.networks.adapter import AdaptedNetwork
from srscope.networks.zoo import load_network
from support.foreign import Transformer
from support.interventions import described
from support.networks import assert_no_hooks
from support.tiny import photographs, tiny_checkpoint

QUICK = {"crop": 16, "steps": 4, "most_steps": 40, "tolerance": 0.2, "sanity": 1, "orders": 0}


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    folder = photographs(tmp_path_factory.mktemp("attribute"), count=4, size=(150, 140))
    return str(folder / "photo-0.png")


@pytest.fixture(scope="module")
def finished(network, photo, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "attribute"
    target = tiny_checkpoint(tmp_path_factory.mktemp("target") / "tuned.safetensors", seed=5)
    others = {"images": str(Path(photo).parent), "contents": 4, "patch": 16}
    more = {"orders": 2, "causal": 2, "target": str(target), "filter_steps": 1}
    with pytest.MonkeyPatch.context() as patch:
        quick = functools.partial(save_figure, suffixes=("svg",))
        patch.setattr("srscope.figures.save.save_figure", quick)
        return srscope.attribute(network, photo, out=out, **{**QUICK, **others, **more}), out


def test_every_output_is_written(finished):
    record, out = finished
    told = json.loads((out / "attribute.json").read_text("utf-8"))
    assert told["schema"] == "srscope.attribute/1"
    assert told["headline"] == headline(record)
    assert told["window"] == dataclasses.asdict(record.window)
    rows = [(each["version"], each["method"]) for each in told["pixels"]]
    assert rows[:3] == [("clean", "LAM"), ("clean", "straight line"), ("blur4", "LAM")]
    assert len(rows) == 6
    assert told["pixels"][0]["like_first"] is None
    assert "map_HW" not in told["pixels"][0]
    arrays = np.load(out / "maps.npz")
    assert arrays["noise20_LAM"].shape == (16, 16)
    assert arrays["clean_input"].shape == (16, 16, 3)
    assert arrays["clean_output"].shape == (64, 64, 3)
    page = (out / "report.html").read_text("utf-8")
    for word in (
        "Where does it look?",
        "completeness error",
        "Does the map depend on the weights?",
        "Which channels matter?",
        "What if parts of the image were others?",
        "Which filters deal with the degradation?",
    ):
        assert word in page
    for name in ("maps", "random-weights", "channels", "causal", "filters"):
        assert (out / "figures" / f"{name}.svg").is_file()


def test_channels_blocks_and_filters_are_told(finished, network):
    _, out = finished
    told = json.loads((out / "attribute.json").read_text("utf-8"))
    (layer,) = told["channels"]
    assert layer["label"] == "ResBlock3"
    assert np.shape(layer["saliency_VC"]) == (3, 6)
    assert [len(each["orders"]) for each in layer["removals"]] == [2] * len(layer["removals"])
    assert -1 <= layer["random_weights"] < 0.9999
    assert [each["version"] for each in told["causal"]] == ["clean", "blur4", "noise20"]
    assert np.shape(told["causal"][0]["effect_RQ"]) == (2, 2)
    filters = told["filters"]
    assert filters["target"] == "tuned"
    assert (filters["degraded"], filters["other"]) == ("noise20", "clean")
    assert len(filters["replacements"]) == 4 * 4
    weights = [p for p in load_network(network).module.parameters() if p.ndim > 1]
    assert filters["filters"] == sum(p.shape[0] * p.shape[1] for p in weights)


def test_the_map_is_that_of_the_version_it_is_named_after(finished, network):
    record, _ = finished
    noisy = record.versions[2]
    gradient = WindowDetail(load_network(network), record.window, (16, 16)).gradient
    found = along(blur_path(batch_of(noisy.input_HW3)), gradient, steps=4, tolerance=0.2, most=40)
    np.testing.assert_allclose(noisy.maps[0].map_HW, found.map_HW, atol=1e-6)
    assert noisy.maps[0].steps == found.steps
    assert noisy.maps[0].complete == (found.error < 0.2)
    assert noisy.maps[0].like_first < 0.999


def test_random_weights_stand_beside_the_trained_ones(finished):
    random = finished[0].random
    assert [(each.method, each.share) for each in random] == [
        ("LAM", 0.0), ("straight line", 0.0), ("LAM", 1.0), ("straight line", 1.0),
    ]  # fmt: skip
    for trained, other in zip(random[:2], random[2:], strict=True):
        assert trained.correlation > 0.9  # the same network in other steps
        assert other.correlation < trained.correlation


class Small(nn.Module):
    """Magnifies; sees 1 or 3 channels."""

    def __init__(self, scale: int, channels: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, 8, 3, padding=1)
        self.last = nn.Conv2d(8, channels * scale**2, 3, padding=1)
        self.scale = scale

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return nn.functional.pixel_shuffle(self.last(self.first(x_NCHW).relu()), self.scale)


NETWORKS = {
    "x1": (lambda: Small(1), "first", 1),
    "x3": (lambda: Small(3), "first", 3),
    "x8": (lambda: Small(8), "first", 8),
    "grey": (lambda: AdaptedNetwork(Small(2, channels=1), channels=1), "first", 2),
    "transformer": (lambda: Transformer(blocks=2), "blocks.0", 2),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_any_magnification_and_colour_and_transformers(name, photo):
    make, layer, scale = NETWORKS[name]
    torch.manual_seed(2)
    module = make()
    module.train()
    network = dataclasses.replace(described(make(), layer, scale=scale), module=module, multiple=2)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    # 9 is no multiple of 2: a row and a column are mirrored.
    record = srscope.attribute(network, photo, **{**QUICK, "crop": 9, "window": 6, "sanity": 0})
    assert record.versions[1].output_HW3.shape == (9 * scale, 9 * scale, 3)
    for version in record.versions:
        for each in version.maps:
            assert each.map_HW.shape == (9, 9)
            assert each.map_HW.max() == 1
            assert each.complete
    assert module.training
    assert all(p.requires_grad and p.grad is None for p in module.parameters())
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert_no_hooks(module)


def test_the_window_is_the_one_named_or_the_most_detailed_near_the_middle(photo):
    network = described(Small(1), "first")
    options = {**QUICK, "sanity": 0, "window": 4, "as_is": True}
    record = srscope.attribute(network, photo, **options, top=1, left=9)
    assert (record.window.top, record.window.left) == (1, 9)
    (version,) = record.versions
    assert version.name == "as-is"
    chosen = srscope.attribute(network, photo, **options).window
    rows, columns = range(4, 9), range(4, 9)  # in the middle half of 16
    values = {
        (top, left): WindowDetail(
            network, dataclasses.replace(chosen, top=top, left=left), (16, 16)
        ).gradient(batch_of(np.clip(version.input_HW3, 0, 1)))[0]
        for top in rows
        for left in columns
    }
    assert values[chosen.top, chosen.left] > 0.9 * max(values.values())  # outputs are clipped


def test_the_command_says_what_it_found(network, photo, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("srscope.analyses.attribute.figures", lambda _: {})
    monkeypatch.setattr("srscope.analyses.attribute.sections", lambda _: ())
    monkeypatch.chdir(tmp_path)
    words = [f"--{name}={value}" for name, value in QUICK.items()]
    assert main(["attribute", network, photo, *words, "--sanity=0", "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("For 16 x 16 pixels of its output, tiny looks at its input")
    assert lines[0].endswith("random weights were not tried.")
    assert lines[1] == "srscope-out/attribute-tiny-photo-0/report.html"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 1}, "steps must be 2 or more"),
        ({"sanity": -1}, "sanity must be 0 or more"),
        ({"most_steps": 3}, "most_steps must be 50 or more, as steps"),
        ({"tolerance": 1.0}, "tolerance must be above 0 and below 1"),
        ({"top": 3}, "top and left must be given both or neither"),
        ({"causal": 1}, "causal must be 0, or 2 or more trials"),
        ({"causal": 3, "as_is": True}, "causal must be 0 with as_is"),
        ({"filter_steps": 0}, "filter_steps must be 1 or more"),
        ({"precision": "bfloat16"}, "precision must be float32 for gradients"),
    ],
)
def test_wrong_parameters_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        Config(**options)


def test_an_image_that_is_missing_or_too_small_is_refused(network, photo):
    with pytest.raises(ParameterError, match="image must be an image file"):
        srscope.run_analysis("attribute", network)
    with pytest.raises(UnknownNameError, match="unknown set 'nois20'; did you mean 'noise20'"):
        srscope.attribute(network, photo, target=network, filter_set="nois20", contents=2, **QUICK)
    with pytest.raises(ParameterError, match=r"window must be at most 35, .* larger crop"):
        srscope.attribute(network, photo, **{**QUICK, "crop": 9}, window=64)
