"""The unified networks: one backbone, its attention, two tails, tap points."""

import pytest
import torch
import torch.nn.functional as F

from srscope.errors import ParameterError
from srscope.networks.architectures.build import architecture_metadata, from_metadata
from srscope.networks.architectures.unified import (
    AttentionBlock,
    UnifiedClassifier,
    UnifiedClassifierConfig,
    UnifiedConfig,
    UnifiedSR,
)
from support.taps import tapped

SMALL = {"blocks": 2, "channels": 4, "reduction": 2}


def sr(**options: object) -> UnifiedSR:
    return UnifiedSR(UnifiedConfig(**{**SMALL, **options}))


def classifier(**options: object) -> UnifiedClassifier:
    return UnifiedClassifier(UnifiedClassifierConfig(**{**SMALL, **options}))


def test_taps_of_the_classifier_are_the_paper_ones() -> None:
    network = UnifiedClassifier(UnifiedClassifierConfig(blocks=2)).eval()
    assert tapped(network, torch.rand(1, 3, 32, 32)) == {
        "Conv1": (64, 32, 32),
        "Down1": (64, 32, 32),
        "Down2": (128, 16, 16),
        "Down3": (256, 8, 8),
        "Down4": (512, 4, 4),
    }
    assert network.taps()[1].name == "backbone.body.1"
    assert network.shown() == tuple(tap.name for tap in network.taps())


def test_taps_of_the_sr_network_are_conv1_and_every_block() -> None:
    network = sr(blocks=5)
    seen = tapped(network, torch.rand(1, 3, 8, 6))
    assert list(seen) == ["Conv1", "Block1", "Block2", "Block3", "Block4", "Block5"]
    assert network.shown() == (
        "backbone.conv_first", "backbone.body.1", "backbone.body.2", "backbone.body.4"
    )  # fmt: skip


def test_the_backbone_of_one_fits_the_other() -> None:
    torch.manual_seed(0)
    one, other = sr(), classifier()
    x_NCHW = torch.rand(1, 3, 8, 8)
    assert not torch.allclose(one.backbone(x_NCHW), other.backbone(x_NCHW))
    shared = {k: v for k, v in one.state_dict().items() if k.startswith("backbone.")}
    missing, unexpected = other.load_state_dict(shared, strict=False)
    assert not unexpected
    assert not any(name.startswith("backbone.") for name in missing)
    torch.testing.assert_close(one.backbone(x_NCHW), other.backbone(x_NCHW), rtol=0, atol=0)


def test_a_block_weighs_its_branch_by_channel() -> None:
    torch.manual_seed(0)
    block, x_NCHW = AttentionBlock(4, 2), torch.rand(2, 4, 5, 6)
    assert block.squeeze.bias is not None
    assert block.excite.bias is not None
    branch_NCHW = block.conv2(F.relu(block.conv1(x_NCHW)))
    hidden = F.relu(
        branch_NCHW.mean((2, 3)) @ block.squeeze.weight[:, :, 0, 0].T + block.squeeze.bias
    )
    weight_NC = torch.sigmoid(hidden @ block.excite.weight[:, :, 0, 0].T + block.excite.bias)
    expected_NCHW = x_NCHW + branch_NCHW * weight_NC[:, :, None, None]
    torch.testing.assert_close(block(x_NCHW), expected_NCHW)


def test_global_residual_adds_the_bilinear_input_and_nothing_else() -> None:
    torch.manual_seed(0)
    with_residual, without = sr(), sr(global_residual=False)
    without.load_state_dict(with_residual.state_dict())
    x_NCHW = torch.rand(1, 3, 9, 6)
    bilinear_NCHW = F.interpolate(x_NCHW, scale_factor=4, mode="bilinear", align_corners=False)
    assert with_residual(x_NCHW).shape == (1, 3, 36, 24)
    torch.testing.assert_close(with_residual(x_NCHW), without(x_NCHW) + bilinear_NCHW)


def test_features_keep_their_scale_through_many_blocks_at_the_start() -> None:
    torch.manual_seed(0)
    network = UnifiedSR(UnifiedConfig(blocks=16, channels=16, reduction=4))
    x_NCHW = torch.rand(4, 3, 12, 12)
    with torch.no_grad():
        first_NCHW = F.leaky_relu(network.backbone.conv_first(x_NCHW - 0.5), 0.1)
        assert 0.9 < float(network.backbone(x_NCHW).std() / first_NCHW.std()) < 1.2


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("blocks", 0, "at least 1"),
        ("channels", 0, "at least 1"),
        ("reduction", 0, "at least 1"),
        ("reduction", 3, "a divisor of channels = 4"),
        ("scale", 2, "4"),
    ],
)
def test_impossible_sr_structures_are_refused(name: str, value: int, rule: str) -> None:
    with pytest.raises(ParameterError, match=f"{name} must be {rule}, but is {value}"):
        sr(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("blocks", 0), ("classes", 1), ("reduction", 8)])
def test_impossible_classifiers_are_refused(name: str, value: int) -> None:
    with pytest.raises(ParameterError, match=f"{name} must be .*but is {value}"):
        classifier(**{name: value})


def test_files_tell_which_tail_the_backbone_has() -> None:
    for network in (sr(), classifier()):
        again = from_metadata(architecture_metadata(network))
        assert type(again) is type(network)
        assert again.config == network.config
