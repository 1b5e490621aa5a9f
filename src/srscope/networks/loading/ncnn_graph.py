"""An ncnn network as a PyTorch module: its layers by their names, run in ncnn's order.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from srscope.errors import NetworkError
from srscope.networks.loading.ncnn_file import NcnnLayer, WeightFile, read_param
from srscope.networks.loading.ncnn_layers import build_layer, magnification_of

_LARGEST = 64
"""Magnification of the input anywhere in a network: more would fill the memory."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One layer in a pass: its module, the blobs it takes, the one it makes, those to forget."""

    module: str
    inputs: tuple[str, ...]
    output: str
    forget: tuple[str, ...]


class NcnnNetwork(nn.Module):
    """The graph of an ncnn network.

    Every layer but inputs and splits, which compute nothing, is a child module under its own name;
    dots in a name become underscores.

    Args:
        layers: In the order in which they run.
        weights: The ``.bin`` file.

    Attributes:
        maps: Values of the input's channels behind those of the image, the same at every place.

    Raises:
        NetworkError: If an operator is not supported, or the graph is not image in, one tensor out.
        CheckpointError: If the weights do not fit.
    """

    maps: Tensor

    def __init__(self, layers: Sequence[NcnnLayer], weights: WeightFile) -> None:
        super().__init__()
        self.register_buffer("maps", torch.zeros(0))
        self._ends, self._steps = ("", ""), tuple[_Step, ...]()  # no layer can have these names
        same = dict[str, str]()  # a split's outputs -> what it splits
        larger = dict[str, float]()  # blob -> its magnification of the input
        inputs, steps = list[str](), list[tuple[str, tuple[str, ...], str]]()
        for layer in layers:
            if layer.kind == "Input":
                inputs += layer.outputs
                larger |= dict.fromkeys(layer.outputs, 1.0)
            elif layer.kind == "Split":
                taken = layer.inputs[0]
                same |= dict.fromkeys(layer.outputs, same.get(taken, taken))
            else:
                if len(layer.outputs) != 1 or not layer.inputs:
                    raise NetworkError(
                        f"ncnn layer {layer.name!r} makes {len(layer.outputs)} blobs of "
                        f"{len(layer.inputs)}; srscope runs layers that make one of one or more"
                    )
                module = build_layer(layer, weights)
                taken = tuple(same.get(blob, blob) for blob in layer.inputs)
                made = layer.outputs[0]
                larger[made] = max(larger[blob] for blob in taken) * magnification_of(module)
                if larger[made] > _LARGEST:
                    raise NetworkError(
                        f"ncnn layer {layer.name!r} enlarges the image {larger[made]:g} times, "
                        f"more than {_LARGEST}; the file is damaged or a trap"
                    )
                steps.append((self._add(layer.name, module), taken, made))
        weights.finish()
        used = {blob for _, taken, _ in steps for blob in taken}
        ends = [made for _, _, made in steps if made not in used]
        if len(inputs) != 1 or len(ends) != 1:
            raise NetworkError(
                f"an ncnn network with {len(inputs)} inputs ({', '.join(inputs)}) and {len(ends)} "
                f"outputs ({', '.join(ends)}) cannot be analysed; give one that makes one image of "
                "one"
            )
        self._ends, self._steps = (inputs[0], ends[0]), _with_forgetting(steps)

    def _add(self, name: str, module: nn.Module) -> str:
        name = name.replace(".", "_") or "layer"
        while hasattr(self, name):  # another layer, or what every module has, such as "forward"
            name += "_"
        self.add_module(name, module)
        return name

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Run the network on images to which its constant channels are added."""
        if len(self.maps):
            maps_NCHW = self.maps[None, :, None, None].expand(len(x_NCHW), -1, *x_NCHW.shape[2:])
            x_NCHW = torch.cat([x_NCHW, maps_NCHW.to(x_NCHW.dtype)], dim=1)
        first, last = self._ends
        blobs = {first: x_NCHW}
        for step in self._steps:
            module = self.get_submodule(step.module)
            blobs[step.output] = module(*(blobs[name] for name in step.inputs))
            for name in step.forget:
                del blobs[name]
        return blobs[last]

    @property
    def is_from_pnnx(self) -> bool:
        """Tell whether pnnx, ncnn's converter for PyTorch, named the input."""
        return self._ends[0] == "in0"

    @property
    def taken_channels(self) -> int | None:
        """Channels that the first weighted layer behind the input takes; ``None`` if not told."""
        for step in self._steps:
            module = self.get_submodule(step.module)
            if step.inputs == (self._ends[0],) and isinstance(
                module, nn.Conv2d | nn.ConvTranspose2d
            ):
                return module.in_channels
        return None


def _with_forgetting(steps: Sequence[tuple[str, tuple[str, ...], str]]) -> tuple[_Step, ...]:
    """Note after which step a blob is needed no more, so that a pass keeps only what it needs."""
    left = Counter(blob for _, taken, _ in steps for blob in set(taken))
    noted: list[_Step] = []
    for module, taken, made in steps:
        left.subtract(set(taken))
        done = tuple(sorted(blob for blob in set(taken) if not left[blob]))
        noted.append(_Step(module, taken, made, done))
    return tuple(noted)


def read_ncnn(param: Path, weights: Path) -> NcnnNetwork:
    """Read a network from its two files.

    Args:
        param: The ``.param`` file.
        weights: The ``.bin`` file.

    Raises:
        CheckpointError: If a file is damaged, quantised, or of another network.
        NetworkError: If the network has an operator that is not supported, or enlarges an image
            far more than any published one.
    """
    return NcnnNetwork(read_param(param), WeightFile(weights))
