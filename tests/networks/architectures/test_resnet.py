"""ResNet18: the same function as torchvision's, tap points, the input's range."""

import re

import pytest
import torch
from torchvision.models.resnet import BasicBlock, ResNet

from srscope.errors import ParameterError
from srscope.networks.architectures.resnet import GREY, SPREAD, ResNet18, ResNetConfig
from support.taps import tapped


def small(**options: int) -> ResNet18:
    return ResNet18(ResNetConfig(**{"channels": 4, **options}))


def test_computes_what_torchvision_computes_without_its_max_pool() -> None:
    torch.manual_seed(0)
    mine, theirs = ResNet18(), ResNet(BasicBlock, [2, 2, 2, 2], num_classes=10)
    theirs.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)
    theirs.maxpool = torch.nn.Identity()
    renamed = (
        (r"^conv1\.0\.", "conv1."),
        (r"^conv1\.1\.", "bn1."),
        (r"^conv([2-5])\.([01])\.", lambda found: f"layer{int(found[1]) - 1}.{found[2]}."),
        (r"\.shortcut\.", ".downsample."),
    )
    state = {}
    for key, tensor in mine.state_dict().items():
        if key not in ("mean", "std"):
            for pattern, other in renamed:
                key = re.sub(pattern, other, key)
            state[key] = tensor
    theirs.load_state_dict(state)
    x_NCHW = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        expected_NK = theirs.eval()((x_NCHW - GREY) / SPREAD)
        torch.testing.assert_close(mine.eval()(x_NCHW), expected_NK)


def test_taps_have_the_labels_and_shapes_of_the_paper() -> None:
    network = ResNet18().eval()
    seen = tapped(network, torch.rand(1, 3, 32, 32))
    assert seen == {
        "Conv1": (64, 32, 32),
        "Conv2_4": (64, 32, 32),
        "Conv3_4": (128, 16, 16),
        "Conv4_4": (256, 8, 8),
        "Conv5_4": (512, 4, 4),
    }
    assert network.shown() == tuple(tap.name for tap in network.taps())


def test_taps_are_taken_after_the_relu() -> None:
    torch.manual_seed(0)
    network = small()
    modules = dict(network.named_modules())
    least: list[float] = []
    for tap in network.taps():
        modules[tap.name].register_forward_hook(
            lambda _m, _i, output: least.append(output.min().item())
        )
    network(torch.rand(2, 3, 16, 16))
    assert least == [0.0] * 5


def test_the_normalisation_travels_with_the_weights() -> None:
    network = small(classes=3).eval()
    assert network(torch.rand(1, 3, 32, 32)).shape == (1, 3)
    assert {"mean", "std"} <= network.state_dict().keys()
    x_NCHW = torch.rand(1, 3, 8, 8)
    before = network(x_NCHW)
    network.mean += 0.2
    assert not torch.allclose(network(x_NCHW), before)


@pytest.mark.parametrize(("name", "value"), [("classes", 1), ("channels", 0)])
def test_impossible_structures_are_refused(name: str, value: int) -> None:
    with pytest.raises(ParameterError, match=f"{name} must be .*but is {value}"):
        ResNetConfig(**{name: value})
