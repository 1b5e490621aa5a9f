"""Trivial descriptors of images: what simple statistics say of a degradation, without a network.

A layer that separates the sets no better than one of these shows no more than a simple statistic
does. All descriptors are taken of the images as the network is fed them.

Suffixes: N images, C channels, H/W height and width, D values of one image, P pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError, ParameterError, UnknownNameError

Describe = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From images (N, C, H, W), in [0, 1], to one row an image."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.9, 0.99)
"""Which quantiles of the absolute Laplacian describe an image."""
RINGS = 16
"""Bins of the radial power spectrum: equal widths of radius, from 0 to the Nyquist frequency."""
FLOOR = (1 / 255) ** 2 / 12
"""Added to an energy before its logarithm: what rounding to 8 bits leaves in any picture."""
SMALLEST = 3
"""Pixels a side that an image must have at least: a 3 x 3 filter needs them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trivial:
    """A trivial descriptor.

    Args:
        name: How it is asked for.
        label: How it is shown.
        describe: From images (N, C, H, W) as float64 in [0, 1] to (N, D).
        is_map: Whether a row is a whole (C, H, W) map, flattened, so that it can be probed through
            its channel means and standard deviations too, as a layer is.
    """

    name: str
    label: str
    describe: Describe
    is_map: bool = False


TRIVIAL: dict[str, Trivial] = {}
"""The registered descriptors by name, in the order in which they are shown."""


def register(
    name: str, label: str, *, is_map: bool = False, replace: bool = False
) -> Callable[[Describe], Describe]:
    """Return a decorator that registers a descriptor; a user's own goes the same way.

    Args:
        name: How it is asked for; words of letters, digits and underscores.
        label: How it is shown.
        is_map: See :class:`Trivial`.
        replace: Whether a descriptor of this name may be replaced.

    Raises:
        ParameterError: If the name is taken and ``replace`` is false, or is no such word.

    Example:
        >>> @register("brightness", "mean brightness")
        ... def brightness(images_NCHW):
        ...     return images_NCHW.mean(axis=(1, 2, 3))[:, None]
        >>> describe("brightness", np.full((2, 3, 8, 8), 0.25)).tolist()
        [[0.25], [0.25]]
        >>> del TRIVIAL["brightness"]
    """
    if not name.isidentifier():
        rule = "a word of letters, digits and underscores that starts with a letter"
        raise ParameterError("the name of a trivial descriptor", rule, name)
    if name in TRIVIAL and not replace:
        rule = "one that is not taken"
        remedy = "choose another name, or say replace=True"
        raise ParameterError("the name of a trivial descriptor", rule, name, remedy)

    def keep(function: Describe) -> Describe:
        TRIVIAL[name] = Trivial(name=name, label=label, describe=function, is_map=is_map)
        return function

    return keep


def describe(name: str, images_NCHW: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return what a registered descriptor says of the images.

    Args:
        name: One of ``TRIVIAL``.
        images_NCHW: In [0, 1]; grey (C = 1) or colour.

    Returns:
        One row an image, shape (N, D).

    Raises:
        UnknownNameError: If there is no such descriptor.
        ParameterError: If the images have another shape, or are smaller than 3 x 3.
        DegenerateError: If the descriptor gives another number of rows, or what is not finite.

    Example:
        >>> images_NCHW = np.random.default_rng(0).random((4, 3, 32, 32))
        >>> {name: describe(name, images_NCHW).shape[1] for name in TRIVIAL}
        {'pixels': 3072, 'laplacian': 3072, 'laplacian_quantiles': 6, 'statistics': 5,
         'spectrum': 15}
    """
    if name not in TRIVIAL:
        raise UnknownNameError("trivial descriptor", name, TRIVIAL)
    if images_NCHW.ndim != 4 or 0 in images_NCHW.shape:
        raise ParameterError("images", "a non-empty array (N, C, H, W)", images_NCHW.shape)
    if min(images_NCHW.shape[2:]) < SMALLEST:
        rule = f"at least {SMALLEST} x {SMALLEST} pixels"
        raise ParameterError("images", rule, images_NCHW.shape[2:], "give larger patches")
    vectors_ND = np.asarray(TRIVIAL[name].describe(images_NCHW.astype(np.float64)))
    what = f"the trivial descriptor {name!r}"
    if vectors_ND.ndim != 2 or len(vectors_ND) != len(images_NCHW):
        rule = f"one row an image, ({len(images_NCHW)}, D)"
        raise ParameterError(f"the result of {what}", rule, vectors_ND.shape)
    if not np.isfinite(vectors_ND).all():
        raise DegenerateError(what, "some of its values are NaN or infinite", "check the images")
    return vectors_ND.astype(np.float64)


@register("pixels", "raw pixels", is_map=True)
def pixels(images_NCHW: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pixels as they are; D = C H W."""
    return images_NCHW.reshape(len(images_NCHW), -1)


@register("laplacian", "|Laplacian| of the pixels", is_map=True)
def absolute_laplacian(images_NCHW: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the absolute Laplacian of every channel; D = C H W."""
    return np.abs(laplacian(images_NCHW)).reshape(len(images_NCHW), -1)


@register("laplacian_quantiles", "six quantiles of |Laplacian|")
def laplacian_quantiles(images_NCHW: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quantiles ``QUANTILES`` of the absolute Laplacian over all channels and pixels."""
    flat_ND = absolute_laplacian(images_NCHW)
    return np.quantile(flat_ND, QUANTILES, axis=1).T


@register("statistics", "five statistics of the pixels")
def statistics(images_NCHW: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return five statistics of an image; each is taken of every channel, then averaged.

    1. log energy of the Laplacian: log(mean(L^2) + FLOOR)
    2. log energy of the gradient: log(mean(dx^2) + mean(dy^2) + FLOOR), dx and dy differences of
       neighbours
    3. log variance: log(var(x) + FLOOR)
    4. kurtosis of the Laplacian: mean((L - mean L)^4) / (var(L) + FLOOR)^2; 3 for Gaussian noise
    5. correlation of neighbours (lag-1 autocorrelation), across and down together:
       1 - (mean(dx^2) + mean(dy^2)) / (4 (var(x) + FLOOR))
    """
    filtered_NCHW = laplacian(images_NCHW)
    across_NC = np.square(np.diff(images_NCHW, axis=3)).mean(axis=(2, 3))
    down_NC = np.square(np.diff(images_NCHW, axis=2)).mean(axis=(2, 3))
    variance_NC = images_NCHW.var(axis=(2, 3)) + FLOOR
    centred_NCHW = filtered_NCHW - filtered_NCHW.mean(axis=(2, 3), keepdims=True)
    spread_NC = np.square(centred_NCHW).mean(axis=(2, 3)) + FLOOR
    five = (
        np.log(np.square(filtered_NCHW).mean(axis=(2, 3)) + FLOOR),
        np.log(across_NC + down_NC + FLOOR),
        np.log(variance_NC),
        (centred_NCHW**4).mean(axis=(2, 3)) / spread_NC**2,
        1 - (across_NC + down_NC) / (4 * variance_NC),
    )
    return np.stack([each_NC.mean(axis=1) for each_NC in five], axis=1)


@register("spectrum", "radial log power spectrum")
def spectrum(images_NCHW: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log power of the frequencies, averaged over rings and channels.

    A channel's mean is taken out and no window is put on. The power of a frequency is |FFT|^2 over
    the number of pixels. A ring is an interval of the radius in cycles a pixel; ``RINGS`` of equal
    width reach from 0 to 1/2; corners beyond 1/2 are left out. A ring in which the grid has no
    frequency is left out, so that small images have fewer.
    """
    height, width = images_NCHW.shape[2:]
    centred_NCHW = images_NCHW - images_NCHW.mean(axis=(2, 3), keepdims=True)
    power_NHW = np.square(np.abs(np.fft.fft2(centred_NCHW))).mean(axis=1) / (height * width)
    radius_HW = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    ring_P = np.floor(radius_HW * 2 * RINGS).astype(np.int64).ravel()
    # The Nyquist frequency itself belongs to the last ring, the constant (which is 0) to none.
    ring_P = np.where(np.isclose(radius_HW.ravel(), 0.5), RINGS - 1, ring_P)
    ring_P[0] = RINGS
    flat_NP = power_NHW.reshape(len(power_NHW), -1)
    rings = [ring for ring in range(RINGS) if (ring_P == ring).any()]
    return np.stack([np.log(flat_NP[:, ring_P == r].mean(axis=1) + FLOOR) for r in rings], axis=1)


def laplacian(images_NCHW: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 3 x 3 Laplacian (1 above, below, left and right, -4 in the middle).

    Edges are reflected about the outermost pixel, which is not repeated.

    Example:
        >>> laplacian(np.array([[[[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]]))[0, 0]
        array([[ 0.,  2.,  0.],
               [ 2., -4.,  2.],
               [ 0.,  2.,  0.]])
    """
    wide = np.pad(images_NCHW, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    sides = wide[..., :-2, 1:-1] + wide[..., 2:, 1:-1] + wide[..., 1:-1, :-2] + wide[..., 1:-1, 2:]
    return sides - 4 * images_NCHW
