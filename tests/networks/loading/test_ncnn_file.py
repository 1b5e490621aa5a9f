"""ncnn's two files: what is read, and what is refused with which remedy."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import torch

from srscope.errors import CheckpointError
from srscope.networks.loading.ncnn_file import WeightFile, ncnn_pair, read_param
from srscope.networks.loading.ncnn_graph import read_ncnn
from support.ncnn_files import INT8, NcnnWriter, weights

W, B = weights(4, 3, 3, 3), weights(4, seed=1)


def tiny(folder: Path) -> Path:
    return NcnnWriter().conv("op", "in", W, B).write(folder)


def test_a_line_is_taken_apart(tmp_path: Path) -> None:
    path = tmp_path / "net.param"
    path.write_text(
        "7767517\n2 3\nInput x 0 1 data 0=4\n"
        "Crop c 1 2 data a b 0=3 1=2.5e-1 -23309=2,4,-4 -23311=1,0.5 4=hello 5=1.0,2.0\n"
    )
    layer = read_param(path)[1]
    assert (layer.kind, layer.name, layer.inputs, layer.outputs) == (
        "Crop",
        "c",
        ("data",),
        ("a", "b"),
    )
    assert layer.parameters == {
        0: 3, 1: 0.25, 9: (4.0, -4.0), 11: (0.5,), 4: "hello", 5: (1.0, 2.0)
    }  # fmt: skip


def test_either_file_stands_for_the_pair(tmp_path: Path) -> None:
    param = tiny(tmp_path)
    weight_file = param.with_suffix(".bin")
    assert ncnn_pair(param) == ncnn_pair(weight_file) == (param, weight_file)
    other = tmp_path / "pytorch_model.bin"
    other.write_bytes(b"x")
    assert ncnn_pair(other) is None
    assert ncnn_pair(tmp_path / "absent.param") is None
    weight_file.unlink()
    with pytest.raises(CheckpointError, match=r"has no net\.bin beside it; put the weights there"):
        ncnn_pair(param)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "its first line is not 7767517"),
        ("hello\n1 1\n", "its first line is not 7767517"),
        ("7767517\n", "says that it has no layers, but lists 0"),
        ("7767517\n9 9\nInput x 0 1 data\n", "says that it has 9 layers, but lists 1"),
        ("7767517\n1 1\nInput x 0 2 data\n", "has a line that is no layer (blobs are missing)"),
        ("7767517\n1 1\nInput x 0\n", "has a line that is no layer"),
        ("7767517\n1 1\nInput x 0 1 data 5\n", "'5' is no key=value"),
        ("7767517\n1 1\nInput x 0 1 data -23301=3,1\n", "has another length than it says"),
        ("7767517\n1 1\nInput x 0 -1\n", "has a line that is no layer"),
        ("7767517\n1 1\nReLU r 1 1 a b\n", "layer 'r' takes 'a', which no layer before it makes"),
        ("7767517\n2 2\nInput x 0 1 a\nReLU x 1 1 a b\n", "that another layer has"),
        ("7767517\n2 2\nInput x 0 1 a\nReLU y 1 1 a a\n", "that another layer has"),
    ],
)
def test_damaged_lists_of_layers_are_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "net.param"
    path.write_text(text)
    with pytest.raises(CheckpointError) as caught:
        read_param(path)
    assert said in str(caught.value)


def test_the_binary_list_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "net.param"
    path.write_bytes(struct.pack("<3i", 7767517, 1, 1))
    with pytest.raises(CheckpointError, match="binary list of layers; give the text file that it"):
        read_param(path)


def test_a_list_that_is_no_list_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "net.param"
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(CheckpointError, match="is larger than any list of layers"):
        read_param(path)


@pytest.mark.parametrize(
    ("tag", "said"),
    [(INT8, "as 8-bit integers"), (0x12345678, r"as indices into a table \(quantised\)")],
)
def test_quantised_weights_are_refused_with_the_remedy(tag: int, said: str, tmp_path: Path) -> None:
    param = NcnnWriter().conv("op", "in", W, B, tag=tag).write(tmp_path)
    with pytest.raises(
        CheckpointError,
        match=rf"layer 'op' {said}; save the network with float32 or float16 weights",
    ):
        read_ncnn(param, param.with_suffix(".bin"))


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    param = tiny(tmp_path)
    file = param.with_suffix(".bin")
    whole = file.read_bytes()
    file.write_bytes(whole[:-4])
    with pytest.raises(CheckpointError, match="ends before the weights of layer 'op'; copy it"):
        read_ncnn(param, file)
    file.write_bytes(whole + bytes(8))
    with pytest.raises(CheckpointError, match="holds 8 bytes more than the layers"):
        read_ncnn(param, file)


def test_a_claim_of_many_values_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "net.bin"
    path.write_bytes(bytes(16))
    for count in (1 << 40, 0, -5):
        with pytest.raises(CheckpointError, match="ends before the weights of layer 'x'"):
            WeightFile(path).tagged(count, "x")


def test_values_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.bin"
    path.write_bytes(struct.pack("<6f", *range(6)))
    file = WeightFile(path)
    assert torch.equal(file.plain(2, "a"), torch.tensor([0.0, 1.0]))
    assert torch.equal(file.plain(4, "b"), torch.tensor([2.0, 3.0, 4.0, 5.0]))
    file.finish()
