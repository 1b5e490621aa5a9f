"""Attributions along a path of images: LAM's blur path, and the straight line beside it.

Suffixes: K stretches of the path, C channels, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.degradations.blur import GaussianBlur
from srscope.errors import DegenerateError

KERNEL, SIGMA = 9, 1.2
"""Side and standard deviation of LAM's strongest blur, in input pixels."""
STEPS = 50
"""Steps that LAM takes."""
_SHARPEST = 0.01  # standard deviation under which blur is none: exp(-0.5 / 0.01 ** 2) is 0

Path = Callable[[float], Tensor]
"""From 0 (start) to 1 (the image itself) to an image (1, C, H, W), in double precision."""
Gradient = Callable[[Tensor], tuple[float, Tensor]]
"""From an image to a value and the value's gradient by the image."""


def blur_path(image_1CHW: Tensor) -> Path:
    """Return LAM's path: Gaussian blur of the image, its standard deviation falling evenly to 0.

    Edges are reflected.

    Args:
        image_1CHW: Where the path ends, in double precision: steps are small differences.

    Example:
        >>> path = blur_path(torch.rand(1, 3, 8, 8, dtype=torch.float64))
        >>> bool(path(0.0).std() < path(1.0).std())
        True
    """

    def at(place: float) -> Tensor:
        sigma = SIGMA * (1 - place)
        if sigma < _SHARPEST:
            return image_1CHW
        blur = GaussianBlur(sigma=sigma, size=KERNEL)
        return blur(image_1CHW, generator=torch.Generator())

    return at


def straight_path(image_1CHW: Tensor) -> Path:
    """Return the straight line of integrated gradients, from where LAM's path starts.

    Both paths then share their ends, so that their attributions have the same sum.

    Args:
        image_1CHW: As for :func:`blur_path`.

    Example:
        >>> image = torch.rand(1, 3, 8, 8, dtype=torch.float64)
        >>> bool(torch.equal(straight_path(image)(1.0), image))
        True
    """
    start_1CHW = blur_path(image_1CHW)(0.0)
    return lambda place: torch.lerp(start_1CHW, image_1CHW, place)


@dataclass(frozen=True, kw_only=True, slots=True)
class PathAttribution:
    """Attributions of the pixels of one image.

    Args:
        attribution_CHW: Their sum is ``end - start`` but for ``error``.
        start: The value at the path's start.
        end: The value for the image itself.
        steps: How many were taken in the end.
        first_error: The completeness error of evenly spaced steps, as many as were asked for:
            the distance of the sum from ``end - start``, as a share of that.
        error: The completeness error in the end.
    """

    attribution_CHW: NDArray[np.float64]
    start: float
    end: float
    steps: int
    first_error: float
    error: float

    @property
    def map_HW(self) -> NDArray[np.float64]:
        """The absolute sum over channels, over its maximum: from 0 to 1.

        Raises:
            DegenerateError: If no pixel has any attribution.
        """
        map_HW = np.abs(self.attribution_CHW.sum(axis=0))
        most = float(map_HW.max())
        if most == 0:
            raise DegenerateError("the map", "no pixel of the input has any attribution")
        return map_HW / most


def along(
    path: Path,
    gradient: Gradient,
    *,
    steps: int = STEPS,
    tolerance: float = 0.01,
    most: int = 400,
    report: Callable[[int], None] | None = None,
) -> PathAttribution:
    """Attribute the change of a value along a path to the pixels.

    Each step adds the gradient at its end times the change of the image in it. Steps whose own
    error is too large are halved until the sum is complete.

    Args:
        path: The path.
        gradient: The value and its gradient by the image.
        steps: Evenly spaced steps to begin with.
        tolerance: Completeness error to reach.
        most: Steps at most; the error stays what it is then.
        report: Called with the number of gradients taken so far.

    Returns:
        The attributions.

    Raises:
        DegenerateError: If the value is the same at both ends: there is nothing to attribute.

    Source: Gu and Dong 2021, equations 4 to 6; Sundararajan et al. 2017, section 5.
    """
    values: dict[float, float] = {}
    gradients: dict[float, NDArray[Any]] = {}
    places = [step / steps for step in range(steps + 1)]
    first_error: float | None = None
    while True:
        for place in places:
            if place not in values:
                values[place], found_1CHW = gradient(path(place))
                gradients[place] = found_1CHW[0].cpu().numpy()
                if report is not None:
                    report(len(values))
        attribution_CHW, sums_K = _added_up(path, places, gradients)
        change = values[1.0] - values[0.0]
        if change == 0:
            raise DegenerateError(
                "the attribution",
                "the window of the output holds as much detail at both ends of the path",
                "choose another window",
            )
        rises_K = np.diff([values[place] for place in places])
        errors_K = sums_K - rises_K
        error = abs(float(errors_K.sum()) / change)
        first_error = error if first_error is None else first_error
        count = len(places) - 1
        if error < tolerance or count >= most:
            return PathAttribution(
                attribution_CHW=attribution_CHW,
                start=values[0.0],
                end=values[1.0],
                steps=count,
                first_error=first_error,
                error=error,
            )
        limit = tolerance * abs(change) / count
        worst = [k for k in np.argsort(-np.abs(errors_K)) if abs(errors_K[k]) >= limit]
        middles = [(places[k] + places[k + 1]) / 2 for k in worst[: most - count]]
        places = sorted([*places, *middles])


def _added_up(
    path: Path, places: list[float], gradients: dict[float, NDArray[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum of what the steps add, (C, H, W), and each step's share of it, (K,)."""
    before_CHW = path(places[0])[0].cpu().numpy()
    attribution_CHW, sums = np.zeros(before_CHW.shape), list[float]()
    for place in places[1:]:
        after_CHW = path(place)[0].cpu().numpy()
        added_CHW = gradients[place] * (after_CHW - before_CHW)
        attribution_CHW += added_CHW
        sums.append(float(added_CHW.sum()))
        before_CHW = after_CHW
    return attribution_CHW, np.array(sums)
