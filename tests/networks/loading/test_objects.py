"""Networks that a program holds: described like files, left as they are."""

from __future__ import annotations

import copy
import functools
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from srscope.errors import NetworkError, ParameterError, UnknownNameError
from srscope.networks.loading.objects import networks_in
from srscope.networks.zoo import load_network
from support.networks import TinySRResNet


class Small(nn.Module):
    """Two layers; with ``fail`` it cannot be copied."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, 4, 3, padding=1)
        self.last = nn.Conv2d(4, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.relu(self.first(x)))

    def tripled(self, x: Tensor) -> Tensor:
        return self(3 * x)


GLOBAL = Small()


def by_global(x: Tensor) -> Tensor:
    return GLOBAL(2 * x)


def factory() -> nn.Module:
    return Small()


def image() -> Tensor:
    return torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_a_module_is_probed_and_left_as_it_is() -> None:
    module = TinySRResNet().train()
    handle = module.register_forward_hook(lambda *_: None)
    loaded = load_network(module)
    assert (loaded.name, loaded.scale, loaded.multiple) == ("TinySRResNet", 4, 1)
    assert module.training
    assert not loaded.module.training
    assert [layer.name for layer in loaded.layers][:2] == ["conv_first", "act"]
    shared = dict(module.named_parameters())["conv_last.weight"]
    assert any(each is shared for each in loaded.module.parameters())
    handle.remove()


def test_what_is_said_of_it_goes_before_what_is_tried_out() -> None:
    loaded = load_network(Small(), range="255", multiple=4, name="mine")
    assert loaded.name == "mine"
    assert loaded.multiple == 4
    assert any("is fed RGB, in [0, 255]" in note for note in loaded.notes)
    assert any("you (multiple)" in note for note in loaded.notes)


def test_a_grey_network_is_found_out() -> None:
    assert any("the luma of RGB" in note for note in load_network(Small(1)).notes)


def test_wrappers_are_taken_off() -> None:
    assert load_network(nn.DataParallel(Small())).name == "Small"


def test_a_bundled_network_s_module_keeps_its_labels() -> None:
    loaded = load_network(load_network("srresnet-wgr").module)
    assert loaded.default_layers == load_network("srresnet-wgr").default_layers
    assert loaded.sha256 == load_network("srresnet-wgr").sha256
    with pytest.raises(UnknownNameError):
        load_network("srresnet-wgr", scale=2)


def closure() -> Any:
    network = Small()
    return network, lambda x: network(5 * x)


@pytest.mark.parametrize("kind", ["closure", "global", "partial", "method", "object"])
def test_a_function_is_run_with_the_network_it_refers_to(kind: str) -> None:
    network, function = closure()
    network = GLOBAL if kind == "global" else network
    functions: dict[str, Any] = {
        "closure": function,
        "global": by_global,
        "partial": functools.partial(lambda net, x: net(2 * x), network),
        "method": network.tripled,
        "object": Runner(network),
    }
    loaded = load_network(functions[kind])
    assert [tap.name for tap in loaded.taps] == ["first"]
    with torch.no_grad():
        torch.testing.assert_close(loaded.module(image()), functions[kind](image()))
    assert loaded.untrained is not None
    fresh = loaded.untrained(0)  # a copy: its pass must not go through the trained network
    with torch.no_grad():
        assert not torch.allclose(fresh(image()), loaded.module(image()))
        again = copy.deepcopy(loaded.module)
        again.inner.first.weight.zero_()  # type: ignore[union-attr]
        assert not torch.allclose(again(image()), loaded.module(image()))


class Runner:
    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def __call__(self, x: Tensor) -> Tensor:
        return self.network(x / 2)


def test_several_networks_are_told_apart() -> None:
    one, two = Small(), Small()
    loaded = load_network(lambda x: two(one(x)))
    assert {"one.first", "two.first"} <= {layer.name for layer in loaded.layers}
    assert list(networks_in(lambda x: two(one(x)))) == ["one", "two"]


def test_a_function_without_arguments_makes_the_network() -> None:
    loaded = load_network(factory)
    assert (loaded.name, [tap.name for tap in loaded.taps]) == ("factory", ["first"])


@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        (42, ParameterError, "a torch.nn.Module or a function of images, but is 'int'"),
        (
            Small,
            ParameterError,
            r"a network, not its class, but is 'Small'; make one, e.g. Small\(\)",
        ),
        (lambda x: x, NetworkError, "refers to no torch.nn.Module"),
        (lambda: 3, ParameterError, "one that returns a int"),
    ],
)
def test_what_is_no_network_is_refused(network: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        load_network(network)


def test_unknown_options_are_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'scale'"):
        load_network(Small(), scales=2)
    with pytest.raises(ParameterError, match="scale must be a whole number"):
        load_network(Small(), scale="two")


def test_a_descriptor_of_spandrel_says_how_its_network_is_fed() -> None:
    from spandrel import ModelLoader

    from support.foreign import SPANDREL

    state = SPANDREL["RealESRGAN Compact"][0]().state_dict()
    descriptor = ModelLoader("cpu").load_from_state_dict(state)
    loaded = load_network(descriptor)
    assert (loaded.name, loaded.scale) == ("RealESRGAN Compact", 2)
    assert any("found out by: spandrel" in note for note in loaded.notes)


def test_a_network_of_timm_is_normalised_as_timm_says() -> None:
    import timm

    loaded = load_network(timm.create_model("test_vit", num_classes=2))
    assert any("found out by: timm" in note for note in loaded.notes)
    assert any("normalised with mean" in note for note in loaded.notes)


def test_a_module_of_spandrel_is_no_descriptor() -> None:
    from spandrel.architectures.ESRGAN.__arch.RRDB import RRDBNet

    network = load_network(RRDBNet(num_filters=4, num_blocks=2, scale=2))  # has a part "model"
    assert network.scale == 2
    assert network.source == "RRDBNet, given"
