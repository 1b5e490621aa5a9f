"""ncnn's operators without weights, as modules: arithmetic, cropping, padding, resizing, pooling.

Each class has the name of its operator. A blob of three axes is a tensor (N, C, H, W) here, a
blob of one axis (N, C).

Source: ncnn, developer guide, "operators" and "binaryop broadcasting".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srscope.networks.loading.ncnn_file import Parameters

_LARGEST = 16
"""Magnification by one layer: more is no published network's, and would fill the memory."""
_WIDEST = 256
"""Border added by one layer, in pixels."""
_WHOLE = -233
"""ncnn's word for "as much as there is"."""


def of_rank(x: Tensor, other: Tensor) -> Tensor:
    """Give a blob of channels alone the axes of another blob: ncnn repeats it over the image."""
    return x if x.ndim >= other.ndim else x[(...,) + (None,) * (other.ndim - x.ndim)]


@dataclass(frozen=True, slots=True)
class Activation:
    """What ncnn applies after a convolution, inside the same layer: no layer of its own."""

    kind: int
    values: tuple[float, ...]

    @classmethod
    def of(cls, given: Parameters) -> Activation | None:
        """Read parameters 9 and 10; ``None`` for no activation."""
        kind, values = given.whole(9), given.numbers(10)
        needed = {0: 0, 1: 0, 2: 1, 3: 2, 4: 0, 5: 0, 6: 2}.get(kind)
        if needed is None:
            raise given.refused(9, "an activation from 0 to 6")
        if len(values) < needed:
            raise given.refused(10, f"an array of {needed}")
        return cls(kind, values[:needed]) if kind else None

    def __call__(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        kind, values = self.kind, self.values
        if kind == 1:
            return F.relu(x)
        if kind == 2:
            return F.leaky_relu(x, values[0])
        if kind == 3:
            return x.clamp(*values)
        if kind == 4:
            return torch.sigmoid(x)
        if kind == 5:
            return F.mish(x)
        return x * (x * values[0] + values[1]).clamp(0, 1)


class _Elementwise(nn.Module):
    """A function of one tensor, without numbers of its own."""

    function: Callable[[Tensor], Tensor]

    def __init__(self, given: Parameters) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return type(self).function(x)


class Sigmoid(_Elementwise):
    """1 / (1 + exp(-x))."""

    function = staticmethod(torch.sigmoid)


class TanH(_Elementwise):
    """The hyperbolic tangent."""

    function = staticmethod(torch.tanh)


class Swish(_Elementwise):
    """X times its sigmoid."""

    function = staticmethod(F.silu)


class Mish(_Elementwise):
    """X times the hyperbolic tangent of its softplus."""

    function = staticmethod(F.mish)


class Noop(_Elementwise):
    """Hands its input on."""

    function = staticmethod(torch.clone)


class ReLU(nn.Module):
    """ReLU, or leaky ReLU where there is a slope."""

    def __init__(self, given: Parameters) -> None:
        super().__init__()
        self.slope = given.number(0)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        return F.leaky_relu(x, self.slope) if self.slope else F.relu(x)


class Clip(nn.Module):
    """Limits values to an interval."""

    def __init__(self, given: Parameters) -> None:
        super().__init__()
        self.least, self.most = given.number(0, -math.inf), given.number(1, math.inf)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        return x.clamp(self.least, self.most)


class Dropout(nn.Module):
    """Multiplies by a number, usually 1: nothing is dropped after training."""

    def __init__(self, given: Parameters) -> None:
        super().__init__()
        self.scale = given.number(0, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        return x * self.scale


def _divide_into(a: Tensor, b: Tensor) -> Tensor:
    return b / a


class BinaryOp(nn.Module):
    """Adds, multiplies, ... two tensors, or a tensor and a number."""

    OPERATIONS = (
        torch.add, torch.sub, torch.mul, torch.div, torch.maximum, torch.minimum, torch.pow,
        torch.rsub, _divide_into,
    )  # fmt: skip

    def __init__(self, given: Parameters) -> None:
        super().__init__()
        self.operation, self.scalar = given.whole(0), None
        if not 0 <= self.operation < len(self.OPERATIONS):
            raise given.refused(0, f"an operation from 0 to {len(self.OPERATIONS) - 1}")
        if given.whole(1):
            self.scalar = given.number(2)
        given.number(2)

    def forward(self, *x: Tensor) -> Tensor:
        """Return a tensor of the larger one's shape; one of channels alone is repeated."""
        a = x[0]
        b = torch.full_like(a, self.scalar) if self.scalar is not None else x[1]
        return self.OPERATIONS[self.operation](of_rank(a, b), of_rank(b, a))


class Eltwise(nn.Module):
    """Product, weighted sum or maximum of two or more tensors of one shape."""

    def __init__(self, given: Parameters) -> None:
        super().__init__()
        self.operation, self.weights = given.whole(0), given.numbers(1)
        if self.operation not in (0, 1, 2):
            raise given.refused(0, "0 (product), 1 (sum) or 2 (maximum)")
        if self.weights and len(self.weights) != len(given.layer.inputs):
            raise given.refused(1, f"an array of {len(given.layer.inputs)}")

    def forward(self, *x: Tensor) -> Tensor:
        """Return a tensor of their shape."""
        if self.operation == 1 and self.weights:
            x = tuple(part * w for part, w in zip(x, self.weights, strict=True))
        join = (torch.mul, torch.add, torch.maximum)[self.operation]
        joined = x[0]
        for part in x[1:]:
            joined = join(joined, part)
        return joined


class Concat(nn.Module):
    """Puts tensors side by side, by default their channels."""

    def __init__(self, given: Parameters) -> None:
        super().__init__()
        axis = given.whole(0)
        self.axis = axis if axis < 0 else axis + 1

    def forward(self, *x: Tensor) -> Tensor:
        """Return one tensor."""
        return torch.cat(x, dim=self.axis)


class Crop(nn.Module):
    """Cuts a tensor to an interval of each axis, or to the size of a second tensor."""

    def __init__(self, given: Parameters) -> None:
        super().__init__()
        self.offsets = (given.whole(2), given.whole(1), given.whole(0))  # C, H, W
        self.sizes = (given.whole(5), given.whole(4), given.whole(3))
        self.after = (given.whole(8), given.whole(7), given.whole(6))
        starts, ends, axes = (given.numbers(key) for key in (9, 10, 11))
        if len(starts) != len(ends) or (axes and len(axes) != len(starts)):
            raise given.refused(10, f"an array of {len(starts)}")
        axes = axes or tuple(range(len(starts)))
        self.intervals = tuple(
            (int(a), int(s), int(e)) for a, s, e in zip(axes, starts, ends, strict=True)
        )
        if any(not -3 <= axis < 3 for axis, _, _ in self.intervals):
            raise given.refused(11, "an array of axes from -3 to 2")

    def forward(self, x: Tensor, like: Tensor | None = None) -> Tensor:
        """Return a part of ``x``."""
        if self.intervals:
            for axis, start, end in self.intervals:
                axis = axis % 3 + 1
                length = x.shape[axis]
                first = start if start >= 0 else length + start
                last = min(length, end if end > 0 else length + end)
                x = x.narrow(axis, first, last - first)
            return x
        for axis in (1, 2, 3):
            offset, size, after = (
                values[axis - 1] for values in (self.offsets, self.sizes, self.after)
            )
            room = x.shape[axis] - offset
            if like is not None:
                size = like.shape[axis]  # more than there is, as narrow says, is an error
            elif size in (0, _WHOLE):
                size = room - after
            x = x.narrow(axis, offset, size)
        return x


class Padding(nn.Module):
    """Adds a border: a constant, the outermost values, or the image mirrored."""

    def __init__(self, given: Parameters) -> None:
        super().__init__()
        top, bottom, left, right = (given.whole(key) for key in range(4))
        self.border = (left, right, top, bottom)
        self.mode = {0: "constant", 1: "replicate", 2: "reflect"}.get(given.whole(4), "")
        self.value = given.number(5)
        if not self.mode:
            raise given.refused(4, "0 (constant), 1 (outermost values) or 2 (mirrored)")
        if not 0 <= min(self.border) <= max(self.border) <= _WIDEST:
            raise given.refused(0, f"a border of 0 to {_WIDEST} on each side")
        given.only(6, 0, "another value for each channel")
        given.only(7, 0, "padding of channels")
        given.only(8, 0, "padding of channels")

    def forward(self, x: Tensor) -> Tensor:
        """Return a larger tensor."""
        value = self.value if self.mode == "constant" else None
        return F.pad(x, self.border, mode=self.mode, value=value)


class PixelShuffle(nn.Module):
    """Makes places of channels."""

    def __init__(self, given: Parameters) -> None:
        super().__init__()
        self.factor, self.channels_last = given.whole(0, 1), given.whole(1) == 1
        if not 1 <= self.factor <= _LARGEST:
            raise given.refused(0, f"a magnification from 1 to {_LARGEST}")

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return (N, C / factor², factor·H, factor·W)."""
        factor = self.factor
        if self.channels_last:  # the channel of the result counts fastest, not the place
            split_NSCHW = x_NCHW.unflatten(1, (factor * factor, -1))
            x_NCHW = split_NSCHW.transpose(1, 2).flatten(1, 2)
        return F.pixel_shuffle(x_NCHW, factor)


class Interp(nn.Module):
    """Resizes: nearest neighbour, bilinear or bicubic."""

    def __init__(self, given: Parameters) -> None:
        super().__init__()
        self.mode = {1: "nearest", 2: "bilinear", 3: "bicubic"}.get(given.whole(0), "")
        self.factors = (given.number(1, 1.0), given.number(2, 1.0))  # height, width
        self.corners = bool(given.whole(6))
        given.only(3, 0, "one fixed size")
        given.only(4, 0, "one fixed size")
        if given.whole(5) and len(given.layer.inputs) < 2:
            raise given.refused(5, "0 where no second blob gives the size")
        if not self.mode:
            raise given.refused(0, "1 (nearest), 2 (bilinear) or 3 (bicubic)")
        if any(not 0 < factor <= _LARGEST for factor in self.factors):
            raise given.refused(1, f"a magnification above 0 and up to {_LARGEST}")

    def forward(self, x_NCHW: Tensor, like_NCHW: Tensor | None = None) -> Tensor:
        """Return a tensor of the new height and width."""
        corners = None if self.mode == "nearest" else self.corners
        # The factor, not the ratio of the sizes, says where a pixel comes from, as in ncnn.
        size = None if like_NCHW is None else list(like_NCHW.shape[2:])
        factors = list(self.factors) if size is None else None
        return F.interpolate(
            x_NCHW, size=size, scale_factor=factors, mode=self.mode, align_corners=corners
        )


class Pooling(nn.Module):
    """Maximum or mean over windows, or over the whole image."""

    def __init__(self, given: Parameters) -> None:
        super().__init__()
        self.mean, self.everywhere = given.whole(0) == 1, bool(given.whole(4))
        kernel, stride, left = given.whole(1), given.whole(2, 1), given.whole(3)
        self.kernel = (given.whole(11, kernel), kernel)
        self.stride = (given.whole(12, stride), stride)
        top = given.whole(13, left)
        self.border = (left, given.whole(14, left), top, given.whole(15, top))
        self.cut = given.whole(5) == 1  # what is no whole window at the end is left out
        if given.whole(0) not in (0, 1):
            raise given.refused(0, "0 (maximum) or 1 (mean)")
        if given.whole(5) not in (0, 1):
            raise given.refused(5, "0 (windows beyond the border) or 1 (whole windows)")
        given.only(6, 0, "counting the border in a mean")
        given.only(7, 0, "a given number of windows")
        if not self.everywhere and min(*self.kernel, *self.stride) < 1:
            raise given.refused(1, "a window of 1 or more")

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Return (N, C) over the whole image, else (N, C, H', W')."""
        if self.everywhere:
            return x_NCHW.mean(dim=(2, 3)) if self.mean else x_NCHW.amax(dim=(2, 3))
        border = list(self.border)
        if not self.cut:
            pairs = zip((3, 2), (1, 3), (1, 0), strict=True)  # axis, its last border, its kernel
            for axis, last, side in pairs:
                length = x_NCHW.shape[axis] + border[last - 1] + border[last] - self.kernel[side]
                border[last] += -length % self.stride[side]
        outside = 0.0 if self.mean else -math.inf
        x_NCHW = F.pad(x_NCHW, border, value=outside)
        if not self.mean:
            return F.max_pool2d(x_NCHW, self.kernel, self.stride)
        inside_1CHW = F.pad(x_NCHW.new_ones(1, 1, *_inner(x_NCHW, border)), border)
        sums_NCHW = F.avg_pool2d(x_NCHW, self.kernel, self.stride, divisor_override=1)
        return sums_NCHW / F.avg_pool2d(inside_1CHW, self.kernel, self.stride, divisor_override=1)


def _inner(x_NCHW: Tensor, border: list[int]) -> tuple[int, int]:
    left, right, top, bottom = border
    return x_NCHW.shape[2] - top - bottom, x_NCHW.shape[3] - left - right


OPERATORS: Mapping[str, Callable[[Parameters], nn.Module]] = {
    kind.__name__: kind
    for kind in itertools.chain[Any](
        (Sigmoid, TanH, Swish, Mish, Noop, ReLU, Clip, Dropout, BinaryOp, Eltwise, Concat, Crop),
        (Padding, PixelShuffle, Interp, Pooling),
    )
}
"""What makes an operator of a line's parameters."""
