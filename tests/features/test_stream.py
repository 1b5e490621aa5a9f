"""Features batch by batch: the same as on disk, none kept, the network left as it was."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from srscope.errors import NetworkError, ParameterError, UnknownNameError
from srscope.features.extract import extract
from srscope.features.stream import _Coming, stream_features
from srscope.runtime import memory as allocation
from support.networks import TinySRResNet, assert_no_hooks

IMAGES_NCHW = np.random.default_rng(0).random((7, 3, 8, 8), np.float32)
LAYERS = ["conv_first", "body.2"]


def batches(size=3):
    return (IMAGES_NCHW[start : start + size] for start in range(0, 7, size))


def test_they_are_those_that_extract_stores(tmp_path):
    network = TinySRResNet()
    store = extract(network, IMAGES_NCHW, LAYERS, store=tmp_path, batch_size=3)
    outputs = list(stream_features(network, batches(), LAYERS))
    assert [list(each) for each in outputs] == [LAYERS] * 3
    for layer in LAYERS:
        features = np.concatenate([each[layer].features_BD for each in outputs])
        np.testing.assert_array_equal(features, store.read(layer))
        assert outputs[0][layer].feature_shape == store.layer(layer).feature_shape


def test_a_batch_is_read_when_it_is_wanted():
    read = []

    def noted():
        for batch in batches():
            read.append(len(batch))
            yield batch

    stream = stream_features(TinySRResNet(), noted(), LAYERS)
    assert read == []
    next(stream)
    assert read == [3]


@pytest.mark.parametrize("end", ["used up", "closed", "failed"])
def test_the_network_is_left_as_it_was(end):
    network = TinySRResNet().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    given = [IMAGES_NCHW, IMAGES_NCHW[:, :2]] if end == "failed" else [IMAGES_NCHW] * 2
    stream = stream_features(network, given, LAYERS)
    next(stream)
    assert not network.training
    if end == "failed":
        with pytest.raises(NetworkError, match="fails on images of shape"):
            list(stream)
    elif end == "closed":
        stream.close()
    else:
        list(stream)
    assert network.training
    assert_no_hooks(network)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_the_batches_are_left_as_they_were():
    batch = IMAGES_NCHW.copy()
    list(stream_features(nn.Sequential(nn.Identity(), nn.Hardtanh(0, 0.5, True)), [batch], ["1"]))
    np.testing.assert_array_equal(batch, IMAGES_NCHW)


def test_streams_taken_in_turn_and_the_callers_arithmetic_do_not_disturb_each_other():
    kinds, network = (None, "bfloat16"), TinySRResNet()

    def stream(autocast):  # a network is tapped once at a time
        return stream_features(copy.deepcopy(network), batches(), LAYERS, autocast=autocast)

    alone = {kind: list(stream(kind)) for kind in kinds}
    pairs = []
    for pair in zip(*(stream(kind) for kind in kinds), strict=True):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
        pairs.append(pair)
    assert len(pairs) > 1
    for i, pair in enumerate(pairs):
        for kind, outputs in zip(kinds, pair, strict=True):
            for layer in LAYERS:
                expected = alone[kind][i][layer].features_BD
                np.testing.assert_array_equal(outputs[layer].features_BD, expected)
    assert (pairs[0][0][LAYERS[-1]].features_BD != pairs[0][1][LAYERS[-1]].features_BD).any()


@pytest.mark.parametrize("autocast", ["bfloat16", "float16"])
def test_lower_precision_is_near_float32(autocast):
    network = TinySRResNet()
    streams = (stream_features(network, batches(), LAYERS, autocast=k) for k in (None, autocast))
    full, lower = (
        np.concatenate([outputs[LAYERS[-1]].features_BD for outputs in stream])
        for stream in streams
    )
    assert lower.dtype == np.float32
    assert (lower != full).any()
    assert np.abs(lower - full).max() < 0.02 * np.abs(full).max()


def test_memory_that_is_kept_changes_no_feature(monkeypatch):
    network = TinySRResNet()
    kept = list(stream_features(network, batches(), LAYERS))
    monkeypatch.setattr(allocation, "_glibc", lambda: None)
    given_back = list(stream_features(network, batches(), LAYERS))
    for one, other in zip(kept, given_back, strict=True):
        for layer in LAYERS:
            np.testing.assert_array_equal(one[layer].features_BD, other[layer].features_BD)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"reducer": "meen-pool"}, UnknownNameError, "did you mean 'mean-pool'"),
        ({"autocast": "bfloat"}, UnknownNameError, "did you mean 'bfloat16"),
        ({"device": "gpu"}, ParameterError, "device must be one that PyTorch can use here"),
        ({"layers": ["body.3"]}, UnknownNameError, "unknown layer 'body.3'"),
    ],
)
def test_wrong_options_are_refused_before_anything_runs(options, error, message):
    arguments = {"layers": LAYERS} | options
    with pytest.raises(error, match=message):
        stream_features(TinySRResNet(), batches(), **arguments)


def test_large_finite_features_are_not_taken_for_infinite():
    largest = np.full((1, 1, 2, 2), np.finfo(np.float32).max, np.float32)  # their sum is infinite
    (outputs,) = stream_features(nn.Sequential(nn.Identity()), [largest], ["0"])
    np.testing.assert_array_equal(outputs["0"].features_BD, largest.reshape(1, -1))


class FakeCuda(torch.Tensor):
    """A tensor that says it is on CUDA."""

    is_cuda = property(lambda self: True)  # pyright: ignore[reportAssignmentType]


def test_from_cuda_features_come_through_pinned_memory_and_are_waited_for_once(monkeypatch):
    done = []

    class Event:
        def record(self):
            done.append("record")

        def synchronize(self):
            done.append("wait")

    pinned = []
    original = torch.empty

    def empty(*size, pin_memory=False, **rest):
        pinned.append(pin_memory)
        return original(*size, **rest)

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch, "empty", empty)
    device = torch.arange(6.0).reshape(2, 3).as_subclass(FakeCuda)
    coming = _Coming("body.2", device, (3,), 0)
    assert done == ["record"]
    np.testing.assert_array_equal(coming.arrived().features_BD, np.arange(6.0).reshape(2, 3))
    assert done == ["record", "wait"]
    assert pinned == [True]
