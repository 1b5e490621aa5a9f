"""Writes small ONNX networks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor


def weights(*shape: int, seed: int = 0) -> Tensor:
    """Random values of standard deviation 0.2."""
    return 0.2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@dataclass
class OnnxWriter:
    """Collects nodes; :meth:`write` makes the file."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, name: str, value: Tensor | list[float]) -> str:
        """Add a constant; return its name."""
        from onnx import numpy_helper

        array = value.numpy() if isinstance(value, Tensor) else np.array(value)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, kind: str, inputs: str, output: str, **attributes: Any) -> OnnxWriter:
        """Add a node; ``-`` is an input that is left out."""
        from onnx import helper

        names = ["" if name == "-" else name for name in inputs.split()]
        self.nodes.append(helper.make_node(kind, names, [output], name=f"/{output}", **attributes))
        return self

    def conv(
        self, inputs: str, output: str, weight: Tensor, bias: Tensor, pad: int = 1
    ) -> OnnxWriter:
        """Add a convolution."""
        names = [self.constant(f"{output}.w", weight), self.constant(f"{output}.b", bias)]
        side = weight.shape[2]
        return self.add(
            "Conv", " ".join([inputs, *names]), output, kernel_shape=[side, side], pads=[pad] * 4
        )

    def write(self, folder: Path, last: str, channels: int = 3) -> Path:
        """Write a network from ``x`` to the blob ``last``."""
        import onnx
        from onnx import TensorProto, helper

        def image(name: str, *sides: str) -> Any:
            kind = TensorProto.FLOAT
            return helper.make_tensor_value_info(name, kind, ["n", channels, *sides])

        graph = helper.make_graph(
            self.nodes, "net", [image("x", "h", "w")], [image(last, "h2", "w2")], self.constants
        )
        opset = helper.make_opsetid("", 17)
        path = folder / "net.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=9), path)
        return path
