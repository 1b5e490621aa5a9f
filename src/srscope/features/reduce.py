"""Named rules that turn a layer's output into one feature vector an image.

Layers put their channels on different axes: convolutions make (N, C, H, W), transformers (N, L, C)
for L positions or (N, H, W, C). :func:`channels_first` brings all to channels first, before
anything else; so a channel is the same thing in all of them, and pooling goes over all positions.

Suffixes: N images, C channels, H/W height and width, L positions, D dimensions of a feature vector.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from srscope.errors import NetworkError, UnknownNameError


def channels_first(features: Tensor, channel_axis: int) -> Tensor:
    """Return a layer's output as (N, C, H, W), (N, C, L) or (N, C).

    Args:
        features: The output, its images counted by the first axis.
        channel_axis: The axis of its channels.

    Example:
        >>> import torch
        >>> channels_first(torch.zeros(2, 16, 8), 2).shape  # 16 positions of 8 channels
        torch.Size([2, 8, 16])
    """
    return features.movedim(channel_axis, 1) if features.ndim > channel_axis else features


def as_maps(features: Tensor, channel_axis: int, size_HW: tuple[int, int]) -> Tensor:
    """Return a layer's output as (N, C, H, W) where it has height and width, else as it is.

    Positions in one axis become rows and columns if they are as many as the image's sides divided
    by one whole number.

    Args:
        features: As for :func:`channels_first`.
        channel_axis: As for :func:`channels_first`.
        size_HW: Height and width of the images the network was given.

    Example:
        >>> import torch
        >>> as_maps(torch.zeros(1, 12, 8), 2, (6, 8)).shape  # 12 positions are 3 by 4
        torch.Size([1, 8, 3, 4])
    """
    first = channels_first(features, channel_axis)
    if first.ndim == 3:
        stride = round(math.sqrt(math.prod(size_HW) / first.shape[2]))
        grid = [side // max(1, stride) for side in size_HW]
        if math.prod(grid) == first.shape[2]:
            return first.unflatten(2, grid)
    return first


def flatten(features_NCHW: Tensor) -> Tensor:
    """Return every value: (N, ...) to (N, D), D = C·H·W in that order, whatever the strides.

    Source: Liu et al. 2021, section 4.1: the paper's rule, and the default.
    """
    return features_NCHW.flatten(start_dim=1)


def mean_pool(features_NCHW: Tensor) -> Tensor:
    """Return each channel's mean over space: (N, C, H, W) or (N, C, L) to (N, C)."""
    return features_NCHW.mean(dim=tuple(range(2, features_NCHW.ndim)))


def gram_diagonal(features_NCHW: Tensor) -> Tensor:
    """Return each channel's mean square over space: (N, C, H, W) or (N, C, L) to (N, C).

    This is the diagonal of the Gram matrix F·Fᵀ/(H·W) of style transfer: how strongly a channel
    responds, wherever it does.

    Source: Gatys et al. 2016, section 2.2.
    """
    return mean_pool(features_NCHW.square())


_REDUCERS: dict[str, Callable[[Tensor], Tensor]] = {
    "flatten": flatten,
    "mean-pool": mean_pool,
    "gram-diagonal": gram_diagonal,
}


def list_reducers() -> tuple[str, ...]:
    """Return the names of all reducers, the default first."""
    return tuple(_REDUCERS)


def check_reducer(name: str) -> None:
    """Raise :class:`UnknownNameError`, with near matches, unless ``name`` is a reducer."""
    if name not in _REDUCERS:
        raise UnknownNameError("reducer", name, _REDUCERS)


def reduce_features(features_NCHW: Tensor, *, reducer: str = "flatten", layer: str = "") -> Tensor:
    """Reduce a layer's output to one float32 vector an image.

    Args:
        features_NCHW: The output with its channels first, floating point: (N, C, H, W), or
            (N, C, L) for L positions; ``flatten`` takes any (N, ...).
        reducer: A name of :func:`list_reducers`.
        layer: The layer's name, for messages.

    Returns:
        Features (N, D), float32. Half-precision output is widened before it is reduced.

    Raises:
        UnknownNameError: If there is no such reducer.
        NetworkError: If the output is not real floating point, or has no space to reduce over.

    Example:
        >>> import torch
        >>> reduce_features(torch.ones(2, 3, 4, 4), reducer="mean-pool")
        tensor([[1., 1., 1.],
                [1., 1., 1.]])
    """
    check_reducer(reducer)
    shape = tuple(features_NCHW.shape)
    if not features_NCHW.is_floating_point():
        raise NetworkError(
            f"layer {layer!r} puts out {features_NCHW.dtype}, not real floating-point numbers; "
            "tap another layer"
        )
    if reducer == "flatten":
        if len(shape) < 2:
            raise NetworkError(
                f"layer {layer!r} puts out shape {shape}, which holds no features of an image; "
                "tap another layer"
            )
    elif len(shape) < 3:
        raise NetworkError(
            f"layer {layer!r} puts out shape {shape}, but reducer {reducer!r} needs "
            "(N, C, H, W) or (N, C, L); use reducer 'flatten'"
        )
    if reducer == "flatten":  # widened and brought in order in one copy, or none
        features_NCHW = features_NCHW.to(torch.float32, memory_format=torch.contiguous_format)
    return _REDUCERS[reducer](features_NCHW.float())
