"""Run a super-resolution network on whole photographs, by overlapping tiles.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.errors import ParameterError
from srscope.networks.description import LoadedNetwork

Window = tuple[int, int, int, int]
"""First and last-plus-one pixel of a tile with its overlap, and of the part that is kept."""


def _windows(side: int, tile: int, overlap: int) -> Iterator[Window]:
    for start in range(0, side, tile):
        stop = min(start + tile, side)
        yield max(0, start - overlap), min(side, stop + overlap), start, stop


@torch.inference_mode()
def upscale(
    network: LoadedNetwork,
    image_HW3: NDArray[np.float32],
    *,
    tile: int = 192,
    overlap: int = 40,
) -> NDArray[np.float32]:
    """Magnify one photograph.

    Args:
        network: What to run.
        image_HW3: RGB in [0, 1].
        tile: Side of the part of each tile that is kept, in input pixels; 0 runs the image whole.
        overlap: Input pixels added round every tile. With at least the network's receptive-field
            radius (38 for the 16-block SRResNet) the result equals that of the whole image.

    Returns:
        RGB in [0, 1], ``network.scale`` times as large.

    Raises:
        ParameterError: If ``tile`` or ``overlap`` is negative.
    """
    if tile < 0:
        raise ParameterError("tile", "0 (no tiles) or more", tile)
    if overlap < 0:
        raise ParameterError("overlap", "0 or more", overlap)
    device = next(network.module.parameters()).device
    height, width = image_HW3.shape[:2]
    scale = network.scale
    input_1CHW = torch.from_numpy(np.ascontiguousarray(image_HW3)).permute(2, 0, 1)[None]
    output_CHW = torch.empty(3, height * scale, width * scale)
    for top, bottom, keep_top, keep_bottom in _windows(height, tile or height, overlap):
        for left, right, keep_left, keep_right in _windows(width, tile or width, overlap):
            part: Tensor = network.module(input_1CHW[..., top:bottom, left:right].to(device))[0]
            kept = part[
                :,
                (keep_top - top) * scale : (keep_bottom - top) * scale,
                (keep_left - left) * scale : (keep_right - left) * scale,
            ]
            output_CHW[
                :, keep_top * scale : keep_bottom * scale, keep_left * scale : keep_right * scale
            ] = kept.cpu()
    return output_CHW.clamp_(0.0, 1.0).permute(1, 2, 0).contiguous().numpy()
