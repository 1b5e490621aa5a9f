"""Networks by name: the bundled ones with their cards, and checkpoint files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from srscope.errors import ParameterError, UnknownNameError
from srscope.networks.build import build_network
from srscope.networks.checkpoints import load_weights
from srscope.networks.description import LoadedNetwork, weights_sha256

WEIGHTS = Path(__file__).parent.parent / "assets" / "weights"


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """What is known of a bundled network, read from the JSON file beside its weights.

    Args:
        name: Its name.
        path: Its weights.
        facts: The card as written when it was exported: recipe, commit, data, iterations, seed,
            PSNR and SSIM beside bicubic, licence.
    """

    name: str
    path: Path
    facts: dict[str, Any]


def list_networks() -> tuple[Card, ...]:
    """Return the cards of the bundled networks, in name order."""
    return tuple(
        Card(
            name=path.stem,
            path=path.with_suffix(".safetensors"),
            facts=json.loads(path.read_text("utf-8")),
        )
        for path in sorted(WEIGHTS.glob("*.json"))
        if path.with_suffix(".safetensors").is_file()
    )


def load_network(spec: str) -> LoadedNetwork:
    """Load a network ready for analysis.

    Args:
        spec: A bundled name (see :func:`list_networks`), or the path of a checkpoint with
            BasicSR's ``MSRResNet`` structure. A path may end in ``?global_residual=false`` for
            one trained without the residual, which weights alone do not tell.

    Returns:
        The network in evaluation mode on the CPU.

    Raises:
        UnknownNameError: If ``spec`` is neither a bundled name nor an existing file.
        CheckpointError: If the file cannot be used.
        ParameterError: If what follows ``?`` is not understood.

    Example:
        >>> load_network("srresnet-wgr").scale
        4
    """
    cards = {card.name: card for card in list_networks()}
    if spec in cards:
        card = cards[spec]
        module = load_weights(card.path)
        return _describe(
            module, name=spec, source=f"bundled with srscope ({card.facts['recipe']['name']})"
        )
    path, _, option = spec.partition("?")
    if not Path(path).is_file() and not Path(path).suffix:
        raise UnknownNameError("network", spec, cards)
    module = load_weights(path, global_residual=_residual_option(option))
    return _describe(module, name=Path(path).stem, source=f"checkpoint {Path(path).name}")


def _residual_option(option: str) -> bool | None:
    choices = {"": None, "global_residual=true": True, "global_residual=false": False}
    if option not in choices:
        raise ParameterError(
            "network", "a path, with ?global_residual=true or ?global_residual=false", option
        )
    return choices[option]


def _describe(module: Any, *, name: str, source: str) -> LoadedNetwork:
    """Describe one of srscope's own architectures; each has ``config``, ``taps()``, ``shown()``."""
    return LoadedNetwork(
        module=module,
        name=name,
        source=source,
        scale=getattr(module.config, "scale", 1),
        taps=module.taps(),
        default_layers=module.shown(),
        sha256=weights_sha256(module),
        untrained=_reinitialiser(module),
        receptive_radius=getattr(module, "receptive_radius", None),
    )


def _reinitialiser(module: Any) -> Callable[[int], nn.Module]:
    def untrained(seed: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return build_network(module.config).eval()

    return untrained
