"""A photograph in patches: what each of them tells.

Suffixes: H/W height and width, 3 colours, R rows and C columns of patches, P patches, D features.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from srscope.analyses.identify.record import ImageTold
from srscope.errors import ImageError
from srscope.scores.identify import Identifier

AT_ONCE = 256
"""Patches whose features are in memory at a time."""


def starts(length: int, patch: int, stride: int) -> tuple[int, ...]:
    """Return where patches begin along a side; the last one ends where the side ends.

    Example:
        >>> starts(100, 32, 32)
        (0, 32, 64, 68)
    """
    last = length - patch
    return tuple(dict.fromkeys([*range(0, last + 1, stride), last]))


def tell_image(
    name: str,
    pixels_HW3: NDArray[np.float32],
    features_of: Callable[[NDArray[np.float32]], NDArray[np.floating]],
    fitted: Identifier,
    *,
    patch: int,
    stride: int,
) -> ImageTold:
    """Tell every patch of an image, and the image by its patches.

    Args:
        name: Of the image.
        pixels_HW3: RGB in [0, 1].
        features_of: From patches (P, 3, patch, patch) to features (P, D).
        fitted: The classifiers.
        patch: Side of a patch.
        stride: Step between patches.

    Raises:
        ImageError: If the image is smaller than a patch.
    """
    height, width = pixels_HW3.shape[:2]
    if min(height, width) < patch:
        raise ImageError(name, f"{width}x{height} is smaller than {patch}x{patch}")
    tops, lefts = starts(height, patch, stride), starts(width, patch, stride)
    corners = [(top, left) for top in tops for left in lefts]
    types, probabilities, levels, unknown = [], [], [], []
    for start in range(0, len(corners), AT_ONCE):
        images_P3HW = np.stack(
            [
                pixels_HW3[top : top + patch, left : left + patch].transpose(2, 0, 1)
                for top, left in corners[start : start + AT_ONCE]
            ]
        )
        told = fitted.tell(features_of(np.ascontiguousarray(images_P3HW)))
        types.append(told.type_N)
        probabilities.append(told.probability_NT)
        levels.append(told.level_NT)
        unknown.append(fitted.unknown(told))
    type_P, probability_PT, level_PT, unknown_P = (
        np.concatenate(each) for each in (types, probabilities, levels, unknown)
    )
    every = np.arange(len(type_P))
    grid = (len(tops), len(lefts))
    own_level_P = level_PT[every, type_P]
    strange = float(unknown_P.mean())
    name_of, probability, level = "unknown", None, None
    if strange <= 0.5:
        # Patches that are like nothing known say nothing of which known type it is.
        mean_T = probability_PT[~unknown_P].mean(axis=0)
        chosen = int(mean_T.argmax())
        name_of, probability = fitted.teller.types[chosen], float(mean_T[chosen])
        of_type = level_PT[~unknown_P & (type_P == chosen), chosen]
        if len(of_type) and np.isfinite(of_type).all():
            level = float(np.median(of_type))
    return ImageTold(
        name=name,
        size_HW=(height, width),
        type=name_of,
        probability=probability,
        level=level,
        unknown=strange,
        tops=tops,
        lefts=lefts,
        type_RC=np.where(unknown_P, -1, type_P).reshape(grid),
        probability_RC=probability_PT.max(axis=1).reshape(grid),
        level_RC=own_level_P.reshape(grid),
    )
