"""The architectures srscope knows by name: from a config to a network, and back from a file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from torch import nn

from srscope.errors import UnknownNameError
from srscope.networks.architectures.cincgan import CinCGAN, CinCGANConfig
from srscope.networks.architectures.guided import (
    Restorer,
    RestorerConfig,
    Transfer,
    TransferConfig,
)
from srscope.networks.architectures.resnet import ResNet18, ResNetConfig
from srscope.networks.architectures.srresnet import SRResNet, SRResNetConfig
from srscope.networks.architectures.unified import (
    UnifiedClassifier,
    UnifiedClassifierConfig,
    UnifiedConfig,
    UnifiedSR,
)

SRConfig = SRResNetConfig
"""Structures of super-resolution networks that the SR and GAN recipes can name."""

ARCHITECTURES: dict[str, tuple[type[Any], type[nn.Module]]] = {
    "srresnet": (SRResNetConfig, SRResNet),
    "cincgan": (CinCGANConfig, CinCGAN),
    "resnet18": (ResNetConfig, ResNet18),
    "unified-sr": (UnifiedConfig, UnifiedSR),
    "unified-classifier": (UnifiedClassifierConfig, UnifiedClassifier),
    "restorer": (RestorerConfig, Restorer),
    "transfer": (TransferConfig, Transfer),
}
"""Config and module by the name that stands in a weight file's metadata."""


def build_network(config: object) -> nn.Module:
    """Build the network of a config; its weights come from torch's random state.

    Raises:
        TypeError: If no architecture has such a config.
    """
    for record, module in ARCHITECTURES.values():
        if type(config) is record:
            return module(config)
    raise TypeError(f"no architecture is built from {type(config).__name__}")


def architecture_metadata(module: nn.Module) -> dict[str, str]:
    """Return what a weight file says of its structure.

    Raises:
        TypeError: If ``module`` is none of :data:`ARCHITECTURES`.
    """
    for name, (_, kind) in ARCHITECTURES.items():
        if type(module) is kind:
            config = dataclasses.asdict(module.config)  # pyright: ignore[reportArgumentType]
            return {"architecture": name, "config": json.dumps(config, sort_keys=True)}
    raise TypeError(f"{type(module).__name__} is no architecture of srscope")


def from_metadata(metadata: Mapping[str, str]) -> nn.Module | None:
    """Build the network that a weight file's metadata describes, or ``None`` if it has none.

    Raises:
        UnknownNameError: If the architecture is not known.
        ParameterError: If the config breaks a rule.
        TypeError: If the config has other fields.
        ValueError: If it is absent or not JSON.
    """
    name = metadata.get("architecture")
    if name is None:
        return None
    if name not in ARCHITECTURES:
        raise UnknownNameError("architecture", name, ARCHITECTURES)
    if "config" not in metadata:
        raise ValueError("it names an architecture but no config")
    record, kind = ARCHITECTURES[name]
    return kind(record(**json.loads(metadata["config"])))
