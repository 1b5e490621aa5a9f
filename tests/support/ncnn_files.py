"""Writes small ncnn networks: the text of their layers, the bytes of their weights."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

FLOAT32, FLOAT16, BFLOAT16, RAW32, INT8 = 0, 0x01306B47, 0x01348B83, 0x0002C056, 0x000D4B38


def weights(*shape: int, seed: int = 0) -> Tensor:
    """Random values of standard deviation 0.3."""
    return 0.3 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@dataclass
class NcnnWriter:
    """Collects layers; :meth:`write` makes the two files."""

    lines: list[str] = field(default_factory=lambda: ["Input in 0 1 in"])
    data: bytes = b""
    input: str = "in"

    @classmethod
    def named(cls, blob: str) -> NcnnWriter:
        """Begin a network whose input has that name."""
        return cls(lines=[f"Input {blob} 0 1 {blob}"], input=blob)

    def add(
        self, kind: str, name: str, inputs: str, outputs: str = "", *arrays: object, **keys: Any
    ) -> NcnnWriter:
        """Add a layer; ``k3=1`` is parameter 3, a list an array.

        ``arrays`` go into the .bin: a tensor as float32 without a tag, ``(tag, tensor)`` with one.
        """
        outputs = outputs or name
        count = f"{len(inputs.split())} {len(outputs.split())}"
        words = [f"{kind} {name} {count} {inputs} {outputs}"]
        for key, value in keys.items():
            number = int(key.removeprefix("k"))
            if isinstance(value, list):
                listed = ",".join(map(str, [len(value), *value]))
                words.append(f"{-23300 - number}={listed}")
            else:
                words.append(f"{number}={value}")
        self.lines.append(" ".join(words))
        for array in arrays:
            self.data += _bytes(array)
        return self

    def conv(
        self,
        name: str,
        inputs: str,
        weight: Tensor,
        bias: Tensor | None = None,
        tag: int = FLOAT32,
        **keys: Any,
    ) -> NcnnWriter:
        """Add a convolution without groups."""
        outputs, _, height, width = weight.shape
        arrays = [(tag, weight)] + ([] if bias is None else [bias])
        size = {"k0": outputs, "k1": width, "k11": height, "k6": weight.numel()}
        return self.add(
            "Convolution", name, inputs, "", *arrays, **size, k5=len(arrays) - 1, **keys
        )

    def write(self, folder: Path, stem: str = "net") -> Path:
        """Write ``stem.param`` and ``stem.bin``; return the first."""
        blobs = len({word for line in self.lines for word in _blobs(line)})
        text = "\n".join(["7767517", f"{len(self.lines)} {blobs}", *self.lines])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{stem}.bin").write_bytes(self.data)
        path = folder / f"{stem}.param"
        path.write_text(text + "\n", "utf-8")
        return path


def _blobs(line: str) -> list[str]:
    words = line.split()
    return words[4 : 4 + int(words[2]) + int(words[3])]


def _bytes(array: object) -> bytes:
    tag, tensor = array if isinstance(array, tuple) else (None, array)
    if tag is None:
        return _raw(tensor, np.float32)
    head = struct.pack("<I", tag)
    if tag in (FLOAT32, RAW32):
        return head + _raw(tensor, np.float32)
    if tag == FLOAT16:
        body = _raw(tensor, np.float16)
    elif tag == BFLOAT16:
        body = tensor.flatten().bfloat16().view(torch.int16).numpy().tobytes()
    else:
        body = tensor.flatten().to(torch.int8).numpy().tobytes()
    return head + body + bytes(-len(body) % 4)


def _raw(tensor: Tensor, kind: Any) -> bytes:
    return tensor.detach().numpy().astype(kind).tobytes()


def ncnn_output(param: Path, image_CHW: Tensor) -> Tensor:
    """Run a network with the package ncnn, on the CPU in single precision."""
    import ncnn

    net: Any = ncnn.Net()
    for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{option}", False)
    net.opt.num_threads = 1
    assert net.load_param(str(param)) == 0
    assert net.load_model(str(param.with_suffix(".bin"))) == 0
    extractor = net.create_extractor()
    kept = np.ascontiguousarray(image_CHW.numpy())  # ncnn does not copy what it is given
    extractor.input(net.input_names()[0], ncnn.Mat(kept).clone())
    failed, output = extractor.extract(net.output_names()[0])
    assert failed == 0
    return torch.from_numpy(np.array(output))
