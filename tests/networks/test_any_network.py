"""What must hold for every network: good proposals, right features, and nothing left behind."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from srscope.features.stream import stream_features
from srscope.features.tap import FeatureTap
from srscope.networks.adapter import layer_modules
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.select import all_layers
from srscope.networks.structure.tree import layer_rows
from srscope.networks.zoo import load_network
from support.foreign import SPANDREL, saved
from support.networks import assert_no_hooks

CODE = (
    "torchvision.models:mobilenet_v2?num_classes=10&width_mult=0.25",
    "torchvision.models:squeezenet1_1?num_classes=10",
    "timm:test_resnet?pretrained=false",
    "timm:test_vit?pretrained=false",
    "timm:test_convnext?pretrained=false",
    "timm:swin_tiny_patch4_window7_224?pretrained=false&embed_dim=12&depths=[1,1,3,1]",
    "support.foreign:Transformer",
    "support.foreign:Swapped",
    "srresnet-wgr",
)


@pytest.fixture(scope="module", params=[*SPANDREL, *CODE])
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> LoadedNetwork:
    name: str = request.param
    spec = str(saved(tmp_path_factory.mktemp("network"), name)) if name in SPANDREL else name
    network = load_network(spec)
    if name in SPANDREL:
        assert network.source.endswith(f"detected by spandrel as {name}")
        assert network.scale == SPANDREL[name][1]
    return network


def images(network: LoadedNetwork) -> Tensor:
    side = network.fitted(16)
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(3))


def by_hand(network: LoadedNetwork, x_NCHW: Tensor) -> dict[str, Tensor]:
    """Return every call's output in the order in which calls end, by plain hooks."""
    record: dict[str, Tensor] = {}
    handles: list[Any] = []
    names: dict[nn.Module, str] = {}
    for name, module in layer_modules(network.module).items():
        names.setdefault(module, name)
    for module, name in names.items():

        def hook(_m: nn.Module, _i: object, output: object, name: str = name) -> None:
            if isinstance(output, Tensor):
                calls = sum(key.partition(":")[0] == name for key in record)
                record[f"{name}:{calls}" if calls else name] = output.clone()

        handles.append(module.register_forward_hook(hook))
    with torch.inference_mode():
        network.module(x_NCHW)
    for handle in handles:
        handle.remove()
    return record


def test_proposals_are_few_distinct_and_in_depth_order(loaded: LoadedNetwork) -> None:
    names = [tap.name for tap in loaded.taps]
    labels = [tap.label for tap in loaded.taps]
    if loaded.layers:  # a foreign one: six to ten, but where there are not even six layers
        assert 6 <= len(loaded.default_layers) <= 10
    assert len(set(names)) == len(names)
    assert len(set(labels)) == len(labels)
    assert [name for name in names if name in loaded.default_layers] == list(loaded.default_layers)
    ended = list(by_hand(loaded, images(loaded)))
    assert sorted(names, key=ended.index) == names


def test_recorded_is_what_a_plain_hook_sees_and_channels_are_where_they_are_said_to_be(
    loaded: LoadedNetwork,
) -> None:
    x_NCHW = images(loaded)
    expected = by_hand(loaded, x_NCHW)
    with FeatureTap(loaded.module, [tap.name for tap in loaded.taps]) as recorder:
        found = recorder.run(x_NCHW)
    for tap in loaded.taps:
        assert torch.equal(found[tap.name], expected[tap.name]), tap
        assert found[tap.name].shape[tap.channel_axis] == tap.channels
        assert len(found[tap.name]) == 2
        assert not found[tap.name].is_inference()


def test_nothing_is_left_and_outputs_are_the_same_bit_for_bit(loaded: LoadedNetwork) -> None:
    module, x_NCHW = loaded.module, images(loaded)
    with torch.no_grad():
        before = module(x_NCHW)
    parameters = dict(module.named_parameters())
    first, *rest = parameters.values()
    first.requires_grad_(False)
    frozen = {name for name, p in parameters.items() if not p.requires_grad}
    for parameter in rest:
        parameter.grad = torch.ones_like(parameter)
    module.train()
    next(iter(layer_modules(module).values())).eval()
    modes = {name: part.training for name, part in module.named_modules()}
    state = torch.random.get_rng_state()
    try:
        all_layers(loaded)
        layer_rows(loaded)
        assert loaded.untrained is not None
        loaded.untrained(0)
        axes = {tap.name: tap.channel_axis for tap in loaded.taps}
        batches = [x_NCHW.numpy(), x_NCHW[:1].numpy()]
        made = list(stream_features(module, batches, loaded.default_layers, channel_axes=axes))
        assert len(made) == 2
        assert {name: part.training for name, part in module.named_modules()} == modes
        assert torch.equal(torch.random.get_rng_state(), state)
        assert all(p is parameters[name] for name, p in module.named_parameters())
        assert {name for name, p in module.named_parameters() if not p.requires_grad} == frozen
        assert first.grad is None
        assert all(p.grad is not None and bool((p.grad == 1).all()) for p in rest)
        assert {tensor.device.type for tensor in module.state_dict().values()} == {"cpu"}
        assert_no_hooks(module)
    finally:
        module.eval()
        for parameter in parameters.values():
            parameter.grad = None
        first.requires_grad_(True)
    with torch.no_grad():
        after = module(x_NCHW)
    assert torch.equal(before, after)


def test_untrained_has_the_structure_and_other_weights_by_seed(loaded: LoadedNetwork) -> None:
    assert loaded.untrained is not None
    one, again, other = (loaded.untrained(seed) for seed in (0, 0, 1))
    trained = dict(loaded.module.named_parameters())
    changed = 0
    for (name, a), b, c in zip(
        one.named_parameters(), again.parameters(), other.parameters(), strict=True
    ):
        assert torch.equal(a, b), name
        assert a.shape == trained[name].shape
        if not torch.equal(a, c):  # else one that the constructor sets to fixed numbers
            changed += a.numel()
            assert not torch.equal(a, trained[name]), name
    assert changed > 0.5 * sum(p.numel() for p in trained.values())
    with FeatureTap(one, loaded.default_layers) as recorder:
        for name, output in recorder.run(images(loaded)).items():
            assert output.isfinite().all(), name
            assert not torch.equal(output[0], output[1]), name
