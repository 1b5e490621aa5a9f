"""The layer before the output convolution, of networks of several builds."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from srscope.errors import NetworkError
from srscope.networks.structure.last import last_feature_layer
from srscope.networks.zoo import load_network


def test_the_last_layer_is_the_one_before_the_output_convolution(network):
    assert last_feature_layer(load_network(network)).name == "conv_hr"


def test_a_network_of_one_layer_has_none_before_it():
    loaded = load_network("srresnet-wgr")
    alone = dataclasses.replace(loaded, module=torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1)))
    with pytest.raises(NetworkError, match="no layer before its last convolution"):
        last_feature_layer(alone)


def test_an_activation_that_is_a_module_is_read_after_it():
    loaded = load_network("srresnet-wgr")
    chain = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.ReLU()),
        nn.Conv2d(6, 12, 3, padding=1),
        nn.PixelShuffle(2),
    )
    found = last_feature_layer(dataclasses.replace(loaded, module=chain, layers=()))
    assert (found.name, found.channels) == ("1", 6)
