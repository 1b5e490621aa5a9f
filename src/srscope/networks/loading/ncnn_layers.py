"""ncnn's layers with weights, as modules: convolutions, linear maps, slopes, scales.

Each class has the name of its operator and derives from PyTorch's, so it is reset like that one
for the untrained control.

Source: ncnn, developer guide, "operators".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.errors import NetworkError
from srscope.networks.loading.ncnn_file import NcnnLayer, Parameters, WeightFile
from srscope.networks.loading.ncnn_operators import (
    OPERATORS,
    Activation,
    Interp,
    PixelShuffle,
    Pooling,
    of_rank,
)

_SAME = {-233: "upper", -234: "lower"}
"""ncnn's words for a border that keeps the size, and where its odd pixel goes."""
_FROM_ANOTHER_BLOB = -233
_WIDEST = 256  # border in pixels


class _Border:
    """The border of a convolution: left, right, top, bottom; or such as keeps the size."""

    def __init__(self, given: Parameters) -> None:
        left = given.whole(4)
        top = given.whole(14, left)
        self.sides = (left, given.whole(15, left), top, given.whole(16, top))
        if max(self.sides) > _WIDEST:
            raise given.refused(4, f"a border of {_WIDEST} or less")
        self.same = _SAME.get(left, "")

    @property
    def even(self) -> tuple[int, int] | None:
        """Rows and columns where both sides are alike, which PyTorch pads by itself."""
        left, right, top, bottom = self.sides
        return (top, left) if not self.same and left == right >= 0 and top == bottom >= 0 else None


class Convolution(nn.Conv2d):
    """A convolution with the activation that ncnn applies in the same layer."""

    def __init__(self, given: Parameters, weights: WeightFile, *, groups: int = 1) -> None:
        size = _Size(given, groups)
        border = _Border(given)
        super().__init__(
            size.inputs,
            size.outputs,
            size.kernel,
            stride=size.stride,
            dilation=size.dilation,
            padding=border.even or 0,
            groups=groups,
            bias=bool(given.whole(5)),
            device="meta",
        )
        self.border = None if border.even else border.sides
        self.same, self.outside = border.same, given.number(18)
        self.activation = Activation.of(given)
        given.only(8, 0, "8-bit weights")
        given.only(19, 0, "weights from another layer")
        if self.outside and border.even:
            self.border, self.padding = border.sides, (0, 0)
        _load(self, weights, given.layer.name, self.weight.shape)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (its base class's word)
        """Return (N, C', H', W'); channels alone, (N, C), are taken as one pixel."""
        alone = input.ndim == 2
        x = input[..., None, None] if alone else input
        border = self.border
        if self.same:
            border = (*self._same(x, 1), *self._same(x, 0))
        if border is not None:
            x = F.pad(x, border, value=self.outside)
        y = super().forward(x)
        y = y if self.activation is None else self.activation(y)
        return y.flatten(1) if alone else y

    def _same(self, x: Tensor, side: int) -> tuple[int, int]:
        length, stride = x.shape[2 + side], self.stride[side]
        extent = self.dilation[side] * (self.kernel_size[side] - 1) + 1
        more = max(0, extent + (length - 1) // stride * stride - length)
        less = more // 2
        return (less, more - less) if self.same == "upper" else (more - less, less)


class ConvolutionDepthWise(Convolution):
    """A convolution in groups."""

    def __init__(self, given: Parameters, weights: WeightFile) -> None:
        super().__init__(given, weights, groups=given.whole(7, 1))


class Deconvolution(nn.ConvTranspose2d):
    """A transposed convolution with the activation that ncnn applies in the same layer."""

    def __init__(self, given: Parameters, weights: WeightFile, *, groups: int = 1) -> None:
        size = _Size(given, groups)
        right = given.whole(18)
        super().__init__(
            size.inputs,
            size.outputs,
            size.kernel,
            stride=size.stride,
            dilation=size.dilation,
            output_padding=(given.whole(19, right), right),
            groups=groups,
            bias=bool(given.whole(5)),
            device="meta",
        )
        border = _Border(given)
        if border.same or min(border.sides) < 0:
            raise given.refused(4, "a border of 0 or more")
        self.cut = border.sides
        self.activation = Activation.of(given)
        for key in (20, 21):
            given.only(key, 0, "a given size of the output")
        # ncnn counts outputs before inputs inside a group; PyTorch inputs before outputs.
        inputs, outputs = size.inputs // groups, size.outputs // groups
        stored = (groups, outputs, inputs, *size.kernel)
        _load(self, weights, given.layer.name, stored, lambda w: w.transpose(1, 2).flatten(0, 1))

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: A002
        """Return (N, C', H', W')."""
        y_NCHW = super().forward(input, output_size)
        left, right, top, bottom = self.cut
        height, width = y_NCHW.shape[2:]
        y_NCHW = y_NCHW[:, :, top : height - bottom, left : width - right]
        return y_NCHW if self.activation is None else self.activation(y_NCHW)


class DeconvolutionDepthWise(Deconvolution):
    """A transposed convolution in groups."""

    def __init__(self, given: Parameters, weights: WeightFile) -> None:
        super().__init__(given, weights, groups=given.whole(7, 1))


class InnerProduct(nn.Linear):
    """A linear map of all values of an image, with its activation."""

    def __init__(self, given: Parameters, weights: WeightFile) -> None:
        outputs, count = given.whole(0), given.whole(2)
        if outputs < 1 or count < 1 or count % outputs:
            raise given.refused(2, f"a multiple of its {outputs} outputs")
        super().__init__(count // outputs, outputs, bias=bool(given.whole(1)), device="meta")
        self.activation = Activation.of(given)
        given.only(8, 0, "8-bit weights")
        _load(self, weights, given.layer.name, self.weight.shape)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Return (N, outputs)."""
        y_NC = super().forward(input.flatten(1))
        return y_NC if self.activation is None else self.activation(y_NC)


class PReLU(nn.PReLU):
    """A leaky ReLU with one slope, or one a channel."""

    def __init__(self, given: Parameters, weights: WeightFile) -> None:
        count = given.whole(0)
        super().__init__(_counted(given, 0, count), device="meta")
        self.weight = nn.Parameter(weights.plain(count, given.layer.name))


class Scale(nn.Module):
    """Multiplies each channel by a number of its own, or by one that a second tensor holds."""

    weight: Tensor | None
    bias: Tensor | None

    def __init__(self, given: Parameters, weights: WeightFile) -> None:
        super().__init__()
        count = given.whole(0)
        two = count == _FROM_ANOTHER_BLOB
        name = given.layer.name
        self.weight = None if two else nn.Parameter(weights.plain(count, name))
        has_bias = bool(given.whole(1))
        if two and has_bias:
            raise given.refused(1, "0 where a second tensor holds the factors")
        self.bias = nn.Parameter(weights.plain(count, name)) if has_bias else None

    def forward(self, x: Tensor, factors_NC: Tensor | None = None) -> Tensor:
        """Return a tensor of the shape of ``x``."""
        if self.weight is not None:
            factors_NC = self.weight[None]
        assert factors_NC is not None, "the graph gives a second blob"
        y = x * of_rank(factors_NC, x)
        return y if self.bias is None else y + of_rank(self.bias[None], x)


class BatchNorm(nn.BatchNorm2d):
    """Normalises with the mean and variance of training."""

    def __init__(self, given: Parameters, weights: WeightFile) -> None:
        count, name = given.whole(0), given.layer.name
        super().__init__(_counted(given, 0, count), eps=given.number(1), device="meta")
        self.weight = nn.Parameter(weights.plain(count, name))
        self.running_mean = weights.plain(count, name)
        self.running_var = weights.plain(count, name)
        self.bias = nn.Parameter(weights.plain(count, name))
        self.num_batches_tracked = torch.tensor(0)


class _Size:
    """How large the weights of a convolution are."""

    def __init__(self, given: Parameters, groups: int) -> None:
        pairs = [(given.whole(k, d), k) for k, d in ((1, 0), (2, 1), (3, 1))]
        wide = [value for value, _ in pairs]
        self.kernel, self.dilation, self.stride = (
            (given.whole(key + 10, value), value) for value, key in pairs
        )
        self.outputs, count = given.whole(0), given.whole(6)
        if min(*wide, *self.kernel, *self.dilation, *self.stride) < 1:
            raise given.refused(1, "1 or more, and so must be dilation and stride")
        if max(*self.stride) > 64:
            raise given.refused(3, "a stride of 64 or less")
        per_output = math.prod(self.kernel) * self.outputs
        if groups < 1 or self.outputs < 1 or self.outputs % groups:
            raise given.refused(0, f"a multiple of its {groups} groups")
        if count < 1 or count % per_output:
            raise given.refused(6, f"a multiple of {per_output}, its outputs times its kernel")
        self.inputs = count // per_output * groups


def _counted(given: Parameters, key: int, count: int) -> int:
    if not 1 <= count <= 1 << 20:
        raise given.refused(key, "a number of channels")
    return count


def _load(
    layer: Any,
    weights: WeightFile,
    name: str,
    stored: tuple[int, ...],
    arranged: Callable[[Tensor], Tensor] = lambda weight: weight,
) -> None:
    """Read a weight of the shape ``stored``, then a bias where there is one."""
    weight = weights.tagged(math.prod(stored), name).reshape(stored)
    layer.weight = nn.Parameter(arranged(weight).contiguous())
    if layer.bias is not None:
        layer.bias = nn.Parameter(weights.plain(len(layer.bias), name))


WEIGHTED: Mapping[str, Callable[[Parameters, WeightFile], nn.Module]] = {
    kind.__name__: kind
    for kind in (
        Convolution, ConvolutionDepthWise, Deconvolution, DeconvolutionDepthWise, InnerProduct,
        PReLU, Scale, BatchNorm,
    )
}  # fmt: skip
"""What makes a layer of a line's parameters and the weights that come next."""


def magnification_of(module: nn.Module) -> float:
    """Return by how much a layer enlarges an image, along a side; below 1 where it shrinks it."""
    if isinstance(module, Interp):
        return max(module.factors)
    if isinstance(module, PixelShuffle):
        return module.factor
    if isinstance(module, Deconvolution):
        return max(module.stride)
    if isinstance(module, Convolution | Pooling):
        return 1 / min(module.stride)
    return 1.0


def build_layer(layer: NcnnLayer, weights: WeightFile) -> nn.Module:
    """Build the module of one line of a ``.param`` file.

    Args:
        layer: The line.
        weights: The ``.bin`` file, at the place where the weights of this layer begin.

    Raises:
        NetworkError: If the operator or one of its parameters is not supported.
        CheckpointError: If the weights are not there, or quantised.
    """
    given = Parameters(layer)
    if layer.kind in WEIGHTED:
        module = WEIGHTED[layer.kind](given, weights)
    elif layer.kind in OPERATORS:
        module = OPERATORS[layer.kind](given)
    else:
        raise NetworkError(
            f"ncnn layer {layer.name!r} is a {layer.kind}, an operator that srscope does not run "
            f"(it runs {', '.join(sorted([*WEIGHTED, *OPERATORS]))}); convert the network to ONNX "
            "or TorchScript instead"
        )
    given.finish()
    return module
