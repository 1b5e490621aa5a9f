"""The discriminator: the paper's layers, sizes and mistakes."""

import pytest
import torch
from torch import nn

from srscope.errors import ParameterError
from srscope.training.discriminator import Discriminator, DiscriminatorConfig


def test_layers_are_those_of_srgan() -> None:
    network = Discriminator(DiscriminatorConfig(), side=128)
    convs = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [64, 64, 128, 128, 256, 256, 512, 512]
    assert [conv.stride[0] for conv in convs] == [1, 2] * 4
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert [norm.num_features for norm in norms] == [64, 128, 128, 256, 256, 512, 512]
    assert (network.hidden.in_features, network.hidden.out_features) == (512 * 8 * 8, 100)


def test_features_are_one_a_convolution_and_the_verdict_is_made_from_the_last() -> None:
    torch.manual_seed(0)
    network = Discriminator(DiscriminatorConfig(channels=4), side=32)
    images_NCHW = torch.rand(3, 3, 32, 32)
    features = network.features(images_NCHW)
    assert [tuple(f.shape[1:]) for f in features] == [
        (4, 32, 32), (4, 16, 16), (8, 16, 16), (8, 8, 8),
        (16, 8, 8), (16, 4, 4), (32, 4, 4), (32, 2, 2),
    ]  # fmt: skip
    torch.testing.assert_close(network.verdict(features[-1]), network(images_NCHW))


@pytest.mark.parametrize("side", [0, 8, 40])
def test_sides_that_do_not_halve_four_times_are_refused(side: int) -> None:
    with pytest.raises(ParameterError, match=r"patch x scale is a multiple of 16.*HR pixels"):
        Discriminator(DiscriminatorConfig(channels=2), side=side)
