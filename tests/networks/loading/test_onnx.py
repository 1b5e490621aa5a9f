"""ONNX networks, by the optional converter: what they compute, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from srscope.errors import CheckpointError, NetworkError, ParameterError, UnknownNameError
from srscope.features.tap import FeatureTap
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.identity import identity_of
from srscope.networks.zoo import load_network
from support.onnx_files import OnnxWriter, weights

pytest.importorskip("onnx", reason="needs the extra onnx")
pytest.importorskip("onnx2pytorch", reason="needs the extra onnx")

BLOCKS = 7


def image() -> Tensor:
    return torch.rand(2, 3, 12, 16, generator=torch.Generator().manual_seed(3))


def residual(folder: Path) -> Path:
    """A x2 network of residual blocks with a bilinear skip, as SRResNet is."""
    writer = OnnxWriter().conv("x", "s0", *layer(8, 3, 0))
    for n in range(BLOCKS):
        writer.conv(f"s{n}", f"a{n}", *layer(8, 8, n + 1)).add("Relu", f"a{n}", f"r{n}")
        writer.conv(f"r{n}", f"b{n}", *layer(8, 8, n + 20)).add("Add", f"b{n} s{n}", f"s{n + 1}")
    writer.conv(f"s{BLOCKS}", "u", *layer(12, 8, 50))
    writer.add("DepthToSpace", "u", "d", blocksize=2, mode="CRD")
    writer.constant("factors", torch.tensor([1.0, 1.0, 2.0, 2.0]))
    writer.add("Resize", "x - factors", "up", mode="linear")
    return writer.add("Add", "d up", "y").write(folder, "y")


def layer(outputs: int, inputs: int, seed: int) -> tuple[Tensor, Tensor]:
    return 0.3 * weights(outputs, inputs, 3, 3, seed=seed), weights(outputs, seed=seed + 100)


def conv(x: Tensor, outputs: int, inputs: int, seed: int) -> Tensor:
    weight, bias = layer(outputs, inputs, seed)
    return F.conv2d(x, weight, bias, padding=1)


def by_hand(x: Tensor) -> tuple[Tensor, list[Tensor]]:
    sums = [conv(x, 8, 3, 0)]
    for n in range(BLOCKS):
        sums.append(conv(conv(sums[-1], 8, 8, n + 1).relu(), 8, 8, n + 20) + sums[-1])
    up = F.interpolate(x, scale_factor=2, mode="bilinear")
    return F.pixel_shuffle(conv(sums[-1], 12, 8, 50), 2) + up, sums


def run(loaded: LoadedNetwork) -> Tensor:
    with torch.no_grad():
        return loaded.module(image())


def test_a_network_computes_what_its_graph_says_and_is_tapped_at_its_blocks(tmp_path: Path) -> None:
    loaded = load_network(str(residual(tmp_path)))
    made, sums = by_hand(image())
    torch.testing.assert_close(run(loaded), made)
    assert (loaded.scale, loaded.multiple, loaded.source) == (2, 1, "ONNX file net.onnx")
    assert [tap.label for tap in loaded.taps] == [
        "Conv1",
        *(f"Block{n + 1}" for n in range(BLOCKS)),
    ]
    with FeatureTap(loaded.module, [tap.name for tap in loaded.taps]) as tap:
        found = tap.run(image())
    for name, expected in zip(found, sums, strict=True):
        torch.testing.assert_close(found[name], expected)


def test_weights_are_counted_once_and_drawn_anew(tmp_path: Path) -> None:
    loaded = load_network(str(residual(tmp_path)))
    convs = 8 * 3 * 9 + 8 + 2 * BLOCKS * (8 * 8 * 9 + 8) + 12 * 8 * 9 + 12
    assert loaded.info.parameters == convs
    assert loaded.untrained is not None
    control = loaded.untrained(3)
    for one, other in zip(control.parameters(), loaded.module.parameters(), strict=True):
        assert not torch.equal(one, other)
    factors = [b for n, b in control.inner.named_buffers() if "factors" in n]
    assert torch.equal(factors[0], torch.tensor([1.0, 1.0, 2.0, 2.0]))


def test_matrices_are_weights_too(tmp_path: Path) -> None:
    writer = (
        OnnxWriter().conv("x", "c", *layer(8, 3, 0)).add("Transpose", "c", "t", perm=[0, 2, 3, 1])
    )
    matrix, shift = weights(8, 8, seed=9), weights(8, seed=10)
    writer.constant("matrix", matrix)
    writer.constant("shift", shift)
    writer.add("MatMul", "t matrix", "m").add("Add", "m shift", "s")
    writer.constant("factor", factor := weights(1, 1, 1, 8, seed=11))
    writer.add("MatMul", "s matrix", "k").add("Mul", "k factor", "r")
    writer.add("Transpose", "r", "back", perm=[0, 3, 1, 2]).conv("back", "y", *layer(3, 8, 1))
    loaded = load_network(str(writer.write(tmp_path, "y")))
    tokens = (conv(image(), 8, 3, 0).permute(0, 2, 3, 1) @ matrix + shift) @ matrix * factor
    torch.testing.assert_close(run(loaded), conv(tokens.permute(0, 3, 1, 2), 3, 8, 1))
    assert loaded.info.parameters == 8 * 3 * 9 + 8 + 64 + 8 + 64 + 8 + 3 * 8 * 9 + 3
    assert loaded.untrained is not None
    drawn, trained = (
        dict(m.inner.named_parameters()) for m in (loaded.untrained(0), loaded.module)
    )
    assert not any(torch.equal(drawn[name], trained[name]) for name in trained)
    found = drawn["_initializer_factor"].detach()
    assert torch.equal(found.sort()[0], factor.sort()[0])  # shuffled, as a bare parameter is


def test_half_precision_becomes_single(tmp_path: Path) -> None:
    from onnx import TensorProto

    weight, bias = layer(3, 3, 0)
    writer = OnnxWriter().add("Cast", "x", "h", to=TensorProto.FLOAT16)
    writer.conv("h", "c", weight.half(), bias.half()).add("Cast", "c", "y", to=TensorProto.FLOAT)
    loaded = load_network(str(writer.write(tmp_path, "y")))
    expected = F.conv2d(image(), weight.half().float(), bias.half().float(), padding=1)
    torch.testing.assert_close(run(loaded), expected)


@pytest.mark.parametrize("mode", ["replicate", "reflect"])
def test_a_lost_border_is_added_before(mode: str, tmp_path: Path) -> None:
    weight, bias = layer(3, 3, 0)
    path = OnnxWriter().conv("x", "y", weight, bias, pad=0).write(tmp_path, "y")
    loaded = load_network(str(path) if mode == "replicate" else f"{path}?border={mode}")
    expected = F.conv2d(F.pad(image(), (1, 1, 1, 1), mode=mode), weight, bias)
    torch.testing.assert_close(run(loaded), expected)
    assert "loses a border of 1 pixels" in loaded.notes[2]


def test_a_grey_network_is_fed_luma(tmp_path: Path) -> None:
    weight, bias = layer(1, 1, 0)
    path = OnnxWriter().conv("x", "y", weight, bias).write(tmp_path, "y", channels=1)
    assert "is fed the luma of RGB" in load_network(str(path)).notes[0]


# --- refusals


def simple(folder: Path) -> Path:
    return OnnxWriter().conv("x", "y", *layer(3, 3, 0)).write(folder, "y")


def test_without_the_extra_the_refusal_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = simple(tmp_path)
    monkeypatch.setitem(sys.modules, "onnx2pytorch", None)
    with pytest.raises(NetworkError, match=r"net\.onnx: ONNX .* pip install 'srscope\[onnx\]'"):
        load_network(str(path))


def test_what_is_no_onnx_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(CheckpointError, match="is no ONNX file that can be read"):
        load_network(str(path))


def test_a_quantised_network_is_refused(tmp_path: Path) -> None:
    writer = OnnxWriter()
    writer.constant("scale", torch.tensor(0.1))
    writer.constant("zero", torch.tensor(0, dtype=torch.uint8))
    writer.add("QuantizeLinear", "x scale zero", "q").add("DequantizeLinear", "q scale zero", "y")
    with pytest.raises(CheckpointError, match=r"is quantised \(DequantizeLinear, QuantizeLinear\)"):
        load_network(str(writer.write(tmp_path, "y")))


def test_an_operator_that_cannot_be_converted_is_refused(tmp_path: Path) -> None:
    path = OnnxWriter().add("NoSuchOperator", "x", "y").write(tmp_path, "y")
    with pytest.raises(NetworkError, match="cannot be converted to PyTorch by onnx2pytorch"):
        load_network(str(path))


def test_a_network_of_one_image_is_refused_with_the_remedy(tmp_path: Path) -> None:
    writer = OnnxWriter()
    writer.constant("shape", torch.tensor([1, 3, 32, 32]))
    path = (
        writer.add("Reshape", "x shape", "r").conv("r", "y", *layer(3, 3, 0)).write(tmp_path, "y")
    )
    with pytest.raises(
        NetworkError, match="must take two images at a time: export it with dynamic"
    ):
        load_network(f"{path}?channels=3&scale=1&smallest=32&multiple=32")


def test_options_are_those_of_a_file(tmp_path: Path) -> None:
    path = simple(tmp_path)
    with pytest.raises(UnknownNameError, match="option of this network 'sigma'"):
        load_network(f"{path}?sigma=3")
    with pytest.raises(ParameterError, match="border must be left out"):
        load_network(f"{path}?border=reflect")


def test_two_loads_are_one_network_to_the_cache_and_other_weights_another(tmp_path: Path) -> None:
    path = residual(tmp_path)
    first = identity_of(load_network(path).module)
    assert first is not None
    assert identity_of(load_network(path).module) == first
    changed = load_network(path).module
    with torch.no_grad():
        next(iter(changed.parameters())).add_(1e-3)
    assert identity_of(changed) not in (first, None)
