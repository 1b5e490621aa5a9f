from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from srscope.errors import ParameterError
from srscope.features.edit import FeatureEdit
from srscope.features.edit_functions import (
    add_offset,
    channel_statistics,
    mean_ablation,
    remove_channels,
    replace_features,
    set_coordinates,
    set_mean_and_std,
    shrinkage,
)
from srscope.features.tap import FeatureTap
from srscope.scores.code import erase_offsets, fit_code, move_offset, swap_offsets

LAYOUTS = {"NCHW": 1, "NLC": 2, "NHWC": 3, "NC": 1}


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def features_of(layout: str, *, seed: int = 0) -> torch.Tensor:
    sizes = {"N": 6, "C": 5, "H": 4, "W": 3, "L": 7}
    return drawn(*(sizes[letter] for letter in layout), seed=seed)


def means_of(features: torch.Tensor, layout: str) -> np.ndarray:
    """The reference: by hand, from the letters."""
    axes = tuple(axis for axis, letter in enumerate(layout) if letter not in "NC")
    return features.numpy().mean(axis=axes) if axes else features.numpy()


SET_N = np.array([0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_edits_of_the_code_do_to_channel_means_what_their_offsets_say(layout):
    features, axis = features_of(layout), LAYOUTS[layout]
    means_NC = means_of(features, layout)
    code = fit_code(means_NC, SET_N)
    clean_NC = np.random.default_rng(0).standard_normal(means_NC.shape).astype(np.float32)
    move_C = move_offset(code, source=1, target=0, alpha=-0.7)
    cases = [
        (add_offset(move_C, channel_axis=axis), move_C),
        (set_coordinates(code.basis_DC, code.centre_C, channel_axis=axis),
         erase_offsets(code, means_NC)),
        (set_coordinates(code.basis_DC, clean_NC, channel_axis=axis),
         swap_offsets(code, means_NC, clean_NC)),
    ]  # fmt: skip
    for edit, offset in cases:
        edited = edit(features)
        np.testing.assert_allclose(means_of(edited, layout), means_NC + offset, atol=1e-6)
        assert edited.dtype == features.dtype
        if layout != "NC":  # one number a channel and image
            _, before_NC = channel_statistics(features, channel_axis=axis)
            _, after_NC = channel_statistics(edited, channel_axis=axis)
            torch.testing.assert_close(before_NC, after_NC)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_mean_and_standard_deviation_become_those_given(layout):
    features, other = features_of(layout), features_of(layout, seed=1) * 3 + 2
    axis = LAYOUTS[layout]
    wanted = channel_statistics(other, channel_axis=axis)
    edited = set_mean_and_std(*wanted, channel_axis=axis)(features)
    for found, expected in zip(channel_statistics(edited, channel_axis=axis), wanted, strict=True):
        torch.testing.assert_close(found, expected)


def test_a_channel_without_variation_gets_the_mean_alone():
    edited = set_mean_and_std(np.array([[4.0]]), np.array([[2.0]]))(torch.ones(1, 1, 2, 2))
    assert torch.equal(edited, torch.full((1, 1, 2, 2), 4.0))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_ablated_layer_tells_nothing_of_the_image(layout):
    features, axis = features_of(layout), LAYOUTS[layout]
    mean_C = means_of(features, layout).mean(axis=0)
    edited = mean_ablation(mean_C, channel_axis=axis)(features)
    assert edited.shape == features.shape
    expected = torch.from_numpy(mean_C).expand_as(edited.movedim(axis, -1))
    assert torch.equal(edited.movedim(axis, -1), expected)


def test_shrinkage_leaves_the_rest():
    torch.testing.assert_close(shrinkage()(torch.ones(2, 2)), torch.full((2, 2), 0.7))
    with pytest.raises(ParameterError, match="share must be from 0 to 1"):
        shrinkage(1.5)


@pytest.mark.parametrize("shape", [(5, 5), (6, 4)])
def test_values_that_do_not_fit_the_layer_are_refused(shape):
    with pytest.raises(ParameterError, match=r"values of an edit must be \(1 or 6, 5\), as the l"):
        add_offset(np.zeros(shape))(features_of("NCHW"))


def test_gradients_reach_an_offset_and_the_features():
    offset = torch.zeros(1, 5, requires_grad=True)
    features = features_of("NCHW").requires_grad_()
    set_coordinates(np.eye(5)[:2], offset)(add_offset(offset)(features)).sum().backward()
    # Coordinates 0 and 1 are the target's whatever the features are; the others pass.
    torch.testing.assert_close(offset.grad, torch.full((1, 5), 72.0))
    by_channel = features.grad.sum(dim=(0, 2, 3))
    torch.testing.assert_close(by_channel, torch.tensor([0.0, 0, 72, 72, 72]), atol=1e-4, rtol=0)


# The truth of these networks is known, as it was put in.


class Planted(nn.Module):
    """Channel 0 carries the image, channel 1 a constant: 1 for degraded images, 0 for clean ones.

    Its weight in the output is ``gate``.
    """

    def __init__(self, gate: float) -> None:
        super().__init__()
        self.code = nn.Identity()
        self.mixed = nn.Conv2d(2, 1, 3, padding=1, padding_mode="reflect", bias=False)
        with torch.no_grad():
            self.mixed.weight.zero_()
            self.mixed.weight[0, :, 1, 1] = torch.tensor([1.0, gate])

    def forward(self, x_N1HW: torch.Tensor, degraded_N: torch.Tensor) -> torch.Tensor:
        told = degraded_N.view(-1, 1, 1, 1).expand_as(x_N1HW)
        return self.mixed(self.code(torch.cat([x_N1HW, told], dim=1)))


@pytest.mark.parametrize("gate", [0.0, 0.25])
def test_a_code_has_the_effect_that_its_outgoing_weight_gives_it(gate):
    """And exactly none where that is 0, however well the code can be decoded."""
    network, degraded_N = Planted(gate), torch.tensor([0.0] * 4 + [1.0] * 4)
    images = drawn(4, 1, 8, 8).repeat(2, 1, 1, 1)
    with FeatureTap(network, ["code"]) as tap:
        means_NC = channel_statistics(tap.run(images, degraded_N)["code"])[0].numpy()
    code = fit_code(means_NC, degraded_N.numpy().astype(int))
    np.testing.assert_allclose(np.abs(code.basis_DC), [[0.0, 1.0]], atol=1e-6)
    with torch.no_grad():
        plain = network(images[4:], degraded_N[4:])
    for alpha in (1.0, -1.0):
        offset_C = move_offset(code, source=1, target=0, alpha=alpha)
        with FeatureEdit(network, {"code": add_offset(offset_C)}):
            edited = network(images[4:], degraded_N[4:])
        if gate == 0:
            assert torch.equal(edited, plain)
        else:
            torch.testing.assert_close(edited - plain, torch.full_like(plain, -alpha * gate))


def conditioned() -> nn.Sequential:
    """A small denoiser that is told the strength of the noise in a map beside the image."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers: list[nn.Module] = [nn.Conv2d(4, 16, 3, padding=1, padding_mode="reflect")]
        for _ in range(2):
            layers += [nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1, padding_mode="reflect")]
        return nn.Sequential(*layers, nn.ReLU(), nn.Conv2d(16, 3, 3, padding=1)).eval()


def told(images: torch.Tensor, sigma: float) -> torch.Tensor:
    return torch.cat([images, torch.full_like(images[:, :1], sigma)], dim=1)


def moved_and_told(layer: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the output where features are moved, where the input is changed, and of neither."""
    network, fit, images = conditioned(), drawn(12, 3, 8, 8), drawn(5, 3, 8, 8, seed=1)
    with FeatureTap(network, [layer]) as tap:
        sets = [channel_statistics(tap.run(told(fit, sigma))[layer])[0] for sigma in (0.1, 0.9)]
    code = fit_code(torch.cat(sets).numpy(), np.repeat([0, 1], 12))
    with FeatureEdit(network, {layer: add_offset(move_offset(code, source=0, target=1))}):
        moved = network(told(images, 0.1))
    with torch.no_grad():
        return moved, network(told(images, 0.9)), network(told(images, 0.1))


def test_moving_by_the_noise_axis_equals_changing_the_input_at_the_first_layer():
    moved, changed, plain = moved_and_told("0")
    assert (changed - plain).abs().max() > 0.01
    torch.testing.assert_close(moved, changed, atol=1e-5, rtol=0)


def test_after_a_nonlinearity_the_two_differ():
    """So nothing is promised there: this holds the test above to its layer."""
    moved, changed, _ = moved_and_told("2")
    assert (moved - changed).abs().max() > 1e-4


def test_the_clean_versions_features_give_the_clean_output():
    network, clean, noisy = conditioned(), drawn(2, 4, 8, 8), drawn(2, 4, 8, 8, seed=1)
    with FeatureTap(network, ["4"]) as tap:
        features = tap.run(clean)["4"]
    with FeatureEdit(network, {"4": replace_features(features)}):
        edited = network(noisy)
    with torch.no_grad():
        assert torch.equal(edited, network(clean))


@pytest.mark.parametrize("channel_axis", [1, 3])
def test_without_channels_an_image_keeps_its_energy(channel_axis):
    features = drawn(2, 5, 4, 3).movedim(1, channel_axis)
    edited = remove_channels([0, 3], channel_axis=channel_axis)(features)
    assert edited.shape == features.shape
    left, before = edited.movedim(channel_axis, 1), features.movedim(channel_axis, 1)
    assert not left[:, [0, 3]].any()
    ratio = left[:, [1, 2, 4]] / before[:, [1, 2, 4]]
    torch.testing.assert_close(ratio, ratio[:, :1, :1, :1].expand_as(ratio))
    assert float(ratio[0, 0, 0, 0]) != pytest.approx(float(ratio[1, 0, 0, 0]))  # image by image
    energy = [each.square().sum(dim=(1, 2, 3)) for each in (edited, features)]
    torch.testing.assert_close(*energy)
    assert not remove_channels(range(5), channel_axis=channel_axis)(features).any()
