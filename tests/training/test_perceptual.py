"""Perceptual losses: the right layer of VGG19, where gradients go, and missing weights."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torchvision.models import vgg19

from srscope.errors import CheckpointError, DownloadError
from srscope.runtime.fetch import RemoteFile
from srscope.training.perceptual import VGG19, Vgg19Loss, feature_matching, vgg19_weights


@pytest.fixture(scope="module")
def loss(tmp_path_factory: pytest.TempPathFactory) -> Vgg19Loss:
    """VGG19 with random weights, in a file as torchvision publishes them."""
    path = tmp_path_factory.mktemp("vgg") / "vgg19.pth"
    torch.manual_seed(0)
    with torch.device("meta"):
        shapes = vgg19(weights=None).state_dict()
    torch.save({name: 0.05 * torch.randn(t.shape) for name, t in shapes.items()}, path)
    return Vgg19Loss(path)


def test_it_ends_with_conv5_4_before_its_relu(loss: Vgg19Loss) -> None:
    convs = [layer for layer in loss.layers if isinstance(layer, torch.nn.Conv2d)]
    assert len(convs) == 16  # 2 + 2 + 4 + 4 + 4
    assert loss.layers[-1] is convs[-1]
    assert convs[-1].out_channels == 512


def test_it_is_the_l1_distance_of_normalised_images(loss: Vgg19Loss) -> None:
    torch.manual_seed(1)
    fake_NCHW, real_NCHW = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)

    def features(x_NCHW: torch.Tensor) -> torch.Tensor:
        mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
        std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
        return loss.layers((x_NCHW - mean) / std)

    expected = F.l1_loss(features(fake_NCHW), features(real_NCHW))
    torch.testing.assert_close(loss(fake_NCHW, real_NCHW), expected)
    assert float(loss(real_NCHW, real_NCHW)) == 0.0


def test_gradients_reach_the_fake_image_and_no_weight(loss: Vgg19Loss) -> None:
    fake_NCHW, real_NCHW = (torch.rand(1, 3, 32, 32, requires_grad=True) for _ in range(2))
    loss(fake_NCHW, real_NCHW).backward()
    assert fake_NCHW.grad is not None
    assert float(fake_NCHW.grad.abs().sum()) > 0
    assert real_NCHW.grad is None
    assert all(parameter.grad is None for parameter in loss.parameters())


def test_other_files_are_refused(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "vgg19.pth")
    with pytest.raises(CheckpointError, match="does not hold torchvision's VGG19 weights"):
        Vgg19Loss(tmp_path / "vgg19.pth")


def test_without_weights_the_message_names_the_way_to_train_without_them(tmp_path: Path) -> None:
    (tmp_path / VGG19.name).write_bytes(b"something else")
    with pytest.raises(DownloadError, match=r"is not the published file.*discriminator"):
        vgg19_weights(tmp_path, progress=False)


def test_weights_that_are_there_are_taken(tmp_path: Path) -> None:
    (tmp_path / "small.pth").write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    remote = RemoteFile(
        url="http://127.0.0.1:9/small.pth",
        name="small.pth",
        size=3,
        algorithm="sha256",
        checksum=digest,
    )
    assert vgg19_weights(tmp_path, progress=False, remote=remote) == tmp_path / "small.pth"


def test_feature_matching_is_the_mean_over_layers_and_spares_the_original() -> None:
    fake = [torch.zeros(2, 3, requires_grad=True), torch.zeros(4, requires_grad=True)]
    real = [torch.ones(2, 3, requires_grad=True), 3 * torch.ones(4)]
    loss = feature_matching(fake, real)
    assert float(loss) == pytest.approx((1 + 3) / 2)
    loss.backward()
    assert fake[0].grad is not None
    assert real[0].grad is None
