"""Edits of a layer's output, for :class:`~srscope.features.edit.FeatureEdit`.

Each function returns an edit. Values are given by channel: one row for all images of a pass (1, C),
or one row an image (N, C). NumPy arrays and tensors do; gradients reach a tensor.

Suffixes: N images, C channels, H/W height and width, D directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.errors import ParameterError
from srscope.features.edit import Edit
from srscope.features.reduce import channels_first

Values = NDArray[np.floating[Any]] | Tensor


def add_offset(offset_NC: Values, *, channel_axis: int = 1) -> Edit:
    """Add a number to every value of a channel: a move along a direction of channel means.

    Args:
        offset_NC: What to add.
        channel_axis: Axis of the channels in the output: see
            :class:`~srscope.networks.description.TapPoint`.

    Example:
        >>> add_offset(np.array([[1.0, -1.0]]))(torch.zeros(1, 2, 1, 1)).flatten().tolist()
        [1.0, -1.0]
    """
    return lambda features: features + _along(offset_NC, features, channel_axis)


def set_coordinates(basis_DC: Values, target_NC: Values, *, channel_axis: int = 1) -> Edit:
    """Give each image's channel means the coordinates of others, in some directions only.

    With the basis of a degradation code and its centre as target, the images lose this mean code;
    with the channel means of their clean versions, they get theirs.

    Args:
        basis_DC: Orthonormal directions.
        target_NC: Channel means whose coordinates to take over.
        channel_axis: As for :func:`add_offset`.

    Example:
        >>> edit = set_coordinates(np.array([[1.0, 0.0]]), np.array([[5.0, 7.0]]))
        >>> edit(torch.ones(1, 2, 1, 1)).flatten().tolist()
        [5.0, 1.0]
    """

    def edit(features: Tensor) -> Tensor:
        means_NC, _ = channel_statistics(features, channel_axis=channel_axis)
        basis = _tensor(basis_DC, features)
        offset_NC = (_tensor(target_NC, features) - means_NC) @ basis.T @ basis
        return features + _along(offset_NC, features, channel_axis)

    return edit


def set_mean_and_std(mean_NC: Values, std_NC: Values, *, channel_axis: int = 1) -> Edit:
    """Give each channel of each image another mean and standard deviation over space.

    This is a second-order edit: it also changes how strongly a channel varies.

    Args:
        mean_NC: The means.
        std_NC: The standard deviations, 0 or more. A channel without variation gets none.
        channel_axis: As for :func:`add_offset`.

    Example:
        >>> edit = set_mean_and_std(np.array([[10.0]]), np.array([[2.0]]))
        >>> edit(torch.tensor([[[[0.0, 1.0]]]])).flatten().tolist()
        [8.0, 12.0]
    """

    def edit(features: Tensor) -> Tensor:
        found_NC, spread_NC = channel_statistics(features, channel_axis=channel_axis)
        varies_NC = spread_NC > 0
        factor_NC = _tensor(std_NC, features) / torch.where(varies_NC, spread_NC, 1.0)
        scaled = (features - _along(found_NC, features, channel_axis)) * _along(
            torch.where(varies_NC, factor_NC, 0.0), features, channel_axis
        )
        return scaled + _along(mean_NC, features, channel_axis)

    return edit


def replace_features(features: Tensor) -> Edit:
    """Put other features in the place of the layer's, e.g. those of the clean versions.

    Args:
        features: What the layer is to put out, of the same shape, type and device.

    Example:
        >>> replace_features(torch.ones(1, 2))(torch.zeros(1, 2)).tolist()
        [[1.0, 1.0]]
    """
    return lambda _: features


def mean_ablation(mean_NC: Values, *, channel_axis: int = 1) -> Edit:
    """Put each channel's mean in the place of all its values: the layer then tells nothing.

    Args:
        mean_NC: Channel means over many images.
        channel_axis: As for :func:`add_offset`.

    Example:
        >>> mean_ablation(np.array([[0.5]]))(torch.rand(1, 1, 1, 2)).flatten().tolist()
        [0.5, 0.5]
    """
    return lambda features: _along(mean_NC, features, channel_axis).expand_as(features)


def shrinkage(share: float = 0.3) -> Edit:
    """Make all values smaller by a share.

    Args:
        share: In [0, 1]; 0.3 leaves 70 %.

    Raises:
        ParameterError: If ``share`` is outside.

    Example:
        >>> shrinkage(0.25)(torch.ones(1)).tolist()
        [0.75]
    """
    if not 0 <= share <= 1:
        raise ParameterError("share", "from 0 to 1", share)
    return lambda features: features * (1 - share)


def remove_channels(channels: Sequence[int], *, channel_axis: int = 1) -> Edit:
    """Put 0 in the place of channels; scale the others, so that each image keeps its energy.

    Args:
        channels: Which, by index. Where nothing is left, all values are 0.
        channel_axis: As for :func:`add_offset`.

    Example:
        >>> remove_channels([0])(torch.tensor([[[3.0], [4.0]]])).flatten().tolist()
        [0.0, 5.0]
    """

    def edit(features: Tensor) -> Tensor:
        left = channels_first(features, channel_axis).clone()
        left[:, list(channels)] = 0
        if features.ndim > channel_axis:
            left = left.movedim(1, channel_axis)
        axes = tuple(range(1, features.ndim))
        before, after = (each.square().sum(axes, keepdim=True) for each in (features, left))
        return left * torch.where(after > 0, before / torch.where(after > 0, after, 1), 0).sqrt()

    return edit


def channel_statistics(features: Tensor, *, channel_axis: int = 1) -> tuple[Tensor, Tensor]:
    """Return the mean and standard deviation of each image's channels over space.

    Args:
        features: A layer's output.
        channel_axis: As for :func:`add_offset`.

    Returns:
        Means and standard deviations (that of all values: divided by their number), both (N, C).

    Example:
        >>> means_NC, std_NC = channel_statistics(torch.tensor([[[0.0], [2.0]]]), channel_axis=2)
        >>> means_NC.tolist(), std_NC.tolist()
        ([[1.0]], [[1.0]])
    """
    values_NCP = channels_first(features, channel_axis)
    values_NCP = values_NCP.flatten(2) if values_NCP.ndim > 2 else values_NCP[..., None]
    return values_NCP.mean(dim=2), values_NCP.std(dim=2, correction=0)


def _tensor(values: Values, features: Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=features.dtype, device=features.device)


def _along(values_NC: Values, features: Tensor, channel_axis: int) -> Tensor:
    """Return values by channel in a shape that goes with the features."""
    values = torch.atleast_2d(_tensor(values_NC, features))
    axis = channel_axis if features.ndim > channel_axis else 1  # as channels_first has it
    if values.shape[0] not in (1, features.shape[0]) or values.shape[1] != features.shape[axis]:
        raise ParameterError(
            "the values of an edit",
            f"(1 or {features.shape[0]}, {features.shape[axis]}), as the layer puts out "
            f"{tuple(features.shape)} with channels on axis {axis}",
            tuple(values.shape),
        )
    shape = [1] * features.ndim
    shape[0], shape[axis] = values.shape
    return values.view(shape)
