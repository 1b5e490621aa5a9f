"""What guides: frozen, the same for a patch alone or in a batch, known again, and readable."""

from __future__ import annotations

import pytest
import torch

from srscope.errors import CheckpointError, NetworkError, ParameterError
from srscope.features.guide import TILE, Guide, fit_embedding, mark_picture
from srscope.features.tap import FeatureTap
from srscope.networks.architectures.guided import Restorer, RestorerConfig
from srscope.networks.zoo import load_network

STATISTICS = RestorerConfig(guidance="statistics", embedding=26)
FEATURES = RestorerConfig(guidance="representations", layer="Conv1", embedding=128)


def images(count: int, side: int = TILE, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, side, side, generator=random)


def noisy(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return smooth pictures with noise of known sigma."""
    sigma = torch.linspace(0, 30, count)
    noise = torch.randn(count, 3, TILE, TILE, generator=torch.Generator().manual_seed(1))
    levels = torch.stack([torch.zeros(count), sigma], dim=1)
    return mark_picture() + noise * sigma[:, None, None, None] / 255, levels


@pytest.mark.parametrize("config", [STATISTICS, FEATURES])
def test_an_embedding_is_the_image_s_own(config: RestorerConfig) -> None:
    guide = Guide(config)
    told = guide(images(3))
    assert told.shape == (3, config.embedding)
    torch.testing.assert_close(told[1:2], guide(images(3)[1:2]))
    assert not torch.allclose(told[0], told[1])


def test_features_are_told_by_mean_and_log_standard_deviation_of_channels() -> None:
    guide, batch = Guide(FEATURES), images(2)
    with FeatureTap(load_network("srgan-wgr").module, ["conv_first"]) as tap:
        features = tap.run(batch)["conv_first"]
    spread = features.flatten(2).std(dim=2, correction=0)
    expected = torch.cat([features.mean(dim=(2, 3)), (spread + 1e-6).log()], dim=1)
    torch.testing.assert_close(guide(batch), expected)


def test_the_guide_is_frozen() -> None:
    guide = Guide(FEATURES)
    before = {name: t.clone() for name, t in guide._network.state_dict().items()}
    batch = images(2).requires_grad_()
    assert not guide(batch).requires_grad
    assert not any(p.requires_grad for p in guide._network.parameters())
    after = guide._network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_photograph_of_one_tile_is_told_as_a_patch_is() -> None:
    guide, network = Guide(STATISTICS), Restorer(STATISTICS)
    told, levels = guide(images(40)), torch.rand(40, 2)
    fit_embedding(network, guide, told, levels)
    torch.testing.assert_close(
        guide.of_photograph(images(1), network), told[:1], rtol=1e-3, atol=1e-3
    )
    whole = guide.of_photograph(images(1).repeat(1, 1, 3, 2), network)
    torch.testing.assert_close(whole, told[:1], rtol=1e-3, atol=1e-3)
    with pytest.raises(ParameterError, match=r"at least 32 x 32 pixels.*larger part"):
        guide.of_photograph(images(1, side=31), network)


def test_levels_are_read_from_embeddings() -> None:
    guide, network = Guide(STATISTICS), Restorer(STATISTICS)
    pictures, levels = noisy(60)
    fit_embedding(network, guide, guide(pictures[::2]), levels[::2])
    found = network.levels(guide(pictures[1::2]))
    assert float((found - levels[1::2])[:, 1].abs().mean()) < 1.0
    assert float(found[:, 0].abs().max()) < 1e-3


def test_another_guide_than_at_training_is_refused() -> None:
    guide, network = Guide(STATISTICS), Restorer(STATISTICS)
    pictures, levels = noisy(40)
    fit_embedding(network, guide, guide(pictures), levels)
    guide.check(network, "net.safetensors")
    network.mark_E += network.embedding_std_E
    with pytest.raises(
        CheckpointError, match="another way to take statistics than there is now; train"
    ):
        guide.check(network, "net.safetensors")


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ParameterError, match="is 27; write embedding: 26"):
        Guide(RestorerConfig(guidance="statistics", embedding=27))
    with pytest.raises(ParameterError, match="layer must be the name of one layer"):
        Guide(RestorerConfig(guidance="representations", layer="ResBlock*", embedding=128))
    with pytest.raises(ParameterError, match="one that images tell"):
        Guide(RestorerConfig(guidance="oracle", embedding=2))
    with pytest.raises(NetworkError, match=r"needs \(N, C, H, W\)"):
        Guide(
            RestorerConfig(guidance="representations", guide="resnet18", layer="fc", embedding=128)
        )
