"""Networks that a program holds: a module, a function that runs one, an object of timm or spandrel.

The user's network is left as it is. What is analysed is a copy that shares its tensors, so that
neither the mode nor a hook of the one is the other's.
"""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
import types
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from srscope.errors import NetworkError, ParameterError
from srscope.networks.description import LoadedNetwork
from srscope.networks.loading.foreign import describe_detected, known_of_timm
from srscope.networks.loading.spec import HELP, WORDS, Value, refuse_options, split_options
from srscope.networks.structure.describe import Known, Treatment, describe

_WRAPPERS = ("_orig_mod", "module")
"""Where ``torch.compile`` and ``nn.DataParallel`` keep the network itself."""


def load_object(network: Any, options: Mapping[str, Value], name: str | None) -> LoadedNetwork:
    """Find out how a network is fed and where it can be tapped.

    Args:
        network: A module; a descriptor of spandrel; a function, method or object that takes images
            (N, C, H, W) and runs the modules it refers to; or a function without arguments that
            returns a module.
        options: As for :func:`~srscope.networks.zoo.load_network`.
        name: What it is called; by default its class or the function.

    Raises:
        NetworkError: If it cannot be fed or tapped, or refers to no module.
        ParameterError: If it is no network.
        UnknownNameError: If an option does not exist.
    """
    own, rest = split_options(options)
    refuse_options(rest, [word for word in WORDS if word != "checkpoint"])
    treatment = Treatment.of(own)
    if isinstance(network, type) and issubclass(network, nn.Module):
        remedy = f"make one, e.g. {network.__name__}()"
        raise ParameterError("network", "a network, not its class", network.__name__, remedy)
    of_spandrel = type(network).__module__.partition(".")[0] == "spandrel"
    if of_spandrel and hasattr(network, "model") and not isinstance(network, nn.Module):
        called = name or network.architecture.name
        return describe_detected(network, name=called, source="given", treatment=treatment)
    if isinstance(network, nn.Module):
        inner = _unwrapped(network)
        kind = type(inner).__name__
        return describe(
            sharing(inner),
            name=name or kind,
            source=f"{kind}, given",
            known=known_of_timm(inner) or Known(by="its module"),
            treatment=treatment,
        )
    if not callable(network):
        rule = f"a {HELP}, a torch.nn.Module or a function of images"
        raise ParameterError("network", rule, type(network).__name__)
    called = name or getattr(network, "__qualname__", type(network).__name__)
    if (made := _made_by(network)) is not None:
        return load_object(made, options, called)
    found = networks_in(network)
    if not found:
        raise NetworkError(
            f"{called} refers to no torch.nn.Module, so it has no layers to look at; give the "
            "network, or a function that refers to it"
        )
    run = sharing(_Function(network, tuple(found.values())))
    inner = run.networks[0]
    if len(found) > 1:
        inner = nn.ModuleDict(dict(zip(found, run.networks, strict=True)))
    return describe(
        inner,
        name=called,
        source=f"function {called}, given",
        known=Known(by="the function"),
        treatment=treatment,
        call=run,
    )


class _Function:
    """Runs a function of images; a copy of it runs copies of the networks it refers to."""

    def __init__(self, function: Callable[..., Any], networks: tuple[nn.Module, ...]) -> None:
        self.function, self.networks = function, networks

    def __call__(self, inner: nn.Module, x_NCHW: Tensor) -> Any:
        del inner  # the function refers to it
        return self.function(x_NCHW)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Function:
        function = _rebound(self.function, memo)
        return _Function(function, tuple(copy.deepcopy(each, memo) for each in self.networks))


def networks_in(value: Any) -> dict[str, nn.Module]:
    """Return the modules that a function refers to, by name: in closures, globals and attributes.

    Example:
        >>> network = nn.ReLU()
        >>> list(networks_in(lambda images: network(2 * images - 1)))
        ['network']
    """
    found: dict[int, tuple[str, nn.Module]] = {}
    seen: set[int] = set()

    def look(name: str, each: Any) -> None:
        if id(each) in seen:
            return
        seen.add(id(each))
        if isinstance(each, nn.Module):
            found[id(each)] = (name, each)
            return
        for inner_name, inner in _referred(each):
            look(inner_name, inner)

    look(getattr(value, "__name__", "network"), value)
    names: dict[str, nn.Module] = {}
    for name, module in found.values():
        key = name.replace(".", "_")
        names[key if key not in names else f"{key}_{len(names)}"] = module
    return names


def _referred(value: Any) -> list[tuple[str, Any]]:
    """Return what a function, or an object that is called, refers to."""
    if isinstance(value, functools.partial):
        return [("function", value.func), *value.keywords.items(),
                *((f"argument_{i}", each) for i, each in enumerate(value.args))]  # fmt: skip
    if isinstance(value, types.MethodType):
        return [(type(value.__self__).__name__, value.__self__)]
    if isinstance(value, types.FunctionType):
        closed = inspect.getclosurevars(value)
        return [*closed.nonlocals.items(), *closed.globals.items()]
    if isinstance(value, type | types.ModuleType) or not callable(value):
        return []
    return list(getattr(value, "__dict__", {}).items())


def _rebound(function: Any, memo: dict[int, Any]) -> Any:
    """Return a function like this one that refers to copies of the modules."""
    if id(function) in memo:
        return memo[id(function)]
    if isinstance(function, functools.partial):
        args = (_replaced(each, memo) for each in function.args)
        named = {name: _replaced(each, memo) for name, each in function.keywords.items()}
        return functools.partial(_replaced(function.func, memo), *args, **named)
    if isinstance(function, types.MethodType):
        return types.MethodType(function.__func__, copy.deepcopy(function.__self__, memo))
    if not isinstance(function, types.FunctionType):
        return copy.deepcopy(function, memo)
    cells = tuple(types.CellType() for _ in function.__closure__ or ())
    names = dict(function.__globals__)
    copied = types.FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, cells
    )
    copied.__kwdefaults__ = function.__kwdefaults__
    memo[id(function)] = copied
    for cell, old in zip(cells, function.__closure__ or (), strict=True):
        cell.cell_contents = _replaced(old.cell_contents, memo)
    for name, each in inspect.getclosurevars(function).globals.items():
        names[name] = _replaced(each, memo)
    return copied


def _replaced(value: Any, memo: dict[int, Any]) -> Any:
    """Return a copy of a module, or of what refers to one; anything else as it is."""
    if isinstance(value, nn.Module):
        return copy.deepcopy(value, memo)
    return _rebound(value, memo) if callable(value) and networks_in(value) else value


def sharing(value: Any) -> Any:
    """Return a copy that shares every tensor; the thing itself where it cannot be copied."""
    modules = value.networks if isinstance(value, _Function) else (value,)
    tensors = itertools.chain.from_iterable((*m.parameters(), *m.buffers()) for m in modules)
    try:
        return copy.deepcopy(value, {id(tensor): tensor for tensor in tensors})
    except Exception:  # whatever a user's module holds
        return value


def _unwrapped(network: nn.Module) -> nn.Module:
    inside = dict(network.named_children())
    if len(inside) == 1 and next(iter(inside)) in _WRAPPERS:
        return _unwrapped(next(iter(inside.values())))
    return network


def _made_by(function: Any) -> nn.Module | None:
    """Return the network that a function without arguments makes; ``None`` if it takes some."""
    try:
        if inspect.signature(function).parameters:
            return None
    except (TypeError, ValueError):  # built in
        return None
    made = function()
    if not isinstance(made, nn.Module):
        rule = "a function of images, or one without arguments that returns a torch.nn.Module"
        raise ParameterError("network", rule, f"one that returns a {type(made).__name__}")
    return made
