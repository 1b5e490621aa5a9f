"""Checkpoints that spandrel detects, timm's networks, and files that must be refused."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from srscope.errors import CheckpointError, NetworkError, ParameterError, UnknownNameError
from srscope.networks.adapter import inner_network
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.networks.description import LoadedNetwork
from srscope.networks.upscale import upscale
from srscope.networks.zoo import load_network
from support.foreign import SPANDREL, saved


@pytest.fixture(scope="module")
def compact(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    path = saved(tmp_path_factory.mktemp("compact"), "RealESRGAN Compact")
    return torch.load(path, weights_only=True)["params"]


@pytest.mark.parametrize("wrap", ["params", "params_ema", "state_dict", "generator", None])
@pytest.mark.parametrize("prefix", ["", "module.", "netG.", "_orig_mod.", "model.net."])
def test_wrappers_and_prefixes_are_taken_off(
    tmp_path: Path, compact: dict[str, torch.Tensor], wrap: str | None, prefix: str
) -> None:
    state = {prefix + name: tensor for name, tensor in compact.items()}
    torch.save(state if wrap is None else {wrap: state, "iter": 5}, tmp_path / "net.pth")
    network = load_network(str(tmp_path / "net.pth"))
    assert network.source.startswith("checkpoint net.pth")
    assert network.source.endswith(", detected by spandrel as RealESRGAN Compact")
    assert network.info.parameters == sum(tensor.numel() for tensor in compact.values())


def test_safetensors_and_half_precision(tmp_path: Path, compact: dict[str, torch.Tensor]) -> None:
    save_file(compact, tmp_path / "net.safetensors")
    torch.save({n: t.half() for n, t in compact.items()}, tmp_path / "half.ckpt")
    whole = load_network(str(tmp_path / "net.safetensors"))
    half = load_network(str(tmp_path / "half.ckpt"))
    assert {p.dtype for p in half.module.parameters()} == {torch.float32}
    x_NCHW = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(half.module(x_NCHW), whole.module(x_NCHW), atol=2e-3, rtol=0)


def test_what_the_descriptor_says_is_taken_and_the_user_may_say_otherwise(tmp_path: Path) -> None:
    path = saved(tmp_path, "SwinIR")
    network = load_network(str(path))
    assert (network.scale, network.smallest, network.multiple) == (2, 16, 1)
    assert network.notes == (
        "magnifies by 2; is fed RGB, in [0, 1], of any size from 16 pixels on",
        "found out by: spandrel (channels, smallest, multiple, scale)",
    )
    other = load_network(f"{path}?scale=3&multiple=8&smallest=40&range=255")
    assert (other.scale, other.smallest, other.multiple) == (3, 40, 8)
    assert other.fitted(32) == 40
    assert other.notes == (
        "magnifies by 3; is fed RGB, in [0, 255], sides in multiples of 8 from 40 pixels on",
        "found out by: spandrel (channels), you (smallest, multiple, scale)",
    )


def test_denoisers_that_take_the_noise_level_get_it_for_every_image(tmp_path: Path) -> None:
    network = load_network(str(saved(tmp_path, "DRUNet")))
    x_NCHW = torch.rand(3, 3, 16, 16)
    with torch.no_grad():
        together = network.module(x_NCHW)
        level = torch.full((1, 1, 16, 16), 15 / 255)
        alone = inner_network(network.module)(torch.cat([x_NCHW[:1], level], dim=1))
    torch.testing.assert_close(together[:1], alone)


def test_grey_restoration_runs_on_colour_and_returns_grey(tmp_path: Path) -> None:
    network = load_network(str(saved(tmp_path, "DnCNN")))
    assert network.scale == 1
    image_HWC = torch.rand(20, 24, 3).numpy()
    result_HWC = upscale(network, image_HWC)
    assert result_HWC.shape == (20, 24, 3)
    assert (result_HWC[..., 0] == result_HWC[..., 2]).all()


@pytest.mark.parametrize("name", ["SPAN", "HAT"])
def test_upscaling_leaves_networks_that_can_still_be_trained(tmp_path: Path, name: str) -> None:
    network = load_network(str(saved(tmp_path, name)))
    assert upscale(network, torch.rand(18, 16, 3).numpy()).shape[0] == 18 * network.scale
    inner = inner_network(network.module).train()
    inner(torch.rand(1, 3, 16, 16)).mean().backward()


def test_architectures_of_srscope_keep_the_papers_labels(tmp_path: Path) -> None:
    state = SRResNet(SRResNetConfig(blocks=16, channels=4)).state_dict()
    torch.save({"params_ema": {f"module.{n}": t for n, t in state.items()}}, tmp_path / "m.pth")
    network = load_network(str(tmp_path / "m.pth"))
    labels = {tap.name: tap.label for tap in network.taps}
    assert [labels[name] for name in network.default_layers] == [
        "Conv1", "ResBlock4", "ResBlock8", "ResBlock16",
    ]  # fmt: skip
    with pytest.raises(UnknownNameError, match="option of this network 'scale'"):
        load_network(f"{tmp_path / 'm.pth'}?scale=2")


# --- what cannot be taken


def test_unknown_architectures_are_named_with_the_way_out(tmp_path: Path) -> None:
    torch.save({"a.weight": torch.ones(2, 2), "b.c": torch.ones(1)}, tmp_path / "net.pth")
    with pytest.raises(
        CheckpointError,
        match=r"no architecture that srscope or spandrel knows \(it begins a\.weight, b\.c\); name "
        r"the code that builds the network: package\.module:factory\?checkpoint=FILE",
    ):
        load_network(str(tmp_path / "net.pth"))


def test_weights_that_do_not_fit_are_named(
    tmp_path: Path, compact: dict[str, torch.Tensor]
) -> None:
    state = {**compact, "body.2.weight": torch.ones(3, 3, 3, 3)}
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match="resembles a network that spandrel knows, but does"):
        load_network(str(tmp_path / "net.pth"))


@pytest.mark.parametrize(
    "option", ["width=3", "pretrained=false", "global_residual=true", "checkpoint=other.pth"]
)
def test_options_that_a_checkpoint_does_not_have_are_named(tmp_path: Path, option: str) -> None:
    path = saved(tmp_path, "RealESRGAN Compact")
    with pytest.raises(UnknownNameError, match=f"unknown option of this network '{option[:5]}"):
        load_network(f"{path}?{option}")


def test_networks_of_four_channels_are_refused(tmp_path: Path) -> None:
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    network = SRVGGNetCompact(num_in_ch=4, num_out_ch=4, num_feat=8, num_conv=2, upscale=2)
    torch.save(network.state_dict(), tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match="takes 4 channels; srscope feeds RGB or grey"):
        load_network(str(tmp_path / "net.pth"))


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (os.mkdir, (str(self.target),))


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt", ".bin", ""])
@pytest.mark.parametrize("place", ["zip", "plain", "beside", "key"])
def test_a_pickle_that_carries_code_is_refused_and_runs_nothing(
    tmp_path: Path, compact: dict[str, torch.Tensor], suffix: str, place: str
) -> None:
    target, path = tmp_path / "executed", tmp_path / f"evil{suffix}"
    trap = Trap(target)
    content: Any = {"beside": {"params": compact, "opt": trap}, "key": {"params": {"w": trap}}}
    if place == "plain":
        path.write_bytes(pickle.dumps(trap))
    else:
        torch.save(content.get(place, trap), path)
    with pytest.raises(CheckpointError, match=r"evil.*could run code: refused; save the state d"):
        load_network(str(path))
    assert not target.exists()
    if place == "plain":
        pickle.loads(path.read_bytes())
    else:
        torch.load(path, weights_only=False)
    assert target.is_dir()  # a real trap


def test_the_refusal_names_what_the_file_wanted_to_call(tmp_path: Path) -> None:
    torch.save(Trap(tmp_path / "executed"), tmp_path / "evil.pth")
    with pytest.raises(CheckpointError, match=r"Python objects besides tensors \(posix\.mkdir\)"):
        load_network(str(tmp_path / "evil.pth"))


# --- timm


def same_weights(network: LoadedNetwork, other: torch.nn.Module) -> bool:
    found, expected = inner_network(network.module).state_dict(), other.state_dict()
    return all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_timm_network_is_random_only_if_asked_for() -> None:
    network = load_network("timm:test_resnet?pretrained=false")
    assert network.source == "timm test_resnet, random weights"
    assert network.sha256 == load_network("timm:test_resnet?pretrained=false").sha256
    assert "normalised with mean" in network.notes[0]


def test_absent_weights_are_said_to_be_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(
        NetworkError,
        match=r"pretrained weights of timm's 'test_resnet' \(timm/test_resnet\.\w+\) are not on "
        r"this machine, and srscope downloads none; .*\?checkpoint=FILE, or \?pretrained=false",
    ):
        load_network("timm:test_resnet")


def test_weights_that_timm_has_downloaded_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import timm

    torch.manual_seed(8)
    trained = timm.create_model("test_resnet")
    repository = str(trained.pretrained_cfg["hf_hub_id"])
    cache = tmp_path / f"models--{repository.replace('/', '--')}"
    (cache / "snapshots" / "abc").mkdir(parents=True)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("abc")
    save_file(trained.state_dict(), cache / "snapshots" / "abc" / "model.safetensors")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    network = load_network("timm:test_resnet")
    assert network.source == "timm test_resnet, its pretrained weights"
    assert same_weights(network, trained)


def test_a_checkpoint_of_the_users_goes_into_a_timm_network(tmp_path: Path) -> None:
    import timm

    torch.manual_seed(8)
    trained = timm.create_model("test_resnet", num_classes=3)
    torch.save({"state_dict": trained.state_dict()}, tmp_path / "mine.pth")
    spec = f"timm:test_resnet?num_classes=3&checkpoint={tmp_path / 'mine.pth'}"
    network = load_network(spec)
    assert network.source == "timm test_resnet, weights of mine.pth (state_dict)"
    assert same_weights(network, trained)
    with pytest.raises(CheckpointError, match="does not fit ResNet"):
        load_network(spec.replace("num_classes=3", "num_classes=4"))


def test_a_size_that_timm_fixes_is_the_smallest_and_img_size_changes_it() -> None:
    spec = "timm:vit_tiny_patch16_224?pretrained=false&depth=1&embed_dim=16&num_heads=2"
    vit = load_network(spec)
    assert (vit.smallest, vit.multiple) == (224, 224)
    small = load_network(f"{spec}&img_size=48")
    assert (small.smallest, small.multiple) == (48, 48)
    grey = load_network("timm:test_resnet?pretrained=false&in_chans=1")
    assert "the luma of RGB, normalised with mean 0." in grey.notes[0]


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        ("timm:resnet81", UnknownNameError, "unknown timm network 'resnet81'; did you mean 'resn"),
        ("timm:test_resnet?pretrained=false&depth=3", NetworkError, "timm cannot build 'test_resn"),
        ("timm:test_resnet?pretrained=false&scale=x", ParameterError, "scale must be a whole numb"),
    ],
)
def test_mistakes_with_timm_are_named(spec: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        load_network(spec)


def test_every_architecture_of_the_tests_is_another() -> None:
    assert len(SPANDREL) >= 10
