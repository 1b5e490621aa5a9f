"""Files that are not PyTorch's: those that srscope reads, and those that it refuses by name."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from srscope.errors import CheckpointError
from srscope.images.formats import SUFFIXES as PICTURES
from srscope.networks.description import LoadedNetwork
from srscope.networks.loading.ncnn_file import FLOAT16, FLOAT32, ncnn_pair
from srscope.networks.loading.spec import Value

_START = 64
"""Bytes read from a file's beginning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Refused:
    """A format that srscope does not read.

    Args:
        name: As its users call it.
        remedy: What to give instead.
        suffixes: Of its files.
        marks: Bytes by which its files are known, each with where they stand.
    """

    name: str
    remedy: str
    suffixes: tuple[str, ...] = ()
    marks: tuple[tuple[int, bytes], ...] = ()


_FROM_KERAS = "convert it to ONNX with tf2onnx and give the .onnx file"
_FROM_TORCH = (
    "give what it was made from: the PyTorch weights (.pth, .safetensors), or the .onnx file"
)

REFUSED = (
    _Refused(
        name="a Keras network",
        remedy=_FROM_KERAS,
        suffixes=(".h5", ".hdf5", ".keras"),
        marks=((0, b"\x89HDF\r\n\x1a\n"),),
    ),
    _Refused(
        name="a GGUF file of quantised weights",
        remedy=_FROM_TORCH,
        suffixes=(".gguf",),
        marks=((0, b"GGUF"),),
    ),
    _Refused(
        name="a TensorRT engine, which runs on the graphics card it was built for alone",
        remedy=_FROM_TORCH,
        suffixes=(".engine", ".trt", ".plan"),
        marks=((0, b"ptrt"), (0, b"ftrt")),
    ),
    _Refused(
        name="a TensorFlow Lite network",
        remedy="convert it to ONNX with tf2onnx (--tflite) and give the .onnx file",
        suffixes=(".tflite",),
        marks=((4, b"TFL3"),),
    ),
    _Refused(
        name="a TensorFlow graph",
        remedy="convert it to ONNX with tf2onnx and give the .onnx file",
        suffixes=(".pb",),
    ),
    _Refused(
        name="a Core ML network",
        remedy=_FROM_TORCH,
        suffixes=(".mlmodel", ".mlpackage"),
    ),
    _Refused(
        name="a Caffe network",
        remedy="convert it to ncnn (caffe2ncnn) and give the .param file with its .bin",
        suffixes=(".caffemodel",),
    ),
)
"""Formats that are refused, with the remedy for each."""


def load_by_format(path: Path, options: Mapping[str, Value]) -> LoadedNetwork | None:
    """Load a network whose file is not PyTorch's.

    Args:
        path: The file; of an ncnn network either of its two.
        options: What follows the path.

    Returns:
        The network; ``None`` where the file is PyTorch's, a safetensors file, or absent.

    Raises:
        CheckpointError: If it is of a format that srscope does not read, or is damaged.
        NetworkError: If the network cannot be run.
    """
    if not path.is_file():
        return None
    pair = ncnn_pair(path)
    if pair is not None:
        from srscope.networks.loading.ncnn import load_ncnn

        return load_ncnn(*pair, options)
    if path.suffix == ".onnx":
        from srscope.networks.loading.onnx import load_onnx

        return load_onnx(path, options)
    refuse_format(path)
    return None


def refuse_format(path: Path) -> None:
    """Refuse a file of another program's format, known by its suffix or by how it begins.

    Raises:
        CheckpointError: If it is one; says what to give instead.
    """
    with path.open("rb") as file:
        start = file.read(_START)
    suffix = path.suffix.lower()
    if suffix in PICTURES:
        remedy = "name a network first; photographs are given as --images"
        raise CheckpointError(path, "is a picture, not a network", remedy)
    for refused in REFUSED:
        marked = any(start[at:].startswith(mark) for at, mark in refused.marks)
        if marked or suffix in refused.suffixes or (".keras" in refused.suffixes and _keras(path)):
            problem = f"is {refused.name}, which srscope does not read"
            raise CheckpointError(path, problem, refused.remedy)
    words = {word.to_bytes(4, "little") for word in (*FLOAT32, FLOAT16)}
    if suffix == ".param" or (suffix == ".bin" and start[:4] in words):
        raise CheckpointError(
            path,
            "looks like the weights of an ncnn network, whose layers stand in a second file",
            f"put {path.with_suffix('.param').name} beside it",
        )


def _keras(path: Path) -> bool:
    """Tell a Keras archive: a zip with its configuration beside its weights."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {"config.json", "model.weights.h5"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
