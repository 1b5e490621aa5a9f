"""Guided networks: unguided at the start, moved by what they are told, refused where untold."""

from __future__ import annotations

import pytest
import torch

from srscope.errors import NetworkError, ParameterError
from srscope.networks.architectures.build import architecture_metadata, from_metadata
from srscope.networks.architectures.guided import (
    GuidedBlocks,
    Restorer,
    RestorerConfig,
    Transfer,
    TransferConfig,
)

ORACLE = RestorerConfig(blocks=2, channels=4, guidance="oracle", embedding=2)
PLAIN = RestorerConfig(blocks=2, channels=4)
SMALL = TransferConfig(blocks=1, channels=4, guidance="oracle", embedding=2)
IMAGES = torch.rand(3, 3, 12, 10, generator=torch.Generator().manual_seed(0))
TOLD = torch.tensor([[0.0, 1.0], [0.5, 0.0], [2.0, 2.0]])


def seeded(config: RestorerConfig) -> Restorer:
    torch.manual_seed(5)
    return Restorer(config).eval()


def test_a_new_guided_network_is_the_unguided_one_bit_for_bit() -> None:
    plain, guided = seeded(PLAIN), seeded(ORACLE)
    assert torch.equal(plain(IMAGES), guided(IMAGES, TOLD))
    shared = plain.state_dict().keys() & guided.state_dict().keys()
    convs = [name for name in shared if "conv" in name]
    assert len(convs) == 2 * (2 + 2 * 2)
    assert all(torch.equal(plain.state_dict()[n], guided.state_dict()[n]) for n in convs)


def test_scale_and_shift_act_block_by_block_and_image_by_image() -> None:
    torch.manual_seed(0)
    blocks = GuidedBlocks(ORACLE).eval()
    features = torch.rand(3, 4, 6, 6)
    modulation = torch.zeros(2, 2, 3, 4, 1, 1)
    modulation[1, 0, 2] = -1.0  # the second block of the third image is scaled to 0
    modulation[1, 1, 2] = -1.0  # and shifted below the rectifier
    plain, moved = blocks(features, None), blocks(features, modulation)
    assert torch.equal(plain[:2], moved[:2])
    first = blocks(features, torch.zeros(2, 2, 3, 4, 1, 1))
    assert torch.equal(first, plain)
    bias = blocks.convs[3].bias
    one = features[2:] + blocks.convs[1](torch.relu(blocks.convs[0](features[2:])))
    torch.testing.assert_close(moved[2:], one + bias[None, :, None, None])


def test_what_only_the_embedding_tells_is_learnt() -> None:
    """Planted: how much each image has to be brightened stands in the embedding alone."""
    random = torch.Generator().manual_seed(0)
    error: dict[str, float] = {}
    for config in (PLAIN, ORACLE):
        network = seeded(config)
        network.embedding_mean_E.fill_(0.5)
        network.embedding_std_E.fill_(0.3)
        optimizer, last = torch.optim.Adam(network.parameters(), lr=1e-2), 0.0
        for _ in range(100):
            told = torch.rand(16, 2, generator=random)
            images = torch.rand(16, 3, 6, 6, generator=random)
            wanted = images + told[:, :1, None, None]
            loss = (network(images, told) - wanted).abs().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            last = float(loss.detach())
        error[config.guidance] = last
    assert error["none"] > 0.2  # a quarter is the least that a guess is wrong by
    assert error["oracle"] < error["none"] / 2


def test_a_guided_network_has_to_be_told() -> None:
    with pytest.raises(NetworkError, match="srscope restore"):
        seeded(ORACLE)(IMAGES)


def test_far_values_are_cut_and_levels_are_never_negative() -> None:
    network = seeded(ORACLE)
    network.embedding_mean_E.fill_(1.0)
    network.embedding_std_E.fill_(2.0)
    torch.testing.assert_close(
        network.normalised(torch.tensor([[5.0, -999.0]])), torch.tensor([[2.0, -5.0]])
    )
    network.readout_LE.copy_(torch.eye(2))
    torch.testing.assert_close(
        network.levels(torch.tensor([[5.0, -999.0]])), torch.tensor([[2.0, 0.0]])
    )


def test_radius_is_how_far_an_output_looks() -> None:
    for network in (seeded(ORACLE), Transfer(SMALL).eval()):
        side = 2 * network.receptive_radius + 5
        middle = side // 2
        image = torch.rand(1, 3, side, side, requires_grad=True)
        told = TOLD[:1]
        more = (told, torch.zeros_like(image)) if isinstance(network, Transfer) else ()
        network(image, told, *more)[0, :, middle, middle].sum().backward()
        assert image.grad is not None
        seen = image.grad[0].abs().sum(0).nonzero()
        reach = int((seen - middle).abs().max())
        assert network.receptive_radius - 2 <= reach <= network.receptive_radius


def test_the_transfer_takes_the_noise_it_is_given() -> None:
    torch.manual_seed(0)
    network = Transfer(SMALL).eval()
    noise = torch.randn(3, 3, 12, 10)
    made = network(IMAGES, TOLD, TOLD, noise)
    assert made.shape == IMAGES.shape
    assert torch.equal(made, network(IMAGES, TOLD, TOLD, noise))
    assert not torch.equal(made, network(IMAGES, TOLD, TOLD, -noise))


@pytest.mark.parametrize("network", [Restorer(ORACLE), Transfer(SMALL)])
def test_structure_comes_back_from_a_files_metadata(network: torch.nn.Module) -> None:
    again = from_metadata(architecture_metadata(network))
    assert type(again) is type(network)
    assert again.config == network.config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blocks": 0}, "blocks must be at least 1, but is 0"),
        ({"channels": 0}, "channels must be at least 1, but is 0"),
        ({"embedding": 3}, "embedding must be 0 without guidance, and above 0 with it, but is 3"),
        ({"guidance": "oracle"}, "above 0 with it, but is 0"),
    ],
)
def test_impossible_structures_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        RestorerConfig(**changes)  # pyright: ignore[reportArgumentType]


def test_a_transfer_network_needs_guidance() -> None:
    with pytest.raises(ParameterError, match="guidance must be any but none"):
        TransferConfig(guidance="none", embedding=0)
