"""The exact split of a layer's variance into degradation, content and their interaction.

Suffixes: N images, D features, S sets (degradations), M contents, C channels, B features of one
block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.record import VarianceShares

_BLOCK_VALUES = 1 << 20  # float64 values of the features copied at once: 8 MiB


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelVariance:
    """The split of every channel; NaN in a channel that is the same for all images.

    Args:
        degradation_C: Share in [0, 1].
        content_C: Share in [0, 1].
        interaction_C: Share in [0, 1]; the three add up to 1.
        total_C: Sum of squares about the mean, in squared units of the features.
    """

    degradation_C: NDArray[np.float64]
    content_C: NDArray[np.float64]
    interaction_C: NDArray[np.float64]
    total_C: NDArray[np.float64]


def is_crossed(set_N: NDArray[np.integer[Any]], content_N: NDArray[np.integer[Any]]) -> bool:
    """Return whether each content appears exactly once in each set, with two or more of both.

    Args:
        set_N: The set of each image, any integers.
        content_N: The content of each image, any integers.

    Example:
        >>> is_crossed(np.array([0, 0, 1, 1]), np.array([7, 8, 8, 7]))
        True
        >>> is_crossed(np.array([0, 0, 1, 1]), np.array([7, 8, 9, 9]))
        False
    """
    if set_N.shape != content_N.shape or set_N.ndim != 1:
        return False
    sets, set_N = np.unique(set_N, return_inverse=True)
    contents, content_N = np.unique(content_N, return_inverse=True)
    if len(sets) < 2 or len(contents) < 2 or len(set_N) != len(sets) * len(contents):
        return False
    return len(np.unique(set_N * len(contents) + content_N)) == len(set_N)


def two_way_variance(
    features_ND: NDArray[np.floating[Any]],
    set_N: NDArray[np.integer[Any]],
    content_N: NDArray[np.integer[Any]],
    *,
    name: str = "features",
) -> VarianceShares:
    """Split the variance of a layer by a two-way analysis of variance; nothing is estimated.

    Every feature is f(i, d) = mean + content(i) + degradation(d) + interaction(i, d), with parts
    that add up to 0 over i and over d. Sums of squares are taken over all images and features.
    Where features are pure noise, the shares are not 0 but those of the degrees of freedom:
    (S-1) : (M-1) : (S-1)(M-1), over N - 1.

    Args:
        features_ND: One row an image; any float type, may be memory-mapped.
        set_N: The degradation of each image.
        content_N: The content of each image.
        name: What the features are, for messages, e.g. a layer's name.

    Returns:
        Shares of the total sum of squares; they add up to 1.

    Raises:
        ParameterError: If the shapes do not fit.
        DegenerateError: If the design is not crossed, a feature is not finite, or all images
            have the same features.

    Example:
        >>> features_ND = np.array([[0.0], [2.0], [1.0], [3.0]])
        >>> split = two_way_variance(features_ND, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
        >>> split.degradation, split.content, split.interaction
        (0.2, 0.8, 0.0)
    """
    degradation, content, interaction = (
        float(part) for part in _squares(features_ND, set_N, content_N, name).sum(axis=1)
    )
    total = degradation + content + interaction
    if total == 0:
        remedy = "choose another layer, or images that differ"
        raise DegenerateError(_what(name), "all images have the same features", remedy)
    return VarianceShares(
        degradation=degradation / total,
        content=content / total,
        interaction=interaction / total,
    )


def two_way_variance_of_gram(
    gram_NN: NDArray[np.float64],
    set_N: NDArray[np.integer[Any]],
    content_N: NDArray[np.integer[Any]],
    *,
    name: str = "features",
) -> VarianceShares:
    """Split the variance as :func:`two_way_variance` does, from inner products of the images.

    Sums of squares over features are sums of these, so that wide features need not be read again.

    Args:
        gram_NN: Inner products of the features of all images, less their mean, as PCA has them.
        set_N: The degradation of each image.
        content_N: The content of each image.
        name: What the features are, for messages, e.g. a layer's name.

    Raises:
        ParameterError: If the shapes do not fit.
        DegenerateError: If the design is not crossed, or all images have the same features.

    Example:
        >>> centred_ND = np.array([[-1.5], [0.5], [-0.5], [1.5]])
        >>> sets, contents = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
        >>> split = two_way_variance_of_gram(centred_ND @ centred_ND.T, sets, contents)
        >>> split.degradation, split.content, split.interaction
        (0.2, 0.8, 0.0)
    """
    if gram_NN.shape != (len(gram_NN),) * 2:
        raise ParameterError(f"the inner products of {name}", "square", gram_NN.shape)
    _check_design(len(gram_NN), set_N, content_N, name)
    total = float(np.trace(gram_NN))
    if not total > 0:
        remedy = "choose another layer, or images that differ"
        raise DegenerateError(_what(name), "all images have the same features", remedy)
    between: list[float] = []
    for labels_N in (set_N, content_N):
        member_GN = (labels_N == np.unique(labels_N)[:, None]).astype(np.float64)
        size_G = member_GN.sum(axis=1)
        between.append(float(np.einsum("gn,gn->g", member_GN @ gram_NN, member_GN) @ (1 / size_G)))
    degradation, content = (max(0.0, squares) for squares in between)
    interaction = max(0.0, total - degradation - content)
    whole = degradation + content + interaction
    return VarianceShares(
        degradation=degradation / whole, content=content / whole, interaction=interaction / whole
    )


def two_way_variance_by_channel(
    features_ND: NDArray[np.floating[Any]],
    set_N: NDArray[np.integer[Any]],
    content_N: NDArray[np.integer[Any]],
    channels: int,
    *,
    name: str = "features",
) -> ChannelVariance:
    """Split the variance of every channel, as :func:`two_way_variance` does that of the layer.

    Args:
        features_ND: One row an image: its (C, H, W) activation flattened, channel by channel.
        set_N: The degradation of each image.
        content_N: The content of each image.
        channels: C; divides D.
        name: What the features are, for messages.

    Raises:
        ParameterError: If ``channels`` does not divide D; or as :func:`two_way_variance`.
        DegenerateError: As :func:`two_way_variance`.
    """
    if channels < 1 or features_ND.shape[-1] % channels:
        rule = f"a divisor of the {features_ND.shape[-1]} features of {name}"
        raise ParameterError("channels", rule, channels)
    squares_3D = _squares(features_ND, set_N, content_N, name)
    squares_3C = squares_3D.reshape(3, channels, -1).sum(axis=2)
    total_C = squares_3C.sum(axis=0)
    if not total_C.any():
        remedy = "choose another layer, or images that differ"
        raise DegenerateError(_what(name), "all images have the same features", remedy)
    share_3C = np.full_like(squares_3C, np.nan)
    np.divide(squares_3C, total_C, out=share_3C, where=total_C > 0)
    return ChannelVariance(
        degradation_C=share_3C[0],
        content_C=share_3C[1],
        interaction_C=share_3C[2],
        total_C=total_C,
    )


def _what(name: str) -> str:
    return f"the variance split of {name}"


def _check_design(
    images: int, set_N: NDArray[np.integer[Any]], content_N: NDArray[np.integer[Any]], name: str
) -> None:
    for what, labels_N in (("sets", set_N), ("contents", content_N)):
        if labels_N.shape != (images,):
            rule = f"one an image, shape {(images,)}"
            raise ParameterError(f"the {what} of {name}", rule, labels_N.shape)
    if not is_crossed(set_N, content_N):
        why = "the design is not crossed (each of two or more contents once in each set)"
        raise DegenerateError(_what(name), why)


def _squares(
    features_ND: NDArray[np.floating[Any]],
    set_N: NDArray[np.integer[Any]],
    content_N: NDArray[np.integer[Any]],
    name: str,
) -> NDArray[np.float64]:
    """Return every feature's sums of squares: degradation, content, interaction; shape (3, D)."""
    if features_ND.ndim != 2:
        raise ParameterError(name, "an array (images, features)", features_ND.shape)
    _check_design(len(features_ND), set_N, content_N, name)
    images, width = features_ND.shape
    sets = len(np.unique(set_N))
    order_N = np.lexsort((content_N, set_N))
    squares_3D = np.empty((3, width))
    step = max(1, _BLOCK_VALUES // images)
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is reported below
        for start in range(0, width, step):
            part = slice(start, min(width, start + step))
            block_NB = features_ND[:, part][order_N].astype(np.float64)
            # Seen from the first image, features that never change are exactly 0.
            cell_SMB = (block_NB - block_NB[0]).reshape(sets, images // sets, -1)
            cell_SMB -= cell_SMB.mean(axis=(0, 1))
            degradation_SB = cell_SMB.mean(axis=1)
            content_MB = cell_SMB.mean(axis=0)
            squares_3D[0, part] = (degradation_SB**2).sum(axis=0) * (images // sets)
            squares_3D[1, part] = (content_MB**2).sum(axis=0) * sets
            cell_SMB -= degradation_SB[:, None]
            cell_SMB -= content_MB
            squares_3D[2, part] = np.einsum("smb,smb->b", cell_SMB, cell_SMB)
    bad = int((~np.isfinite(squares_3D).all(axis=0)).sum())
    if bad:
        why = f"{bad} of {width} features are NaN or infinite in some image"
        remedy = "check the network's weights and its input range"
        raise DegenerateError(_what(name), why, remedy)
    return squares_3D
