"""SRResNet: BasicSR's keys, the global residual, tap points, every scale."""

import pytest
import torch
import torch.nn.functional as F

from srscope.errors import ParameterError
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig


def small(**options: object) -> SRResNet:
    return SRResNet(SRResNetConfig(**{"blocks": 2, "channels": 8, **options}))


def test_keys_and_shapes_are_those_of_basicsr_msrresnet_x4() -> None:
    expected = {"conv_first": (64, 3, 3, 3)}
    for block in range(16):
        expected[f"body.{block}.conv1"] = (64, 64, 3, 3)
        expected[f"body.{block}.conv2"] = (64, 64, 3, 3)
    expected |= {"upconv1": (256, 64, 3, 3), "upconv2": (256, 64, 3, 3)}
    expected |= {"conv_hr": (64, 64, 3, 3), "conv_last": (3, 64, 3, 3)}
    shapes = {f"{name}.weight": shape for name, shape in expected.items()}
    shapes |= {f"{name}.bias": shape[:1] for name, shape in expected.items()}
    state = SRResNet().state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == shapes
    assert sum(tensor.numel() for tensor in state.values()) == 1_517_571


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("global_residual", [True, False])
def test_magnifies_by_scale(scale: int, global_residual: bool) -> None:
    network = small(scale=scale, global_residual=global_residual)
    assert network(torch.rand(2, 3, 7, 10)).shape == (2, 3, 7 * scale, 10 * scale)


def test_global_residual_adds_the_bilinear_input_and_nothing_else() -> None:
    torch.manual_seed(0)
    with_residual, without = small(global_residual=True), small(global_residual=False)
    without.load_state_dict(with_residual.state_dict())
    x_NCHW = torch.rand(1, 3, 9, 6)
    bilinear = F.interpolate(x_NCHW, scale_factor=4, mode="bilinear", align_corners=False)
    torch.testing.assert_close(with_residual(x_NCHW), without(x_NCHW) + bilinear)


def test_taps_name_modules_with_the_channels_and_stride_they_claim() -> None:
    network = small()
    seen: dict[str, torch.Tensor] = {}
    modules = dict(network.named_modules())
    for tap in network.taps():
        modules[tap.name].register_forward_hook(
            lambda _m, _i, output, name=tap.name: seen.update({name: output})
        )
    network(torch.rand(1, 3, 8, 8))
    for tap in network.taps():
        assert seen[tap.name].shape == (1, tap.channels, 8 // tap.stride, 8 // tap.stride)
    assert list(seen) == [tap.name for tap in network.taps()]


def test_taps_of_the_full_network_carry_the_paper_labels() -> None:
    labels = {tap.name: tap.label for tap in SRResNet().taps()}
    assert len(labels) == 17
    assert labels["conv_first"] == "Conv1"
    assert labels["body.15"] == "ResBlock16"


@pytest.mark.parametrize(("name", "value"), [("blocks", 0), ("channels", 0), ("scale", 5)])
def test_impossible_structures_are_refused(name: str, value: int) -> None:
    with pytest.raises(ParameterError, match=f"{name} must be .*but is {value}"):
        SRResNetConfig(**{name: value})
