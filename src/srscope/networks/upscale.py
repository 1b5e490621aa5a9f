"""Run a super-resolution network on images of any size, by overlapping tiles.

With an overlap of at least the network's receptive radius, the default where it is known, tiles
give what the whole image would. A network with global operations, such as channel attention,
sees other averages in a tile than in the whole image: there tiles only come near it, and the
overlap is :data:`UNKNOWN_OVERLAP` unless given.

Grey images are run as RGB with equal channels and come back as the average of the three outputs.
Alpha is resized bicubically beside the colours, which are not multiplied by it. Colours that
cannot be seen, because their alpha is 0, are replaced by the nearest visible one first: what an
editor left there, often black or white, would otherwise be drawn into the edges.

Suffixes: N images, C channels (1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha), H/W height and
width, R rows of the result.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from srscope.degradations.resize import imresize
from srscope.errors import NetworkError, ParameterError
from srscope.networks.description import LoadedNetwork

UNKNOWN_OVERLAP = 32
"""Overlap in input pixels where no overlap makes tiles equal to the whole, or none is known to."""
_ALPHA_RADIUS = 2  # of bicubic enlargement
TILE = 192
"""Default side of a tile in input pixels."""


class _Window(NamedTuple):
    """A tile along one side: what the network is given, and the part that is kept."""

    first: int
    last: int
    keep_first: int
    keep_last: int


def upscale(
    network: LoadedNetwork,
    image_HWC: NDArray[np.float32],
    *,
    tile: int = TILE,
    overlap: int | None = None,
) -> NDArray[np.float32]:
    """Magnify one image.

    Args:
        network: What to run.
        image_HWC: Values in [0, 1], C = 3 for RGB; 1, 2 and 4 as said at the top of this module.
        tile: Side of the part of each tile that is kept, in input pixels; 0 runs the image whole.
        overlap: Input pixels added round every tile; by default the network's receptive radius.
            Less is faster and shows seams.

    Returns:
        Values in [0, 1], ``network.scale`` times as large, with the same channels.

    Raises:
        ParameterError: If ``tile`` or ``overlap`` is negative, or the shape is another.
        NetworkError: If the network returns another size, NaN or infinity.
    """
    strips_RWC = upscale_strips(network, image_HWC, tile=tile, overlap=overlap)
    height, width, channels = image_HWC.shape
    output_HWC = np.empty((height * network.scale, width * network.scale, channels), np.float32)
    row = 0
    for strip_RWC in strips_RWC:
        output_HWC[row : row + len(strip_RWC)] = strip_RWC
        row += len(strip_RWC)
    return output_HWC


def upscale_strips(
    network: LoadedNetwork,
    image_HWC: NDArray[np.float32],
    *,
    tile: int = TILE,
    overlap: int | None = None,
    after_tile: Callable[[], None] | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Magnify one image strip by strip, so that a large result is never whole in memory.

    The arguments are those of :func:`upscale`, and ``after_tile``, which is called after every
    tile; :func:`count_tiles` says how many there are. So are the errors; those of the network are
    raised when the strip is asked for.

    Returns:
        The rows of the result from top to bottom, one row of tiles at a time, (R, W, C).
    """
    shape = image_HWC.shape
    if len(shape) != 3 or not 1 <= shape[2] <= 4 or 0 in shape:
        raise ParameterError("image_HWC", "an array of shape (H, W, C) with C from 1 to 4", shape)
    _check_tile(tile)
    if overlap is None:
        radius = network.receptive_radius
        overlap = UNKNOWN_OVERLAP if radius is None else radius
    elif overlap < 0:
        raise ParameterError("overlap", "0 or more", overlap)
    if shape[2] in (2, 4):
        overlap = max(overlap, _ALPHA_RADIUS)
    return _strips(network, image_HWC, tile, overlap, after_tile)


def count_tiles(network: LoadedNetwork, size_HW: tuple[int, int], *, tile: int = TILE) -> int:
    """Return how many tiles an image of that size takes.

    Raises:
        ParameterError: If ``tile`` is negative.
    """
    _check_tile(tile)
    return math.prod(len(_windows(network, side, tile, 0)) for side in size_HW)


def _check_tile(tile: int) -> None:
    if tile < 0:
        raise ParameterError("tile", "0 (no tiles) or more", tile)


def _strips(
    network: LoadedNetwork,
    image_HWC: NDArray[np.float32],
    tile: int,
    overlap: int,
    after_tile: Callable[[], None] | None,
) -> Iterator[NDArray[np.float32]]:
    height, width, channels = image_HWC.shape
    scale = network.scale
    padded_HWC = padded(network, _without_hidden_colours(image_HWC))
    image_1CHW = torch.from_numpy(padded_HWC).permute(2, 0, 1)[None]
    columns = _windows(network, width, tile, overlap)
    for row in _windows(network, height, tile, overlap):
        strip_CRW = torch.empty(channels, (row.keep_last - row.keep_first) * scale, width * scale)
        for column in columns:
            part_1CHW = image_1CHW[..., row.first : row.last, column.first : column.last]
            result_CHW = _run(network, part_1CHW.contiguous())[0]
            strip_CRW[..., column.keep_first * scale : column.keep_last * scale] = result_CHW[
                :, _kept(row, scale), _kept(column, scale)
            ]
            if after_tile is not None:
                after_tile()
        yield strip_CRW.permute(1, 2, 0).numpy()


def _kept(window: _Window, scale: int) -> slice:
    """Return where the kept part lies in the network's output."""
    first, _, keep_first, keep_last = window
    return slice((keep_first - first) * scale, (keep_last - first) * scale)


def padded(network: LoadedNetwork, image_HWC: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mirror the image beyond its right and lower borders, up to a size the network takes."""
    height, width = image_HWC.shape[:2]
    more = [(0, network.fitted(side) - side) for side in (height, width)]
    if not any(after for _, after in more):
        return image_HWC
    return np.pad(image_HWC, (*more, (0, 0)), mode="symmetric")


def _windows(network: LoadedNetwork, side: int, tile: int, overlap: int) -> list[_Window]:
    """Divide a side of ``side`` pixels, padded as the network needs it.

    What the network is given starts at, and is as long as, a multiple of ``network.multiple``, so
    that strided layers divide a tile as they divide the whole.
    """
    multiple, whole = network.multiple, network.fitted(side)
    shortest = network.fitted(1)
    tile, overlap = (-(-length // multiple) * multiple for length in (tile or whole, overlap))
    windows: list[_Window] = []
    for start in range(0, side, tile):
        stop = min(start + tile, side)
        first, last = max(0, start - overlap), min(whole, start + tile + overlap)
        last = min(whole, max(last, first + shortest))
        first = min(first, last - shortest)
        windows.append(_Window(first, last, start, stop))
    return windows


@torch.no_grad()  # not inference mode: there are networks that set weights in their pass
def _run(network: LoadedNetwork, part_1CHW: Tensor) -> Tensor:
    """Magnify a tile of any channels; values are clipped to [0, 1]."""
    channels = part_1CHW.shape[1]
    grey, alpha = channels < 3, channels in (2, 4)
    colour_13HW = part_1CHW[:, :1].expand(-1, 3, -1, -1) if grey else part_1CHW[:, :3]
    first = next(itertools.chain(network.module.parameters(), network.module.buffers()), None)
    device = part_1CHW.device if first is None else first.device
    made: object = network.module(colour_13HW.contiguous().to(device))
    if not isinstance(made, Tensor):
        raise NetworkError(f"{network.name} returns a {type(made).__name__}, not an image")
    output_1CHW = made.cpu().float()
    height, width = (side * network.scale for side in part_1CHW.shape[2:])
    if output_1CHW.shape != (1, 3, height, width):
        raise NetworkError(
            f"{network.name} made {tuple(output_1CHW.shape)} of {tuple(colour_13HW.shape)}; "
            f"upscaling needs RGB, {network.scale} times as large"
        )
    if not output_1CHW.isfinite().all():
        raise NetworkError(f"{network.name} returns NaN or infinite values; check its weights")
    if grey:
        output_1CHW = output_1CHW.mean(dim=1, keepdim=True)
    if alpha:
        alpha_11HW = imresize(part_1CHW[:, -1:], network.scale)
        output_1CHW = torch.cat([output_1CHW, alpha_11HW], dim=1)
    return output_1CHW.clamp_(0.0, 1.0)


def _without_hidden_colours(image_HWC: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give every pixel of alpha 0 the colour of the nearest pixel that can be seen."""
    if image_HWC.shape[2] not in (2, 4):
        return np.ascontiguousarray(image_HWC)
    hidden_HW = image_HWC[..., -1] == 0
    if not hidden_HW.any() or hidden_HW.all():
        return np.ascontiguousarray(image_HWC)
    nearest_2HW: Any = ndimage.distance_transform_edt(
        hidden_HW, return_distances=False, return_indices=True
    )
    rows_HW, columns_HW = nearest_2HW
    filled_HWC = image_HWC.copy()
    filled_HWC[..., :-1] = image_HWC[rows_HW, columns_HW, :-1]
    return filled_HWC
