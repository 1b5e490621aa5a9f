"""A tiny network and a folder of photographs, for tests that run the whole pipeline fast."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.projection.config import TsneConfig

FAST = {
    "contents": 8,
    "patch": 16,
    "pca": 6,
    "runs": 2,
    "most_runs": 2,
    "permutations": 49,
    "random": 0,
    "trivial": False,
}
"""Options of an analysis that takes about a second."""
FASTEST: dict[str, Any] = {
    "contents": 6,
    "patch": 16,
    "pca": 5,
    "runs": 1,
    "most_runs": 1,
    "permutations": 9,
    "untrained": False,
    "random": 0,
    "trivial": False,
    "tsne": TsneConfig(perplexity=4, iterations=260),
}
"""Options of one that takes less, its t-SNE included."""
FAST_WORDS = [
    "--contents=6",
    "--patch=16",
    "--pca=6",
    "--runs=1",
    "--most_runs=1",
    "--permutations=9",
    "--tsne.perplexity=5",
    "--tsne.iterations=260",
    "--untrained=false",
    "--random=0",
    "--trivial=false",
    "--quiet",
]
"""Such options on the command line."""


def tiny_checkpoint(
    path: Path, *, blocks: int = 3, scale: int = 4, seed: int = 123, spoil: float | None = None
) -> Path:
    """Save a small SRResNet; ``spoil`` overwrites one weight of its second block."""
    torch.manual_seed(seed)  # by default not that of an untrained control
    network = SRResNet(SRResNetConfig(blocks=blocks, channels=6, scale=scale))
    state = network.state_dict()
    if spoil is not None:
        state["body.1.conv1.weight"][0, 0, 0, 0] = spoil
    save_file(state, path)
    return path


def photographs(folder: Path, *, count: int = 2, size: tuple[int, int] = (260, 200)) -> Path:
    """Write textured photographs as PNG, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for number in range(count):
        coarse = random.integers(0, 256, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
        picture.save(folder / f"photo-{number}.png")
    return folder
