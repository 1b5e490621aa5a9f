"""Files of other programs are refused by name, with what to give instead."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from srscope.errors import CheckpointError
from srscope.networks.loading.formats import REFUSED, load_by_format
from srscope.networks.zoo import load_network

SUFFIXES = [(suffix, refused) for refused in REFUSED for suffix in refused.suffixes]
MARKS = [(mark, refused) for refused in REFUSED for mark in refused.marks]


@pytest.mark.parametrize(("suffix", "refused"), SUFFIXES, ids=[suffix for suffix, _ in SUFFIXES])
def test_a_format_is_known_by_its_suffix(suffix: str, refused, tmp_path: Path) -> None:
    path = tmp_path / f"net{suffix.upper()}"
    path.write_bytes(b"anything")
    with pytest.raises(CheckpointError) as caught:
        load_network(f"{path}?scale=2")
    assert f"is {refused.name}, which srscope does not read; {refused.remedy}" in str(caught.value)


@pytest.mark.parametrize(("mark", "refused"), MARKS, ids=[str(mark) for mark, _ in MARKS])
def test_a_format_is_known_by_how_it_begins(mark, refused, tmp_path: Path) -> None:
    at, word = mark
    path = tmp_path / "net.pth"
    path.write_bytes(bytes(at) + word + bytes(80))
    with pytest.raises(CheckpointError) as caught:
        load_network(str(path))
    assert refused.name in str(caught.value)


def test_a_keras_archive_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "net.bin"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, "{}")
    with pytest.raises(CheckpointError, match=r"is a Keras network.*tf2onnx"):
        load_network(str(path))


@pytest.mark.parametrize(
    ("name", "start"), [("net.bin", struct.pack("<I", 0x01306B47)), ("net.bin", bytes(4))]
)
def test_half_of_an_ncnn_network_is_told_as_such(name: str, start: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(start + bytes(60))
    with pytest.raises(CheckpointError, match=r"ncnn network.*put net\.param beside it"):
        load_network(str(path))


def test_files_of_pytorch_are_left_to_others(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(b"PK\x03\x04" + bytes(40))
    assert load_by_format(path, {}) is None
    assert load_by_format(tmp_path / "absent.onnx", {}) is None
