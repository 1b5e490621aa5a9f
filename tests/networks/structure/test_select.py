"""Names, labels, patterns and ``all`` stand for layers, in depth order."""

from __future__ import annotations

import re

import pytest

from srscope.errors import NetworkError, UnknownNameError
from srscope.features.tap import FeatureTap
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.select import all_layers, depths_of, select_layers
from srscope.networks.structure.trace import example
from srscope.networks.zoo import load_network
from support.foreign import saved


@pytest.fixture(scope="module")
def bundled() -> LoadedNetwork:
    return load_network("srresnet-wgr")


@pytest.fixture(scope="module")
def foreign() -> LoadedNetwork:
    return load_network("support.foreign:Transformer")


@pytest.fixture(scope="module")
def swin(tmp_path_factory: pytest.TempPathFactory) -> LoadedNetwork:
    return load_network(str(saved(tmp_path_factory.mktemp("network"), "SwinIR")))


def names(network: LoadedNetwork, *words: str) -> list[str]:
    return [tap.name for tap in select_layers(network, words)]


def test_without_words_the_default_and_with_all_every_tap(bundled: LoadedNetwork) -> None:
    assert tuple(names(bundled)) == bundled.default_layers
    assert select_layers(bundled, ["all"]) == bundled.taps


def test_names_and_labels_are_put_in_depth_order(bundled: LoadedNetwork) -> None:
    assert names(bundled, "ResBlock2", "conv_first", "body.0") == ["conv_first", "body.0", "body.1"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("body.*", [f"body.{i}" for i in range(16)]),
        ("body.1?", [f"body.{i}" for i in range(10, 16)]),
        ("ResBlock1?", [f"body.{i}" for i in range(9, 16)]),
        ("body.*.conv2", [f"body.{i}.conv2" for i in range(16)]),
        ("**.conv1", [f"body.{i}.conv1" for i in range(16)]),
        ("*", ["conv_first", *(f"body.{i}" for i in range(16)), "body", "upconv1", "upconv2",
               "conv_hr", "conv_last"]),
        ("upconv1", ["upconv1"]),
    ],
)  # fmt: skip
def test_patterns_match_names_and_labels_between_dots(
    bundled: LoadedNetwork, word: str, expected: list[str]
) -> None:
    found = names(bundled, word)
    if word == "*":  # also labels without dots
        assert set(found) == set(expected)
    else:
        assert found == expected


def test_words_add_up_and_each_layer_comes_once(bundled: LoadedNetwork) -> None:
    assert names(bundled, "body.0.*", "body.0", "ResBlock1", "conv_first") == [
        "conv_first", "body.0.conv1", "body.0.conv2", "body.0",
    ]  # fmt: skip


def test_calls_of_a_module_are_layers_of_their_own(foreign: LoadedNetwork) -> None:
    assert names(foreign, "blocks.0:1", "blocks.0") == ["blocks.0", "blocks.0:1"]
    labels = [tap.label for tap in select_layers(foreign, ["blocks.0:1"])]
    assert labels == ["_Mixer2"]


@pytest.mark.parametrize("word", ["bdy.1", "body.99*", "", "body.0:1"])
def test_what_stands_for_nothing_is_named(bundled: LoadedNetwork, word: str) -> None:
    with pytest.raises(UnknownNameError, match="unknown layer") as caught:
        select_layers(bundled, [word])
    assert caught.value.name == word


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("layers.0.residual_group.blocks.0.attn", "its output is 32 rows for 2 images"),
        ("layers.0.residual_group.blocks", "no pass of the network calls it"),
    ],
)
def test_what_is_there_but_gives_no_features_is_told(
    swin: LoadedNetwork, word: str, message: str
) -> None:
    with pytest.raises(NetworkError, match=f"layer '{re.escape(word)}' cannot be analysed") as told:
        select_layers(swin, [word])
    assert message in str(told.value)
    assert "name one inside it or after it" in str(told.value)


def test_every_layer_that_is_listed_can_be_recorded(foreign: LoadedNetwork) -> None:
    layers = [layer.name for layer in all_layers(foreign)]
    side = foreign.fitted(16)
    with FeatureTap(foreign.module, layers) as recorder:
        found = recorder.run(example((side, side)))
    for layer in all_layers(foreign):
        assert found[layer.name].shape[layer.channel_axis] == layer.channels


def test_depth_rises_from_nought_to_one_and_others_lie_between(bundled: LoadedNetwork) -> None:
    assert depths_of(bundled, bundled.taps) == tuple(i / 16 for i in range(17))
    layers = all_layers(bundled)
    depth = dict(zip([layer.name for layer in layers], depths_of(bundled, layers), strict=True))
    assert depth["body.3.conv1"] == pytest.approx(3.5 / 16)
    assert depth["conv_last"] == 1.0
    assert list(depth.values()) == sorted(depth.values())
