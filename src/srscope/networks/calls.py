"""Calls that take any network and any images: its layers as a table, and images magnified.

Suffixes: H/W height and width, C channels.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.images.given import is_image, pixels_of
from srscope.images.picture import read_picture
from srscope.images.record import PhotoFile
from srscope.images.sources import load_photographs
from srscope.networks import upscale as tiles
from srscope.networks.structure.tree import LayerRow, layer_rows
from srscope.networks.zoo import load_network


class Layers(tuple[LayerRow, ...]):
    """Rows of a network's layers; printed, a table with a star at those analysed by default."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the table."""
        cells = [
            ("  " * row.depth + row.name, row.kind, row.output, row.label, "*" * row.is_default)
            for row in self
        ]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
        )


def layers(network: Any, *, full: bool = False) -> Layers:
    """Return a network's layers in the order in which they are called.

    Args:
        network: All that :func:`~srscope.networks.zoo.load_network` takes.
        full: List what is inside every block, not only of the first of each class.

    Example:
        >>> from torch import nn
        >>> layers(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 1)))
        0  Conv2d  4 × 32 × 32 (C H W)
        1  ReLU    4 × 32 × 32 (C H W)  Conv1  *
        2  Conv2d  3 × 32 × 32 (C H W)
    """
    return Layers(layer_rows(load_network(network), full=full)[0])


def upscale(
    network: Any, images: Any, *, tile: int = tiles.TILE, overlap: int | None = None
) -> NDArray[np.float32] | list[NDArray[np.float32]]:
    """Magnify images by a network, tile by tile.

    Args:
        network: All that :func:`~srscope.networks.zoo.load_network` takes.
        images: One image, (H, W, C) with values in [0, 1] or of 8 bits, a tensor, a PIL image or a
            file; or several: a list, a batch, a folder. Grey, alpha and 16 bits are kept.
        tile: Side of the part of each tile that is kept, in input pixels; 0 runs the image whole.
        overlap: Input pixels added round every tile; by default the network's receptive radius.

    Returns:
        Values in [0, 1], (H, W, C) with the image's own channels; a list of these for several.

    Raises:
        SrscopeError: If an image or the network cannot be used.

    Example:
        >>> upscale("srresnet-wgr", np.zeros((8, 8, 3), np.float32)).shape
        (32, 32, 3)
    """
    loaded = load_network(network)
    pictures, several = _pictures(images)
    results = [tiles.upscale(loaded, each, tile=tile, overlap=overlap) for each in pictures]
    return results if several else results[0]


def _pictures(images: Any) -> tuple[list[NDArray[np.float32]], bool]:
    """Return images with their own channels, and whether these are several."""
    if is_image(images):
        return pixels_of(images), getattr(images, "ndim", 3) == 4
    if isinstance(images, str | os.PathLike) and Path(images).is_file():
        return [read_picture(images).pixels_HWC], False
    if isinstance(images, list | tuple):
        return [each for item in images for each in _pictures(item)[0]], True
    photos = load_photographs(images).photographs
    return [
        read_picture(each.path).pixels_HWC if isinstance(each, PhotoFile) else each.pixels_HW3
        for each in photos
    ], True
