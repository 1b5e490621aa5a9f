"""The channels of a layer as pictures, and which of them to show first.

Suffixes: S sets, N images, C channels, H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError, ParameterError

_NOTHING = 1e-10
"""Eigenvalues below this part of the largest are rounding: their eigenvectors mean nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelRanking:
    """The channels of a layer in the order in which they are shown.

    Args:
        order_C: Channel indices, the first to show first.
        eigenvalue_C: Eigenvalues of the channel covariance, largest first, in squared units of
            the features; the k-th is the one that the k-th channel shown stands for.
        variance_C: Variance of every channel, by channel index.
    """

    order_C: NDArray[np.int64]
    eigenvalue_C: NDArray[np.float64]
    variance_C: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureMaps:
    """What a layer makes of one image, channel by channel.

    Args:
        network: The network's name.
        layer: The module's dotted name.
        label: The paper's name of it.
        image: Name of the image.
        sets: What was done to the image, one name a version.
        inputs_SHW3: The versions as the network was fed them, in [0, 1].
        maps_SCHW: The layer's activations.
        ranking: The order of the channels, from all versions together.
        content_C: Share of content in each channel's variance over a suite of many contents;
            NaN in a channel that never changes, ``None`` where it was not measured.
        content: Share of content in the layer's variance over that suite, or ``None``.
        measured_on: What the shares were measured on, in words.
    """

    network: str
    layer: str
    label: str
    image: str
    sets: tuple[str, ...]
    inputs_SHW3: NDArray[np.float32]
    maps_SCHW: NDArray[np.float32]
    ranking: ChannelRanking
    content_C: NDArray[np.float64] | None = None
    content: float | None = None
    measured_on: str = ""


def rank_channels(maps_NCHW: NDArray[np.floating[Any]], *, name: str = "maps") -> ChannelRanking:
    """Rank channels through the eigenvectors of their covariance.

    The covariance of the channels is taken over all positions of all images. Its eigenvectors are
    gone through from the largest eigenvalue down; each names the channel with the largest absolute
    loading among those not yet named. So the first 8 channels stand for the 8 largest eigenvalues,
    one each, and not for one direction that many channels share. Eigenvectors whose eigenvalue is
    below 1e-10 of the largest name nobody; the channels then left follow by their variance.
    Of equals, the lower index comes first.

    Liu et al. show "8 feature maps with the largest eigenvalues" and do not say how an eigenvalue
    belongs to a feature map; this rule is ours.

    Args:
        maps_NCHW: Activations of one layer.
        name: What they are, for messages, e.g. a layer's name.

    Returns:
        The order, with eigenvalues and variances.

    Raises:
        ParameterError: If the array has another shape or is empty.
        DegenerateError: If an activation is NaN or infinite.

    Example:
        >>> waves_CW = np.stack([np.sin(np.arange(64) * k * np.pi / 32) for k in (1, 2, 1)])
        >>> strength_C = np.array([1.0, 2.0, 3.0])  # the third repeats the first, stronger
        >>> maps_1CHW = (strength_C[:, None] * waves_CW)[None, :, None]
        >>> rank_channels(maps_1CHW).order_C.tolist()
        [2, 1, 0]
    """
    if maps_NCHW.ndim != 4 or 0 in maps_NCHW.shape:
        raise ParameterError(name, "a non-empty array (N, C, H, W)", maps_NCHW.shape)
    covariance_CC = _covariance(maps_NCHW)
    if not np.isfinite(covariance_CC).all():
        raise DegenerateError(f"the order of the channels of {name}", "an activation is not finite")
    eigenvalue_C, vectors_CC = np.linalg.eigh(covariance_CC)
    eigenvalue_C, vectors_CC = np.maximum(eigenvalue_C[::-1], 0.0), vectors_CC[:, ::-1]
    variance_C = np.diag(covariance_CC).copy()
    order: list[int] = []
    left_C = np.ones(len(variance_C), dtype=bool)
    for eigenvalue, vector_C in zip(eigenvalue_C, vectors_CC.T, strict=True):
        if eigenvalue <= _NOTHING * eigenvalue_C[0]:
            break
        loading_C = np.where(left_C, np.abs(vector_C), -1.0)
        chosen = int(np.argmax(loading_C))
        left_C[chosen] = False
        order.append(chosen)
    rest = np.flatnonzero(left_C)
    order += rest[np.argsort(-variance_C[rest], kind="stable")].tolist()
    return ChannelRanking(
        order_C=np.array(order, dtype=np.int64), eigenvalue_C=eigenvalue_C, variance_C=variance_C
    )


def _covariance(maps_NCHW: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the covariance of the channels over images and positions, one image at a time."""
    images, channels, height, width = maps_NCHW.shape
    count = images * height * width
    with np.errstate(invalid="ignore", over="ignore"):  # the caller looks at the result
        mean_C = maps_NCHW.mean(axis=(0, 2, 3), dtype=np.float64)
        sum_CC = np.zeros((channels, channels))
        for maps_CHW in maps_NCHW:
            flat_CP = maps_CHW.reshape(channels, -1).astype(np.float64) - mean_C[:, None]
            sum_CC += flat_CP @ flat_CP.T
        return sum_CC / count
