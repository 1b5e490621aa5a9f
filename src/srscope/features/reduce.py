"""Named rules that turn a layer's output into one feature vector an image.

Suffixes: N images, C channels, H/W height and width, D dimensions of a feature vector.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from srscope.errors import NetworkError, UnknownNameError


def flatten(features_NCHW: Tensor) -> Tensor:
    """Return every value: (N, ...) to (N, D), D = C·H·W in that order, whatever the strides.

    Source: Liu et al. 2021, section 4.1: the paper's rule, and the default.
    """
    return features_NCHW.flatten(start_dim=1)


def mean_pool(features_NCHW: Tensor) -> Tensor:
    """Return each channel's mean over space: (N, C, H, W) to (N, C)."""
    return features_NCHW.mean(dim=(2, 3))


def gram_diagonal(features_NCHW: Tensor) -> Tensor:
    """Return each channel's mean square over space: (N, C, H, W) to (N, C).

    This is the diagonal of the Gram matrix F·Fᵀ/(H·W) of style transfer: how strongly a channel
    responds, wherever it does.

    Source: Gatys et al. 2016, section 2.2.
    """
    return features_NCHW.square().mean(dim=(2, 3))


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
        features_NCHW: The output, floating point; ``flatten`` takes any (N, ...).
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
    elif len(shape) != 4:
        raise NetworkError(
            f"layer {layer!r} puts out shape {shape}, but reducer {reducer!r} needs "
            "(N, C, H, W); use reducer 'flatten'"
        )
    return _REDUCERS[reducer](features_NCHW.float())
