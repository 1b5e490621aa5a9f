"""Small guided networks in files, whose modulation is at random and whose readout is right."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from srscope.features.guide import Guide, fit_embedding, mark_picture
from srscope.networks.architectures.build import architecture_metadata, build_network
from srscope.networks.architectures.guided import (
    Embedded,
    RestorerConfig,
    TransferConfig,
    embedding_of_levels,
)

CONFIGS = {
    "none": RestorerConfig(blocks=1, channels=4),
    "statistics": RestorerConfig(blocks=1, channels=4, guidance="statistics", embedding=26),
    "oracle": RestorerConfig(blocks=1, channels=4, guidance="oracle", embedding=2),
    "transfer": TransferConfig(blocks=1, channels=4, guidance="statistics", embedding=26),
}


def save_guided(folder: Path, name: str, *, strength: float = 0.3) -> str:
    """Save a network; its modulation scales and shifts by about ``strength``."""
    torch.manual_seed(3)
    config = CONFIGS[name]
    network = build_network(config)
    assert isinstance(network, Embedded)
    for key, parameter in network.named_parameters():
        if "modulation" in key and strength:
            torch.nn.init.normal_(parameter, std=strength)
    sigma = torch.linspace(0, 30, 80)
    levels = torch.stack([torch.zeros(80), sigma], dim=1)
    if config.guidance == "statistics":
        noise = torch.randn(80, 3, 32, 32) * sigma[:, None, None, None] / 255
        guide = Guide(config)
        fit_embedding(network, guide, guide((mark_picture() + noise).clamp(0, 1)), levels)
    elif config.guidance == "oracle":
        fit_embedding(network, None, embedding_of_levels(levels), levels)
    state = {key: tensor.contiguous() for key, tensor in network.state_dict().items()}
    path = folder / f"{name}.safetensors"
    save_file(state, path, metadata={"format": "pt", **architecture_metadata(network)})
    return str(path)
