"""What reading a layer and editing a layer share: find it, hook it, leave the network as it was.

Why the network's own ``forward`` is shadowed on this one instance for the with-block: hooks on
layers alone cannot tell where a pass begins and ends, and so cannot count a module's calls. It is
public behaviour (``nn.Module.__call__`` looks ``self.forward`` up), works for ``network(batch)``
and ``network.forward(batch)`` alike, and is undone by deleting it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from srscope.errors import NetworkError, ParameterError, UnknownNameError
from srscope.networks.adapter import inner_network, layer_modules


class LayerHooks(ABC):
    """Hooks on chosen calls of chosen layers, for as long as a with-block lasts.

    Inside the block the network is in evaluation mode. On leaving it, also by an exception, the
    hooks are gone and every module's training mode is what it was.

    A layer is addressed by its dotted module name. Where one module is called several times in
    a pass, ``"name"`` means its first call and ``"name:1"`` its second; calls are counted from 0
    and per module, also if the module is known under two names.

    Args:
        network: Any module, but not a compiled or scripted one: those do not run hooks. The
            layers of an :class:`~srscope.networks.adapter.AdaptedNetwork` are those of the network
            in it.
        layers: At least one, each once.

    Raises:
        UnknownNameError: If a layer does not exist; near matches are named.
        ParameterError: If ``layers`` is empty, a plain string, or names a layer twice.
        NetworkError: If the network does not run hooks.
    """

    def __init__(self, network: nn.Module, layers: Sequence[str]) -> None:
        _refuse_untappable(network)
        self.network = network
        self.layers = _checked_layers(layers)
        # module -> index of its call -> the names under which that call was asked for
        self._wanted: dict[nn.Module, dict[int, list[str]]] = defaultdict(dict)
        for name, (module, call) in zip(self.layers, _find(network, self.layers), strict=True):
            self._wanted[module].setdefault(call, []).append(name)
        self._calls: Counter[nn.Module] = Counter()
        self._pass: dict[str, Tensor] | None = None  # by layer; filled while a forward pass runs
        self._inner: Callable[..., Any] = network.forward
        self._undo: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        shadowed = self.network.__dict__.get("forward")
        owner = getattr(shadowed, "__self__", None)
        if isinstance(owner, LayerHooks):
            self._check_inside(owner)
        modes = [(module, module.training) for module in self.network.modules()]
        handles: list[RemovableHandle] = []
        self._inner = self.network.forward

        def undo() -> None:
            for handle in handles:
                handle.remove()
            self.network.__dict__.pop("forward", None)
            if shadowed is not None:
                self.network.__dict__["forward"] = shadowed
            for module, training in modes:
                module.training = training

        self._undo = undo
        try:
            self.network.__dict__["forward"] = self._forward
            handles.extend(module.register_forward_hook(self._hook) for module in self._wanted)
            self.network.eval()
        except BaseException:  # a module may override eval()
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._undo is not None:
            self._undo()
        self._undo = self._pass = None
        self._calls.clear()

    @abstractmethod
    def _check_inside(self, outer: LayerHooks) -> None:
        """Raise :class:`NetworkError` unless this block may stand inside that one."""

    @abstractmethod
    def _forward(self, *inputs: Any, **named: Any) -> Any:
        """Stand in for the network's ``forward`` while the with-block lasts."""

    @abstractmethod
    def _at(self, names: Sequence[str], output: object) -> Tensor | None:
        """Take what a layer puts out, asked for under these names; return what to put instead."""

    def _hook(self, module: nn.Module, inputs: object, output: object) -> Tensor | None:
        if self._pass is None:  # a part of the network called on its own
            return None
        call = self._calls[module]
        self._calls[module] += 1
        return self._at(self._wanted[module].get(call, ()), output)

    def _check_all_ran(self, seen: dict[str, Tensor], verb: str) -> None:
        for module, calls in self._wanted.items():
            for name in (name for names in calls.values() for name in names if name not in seen):
                times = self._calls[module]
                if times == 0:
                    why = f"is not run by the network's forward pass; {verb} a layer that is"
                else:
                    why = (
                        f"does not exist: that module runs {times} time{'s' if times > 1 else ''} "
                        "in a forward pass, and calls are counted from 0"
                    )
                raise NetworkError(f"layer {name!r} {why}")


def tensor_of(name: str, output: object, verb: str) -> Tensor:
    """Return a layer's output if it is one tensor.

    Raises:
        NetworkError: If it is anything else.
    """
    if isinstance(output, Tensor):
        return output
    if isinstance(output, (tuple, list, dict)):
        what = f"a {type(output).__name__} of {len(output)}"
    else:
        what = f"a {type(output).__name__}"
    raise NetworkError(
        f"layer {name!r} puts out {what}, not one tensor; {verb} a layer inside it, or one after it"
    )


def _refuse_untappable(network: nn.Module) -> None:
    compiled = hasattr(network, "_orig_mod") or any(
        getattr(module, "_compiled_call_impl", None) is not None for module in network.modules()
    )
    if compiled or isinstance(inner_network(network), torch.jit.ScriptModule):
        raise NetworkError(
            f"a {'compiled' if compiled else 'TorchScript'} network cannot be tapped, as its "
            "layers do not run hooks; give the plain nn.Module it was made from"
        )


def _checked_layers(layers: Sequence[str]) -> tuple[str, ...]:
    if isinstance(layers, str) or not layers:
        raise ParameterError("layers", "a list of at least one layer name", layers)
    if len(set(layers)) < len(layers):
        raise ParameterError("layers", "free of repeated names", list(layers))
    return tuple(layers)


def _find(network: nn.Module, layers: Sequence[str]) -> list[tuple[nn.Module, int]]:
    """Return the module and the call index that each name stands for."""
    modules = layer_modules(network)
    found: list[tuple[nn.Module, int]] = []
    for layer in layers:
        name, colon, call = layer.rpartition(":")
        if layer in modules:  # first, as a name may itself hold a colon
            found.append((modules[layer], 0))
        elif colon and name in modules and call.isascii() and call.isdigit():
            found.append((modules[name], int(call)))
        else:
            raise UnknownNameError("layer", layer, modules)
    return found
