"""CinCGAN: shapes, the residuals, tap points in depth order, how far a pixel looks."""

import pytest
import torch

from srscope.errors import ParameterError
from srscope.networks.architectures.cincgan import CinCGAN, CinCGANConfig, Generator


def small(**options: object) -> CinCGAN:
    sizes = {"g_channels": 5, "g_blocks": 2, "sr_channels": 6, "sr_blocks": 3}
    return CinCGAN(CinCGANConfig(**{**sizes, **options}))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_magnifies_any_size(scale: int) -> None:
    assert small(scale=scale)(torch.rand(2, 3, 7, 10)).shape == (2, 3, 7 * scale, 10 * scale)


def test_is_super_resolution_of_the_cleaned_image() -> None:
    network = small()
    x_NCHW = torch.rand(1, 3, 9, 8)
    torch.testing.assert_close(network(x_NCHW), network.sr(network.g1(x_NCHW)))


@pytest.mark.parametrize("reduce", [1, 2, 3, 4])
def test_generators_reduce_by_their_factor(reduce: int) -> None:
    generator = Generator(channels=4, blocks=1, residual=True, reduce=reduce)
    assert generator(torch.rand(1, 3, 24, 36)).shape == (1, 3, 24 // reduce, 36 // reduce)


@pytest.mark.parametrize("reduce", [1, 4])
def test_the_residual_is_the_reduced_input_and_nothing_else(reduce: int) -> None:
    torch.manual_seed(0)
    plain = Generator(channels=4, blocks=1, residual=False, reduce=reduce)
    with_residual = Generator(channels=4, blocks=1, residual=True, reduce=reduce)
    with_residual.load_state_dict(plain.state_dict())
    x_NCHW = torch.rand(1, 3, 16, 8)
    means_NCHW = x_NCHW.reshape(1, 3, 16 // reduce, reduce, 8 // reduce, reduce).mean((3, 5))
    torch.testing.assert_close(with_residual(x_NCHW), plain(x_NCHW) + means_NCHW)


def test_an_image_does_not_depend_on_its_neighbours_in_the_batch() -> None:
    network = small().train()
    x_NCHW = torch.rand(3, 3, 8, 8)
    torch.testing.assert_close(network(x_NCHW)[1:2], network(x_NCHW[1:2]))


def test_taps_come_in_depth_order_with_the_channels_they_claim() -> None:
    network = small()
    seen: dict[str, torch.Tensor] = {}
    modules = dict(network.named_modules())
    for tap in network.taps():
        modules[tap.name].register_forward_hook(
            lambda _m, _i, output, name=tap.name: seen.update({name: output})
        )
    network(torch.rand(1, 3, 8, 8))
    assert list(seen) == [tap.name for tap in network.taps()]
    for tap in network.taps():
        assert seen[tap.name].shape == (1, tap.channels, 8, 8)
    labels = [tap.label for tap in network.taps()]
    assert labels[:3] == ["G1.Conv1", "G1.Block1", "G1.Block2"]
    assert labels[3:] == ["SR.Conv1", "SR.Block1", "SR.Block2", "SR.Block3"]
    assert network.shown() == ("g1.head1", "g1.body.1", "sr.conv_first", "sr.body.2")


def test_no_pixel_looks_beyond_the_receptive_radius() -> None:
    network = small(g_blocks=1, sr_blocks=1, scale=2)
    radius = network.receptive_radius
    x_NCHW = torch.rand(1, 3, 1, 2 * radius + 8, requires_grad=True)
    network(x_NCHW)[..., 0].sum().backward()
    gradient = x_NCHW.grad
    assert gradient is not None
    reached = gradient.abs().sum((0, 1, 2)).nonzero().max()
    assert 0 < reached <= radius


@pytest.mark.parametrize(
    ("name", "value"),
    [("g_channels", 0), ("g_blocks", 0), ("sr_channels", 0), ("sr_blocks", 0), ("scale", 5)],
)
def test_impossible_structures_are_refused(name: str, value: int) -> None:
    with pytest.raises(ParameterError, match=f"{name} must be .*but is {value}"):
        CinCGANConfig(**{name: value})
