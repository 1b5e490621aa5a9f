from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from srscope.errors import NetworkError, ParameterError, UnknownNameError
from srscope.features.edit import FeatureEdit, edit
from srscope.features.tap import FeatureTap
from srscope.networks.adapter import AdaptedNetwork
from srscope.networks.description import LoadedNetwork, TapPoint
from support.networks import ARCHITECTURES, TinySRResNet, assert_no_hooks, build, traces


def batch(count: int = 2, *, seed: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed))


def same(features: torch.Tensor) -> torch.Tensor:
    return features


def halved(features: torch.Tensor) -> torch.Tensor:
    return features / 2


def run(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network(images)


def linear(depth: int = 3) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return nn.Sequential(*(nn.Conv2d(3, 3, 1, bias=False) for _ in range(depth)))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("gradients", [False, True])
def test_an_edit_that_changes_nothing_gives_bitwise_what_no_edit_gives(architecture, gradients):
    network, layer = build(architecture).eval(), ARCHITECTURES[architecture][1]
    plain = run(network, batch())
    with FeatureEdit(network, {layer: same}, gradients=gradients):
        edited = network(batch())
    assert torch.equal(edited, plain)
    assert edited.requires_grad == gradients
    assert_no_hooks(network)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_layer_can_be_replaced_by_what_it_makes_of_other_images(architecture):
    """All that depends on the images passes the layer, or the output differs from both."""
    network, layer = build(architecture).eval(), ARCHITECTURES[architecture][1]
    with FeatureTap(network, [layer]) as tap:
        features = tap.run(batch(seed=2))[layer]
    with FeatureEdit(network, {layer: lambda _: features}):
        replaced = network(batch(seed=1))
    other, plain = run(network, batch(seed=2)), run(network, batch(seed=1))
    if architecture in ("classifier", "branches", "recurrent"):  # no way round the layer
        assert torch.equal(replaced, other)
    elif architecture != "transformer":
        assert not torch.equal(replaced, other)
    assert not torch.equal(replaced, plain)


def test_what_an_edit_of_a_linear_network_does_has_a_closed_form():
    network, offset = linear(), torch.tensor([1.0, -2.0, 0.5]).view(3, 1, 1)
    with FeatureEdit(network, {"0": lambda features: features + offset}):
        moved = network(batch())
    with FeatureEdit(network, {"0": halved, "1": lambda features: 3 * features}):
        scaled = network(batch())
    plain = run(network, batch())
    shift = torch.einsum(
        "oc,cd,dhw->ohw", network[2].weight[..., 0, 0], network[1].weight[..., 0, 0], offset
    )
    torch.testing.assert_close(moved, plain + shift.detach())
    torch.testing.assert_close(scaled, 1.5 * plain)


def test_gradients_by_input_and_feature_are_those_by_hand():
    network = build("srresnet").eval()
    assert isinstance(network, TinySRResNet)
    images = batch().requires_grad_()
    with FeatureEdit(network, {"body.1": lambda x: x * x.tanh()}, gradients=True) as edit_:
        output = network(images)
        features = edit_.edited["body.1"]
    found = torch.autograd.grad(output.square().sum(), [images, features])

    by_hand = batch().requires_grad_()
    y = network.body[1](network.body[0](network.act(network.conv_first(by_hand))))
    edited = y * y.tanh()
    z = network.act(F.pixel_shuffle(network.upconv(network.body[2](edited)), 4))
    z = network.conv_last(z) + F.interpolate(by_hand, scale_factor=4, mode="bilinear")
    expected = torch.autograd.grad(z.square().sum(), [by_hand, edited])
    for one, other in zip(found, expected, strict=True):
        assert other.abs().max() > 0
        torch.testing.assert_close(one, other)


def test_features_start_the_graph_where_nothing_before_requires_gradients():
    network = linear(2)
    with FeatureEdit(network, {"0": same}, gradients=True) as edit_:
        network(batch()).sum().backward()
        slope = edit_.edited["0"].grad
    expected = network[1].weight.sum(dim=0).view(1, 3, 1, 1).expand(2, 3, 8, 8)
    torch.testing.assert_close(slope, expected.detach())


def test_gradients_reach_a_tensor_of_the_edit_itself():
    network, amount = linear(2), torch.zeros(3, 1, 1, requires_grad=True)
    with FeatureEdit(network, {"0": lambda features: features + amount}, gradients=True):
        network(batch()).sum().backward()
    expected = 2 * 64 * network[1].weight.sum(dim=0).view(3, 1, 1)
    torch.testing.assert_close(amount.grad, expected.detach())


def test_backward_leaves_the_parameters_alone():
    network = build("srresnet").train()
    network(batch()).sum().backward()
    network.conv_first.bias.requires_grad_(False)
    required = {name: p.requires_grad for name, p in network.named_parameters()}
    before = {name: None if p.grad is None else p.grad.clone() for name, p in _grads(network)}
    images = batch().requires_grad_()
    with FeatureEdit(network, {"body.1": halved}, gradients=True):
        network(images).sum().backward()
        late = network(images).sum()
    late.backward()
    assert images.grad is not None
    assert {name: p.requires_grad for name, p in network.named_parameters()} == required
    for name, parameter in _grads(network):
        assert torch.equal(parameter.grad, before[name]), name


def _grads(network: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return [(name, p) for name, p in network.named_parameters() if p.grad is not None]


@pytest.mark.parametrize("gradients", [False, True])
def test_the_network_is_left_as_it_was(gradients):
    network = build("classifier").train()
    network.norm.eval()  # a mixed state, as when fine-tuning with frozen statistics
    network(batch()).sum().backward()
    modes = {name: module.training for name, module in network.named_modules()}
    before = {name: value.clone() for name, value in network.state_dict().items()}
    grads = {name: p.grad.clone() for name, p in network.named_parameters()}
    with FeatureEdit(network, {"norm": halved}, gradients=gradients):
        assert not any(module.training for module in network.modules())
        first, second = network(batch() + 5), network(batch() + 5)
    assert torch.equal(first, second)  # no dropout
    assert {name: module.training for name, module in network.named_modules()} == modes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(torch.equal(p.grad, grads[name]) for name, p in network.named_parameters())
    assert all(p.requires_grad for p in network.parameters())
    assert_no_hooks(network)
    assert network(batch()).requires_grad


def test_layers_are_recorded_under_an_edit():
    network = build("srresnet").eval()
    with FeatureTap(network, ["body.0", "body.1", "body.2"]) as tap:
        plain = tap.run(batch())
    with FeatureEdit(network, {"body.1": halved}):
        with FeatureTap(network, ["body.0", "body.1", "body.2"]) as tap:
            found = tap.run(batch())
            assert network(batch()) is None  # the tap leaves the pass
        assert network(batch()).shape == (2, 3, 32, 32)
    assert_no_hooks(network)
    assert torch.equal(found["body.0"], plain["body.0"])
    assert torch.equal(found["body.1"], plain["body.1"] / 2)
    assert torch.equal(found["body.2"], run(network.body[2], plain["body.1"] / 2))


def test_a_tap_under_an_edit_with_gradients_records_without_them():
    network = build("srresnet")
    with (
        FeatureEdit(network, {"body.1": halved}, gradients=True) as edit_,
        FeatureTap(network, ["body.1"], stop_after_last=False) as tap,
    ):
        output = network(batch())
        record = tap.pop()["body.1"]
        (slope,) = torch.autograd.grad(output.sum(), edit_.edited["body.1"])
        edited = edit_.edited["body.1"].detach()
    assert torch.equal(record, edited)
    assert not record.requires_grad
    assert slope.abs().max() > 0


def test_what_was_edited_is_there_where_a_tap_leaves_the_pass():
    network = build("srresnet")
    images = batch().requires_grad_()
    with (
        FeatureEdit(network, {"body.0": halved}, gradients=True) as edit_,
        FeatureTap(network, ["body.1"]) as tap,
    ):
        tap.run(images)
        (slope,) = torch.autograd.grad(edit_.edited["body.0"].sum(), images)
    assert slope.abs().max() > 0


@pytest.mark.parametrize("gradients", [False, True])
def test_activations_in_place_change_no_tensor_of_the_edit(gradients):
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True), nn.Conv2d(4, 3, 1))
    stored, given = -torch.ones(2, 4, 8, 8), []

    def replaced(features: torch.Tensor) -> torch.Tensor:
        given.append(features)
        return stored

    with (
        FeatureEdit(network, {"0": replaced}, gradients=gradients) as edit_,
        FeatureTap(network, ["0", "1"], stop_after_last=False) as tap,
    ):
        network(batch())
        record = tap.pop()
        if gradients:
            assert torch.equal(edit_.edited["0"], stored)
    assert torch.equal(stored, -torch.ones(2, 4, 8, 8))
    assert not stored.requires_grad
    assert torch.equal(record["0"], stored)
    assert not record["1"].any()
    assert torch.equal(given[0].detach(), run(network[0], batch()))


def test_an_edit_in_place_changes_nothing_beside_the_layer():
    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.same = nn.Identity()

        def forward(self, x):
            return x + self.same(x)

    network, images = Skip(), batch()
    with FeatureEdit(network, {"same": lambda features: features.zero_()}):
        output = network(images)
    assert torch.equal(output, batch())
    assert torch.equal(images, batch())


def test_an_edit_that_is_not_written_out_in_memory_meets_an_activation_in_place():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True))
    with FeatureEdit(network, {"0": lambda x: x.new_full((1, 1, 1, 1), 2.0).expand_as(x)}):
        assert (network(batch()) == 2).all()


@pytest.mark.parametrize("guard", [torch.inference_mode, torch.no_grad, torch.enable_grad])
@pytest.mark.parametrize("gradients", [False, True])
def test_it_runs_under_any_gradient_mode(guard, gradients):
    network, images = build("srresnet"), batch()
    with guard(), FeatureEdit(network, {"body.0": halved}, gradients=gradients):
        output = network(images)
        assert torch.is_grad_enabled() == (guard is torch.enable_grad)
    assert output.requires_grad == gradients
    assert output.detach().numpy().shape == (2, 3, 32, 32)


class _Inference(nn.Module):
    """Runs itself in inference mode, as some exported networks do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1, bias=False)

    def forward(self, x):
        with torch.inference_mode():
            return self.last(self.conv(x))


def test_a_network_that_runs_in_inference_mode_is_edited():
    network, kept = _Inference(), []
    with FeatureEdit(network, {"conv": lambda x: (kept.append(x), x * 0)[1]}):
        assert not network(batch()).any()
    assert not kept[0].is_inference()
    with (
        pytest.raises(NetworkError, match="computes no gradients at layer 'conv', as its own code"),
        FeatureEdit(network, {"conv": same}, gradients=True),
    ):
        network(batch())
    assert_no_hooks(network)


def test_an_input_of_inference_mode_has_no_gradients():
    with torch.inference_mode():
        images = batch()
    network = build("srresnet")
    with FeatureEdit(network, {"body.0": same}):
        network(images)
    with (
        pytest.raises(NetworkError, match="make it outside, or give a clone"),
        FeatureEdit(network, {"body.0": same}, gradients=True),
    ):
        network(images)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_hook_is_left_after_the_users_own_exception(architecture):
    network, layer = build(architecture), ARCHITECTURES[architecture][1]
    with pytest.raises(ZeroDivisionError), FeatureEdit(network, {layer: same}):
        _ = network(batch()), traces(network) and 1 / 0
    assert_no_hooks(network)


@pytest.mark.parametrize("gradients", [False, True])
def test_no_hook_is_left_when_the_network_fails_mid_forward(gradients):
    network = TinySRResNet(fail_at=1).train()
    with (
        pytest.raises(KeyError, match="own failure"),
        FeatureEdit(network, {"body.0": same}, gradients=gradients),
    ):
        network(batch())
    assert_no_hooks(network)
    assert all(module.training for module in network.modules())
    assert all(p.requires_grad for p in network.parameters())


def test_a_failed_pass_leaves_no_edited_features():
    network = TinySRResNet(fail_at=2)
    with FeatureEdit(network, {"body.0": same}, gradients=True) as edit_:
        with pytest.raises(NetworkError, match="no pass was made; run the network once"):
            _ = edit_.edited
        network(batch())
        assert set(edit_.edited) == {"body.0"}
        with pytest.raises(KeyError):
            network(batch())
        with pytest.raises(NetworkError, match="no pass was made"):
            _ = edit_.edited


def test_the_functions_own_exception_comes_out_as_it_is():
    network = build("srresnet")
    with pytest.raises(ZeroDivisionError), FeatureEdit(network, {"body.0": lambda x: x * (1 // 0)}):
        network(batch())
    assert_no_hooks(network)


def test_no_hook_is_left_when_eval_fails():
    class Stubborn(nn.Sequential):
        def eval(self):
            raise RuntimeError("always in training")

    network = Stubborn(nn.Conv2d(3, 3, 1))
    with (
        pytest.raises(RuntimeError, match="always"),
        FeatureEdit(network, {"0": same}, gradients=True),
    ):
        pass
    assert_no_hooks(network)
    assert all(p.requires_grad for p in network.parameters())


def test_hooks_and_a_shadowed_forward_of_the_users_stay_and_act():
    network, seen = build("srresnet"), []
    network.body[1].register_forward_hook(lambda _m, _i, output: output * 2)
    plain = network.forward
    network.forward = lambda x: (seen.append(1), plain(x))[1]
    mine, before = network.forward, traces(network)
    with FeatureTap(network, ["body.1"]) as tap:
        features = tap.run(batch())["body.1"]
    unedited = run(network, batch())
    with FeatureEdit(network, {"body.1": lambda _: features}):
        edited = network(batch())
    assert network.forward is mine
    assert traces(network) == before
    assert seen == [1, 1, 1]
    assert torch.equal(edited, unedited)  # what a tap records is what an edit replaces


def test_calls_of_one_module_are_edited_one_by_one():
    network = build("recurrent").eval()
    with FeatureEdit(network, {"first:1": halved, "alias:2": lambda x: x + 1}):
        found = network(batch())
    expected = run(network.first, run(network.first, run(network.first, batch())) / 2) + 1
    assert torch.equal(found, expected)


def test_two_names_of_one_call_are_edited_one_after_the_other():
    network = build("recurrent").eval()
    with FeatureEdit(network, {"alias:2": lambda x: x + 1, "first:2": halved}):
        found = network(batch())
    assert torch.equal(found, (run(network, batch()) + 1) / 2)


def test_parts_called_on_their_own_are_not_edited():
    network, images = build("srresnet").eval(), torch.ones(1, 8, 8, 8)
    with FeatureEdit(network, {"body.0": torch.zeros_like}):
        network(batch())
        assert torch.equal(network.body(images), run(network.body, images))


def test_edits_of_a_network_and_of_its_part_do_not_mix():
    network = build("srresnet").eval()
    with (
        FeatureEdit(network, {"body.1": torch.zeros_like}),
        FeatureEdit(network.body, {"0": torch.ones_like}),
    ):
        part = network.body(torch.zeros(1, 8, 8, 8))
    assert torch.equal(part, run(network.body[2], run(network.body[1], torch.ones(1, 8, 8, 8))))
    assert_no_hooks(network)


def test_the_layers_of_an_adapted_network_are_those_of_the_network_in_it():
    inner = build("branches")
    network = AdaptedNetwork(nn.Sequential(nn.Conv2d(1, 1, 1), inner), channels=1, std=(1 / 255,))
    inner.split.forward = lambda x: (x, x)
    with FeatureEdit(network, {"0": torch.zeros_like}):
        output = network(batch())
    assert torch.equal(output, run(inner, torch.zeros(2, 1, 8, 8)))


def test_one_edit_can_be_used_twice():
    network = build("srresnet")
    changed = FeatureEdit(network, {"body.0": halved}, gradients=True)
    with changed:
        first = network(batch())
    with changed:
        assert torch.equal(network(batch()), first)
    assert_no_hooks(network)
    with pytest.raises(NetworkError, match="no pass was made"):
        _ = changed.edited


def test_two_edits_of_one_network_are_refused():
    network = build("srresnet")
    with (
        FeatureEdit(network, {"body.0": same}),
        pytest.raises(NetworkError, match="already edited; leave the other FeatureEdit"),
        FeatureEdit(network, {"body.1": same}, gradients=True),
    ):
        pass
    assert_no_hooks(network)
    assert all(p.requires_grad for p in network.parameters())


def test_an_edit_inside_a_tap_is_refused_with_the_order_that_works():
    network = build("srresnet")
    with (
        FeatureTap(network, ["body.0"]),
        pytest.raises(NetworkError, match="open the FeatureEdit first, and the FeatureTap inside"),
        FeatureEdit(network, {"body.1": same}),
    ):
        pass
    assert_no_hooks(network)


def test_two_taps_in_one_edit_are_refused():
    network = build("srresnet")
    with (
        FeatureEdit(network, {"body.0": same}),
        FeatureTap(network, ["body.0"]),
        pytest.raises(NetworkError, match="already tapped"),
        FeatureTap(network, ["body.1"]),
    ):
        pass
    assert_no_hooks(network)


def test_edited_features_are_kept_only_where_gradients_are():
    network = build("srresnet")
    with FeatureEdit(network, {"body.0": same}) as edit_:
        network(batch())
        with pytest.raises(NetworkError, match="open the edit with gradients=True"):
            _ = edit_.edited


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda x: x[:1], r"\(1, 8, 8, 8\) torch.float32 on cpu"),
        (lambda x: x.double(), r"\(2, 8, 8, 8\) torch.float64 on cpu"),
        (lambda x: x.to("meta"), r"\(2, 8, 8, 8\) torch.float32 on meta"),
        (lambda x: None, "a NoneType"),
        (lambda x: x.numpy(), "a ndarray"),
    ],
)
def test_a_function_that_returns_another_kind_is_named(change, found):
    network = build("srresnet")
    with (
        pytest.raises(
            ParameterError,
            match=rf"layer 'body.0' must be .* \(2, 8, 8, 8\) torch.float32 on cpu, .*{found}"
            ".*; return a tensor of the shape",
        ),
        FeatureEdit(network, {"body.0": change}),
    ):
        network(batch())
    assert_no_hooks(network)


@pytest.mark.parametrize("edits", [{}, "body.0", [("body.0", same)]])
def test_edits_must_be_a_function_a_layer(edits):
    with pytest.raises(ParameterError, match=r"edits must be one function .*write \{layer"):
        FeatureEdit(build("srresnet"), edits)


def test_an_edit_must_be_a_function():
    with pytest.raises(ParameterError, match=r"the edit of layer 'body\.0' must be a function"):
        FeatureEdit(build("srresnet"), {"body.0": 0.7})


def test_near_matches_of_an_unknown_layer_are_named():
    with pytest.raises(UnknownNameError, match="did you mean 'conv_first'"):
        FeatureEdit(build("srresnet"), {"conv_frist": same})


def test_a_layer_that_does_not_run_is_named():
    network = build("branches")
    with (
        pytest.raises(NetworkError, match=r"layer 'branches\.idle' is not run by .*; edit a"),
        FeatureEdit(network, {"branches.used": same, "branches.idle": same}),
    ):
        network(batch())
    assert_no_hooks(network)


def test_a_call_that_does_not_happen_is_named():
    network = build("recurrent")
    with (
        pytest.raises(NetworkError, match=r"layer 'first:3' does not exist.* runs 3 times"),
        FeatureEdit(network, {"first:3": same}),
    ):
        network(batch())


def test_an_output_that_is_not_one_tensor_is_refused():
    network = build("branches")
    with (
        pytest.raises(NetworkError, match="layer 'split' puts out a tuple of 2, not one tensor; e"),
        FeatureEdit(network, {"split": same}),
    ):
        network(batch())
    assert_no_hooks(network)


def test_a_compiled_network_is_refused():
    plain = nn.Sequential(nn.Conv2d(3, 3, 1))
    plain[0]._compiled_call_impl = lambda x: x  # what compile() leaves, without the compiler
    with pytest.raises(NetworkError, match=r"a compiled network .* give the plain"):
        FeatureEdit(plain, {"0": same})


def loaded() -> LoadedNetwork:
    module = build("srresnet").eval()
    taps = tuple(
        TapPoint(name=f"body.{i}", label=f"ResBlock{i + 1}", channels=8, stride=1) for i in range(3)
    )
    return LoadedNetwork(
        module=module,
        name="tiny",
        source="a test",
        scale=4,
        taps=taps,
        default_layers=("body.0",),
        sha256="",
        untrained=lambda seed: copy.deepcopy(module),
    )


def test_a_loaded_networks_layers_are_edited_by_their_labels():
    network = loaded()
    with edit(network, {"ResBlock2": halved}):
        by_label = network.module(batch())
    with FeatureEdit(network.module, {"body.1": halved}):
        by_name = network.module(batch())
    assert torch.equal(by_label, by_name)
    with edit(network, {"body.2": same}, gradients=True) as context:
        network.module(batch())
        assert set(context.edited) == {"body.2"}


def test_a_word_for_several_layers_or_a_layer_named_twice_is_refused():
    with pytest.raises(ParameterError, match="must be that of one layer, but is 'ResBlock\\*'"):
        edit(loaded(), {"ResBlock*": same})
    with pytest.raises(ParameterError, match="edits must be free of repeated layers"):
        edit(loaded(), {"ResBlock2": same, "body.1": same})
    with pytest.raises(UnknownNameError, match="unknown layer 'ResBlock9'"):
        edit(loaded(), {"ResBlock9": same})
