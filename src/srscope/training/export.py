"""Turn a finished run into what the zoo ships: weights, a card for programs, a card for people."""

from __future__ import annotations

import copy
import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import nn

from srscope.networks.architectures.build import architecture_metadata
from srscope.networks.description import weights_sha256
from srscope.runtime.files import write_bytes, write_text
from srscope.training.card import card_for_people
from srscope.training.loop import Trained
from srscope.training.recipes import recipe_dict

LICENSE = "Apache-2.0"


def export(trained: Trained, out: str | Path) -> Path:
    """Write ``NAME.safetensors``, ``NAME.json`` and ``NAME.md``.

    With ``export: float16`` in the recipe the weights are rounded first, so that everything the
    card says is measured on what the file holds; batch statistics stay float32.

    Args:
        trained: The finished run.
        out: Folder to write into.

    Returns:
        The path of the weights.
    """
    from safetensors.torch import save

    recipe = trained.recipe
    path = Path(out) / f"{recipe.name}.safetensors"
    half = recipe.export == "float16"
    weights = {name for name, _ in trained.network.named_parameters()}
    if half:
        _round_to_half(trained.network)
    state = {
        name: _storable(tensor, half=half and name in weights)
        for name, tensor in trained.network.state_dict().items()
    }
    text = {"format": "pt", **architecture_metadata(trained.network)}
    write_bytes(path, save(state, metadata=text))
    facts = card(trained)
    write_text(path.with_suffix(".json"), json.dumps(facts, indent=2) + "\n")
    write_text(path.with_suffix(".md"), card_for_people(facts))
    return path


@torch.no_grad()
def _round_to_half(network: nn.Module) -> None:
    for parameter in network.parameters():
        parameter.copy_(parameter.half().float())


def _storable(tensor: torch.Tensor, *, half: bool) -> torch.Tensor:
    tensor = tensor.detach().cpu().contiguous()
    return tensor.half() if half else copy.deepcopy(tensor)


def card(trained: Trained) -> dict[str, Any]:
    """Collect what is known of a trained network, as plain JSON values."""
    recipe = trained.recipe
    measured = trained.facts()
    return {
        "name": recipe.name,
        "task": recipe.task,
        "parameters": sum(p.numel() for p in trained.network.parameters()),
        "sha256": weights_sha256(trained.network),
        "stored_as": recipe.export,
        "license": LICENSE,
        "iterations": trained.iterations,
        "seed": recipe.seed,
        "seconds": round(trained.seconds),
        "init": trained.init,
        "data": measured["data"],
        "quality": {**measured["quality"], **trained.validation},
        "recipe": recipe_dict(recipe),
        "commit": trained.commit,
        "environment": {
            "python": platform.python_version(),
            "torch": metadata.version("torch"),
            "threads": torch.get_num_threads(),
            "machine": f"{platform.system()} {platform.machine()}",
        },
    }
