"""Which squares of a photograph become test crops: a fixed rule.

The photograph is divided into a regular grid of squares, centred, which never overlap. Flat squares
are left out. Of the others the one nearest to the photograph's middle comes first, and each one
after it is the farthest from those before it, so that two crops of a photograph show different
parts of it.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

SIDE = 256
"""Of a square, in pixels: a 4x network's window of 32 pixels is half of it."""
LEAST_DETAIL = 6.0
"""Of 255 levels; clear sky, still water and blurred background have less."""
MOST = 4
"""Crops of one photograph."""


def grid(size_WH: tuple[int, int]) -> list[tuple[int, int]]:
    """Return left and top of every square, row by row."""
    columns, rows = (length // SIDE for length in size_WH)
    left, top = (size_WH[0] - columns * SIDE) // 2, (size_WH[1] - rows * SIDE) // 2
    return [(left + i * SIDE, top + j * SIDE) for j in range(rows) for i in range(columns)]


def cut(image: Image.Image, place: tuple[int, int]) -> Image.Image:
    """Return the square at ``place``: its left and top."""
    left, top = place
    return image.crop((left, top, left + SIDE, top + SIDE))


def detail(square: Image.Image) -> float:
    """Return the root mean square difference of neighbours, in levels of 255.

    It is measured on the luma of the square's middle half, shrunk by 4: what a network of scale 4
    is fed of it.
    """
    quarter = SIDE // 4
    middle = square.convert("L").crop((quarter, quarter, 3 * quarter, 3 * quarter))
    small = middle.resize((SIDE // 8, SIDE // 8), Image.Resampling.BICUBIC)
    luma_HW = np.asarray(small, dtype=np.float64)
    mean_squares = [float(np.mean(np.diff(luma_HW, axis=axis) ** 2)) for axis in (0, 1)]
    return math.sqrt(sum(mean_squares) / 2)


def places(image: Image.Image) -> list[tuple[int, int]]:
    """Return left and top of the squares to cut, at most MOST, in their order."""
    left_over = [place for place in grid(image.size) if detail(cut(image, place)) >= LEAST_DETAIL]
    middle = ((image.width - SIDE) / 2, (image.height - SIDE) / 2)
    chosen: list[tuple[int, int]] = []
    while left_over and len(chosen) < MOST:
        if chosen:
            best = max(left_over, key=lambda place: min(math.dist(place, c) for c in chosen))
        else:
            best = min(left_over, key=lambda place: math.dist(place, middle))
        chosen.append(best)
        left_over.remove(best)
    return chosen
