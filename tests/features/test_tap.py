from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from srscope.errors import NetworkError, ParameterError, UnknownNameError
from srscope.features.tap import FeatureTap
from support.networks import ARCHITECTURES, Counted, TinySRResNet, assert_no_hooks, build, traces


def batch(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def by_hand(network: nn.Module, layers: list[str], images: torch.Tensor) -> dict[str, torch.Tensor]:
    """The reference: a plain hook a layer, a whole pass."""
    record, modules = {}, dict(network.named_modules())
    handles = [
        modules[name].register_forward_hook(
            lambda _m, _i, output, name=name: record.update({name: output.clone()})
        )
        for name in layers
    ]
    with torch.no_grad():
        network(images)
    for handle in handles:
        handle.remove()
    return record


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_truncated_pass_gives_bitwise_what_a_whole_pass_gives(architecture):
    network, layer = build(architecture), ARCHITECTURES[architecture][1]
    with FeatureTap(network, [layer], stop_after_last=False) as tap:
        whole = tap.run(batch())
    with FeatureTap(network, [layer]) as tap:
        truncated = tap.run(batch())
    assert torch.equal(whole[layer], truncated[layer])


def test_every_layer_of_srresnet_is_what_a_plain_hook_sees():
    network = build("srresnet").eval()
    layers = ["conv_first", "body.0", "body.1", "body.2", "upconv", "conv_last"]
    expected = by_hand(network, layers, batch())
    with FeatureTap(network, layers) as tap:
        found = tap.run(batch())
    assert list(found) == layers
    assert all(torch.equal(found[name], expected[name]) for name in layers)
    assert len({found[name].sum().item() for name in layers}) == len(layers)


def test_nothing_after_the_last_tapped_layer_runs_from_the_first_pass_on():
    network = build("srresnet")
    assert isinstance(network, TinySRResNet)
    with FeatureTap(network, ["body.2", "conv_first"]) as tap:
        for _ in range(3):
            assert network(batch()) is None
            tap.pop()
    assert network.tail.calls == 0
    with FeatureTap(network, ["body.2"], stop_after_last=False) as tap:
        assert network(batch()).shape == (2, 3, 32, 32)
    assert network.tail.calls == 1


def test_last_means_last_to_run_not_last_defined_or_asked_for():
    network = build("classifier")  # defines its head first
    with FeatureTap(network, ["head", "conv"]) as tap:
        record = tap.run(batch())
    assert {name: tuple(out.shape) for name, out in record.items()} == {
        "head": (2, 4),
        "conv": (2, 6, 6, 6),
    }


def test_a_container_is_last_when_it_ends_after_its_parts():
    network = nn.Sequential(nn.Sequential(nn.Conv2d(3, 2, 1), Counted()), Counted())
    with FeatureTap(network, ["0", "0.0"]) as tap:
        record = tap.run(batch())
    assert torch.equal(record["0"], record["0.0"])
    assert (network[0][1].calls, network[1].calls) == (1, 0)


def test_activations_in_place_do_not_change_the_record():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True), nn.Conv2d(4, 3, 1))
    with FeatureTap(network, ["0", "1"]) as tap:
        record = tap.run(batch())
    assert (record["0"] < 0).any()
    assert torch.equal(record["0"].relu(), record["1"])


def test_the_network_is_left_as_it_was():
    network = build("classifier").train()
    network.norm.eval()  # a mixed state, as when fine-tuning with frozen statistics
    network(batch()).sum().backward()
    modes = {name: module.training for name, module in network.named_modules()}
    before = {name: value.clone() for name, value in network.state_dict().items()}
    grads = {name: p.grad.clone() for name, p in network.named_parameters()}
    with FeatureTap(network, ["head"]) as tap:
        assert not any(module.training for module in network.modules())
        first, second = tap.run(batch())["head"], tap.run(batch())["head"]
    assert torch.equal(first, second)  # no dropout
    assert not first.requires_grad
    assert {name: module.training for name, module in network.named_modules()} == modes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(torch.equal(p.grad, grads[name]) for name, p in network.named_parameters())
    assert all(p.requires_grad for p in network.parameters())
    assert_no_hooks(network)
    assert network(batch()).requires_grad


def test_statistics_of_batch_norm_do_not_move():
    network = build("classifier").train()
    before = network.norm.running_mean.clone()
    with FeatureTap(network, ["head"]) as tap:
        tap.run(batch() + 5)
    assert torch.equal(network.norm.running_mean, before)


@pytest.mark.parametrize("guard", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_it_runs_under_any_gradient_mode(guard):
    network = build("srresnet")
    with guard(), FeatureTap(network, ["body.0"]) as tap:
        record = tap.run(batch())["body.0"]
        assert torch.is_grad_enabled() == (guard is torch.enable_grad)
    assert not record.requires_grad
    assert record.numpy().shape == (2, 8, 8, 8)


def test_a_tensor_cached_in_the_pass_can_be_trained_with_afterwards():
    class Caching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.grid = nn.Conv2d(3, 3, 1), None

        def forward(self, x):
            if self.grid is None:
                self.grid = torch.ones(8, 8) * 2
            return self.conv(x * self.grid)

    network = Caching()
    with FeatureTap(network, ["conv"]) as tap:
        tap.run(batch())
    network(batch().requires_grad_()).sum().backward()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_hook_is_left_after_use(architecture):
    network, layer = build(architecture), ARCHITECTURES[architecture][1]
    with FeatureTap(network, [layer]) as tap:
        assert traces(network)
        tap.run(batch())
    assert_no_hooks(network)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_hook_is_left_after_the_users_own_exception(architecture):
    network, layer = build(architecture), ARCHITECTURES[architecture][1]
    with pytest.raises(ZeroDivisionError), FeatureTap(network, [layer]) as tap:
        _ = tap.run(batch()), 1 / 0
    assert_no_hooks(network)


@pytest.mark.parametrize("stop_after_last", [True, False])
def test_no_hook_is_left_when_the_network_fails_mid_forward(stop_after_last):
    network = TinySRResNet(fail_at=1).train()
    layers = ["body.0", "conv_last"]
    with (
        pytest.raises(KeyError, match="own failure"),
        FeatureTap(network, layers, stop_after_last=stop_after_last) as tap,
    ):
        tap.run(batch())
    assert_no_hooks(network)
    assert all(module.training for module in network.modules())


def test_a_failed_pass_leaves_no_half_record():
    network = TinySRResNet(fail_at=2)
    with FeatureTap(network, ["body.0", "conv_last"]) as tap:
        network(batch())
        with pytest.raises(KeyError):
            network(batch())
        with pytest.raises(NetworkError, match="no features are recorded"):
            tap.pop()
        assert set(tap.run(batch())) == {"body.0", "conv_last"}


def test_no_hook_is_left_when_eval_fails():
    class Stubborn(nn.Sequential):
        def eval(self):
            raise RuntimeError("always in training")

    network = Stubborn(nn.Conv2d(3, 3, 1))
    with pytest.raises(RuntimeError, match="always"), FeatureTap(network, ["0"]):
        pass
    assert_no_hooks(network)


def test_hooks_and_a_shadowed_forward_of_the_users_stay_and_act():
    network, seen = build("srresnet"), []
    network.body[1].register_forward_hook(lambda _m, _i, output: output * 0)
    plain = network.forward
    network.forward = lambda x: (seen.append(1), plain(x))[1]
    mine, before = network.forward, traces(network)
    with FeatureTap(network, ["body.1"]) as tap:
        record = tap.run(batch())
    assert network.forward is mine
    assert traces(network) == before
    assert seen == [1]
    assert not record["body.1"].any()  # what the next layer gets to see


def test_a_network_that_catches_exceptions_does_not_catch_the_stop():
    class Careful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fast, self.slow = nn.Conv2d(3, 3, 1), Counted()

        def forward(self, x):
            try:
                return self.fast(x)
            except Exception:
                return self.slow(x)

    network = Careful()
    with FeatureTap(network, ["fast"]) as tap:
        tap.run(batch())
    assert network.slow.calls == 0


def test_calls_of_one_module_are_addressed_by_index():
    network = build("recurrent")
    layers = ["first", "first:1", "alias:2", "alias:0"]
    with FeatureTap(network, layers) as tap:
        record = tap.run(batch())
    with torch.no_grad():
        once = network.first(batch())
        twice = network.first(once)
        thrice = network.first(twice)
    for layer, expected in zip(layers, [once, twice, thrice, once], strict=True):
        assert torch.equal(record[layer], expected), layer


def test_a_name_that_holds_a_colon_is_a_name_first():
    network = nn.Sequential()
    network.add_module("a:1", nn.Conv2d(3, 2, 1))
    with FeatureTap(network, ["a:1", "a:1:0"]) as tap:
        assert tap.run(batch())["a:1"].shape == (2, 2, 8, 8)


def test_parts_called_on_their_own_are_not_recorded():
    network = build("srresnet")
    with FeatureTap(network, ["body.0"]) as tap:
        record = tap.run(batch())
        assert network.body(torch.zeros(1, 8, 8, 8)).shape == (1, 8, 8, 8)
        with pytest.raises(NetworkError, match="no features are recorded"):
            tap.pop()
    assert record["body.0"].shape == (2, 8, 8, 8)


def test_taps_of_a_network_and_of_its_part_do_not_mix():
    network = build("srresnet")
    with FeatureTap(network, ["body.1"]) as outer, FeatureTap(network.body, ["2"]) as inner:
        # The outer tap's stop passes through the inner one's forward, which must not swallow it.
        assert outer.run(batch())["body.1"].shape == (2, 8, 8, 8)
        with pytest.raises(NetworkError, match="no features are recorded"):
            inner.pop()
    assert_no_hooks(network)


def test_one_tap_can_be_used_twice():
    network = build("srresnet")
    tap = FeatureTap(network, ["body.0"])
    with tap:
        first = tap.run(batch())["body.0"]
    with tap:
        assert torch.equal(tap.run(batch())["body.0"], first)
    assert_no_hooks(network)


def test_pop_hands_over_the_last_pass_once():
    network = build("srresnet")
    with FeatureTap(network, ["body.0"]) as tap:
        network(batch(1))
        network(batch(3))
        assert tap.pop()["body.0"].shape[0] == 3
        with pytest.raises(NetworkError, match="run the network once, inside the with-block"):
            tap.pop()


def test_a_tap_outside_its_block_is_refused():
    tap = FeatureTap(build("srresnet"), ["body.0"])
    with pytest.raises(NetworkError, match="only inside its with-block; open one first"):
        tap.run(batch())


def test_two_taps_on_one_network_are_refused():
    network = build("srresnet")
    with (
        FeatureTap(network, ["body.0"]) as tap,
        pytest.raises(NetworkError, match="already tapped; leave the other"),
        FeatureTap(network, ["body.1"]),
    ):
        pass
    assert_no_hooks(network)
    with pytest.raises(NetworkError, match="no features"):
        tap.pop()


@pytest.mark.parametrize("name", ["body.15", "bdy.1", "", "body.1:x", "body.1:-1", "body:²"])
def test_an_unknown_layer_is_named(name):
    with pytest.raises(UnknownNameError, match="unknown layer") as caught:
        FeatureTap(build("srresnet"), ["body.0", name])
    assert caught.value.name == name


def test_near_matches_of_an_unknown_layer_are_named():
    with pytest.raises(UnknownNameError, match="did you mean 'conv_first'"):
        FeatureTap(build("srresnet"), ["conv_frist"])


def test_a_large_networks_layers_are_not_all_listed():
    network = nn.Sequential(*(nn.Identity() for _ in range(300)))
    with pytest.raises(UnknownNameError, match=r"known: 0, 1, .*, 19 and 280 more$"):
        FeatureTap(network, ["head"])


@pytest.mark.parametrize("layers", [[], "body.0"])
def test_layers_must_be_a_list_of_names(layers):
    with pytest.raises(ParameterError, match="layers must be a list of at least one layer name"):
        FeatureTap(build("srresnet"), layers)


def test_a_layer_asked_for_twice_is_refused():
    with pytest.raises(ParameterError, match="layers must be free of repeated names"):
        FeatureTap(build("srresnet"), ["body.0", "body.0"])


def test_a_layer_that_does_not_run_is_named():
    network = build("branches")
    with (
        pytest.raises(NetworkError, match=r"layer 'branches\.idle' is not run by"),
        FeatureTap(network, ["branches.used", "branches.idle"]) as tap,
    ):
        tap.run(batch())
    assert_no_hooks(network)


def test_a_call_that_does_not_happen_is_named():
    with (
        pytest.raises(NetworkError, match=r"layer 'first:3' does not exist.* runs 3 times"),
        FeatureTap(build("recurrent"), ["first:3"]) as tap,
    ):
        tap.run(batch())


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ((torch.zeros(1), torch.zeros(1)), "a tuple of 2"),
        ([torch.zeros(1)], "a list of 1"),
        ({"x": torch.zeros(1)}, "a dict of 1"),
        (None, "a NoneType"),
    ],
)
def test_an_output_that_is_not_one_tensor_is_refused(value, word):
    class Odd(nn.Module):
        def forward(self, x):
            return value

    network = nn.Sequential(Odd())
    with (
        pytest.raises(NetworkError, match=f"layer '0' puts out {word}, not one tensor; tap"),
        FeatureTap(network, ["0"]) as tap,
    ):
        tap.run(batch())
    assert_no_hooks(network)


def test_a_scripted_network_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions of PyTorch deprecate scripting
        scripted = torch.jit.script(nn.Sequential(nn.Conv2d(3, 3, 1)))
    with pytest.raises(NetworkError, match="a TorchScript network cannot be tapped"):
        FeatureTap(scripted, ["0"])


@pytest.mark.slow  # loads the compiler
def test_a_compiled_network_is_refused():
    plain = nn.Sequential(nn.Conv2d(3, 3, 1))
    with pytest.raises(NetworkError, match="a compiled network cannot be tapped"):
        FeatureTap(torch.compile(plain), ["0"])
    plain[0].compile()
    with pytest.raises(NetworkError, match=r"a compiled network .* give the plain"):
        FeatureTap(plain, ["0"])
