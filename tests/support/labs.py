"""A lab of tiny networks under the bundled names, on small photographs: experiments in seconds."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from srscope.networks.architectures.build import architecture_metadata
from srscope.networks.architectures.cincgan import CinCGAN, CinCGANConfig
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.projection.config import TsneConfig
from srscope.reproduction.lab import Lab, LabConfig
from srscope.study.cache import Stages
from support.tiny import photographs

SR_NAMES = ("srresnet-wogr", "srresnet-wgr", "srgan-wogr", "srgan-wgr")
QUICK = TsneConfig(iterations=30, early_iterations=10)
CONTENTS = 18
"""Few, but enough for t-SNE of two sets with perplexity 30, and of three with 50."""


def save_network(folder: Path, name: str, network: nn.Module) -> None:
    """Save a network under a bundled name, with the metadata that tell its structure."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {key: tensor.contiguous() for key, tensor in network.state_dict().items()}
    metadata = {"format": "pt", **architecture_metadata(network)}
    save_file(state, folder / f"{name}.safetensors", metadata=metadata)


def tiny_lab(folder: Path, *, runs: int = 2) -> Lab:
    """Return a lab with four SR networks of 16 narrow blocks, and a CinCGAN."""
    networks = folder / "networks"
    for number, name in enumerate(SR_NAMES):
        torch.manual_seed(100 + number)
        config = SRResNetConfig(channels=4, global_residual=name.endswith("-wgr"))
        save_network(networks, name, SRResNet(config))
    small = CinCGANConfig(g_channels=4, g_blocks=1, sr_channels=4, sr_blocks=2)
    save_network(networks, "cincgan", CinCGAN(small))
    images = photographs(folder / "photographs", count=9, size=(560, 300))
    config = LabConfig(networks=str(networks), images=str(images), contents=CONTENTS, runs=runs)
    return Lab(Stages(folder / "cache"), config, QUICK)
