"""Networks built by the user's own code: ``package.module:factory``.

This imports the module and calls the factory, so it runs code that the user names.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from srscope.errors import CheckpointError, NetworkError, UnknownNameError, reason_of
from srscope.networks.description import LoadedNetwork
from srscope.networks.loading.spec import Value, split_options
from srscope.networks.loading.weights import checked, read_weights
from srscope.networks.structure.describe import IMAGENET, Known, Treatment, describe
from srscope.runtime.user_code import searched


def load_factory(target: str, options: Mapping[str, Value]) -> LoadedNetwork:
    """Build a network by calling what ``package.module:factory`` names.

    The current folder is searched after the installed packages. Random weights are drawn from
    seed 0. Factories of ``torchvision.models`` get ImageNet's normalisation, as their documentation
    says; all others RGB in the range that
    :func:`~srscope.networks.structure.probe.probe_range` finds.

    Args:
        target: The module and the factory in it: a function or a class.
        options: Keyword arguments of the factory, and srscope's own
            (:data:`~srscope.networks.loading.spec.WORDS`) that the factory has no parameter for.

    Raises:
        NetworkError: If the module cannot be imported, or the factory makes no network.
        UnknownNameError: If there is no such factory in it.
        CheckpointError: If ``checkpoint`` is given and does not fit.
    """
    module_name, _, attribute = target.partition(":")
    with searched(Path.cwd()):
        factory = _find(module_name, attribute)
        own, arguments = split_options(options, theirs=_parameters(factory))
        treatment = Treatment.of(own)

        def build() -> nn.Module:
            return _build(target, factory, arguments)

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = build()
        source, remarks = f"made by {target}", ()
        if treatment.checkpoint is not None:
            weights, remarks = load_into(network, treatment.checkpoint, treatment.key)
            source += f", weights of {weights}"
        vision = module_name == "torchvision.models"
        return describe(
            network,
            name=target,
            source=source,
            known=Known(by="torchvision", mean_std=IMAGENET) if vision else Known(by="its module"),
            treatment=treatment,
            fresh=lambda: build().state_dict(),
            remarks=remarks,
        )


def load_into(
    network: nn.Module, path: str | Path, key: str | None = None
) -> tuple[str, tuple[str, ...]]:
    """Load a checkpoint into a network, all of it.

    Args:
        network: May be without values (on the meta device).
        path: The file.
        key: Which of the weights in it: see :func:`~srscope.networks.loading.weights.read_weights`.

    Returns:
        The file's name with the key taken, and what is to be said of that.

    Raises:
        CheckpointError: If it cannot be read, carries code, or does not fit.
        UnknownNameError: If nothing stands under the key.
    """
    contents = read_weights(path, key)
    taken = contents.fitted(network.state_dict())
    if taken is None:
        contents.refuse_others()
        taken = contents.candidates[0]
    contents.refuse_alike(taken)
    state = checked(contents, taken)
    try:
        network.load_state_dict(state, assign=any(p.is_meta for p in network.parameters()))
    except RuntimeError as error:
        reason = reason_of(error)
        raise CheckpointError(
            path,
            f"does not fit {type(network).__name__}: {reason}",
            f"the file holds {contents.found}",
        ) from error
    return contents.source(taken), contents.remark(taken)


def _find(module_name: str, attribute: str) -> Callable[..., Any]:
    try:
        found: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever the user's module raises
        raise NetworkError(
            f"module {module_name!r} cannot be imported ({type(error).__name__}: "
            f"{reason_of(error)}); install it, or run srscope from its folder"
        ) from error
    for name in attribute.split("."):
        if not hasattr(found, name):
            known = [known for known in dir(found) if callable(getattr(found, known, None))]
            raise UnknownNameError(f"factory of {module_name}", name, known)
        found = getattr(found, name)
    if not callable(found):
        raise NetworkError(f"{module_name}:{attribute} is a {type(found).__name__}, not callable")
    return found


def _parameters(factory: Callable[..., Any]) -> set[str]:
    try:
        return set(inspect.signature(factory).parameters)
    except (TypeError, ValueError):  # built in
        return set()


def _build(target: str, factory: Callable[..., Any], arguments: Mapping[str, Value]) -> nn.Module:
    if isinstance(factory, nn.Module):
        return factory
    try:
        network = factory(**arguments)
    except (Exception, SystemExit) as error:
        reason = reason_of(error)
        raise NetworkError(f"{target} fails: {type(error).__name__}: {reason}") from error
    if not isinstance(network, nn.Module):
        raise NetworkError(f"{target} makes a {type(network).__name__}, not a torch.nn.Module")
    return network
