"""Fresh weights for any network, by the documented rules."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from srscope.errors import NetworkError
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.networks.untrained import at_random, reinitialised, untrained_maker


class Mixed(nn.Module):
    """Modules that reset themselves, bare parameters, one frozen, one constant, buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.attention = nn.MultiheadAttention(4, 2)
        self.bare = nn.Parameter(torch.randn(4, 5))
        self.ones = nn.Parameter(torch.ones(6))
        self.fixed = nn.Parameter(torch.eye(3), requires_grad=False)
        self.register_buffer("table", torch.arange(4.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


def trained() -> Mixed:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        network = Mixed().eval()
        with torch.no_grad():
            network.conv.bias.fill_(9.0)
            network.norm.weight.uniform_(1, 2)
            network.norm.running_mean.fill_(3.0)
    return network


def test_modules_reset_themselves_and_bare_parameters_are_shuffled() -> None:
    network = trained()
    control = reinitialised(network, 0)
    assert not torch.equal(control.conv.weight, network.conv.weight)
    assert control.conv.bias.abs().max() < 1
    assert torch.equal(control.norm.weight, torch.ones(4))
    assert not control.norm.running_mean.any()
    assert not torch.equal(control.attention.in_proj_weight, network.attention.in_proj_weight)
    assert not torch.equal(control.bare, network.bare)
    assert torch.equal(control.bare.flatten().sort()[0], network.bare.flatten().sort()[0])
    assert torch.equal(control.ones, network.ones)
    assert torch.equal(control.fixed, network.fixed)
    assert torch.equal(control.table, network.table)


def test_where_nothing_is_trainable_frozen_parameters_are_fresh_too() -> None:
    network = trained().requires_grad_(False)
    control = reinitialised(network, 0)
    assert not torch.equal(control.fixed, network.fixed)
    assert not torch.equal(control.conv.weight, network.conv.weight)
    assert not any(p.requires_grad for p in control.parameters())


def test_weights_behind_a_parametrization_are_fresh_too() -> None:
    network = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3)))
    before = network[0].weight.detach().clone()
    assert not torch.equal(reinitialised(network, 0)[0].weight, before)
    assert torch.equal(network[0].weight, before)


def test_a_reset_that_wants_arguments_is_not_called() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.arange(20.0))

        def reset_parameters(self, scale: float) -> None:
            raise AssertionError

    control = reinitialised(Odd(), 0)
    assert sorted(control.weight.tolist()) == list(range(20))
    assert control.weight.tolist() != list(range(20))


def test_a_constructor_is_preferred_unless_it_loads_weights_or_fails() -> None:
    network = trained()

    def zeros() -> dict[str, Tensor]:
        return {name: torch.zeros_like(value) for name, value in network.state_dict().items()}

    def failing() -> dict[str, Tensor]:
        raise TypeError("wants arguments")

    assert not any(bool(p.any()) for p in reinitialised(network, 0, fresh=zeros).parameters())
    for useless in (network.state_dict, failing, dict):
        control = reinitialised(network, 0, fresh=useless)
        assert not torch.equal(control.conv.weight, network.conv.weight)
        assert control.conv.bias.abs().max() < 1


def test_the_seed_decides_and_torchs_state_and_the_network_stay() -> None:
    network = trained()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.random.get_rng_state()
    controls = [reinitialised(network, seed) for seed in (3, 3, 4)]
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(controls[0].conv.weight, controls[1].conv.weight)
    assert torch.equal(controls[0].bare, controls[1].bare)
    assert not torch.equal(controls[0].conv.weight, controls[2].conv.weight)
    assert not torch.equal(controls[0].bare, controls[2].bare)
    assert not any(control.training for control in controls)


def test_what_cannot_be_copied_or_has_no_weights_is_said() -> None:
    with pytest.raises(NetworkError, match="has no parameters to start afresh"):
        reinitialised(nn.Sequential(nn.ReLU()), 0)
    stuck = nn.Conv2d(3, 3, 1)
    stuck.generator = (i for i in range(3))
    with pytest.raises(NetworkError, match=r"cannot be copied: .*generator"):
        reinitialised(stuck, 0)


def test_an_initialisation_that_starts_silent_gives_way_to_the_modules_own() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).eval()

    def silent() -> dict[str, Tensor]:
        state = {
            name: torch.rand_like(value.float()) for name, value in network.state_dict().items()
        }
        return state | {"1.weight": torch.zeros(4), "1.bias": torch.zeros(4)}

    make = untrained_maker(network, layers=["1"], size_HW=(8, 8), fresh=silent)
    assert torch.equal(make(0)[1].weight, torch.ones(4))
    anyway = untrained_maker(network, layers=["0"], size_HW=(8, 8), fresh=silent)
    assert not anyway(0)[1].weight.any()


def test_a_layer_that_stays_silent_is_named() -> None:
    class Silent(nn.Conv2d):
        def reset_parameters(self) -> None:
            nn.init.zeros_(self.weight)

    network = nn.Sequential(nn.Conv2d(3, 4, 1), Silent(4, 4, 1, bias=False))
    make = untrained_maker(network, layers=["0", "1"], size_HW=(8, 8))
    with pytest.raises(NetworkError, match="fresh weights its layer '1' puts out the same for eve"):
        make(0)


# --- at random


def test_filters_at_random_are_hes_and_the_first_see_no_brightness() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 256, 3), nn.ReLU(), nn.Conv2d(256, 64, 3), nn.BatchNorm2d(64),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 400),
    )  # fmt: skip
    control = at_random(network, 0, side=8)
    first, second, linear = (control[i] for i in (0, 2, 6))
    assert first.weight.mean(dim=(1, 2, 3)).abs().max() < 1e-6
    for module, inputs in ((first, 27), (second, 256 * 9), (linear, 64)):
        assert module.weight.std().item() == pytest.approx((2 / inputs) ** 0.5, rel=0.05)
        assert not module.bias.any()
    assert second.weight.mean(dim=(1, 2, 3)).abs().max() > 1e-4
    assert torch.equal(control[3].weight, network[3].weight)
    grey = torch.full((1, 3, 8, 8), 0.7)
    assert first(grey).abs().max() < 1e-5


def test_the_seed_decides_what_is_random_and_the_network_stays() -> None:
    network = trained()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.random.get_rng_state()
    one, same, other = (at_random(network, seed, side=8).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
        assert torch.equal(one[name], same[name])
    assert not torch.equal(one["conv.weight"], other["conv.weight"])
    assert torch.equal(one["norm.running_mean"], before["norm.running_mean"])


def test_branches_act_in_full_at_random() -> None:
    """A constructor scales them down; at random they are as strong as their input."""
    network = SRResNet(SRResNetConfig(blocks=1, channels=64)).eval()
    control = at_random(network, 0, side=8)

    def strength(module: nn.Module) -> float:
        x_NCHW = torch.randn(1, 64, 16, 16, generator=torch.Generator().manual_seed(0))
        block = module.get_submodule("body.0")
        with torch.no_grad():
            return float((block(x_NCHW) - x_NCHW).std() / x_NCHW.std())

    assert strength(network) < 0.2
    assert strength(control) > 0.5


def test_what_has_no_filters_or_cannot_be_copied_is_not_drawn() -> None:
    with pytest.raises(NetworkError, match="no filters to draw"):
        at_random(nn.Sequential(nn.ReLU(), nn.BatchNorm2d(3)), 0, side=8)

    class Uncopied(nn.Conv2d):
        def __deepcopy__(self, memo: object) -> nn.Module:
            raise RuntimeError("held elsewhere")

    with pytest.raises(NetworkError, match=r"cannot be copied: .*held elsewhere"):
        at_random(Uncopied(3, 3, 3), 0, side=8)


class Backwards(nn.Module):
    """Its last module is called first, and its weights are normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.utils.parametrizations.weight_norm(nn.Conv2d(64, 3, 3, padding=1))
        self.middle = nn.utils.parametrizations.spectral_norm(nn.Conv2d(64, 64, 3, padding=1))
        self.first = nn.utils.spectral_norm(nn.Conv2d(3, 64, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.middle(self.first(x)))


def test_the_first_filters_are_those_called_first_and_norms_do_not_undo_the_draw() -> None:
    network = Backwards().eval()
    with torch.no_grad():
        network(torch.rand(1, 3, 8, 8))  # as it was tried before; else it cannot be copied
    control = at_random(network, 0, side=8)
    assert control.first.weight.mean(dim=(1, 2, 3)).abs().max() < 1e-6
    grey = torch.full((1, 3, 8, 8), 0.7)
    assert control.first(grey)[..., 2:-2, 2:-2].abs().max() < 1e-5
    for module, inputs in ((control.middle, 64 * 9), (control.last, 64 * 9)):
        assert module.weight.mean(dim=(1, 2, 3)).abs().max() > 1e-4
        assert module.weight.std().item() == pytest.approx((2 / inputs) ** 0.5, rel=0.1)
    assert len(network.first._forward_pre_hooks) == 1  # the user's keeps its norms
