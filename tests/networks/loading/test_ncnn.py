"""ncnn networks as any command takes them: what they are fed, tapped at, controlled by."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from srscope.errors import NetworkError, ParameterError, UnknownNameError
from srscope.features.tap import FeatureTap
from srscope.networks.description import LoadedNetwork
from srscope.networks.loading.ncnn import NO_BLUR
from srscope.networks.structure.identity import identity_of
from srscope.networks.zoo import load_network
from support.ncnn_files import NcnnWriter, weights


def delta(outputs: int, inputs: int, side: int) -> Tensor:
    """A convolution that hands the first channels on, and a little of everything else."""
    weight = 0.01 * weights(outputs, inputs, side, side, seed=outputs)
    for channel in range(min(outputs, inputs)):
        weight[channel, channel, side // 2, side // 2] = 1.0
    return weight.detach()


def valid(name: str = "in", layers: int = 3) -> NcnnWriter:
    """A x2 network that loses ``layers`` pixels on each side, as waifu2x's do."""
    writer, last = NcnnWriter.named(name), name
    for number in range(layers):
        inputs = 3 if number == 0 else 8
        writer.conv(f"conv{number}", last, delta(8, inputs, 3), torch.zeros(8), k9=2, k10=[0.1])
        last = f"conv{number}"
    up = torch.zeros(12, 8, 1, 1)
    for channel in range(12):  # each pixel becomes four alike
        up[channel, channel // 4] = 1.0
    return writer.conv("up", last, up).add("PixelShuffle", "end", "up", k0=2)


def by_hand(x: Tensor, mode: str) -> Tensor:
    x = F.pad(x, (3, 3, 3, 3), mode=mode)
    for number in range(3):
        x = F.leaky_relu(F.conv2d(x, delta(8, 3 if number == 0 else 8, 3)), 0.1)
    return F.interpolate(x[:, :3], scale_factor=2)


def image() -> Tensor:
    return torch.rand(2, 3, 12, 16, generator=torch.Generator().manual_seed(3))


def run(loaded: LoadedNetwork) -> Tensor:
    with torch.no_grad():
        return loaded.module(image())


@pytest.mark.parametrize(("name", "mode"), [("in", "replicate"), ("in0", "reflect")])
def test_a_lost_border_is_added_before(name: str, mode: str, tmp_path: Path) -> None:
    param = valid(name).write(tmp_path)
    for path in (param, param.with_suffix(".bin")):
        loaded = load_network(str(path))
        assert (loaded.scale, loaded.multiple, loaded.smallest) == (2, 1, 8)
        torch.testing.assert_close(run(loaded), by_hand(image(), mode))
    words = {"replicate": "alike to the outermost", "reflect": "mirrored"}[mode]
    assert f"loses a border of 3 pixels, so as many are added first, {words}" in loaded.notes[2]
    assert loaded.source == "ncnn files net.param and net.bin"
    other = {"replicate": "reflect", "reflect": "replicate"}[mode]
    torch.testing.assert_close(
        run(load_network(f"{param}?border={other}")), by_hand(image(), other)
    )


def test_taps_are_those_of_the_graph_with_strides_of_the_padded_image(tmp_path: Path) -> None:
    loaded = load_network(str(valid().write(tmp_path)))
    assert [tap.name for tap in loaded.taps] == ["conv0", "conv1", "conv2"]
    assert [tap.label for tap in loaded.taps] == ["Convolution1", "Convolution2", "Convolution3"]
    assert [tap.stride for tap in loaded.taps] == [1, 1, 1]
    with FeatureTap(loaded.module, ["conv0"]) as tap:
        found = tap.run(image())["conv0"]
    expected = F.conv2d(F.pad(image(), (3, 3, 3, 3), mode="replicate"), delta(8, 3, 3))
    torch.testing.assert_close(found, F.leaky_relu(expected, 0.1))


def test_a_wide_border_leaves_the_first_layer_a_tap(tmp_path: Path) -> None:
    loaded = load_network(str(valid(layers=18).write(tmp_path)))  # 68 x 68 for 32 x 32
    assert loaded.taps[0].name == "conv0"
    assert "loses a border of 18" in loaded.notes[2]


def test_residual_blocks_are_found_by_their_sums(tmp_path: Path) -> None:
    writer = NcnnWriter().conv("first", "in", delta(8, 3, 3), k4=1)
    last = "first"
    for n in range(7):
        writer.add("Split", f"s{n}", last, f"a{n} b{n}")
        writer.conv(f"one{n}", f"a{n}", 0.1 * weights(8, 8, 3, 3, seed=n), k4=1, k9=1)
        writer.conv(f"two{n}", f"one{n}", 0.1 * weights(8, 8, 3, 3, seed=n + 9), k4=1)
        writer.add("Eltwise", f"sum{n}", f"two{n} b{n}", k0=1)
        last = f"sum{n}"
    loaded = load_network(str(writer.conv("end", last, delta(3, 8, 3), k4=1).write(tmp_path)))
    assert [tap.name for tap in loaded.taps] == ["first", *(f"sum{n}" for n in range(7))]
    assert [tap.label for tap in loaded.taps[1:]] == [f"Block{n}" for n in range(1, 8)]


def test_gates_are_no_taps_and_no_label_is_another_layers_name(tmp_path: Path) -> None:
    writer = NcnnWriter().conv("a", "in", delta(8, 3, 3), k4=1).add("Split", "s", "a", "b c")
    writer.add("Pooling", "pool", "b", k0=1, k4=1)
    writer.add("InnerProduct", "gate", "pool", "", (0, weights(8, 8)), k0=8, k2=64, k9=4)
    writer.add("Scale", "scaled", "c gate", k0=-233)
    writer.conv("Convolution3", "scaled", delta(8, 8, 3), k4=1)
    writer.conv("Convolution2", "Convolution3", delta(8, 8, 3), k4=1)
    loaded = load_network(
        str(writer.conv("d", "Convolution2", delta(3, 8, 3), k4=1).write(tmp_path))
    )
    assert [tap.name for tap in loaded.taps] == ["a", "Convolution3", "Convolution2"]
    assert [tap.label for tap in loaded.taps] == ["Convolution1", "Convolution3", "Convolution2"]


# --- what is fed beside the image


def srmd(channels: int) -> NcnnWriter:
    weight = delta(16, channels, 3)
    return NcnnWriter().conv("a", "in", weight, k4=1).conv("b", "a", delta(3, 16, 3), k4=1)


def told(x: Tensor, maps: list[float]) -> Tensor:
    channels = 3 + len(maps)
    flat = torch.tensor(maps)[None, :, None, None].expand(len(x), -1, *x.shape[2:])
    y = F.conv2d(torch.cat([x, flat], 1), delta(16, channels, 3), padding=1)
    return F.conv2d(y, delta(3, 16, 3), padding=1)


def test_the_code_of_no_blur_is_that_of_a_unit_impulse() -> None:
    assert math.hypot(*NO_BLUR) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("channels", "option", "more"), [(18, "", []), (19, "", [0.0]), (19, "?sigma=25.5", [0.1])]
)
def test_srmd_is_told_of_no_blur_and_of_the_noise_asked_for(
    channels: int, option: str, more: list[float], tmp_path: Path
) -> None:
    path = srmd(channels).write(tmp_path)
    loaded = load_network(f"{path}{option}")
    torch.testing.assert_close(run(loaded), told(image(), [*NO_BLUR, *more]))
    assert "is told of no blur" in loaded.notes[2]
    assert ("25.5/255" in loaded.notes[2]) == bool(option)


def test_what_is_told_belongs_to_the_networks_hash(tmp_path: Path) -> None:
    path = srmd(19).write(tmp_path)
    one, other = load_network(str(path)), load_network(f"{path}?sigma=10")
    assert one.sha256 != other.sha256
    assert None is not identity_of(one.module) != identity_of(other.module)
    assert one.info.parameters == other.info.parameters == 16 * 19 * 9 + 3 * 16 * 9


def test_any_further_channels_can_be_told(tmp_path: Path) -> None:
    path = srmd(5).write(tmp_path)
    loaded = load_network(f"{path}?maps=[0.2,0.7]")
    torch.testing.assert_close(run(loaded), told(image(), [0.2, 0.7]))
    assert loaded.notes[2] == "its 2 channels beside the image hold 0.2, 0.7"
    with pytest.raises(NetworkError, match=r"takes 5 channels, not 1 or 3; .*\?maps=\[0, 0\]"):
        load_network(str(path))
    grey = load_network(f"{srmd(2).write(tmp_path / 'grey')}?maps=0.5")
    assert grey.notes[0].startswith("magnifies by 1; is fed the luma of RGB")


@pytest.mark.parametrize(
    ("channels", "option", "said"),
    [
        (19, "sigma=-1", "sigma must be a number from 0 to 255"),
        (19, "sigma=true", "sigma must be a number from 0 to 255"),
        (18, "sigma=5", "sigma must be left out, but is 5; this network takes no noise level"),
        (3, "sigma=5", "sigma must be left out, but is 5; this network takes an image alone"),
        (19, "sigma=5&maps=[1]", "sigma must be left out where maps is given"),
        (5, "maps=[1]", "maps must be a list of 4 or 2 numbers"),
        (5, "maps=x", "maps must be a list of numbers"),
        (3, "maps=[1]", "maps must be left out"),
        (3, "border=reflect", "border must be left out, but is 'reflect'; this network loses no"),
        (3, "border=x", "border must be replicate or reflect, but is 'x'"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    channels: int, option: str, said: str, tmp_path: Path
) -> None:
    path = srmd(channels).write(tmp_path)
    with pytest.raises(ParameterError) as caught:
        load_network(f"{path}?{option}")
    assert said in str(caught.value)


def test_options_are_those_of_a_file(tmp_path: Path) -> None:
    path = valid().write(tmp_path)
    with pytest.raises(UnknownNameError, match="option of this network 'checkpoint'"):
        load_network(f"{path}?checkpoint=x.pth")
    assert (
        load_network(f"{path}?range=255")
        .notes[0]
        .startswith("magnifies by 2; is fed RGB, in [0, 255]")
    )


# --- an output that is added to the image


def test_an_output_that_is_a_difference_is_added_to_the_enlarged_image(tmp_path: Path) -> None:
    writer = NcnnWriter().conv("a", "in", 0.01 * weights(12, 3, 3, 3), k4=1)
    loaded = load_network(str(writer.add("PixelShuffle", "end", "a", k0=2).write(tmp_path)))
    difference = F.pixel_shuffle(F.conv2d(image(), 0.01 * weights(12, 3, 3, 3), padding=1), 2)
    torch.testing.assert_close(run(loaded), difference + F.interpolate(image(), scale_factor=2))
    assert loaded.notes[2].startswith("returns what is to be added to the image")


# --- the untrained control


def test_the_untrained_control_has_the_graph_and_other_weights(tmp_path: Path) -> None:
    loaded = load_network(str(srmd(19).write(tmp_path)))
    assert loaded.untrained is not None
    one, again, other = (loaded.untrained(seed) for seed in (1, 1, 2))
    trained = loaded.module.inner.get_submodule("a").weight.detach()
    first = one.inner.get_submodule("a").weight.detach()
    assert torch.equal(first, again.inner.get_submodule("a").weight)
    assert not torch.equal(first, other.inner.get_submodule("a").weight)
    assert not torch.equal(first, trained)
    bound = 1 / math.sqrt(19 * 9)  # PyTorch's own first weights are even up to this
    assert float(first.abs().max()) <= bound
    assert float(first.std()) == pytest.approx(bound / math.sqrt(3), rel=0.1)
    assert torch.equal(one.inner.maps, loaded.module.inner.maps)
