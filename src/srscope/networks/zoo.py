"""Networks by what the user writes: bundled names with their cards, files, code."""

from __future__ import annotations

import dataclasses
import json
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from srscope.errors import FileProblem, ParameterError, UnknownNameError
from srscope.networks.architectures.build import build_network
from srscope.networks.description import LoadedNetwork, weights_sha256
from srscope.networks.loading.checkpoints import load_weights, read_metadata, srresnet_config
from srscope.networks.loading.factory import load_factory
from srscope.networks.loading.foreign import load_detected, load_timm
from srscope.networks.loading.formats import load_by_format
from srscope.networks.loading.hub import fetch
from srscope.networks.loading.objects import load_object, sharing
from srscope.networks.loading.programs import load_program, program_kind
from srscope.networks.loading.spec import Value, parse_spec, refuse_options
from srscope.networks.loading.weights import checked, read_weights

WEIGHTS = Path(__file__).parent.parent / "assets" / "weights"

BUNDLED = "bundled with srscope"
"""What the source of a bundled network begins with."""


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


def load_network(network: Any, *, name: str | None = None, **options: Value) -> LoadedNetwork:
    """Load a network ready for analysis, or describe one that the program holds.

    Args:
        network: A bundled name (see :func:`list_networks`); a checkpoint's path;
            ``hf:owner/name``, with a file where it has several; ``timm:NAME``; or
            ``package.module:factory``, which imports that module and calls the factory. Options
            follow after a question mark, e.g. ``net.pth?channels=1&range=255``: see the how-to
            on your own network. ``?global_residual=false`` is for a checkpoint of BasicSR's
            ``MSRResNet`` structure trained without the residual, which weights do not tell.
            Or any ``torch.nn.Module``, a function that runs one on images (N, C, H, W), an object
            of timm or spandrel; these are left as they are. A loaded network is returned.
        name: What a network that the program holds is called; by default its class.
        options: The same options as keywords: ``scale``, ``channels``, ``range``, ``multiple``,
            ``smallest``. What is not given is tried out.

    Returns:
        The network in evaluation mode; a named one is on the CPU.

    Raises:
        UnknownNameError: If it is neither a bundled name nor an existing file, or an option does
            not exist.
        CheckpointError: If the file cannot be used, or carries code.
        DownloadError: If the Hub cannot be reached.
        NetworkError: If the network cannot be built, fed or tapped.
        ParameterError: If it is no network, or an option is not understood.

    Example:
        >>> load_network("srresnet-wgr").scale
        4
        >>> load_network(nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU())).name
        'Sequential'
    """
    if isinstance(network, LoadedNetwork):
        refuse_options(options, ())
        return network
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other people's code, and not the user's matter
        if isinstance(network, str | os.PathLike):
            return _load_named(os.fspath(network), options)
        if isinstance(network, nn.Module) and is_own(network):
            refuse_options(options, ())
            kind = type(network).__name__
            return _describe(sharing(network).eval(), name=name or kind, source=f"{kind}, given")
        return load_object(network, options, name)


def _load_named(spec: str, given: Mapping[str, Value]) -> LoadedNetwork:
    cards = {card.name: card for card in list_networks()}
    if spec in cards:
        refuse_options(given, ())
        card = cards[spec]
        module = load_weights(card.path)
        return _describe(module, name=spec, source=f"{BUNDLED} ({card.facts['recipe']['name']})")
    parsed = parse_spec(spec)
    options = {**parsed.options, **given}
    if parsed.kind == "name" and os.path.isdir(spec):  # noqa: PTH112
        remedy = "name a checkpoint in it; photographs are given as --images FOLDER"
        raise FileProblem(spec, "is a folder, not a network", remedy)
    if parsed.kind == "name":
        others = "a checkpoint's path, hf:OWNER/NAME, timm:NAME or package.module:factory"
        raise UnknownNameError("network", spec, cards, others)
    if parsed.kind == "timm":
        return load_timm(parsed.target, options)
    if parsed.kind == "factory":
        return load_factory(parsed.target, options)
    if parsed.kind == "hub":
        fetched = fetch(parsed.target)
        loaded = _load_file(fetched.path, options)
        return dataclasses.replace(loaded, name=fetched.name, source=fetched.source)
    return _load_file(Path(parsed.target), options)


def is_own(network: nn.Module) -> bool:
    """Tell whether a network is of srscope's own architectures, which describe themselves."""
    of_ours = type(network).__module__.startswith("srscope.networks.architectures.")
    return of_ours and hasattr(network, "shown")


def _load_file(path: Path, options: Mapping[str, Value]) -> LoadedNetwork:
    other = load_by_format(path, options)
    if other is not None:
        return other
    program = program_kind(path)
    if program is not None:
        return load_program(path, program, options)
    key = options.get("key", options.get("srscope.key"))
    contents, metadata = read_weights(path, None if key is None else str(key)), read_metadata(path)
    for each in contents.candidates:
        own = srresnet_config(each.tensors, global_residual=True) is not None
        if "architecture" in metadata or (own and each.sure and not each.rank[0]):
            refuse_options(options, ("global_residual", "key", "srscope.key"))
            residual = options.get("global_residual")
            if not isinstance(residual, bool | None):
                raise ParameterError("global_residual", "true or false", residual)
            contents.refuse_alike(each)
            state = checked(contents, each)
            module = load_weights(path, global_residual=residual, state=state)
            source = f"checkpoint {contents.source(each)}"
            return _describe(module, name=path.stem, source=source, remarks=contents.remark(each))
    return load_detected(contents, options)


def _describe(
    module: Any, *, name: str, source: str, remarks: tuple[str, ...] = ()
) -> LoadedNetwork:
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
        remarks=remarks,
    )


def _reinitialiser(module: Any) -> Callable[[int], nn.Module]:
    def untrained(seed: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return build_network(module.config).eval()

    return untrained
