"""Layers as probes need them: the same as their features give, and kept."""

from __future__ import annotations

import numpy as np
import torch

from srscope.features.extract import extract
from srscope.networks.structure.select import select_layers
from srscope.networks.zoo import load_network
from srscope.study.cache import Stages
from srscope.study.config import AnalysisConfig
from srscope.study.readings import read_layers
from srscope.study.session import Session

IMAGES = np.random.default_rng(0).random((6, 3, 16, 16), dtype=np.float32)


def test_a_reading_is_what_the_features_give(network, tmp_path):
    loaded = load_network(network)
    taps = select_layers(loaded, ["conv_first", "body.1"])
    session = Session(AnalysisConfig(device="cpu"), stages=Stages(tmp_path / "cache"))
    readings = read_layers(session, loaded, taps, IMAGES)
    store = extract(loaded.module, IMAGES, [t.name for t in taps], store=tmp_path / "store")
    for reading in readings:
        features = store.read(reading.tap.name).astype(np.float64)
        centred = features - features.mean(axis=0)
        np.testing.assert_allclose(reading.products_NN, centred @ centred.T, atol=1e-4)
        maps = features.reshape(6, *reading.shape)
        np.testing.assert_allclose(reading.mean_NC, maps.mean(axis=(2, 3)), atol=1e-6)
        order = np.argsort(maps.std(axis=(2, 3)), axis=0)
        np.testing.assert_array_equal(np.argsort(reading.log_std_NC, axis=0), order)


def test_what_is_known_is_not_run_again(network, tmp_path):
    loaded = load_network(network)
    passed: list[int] = []
    loaded.module.register_forward_pre_hook(lambda module, given: passed.append(len(given[0])))
    taps = select_layers(loaded, ["conv_first", "body.1"])

    def read(chosen, images=IMAGES, module=None):
        session = Session(AnalysisConfig(device="cpu"), stages=Stages(tmp_path / "cache"))
        return read_layers(session, loaded, chosen, images, module=module)

    first = read(taps)
    before = sum(passed)
    again = read(taps)
    assert sum(passed) == before
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.products_NN, other.products_NN)
    # Other weights and other images are something else.
    assert loaded.untrained is not None
    (control,) = read(taps[:1], module=loaded.untrained(0))
    assert not np.allclose(control.products_NN, first[0].products_NN)
    (other,) = read(taps[:1], images=IMAGES[::-1].copy())
    np.testing.assert_allclose(other.products_NN, first[0].products_NN[::-1, ::-1], atol=1e-4)


def test_a_channel_of_one_position_has_no_spread(tmp_path):
    import dataclasses

    loaded = load_network("srresnet-wgr")
    pooled = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Conv2d(3, 4, 1))
    whole = dataclasses.replace(loaded, module=pooled, layers=())
    (tap,) = select_layers(whole, ["1"])
    (reading,) = read_layers(Session(AnalysisConfig(device="cpu")), whole, [tap], IMAGES)
    assert reading.log_std_NC is None
    assert reading.mean_NC.shape == (6, 4)
