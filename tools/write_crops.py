"""Show what L1 and adversarial training make of the same photographs, side by side.

`python tools/write_crops.py` writes docs/images/crops.png: of each of a few bundled test
photographs the square with the most detail, magnified by bicubic and by the bundled networks, with
PSNR and detail of the whole square beneath. Suffixes: H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_gradient_magnitude, uniform_filter
from torch import nn

from srscope.images.bundled import load_bundled
from srscope.networks.zoo import list_networks, load_network
from srscope.training.data import Pair, make_pair
from srscope.training.quality import magnified, quality

NETWORKS = ("srresnet-wogr", "srresnet-wgr", "srgan-wogr", "srgan-wgr")
PHOTOGRAPHS = 4
SCALE, SIDE, MARGIN = 4, 96, 32
"""Magnification; side of what is shown and what is added round it for measuring, in HR pixels."""


def busiest(pair: Pair) -> tuple[int, int]:
    """Return top and left of the square with the strongest gradients, in LR pixels."""
    luma_HW = pair.hr_HW3.astype(np.float64) @ (0.299, 0.587, 0.114)
    side = SIDE + 2 * MARGIN
    energy_HW = uniform_filter(gaussian_gradient_magnitude(luma_HW, 1.0), side)
    half = side // 2
    inner_HW = energy_HW[half:-half, half:-half]
    y, x = np.unravel_index(np.argmax(inner_HW), inner_HW.shape)
    return int(y) // SCALE, int(x) // SCALE


def cut(pair: Pair) -> Pair:
    """Return the busiest square of a photograph, with its margin."""
    top, left = busiest(pair)
    side = (SIDE + 2 * MARGIN) // SCALE
    hr_HW3 = pair.hr_HW3[top * SCALE : (top + side) * SCALE, left * SCALE : (left + side) * SCALE]
    return Pair(
        name=pair.name,
        hr_HW3=hr_HW3,
        lr_HW3=pair.lr_HW3[top : top + side, left : left + side],
    )


def show(network: nn.Module | None, pair: Pair) -> tuple[NDArray[np.float32], str]:
    """Return the shown square as a method makes it, and its numbers."""
    lr_1CHW = torch.from_numpy(np.ascontiguousarray(pair.lr_HW3)).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        sr_HW3 = magnified(network, lr_1CHW.float(), SCALE)[0].clamp(0, 1).permute(1, 2, 0).numpy()
    numbers = quality(network, [pair], scale=SCALE)
    return _inner(sr_HW3), f"{numbers.psnr:.1f} dB, detail {numbers.detail:.2f}"


def _inner(image_HW3: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    return image_HW3[MARGIN : MARGIN + SIDE, MARGIN : MARGIN + SIDE].astype(np.float32)


def main() -> None:
    """Draw the figure."""
    bundled = {card.name for card in list_networks()}
    names = [name for name in NETWORKS if name in bundled]
    methods: list[tuple[str, nn.Module | None]] = [("bicubic", None)]
    methods += [(name, load_network(name).module) for name in names]
    pairs = [make_pair(p, SCALE) for p in load_bundled("test").photographs[:PHOTOGRAPHS]]
    columns = len(methods) + 1
    figure, axes = plt.subplots(
        len(pairs), columns, figsize=(2.1 * columns, 2.45 * len(pairs)), layout="constrained"
    )
    for row, pair in zip(axes, (cut(pair) for pair in pairs), strict=True):
        for axis, (name, network) in zip(row, methods, strict=False):
            image_HW3, numbers = show(network, pair)
            axis.imshow(image_HW3, interpolation="nearest")
            axis.set_title(name, fontsize=9)
            axis.set_xlabel(numbers, fontsize=8)
        row[-1].imshow(_inner(pair.hr_HW3 / np.float32(255)), interpolation="nearest")
        row[-1].set_title("original", fontsize=9)
        row[-1].set_xlabel("detail 1.00", fontsize=8)
        for axis in row:
            axis.set_xticks([])
            axis.set_yticks([])
    target = Path(__file__).resolve().parents[1] / "docs" / "images" / "crops.png"
    figure.savefig(target, dpi=130)
    print(target)


if __name__ == "__main__":
    main()
