"""Record what chosen layers put out, and leave the forward pass once all of them have.

Why the network's own call is patched: PyTorch offers no way to end a forward pass but an
exception, and an exception out of ``network(batch)`` would end the user's with-block too. So for
the tap's lifetime ``forward`` is shadowed on this one instance by a version that swallows the
tap's private exception and returns ``None``. Shadowing an instance attribute is public behaviour
(``nn.Module.__call__`` looks ``self.forward`` up), works for ``network(batch)``,
``network.forward(batch)`` and :meth:`FeatureTap.run` alike, and is undone by deleting it.

Why no order of execution has to be learned: the hooks count what is still missing, and the pass
ends when nothing is. That is right from the first pass on, whatever the modules are called and
even where the order depends on the input.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from srscope.errors import NetworkError, ParameterError, UnknownNameError
from srscope.networks.adapter import inner_network, layer_modules


class _LeaveForward(BaseException):
    """Carries the flow of control out of a forward pass; never seen outside this file.

    A ``BaseException``, so that a network that catches ``Exception`` to fall back on another
    implementation does not take it for a failure and compute the layer a second time.
    """

    def __init__(self, tap: FeatureTap) -> None:
        self.tap = tap
        super().__init__()


class FeatureTap:
    """Records the outputs of ``layers`` while the with-block runs the network.

    Inside the block the network is in evaluation mode and computes no gradients. On leaving it,
    also by an exception, the hooks are gone and every module's training mode is what it was;
    parameters, their gradients, buffers and device are never touched.

    A layer is addressed by its dotted module name. Where one module is called several times in
    a pass, ``"name"`` means its first call and ``"name:1"`` its second; calls are counted from 0
    and per module, also if the module is known under two names.

    Args:
        network: Any module, but not a compiled or scripted one: those do not run hooks. The
            layers of an :class:`~srscope.networks.adapter.AdaptedNetwork` are those of the network
            in it.
        layers: What to record; at least one, each once.
        stop_after_last: Leave the forward pass as soon as the last of ``layers``, in order of
            execution, has put out its tensor. ``network(batch)`` then returns ``None``, and so
            sees any forward hook that sits on ``network`` itself. ``False`` runs it to its end.

    Raises:
        UnknownNameError: If a layer does not exist; near matches are named.
        ParameterError: If ``layers`` is empty, a plain string, or names a layer twice.
        NetworkError: If the network cannot be tapped; later, if a layer puts out anything but
            one tensor, or is not run by the forward pass.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True), nn.Conv2d(4, 3, 1))
        >>> with FeatureTap(network, ["0", "1"]) as tap:
        ...     network(torch.rand(2, 3, 5, 5))  # module "2" never runs
        ...     features = tap.pop()
        >>> {name: tuple(output.shape) for name, output in features.items()}
        {'0': (2, 4, 5, 5), '1': (2, 4, 5, 5)}
    """

    def __init__(
        self, network: nn.Module, layers: Sequence[str], *, stop_after_last: bool = True
    ) -> None:
        _refuse_untappable(network)
        self.network = network
        self.layers = _checked_layers(layers)
        self.stop_after_last = stop_after_last
        # module -> index of its call -> the names under which that call was asked for
        self._wanted: dict[nn.Module, dict[int, list[str]]] = defaultdict(dict)
        for name, (module, call) in zip(self.layers, _find(network, self.layers), strict=True):
            self._wanted[module].setdefault(call, []).append(name)
        self._calls: Counter[nn.Module] = Counter()
        self._pass: dict[str, Tensor] | None = None  # filled while a forward pass runs
        self._record: dict[str, Tensor] | None = None  # of the last whole pass
        self._inner: Callable[..., Any] = network.forward
        self._undo: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        shadowed = self.network.__dict__.get("forward")
        if isinstance(getattr(shadowed, "__self__", None), FeatureTap):
            raise NetworkError(
                "this network is already tapped; leave the other FeatureTap's with-block first, "
                "or name all the layers in one FeatureTap"
            )
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
        self._undo = self._pass = self._record = None
        self._calls.clear()

    def run(self, *inputs: Any, **named: Any) -> dict[str, Tensor]:
        """Run the network once and return what the layers put out: a call, then :meth:`pop`."""
        if self._undo is None:
            raise NetworkError("a FeatureTap records only inside its with-block; open one first")
        self.network(*inputs, **named)
        return self.pop()

    def pop(self) -> dict[str, Tensor]:
        """Hand over the record of the last forward pass, in the order of ``layers``.

        The tensors are detached copies on the network's device, in its dtype; whatever runs
        later in the network cannot change them.

        Raises:
            NetworkError: If no pass has been made since the last call.
        """
        if self._record is None:
            raise NetworkError(
                "no features are recorded; run the network once, inside the with-block, "
                "before each pop()"
            )
        record, self._record = self._record, None
        return {name: record[name] for name in self.layers}

    def _forward(self, *inputs: Any, **named: Any) -> Any:
        """Stand in for the network's ``forward`` while the with-block lasts."""
        self._calls.clear()
        record: dict[str, Tensor] = {}
        self._record, self._pass = None, record
        output = None
        try:
            # Not inference_mode: a network that caches a tensor on its first pass (a position
            # grid, a mask) would keep an inference tensor, and fail when next trained.
            with torch.no_grad():
                output = self._inner(*inputs, **named)
        except _LeaveForward as leave:
            if leave.tap is not self:
                raise
        else:
            self._check_all_ran(record)
        finally:
            self._pass = None
        self._record = record
        return output

    def _hook(self, module: nn.Module, inputs: object, output: object) -> None:
        if self._pass is None:  # a part of the network called on its own
            return
        call = self._calls[module]
        self._calls[module] += 1
        for name in self._wanted[module].get(call, ()):
            self._pass[name] = _copied(name, output)
        if self.stop_after_last and len(self._pass) == len(self.layers):
            raise _LeaveForward(self)

    def _check_all_ran(self, record: dict[str, Tensor]) -> None:
        for module, calls in self._wanted.items():
            for name in (name for names in calls.values() for name in names if name not in record):
                times = self._calls[module]
                if times == 0:
                    why = "is not run by the network's forward pass; tap a layer that is"
                else:
                    why = (
                        f"does not exist: that module runs {times} time{'s' if times > 1 else ''} "
                        "in a forward pass, and calls are counted from 0"
                    )
                raise NetworkError(f"layer {name!r} {why}")


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


def _copied(name: str, output: object) -> Tensor:
    if isinstance(output, Tensor):
        # A network may run itself in inference mode, whose tensors can be used hardly anywhere.
        with torch.inference_mode(False):
            return output.detach().clone()
    if isinstance(output, (tuple, list, dict)):
        what = f"a {type(output).__name__} of {len(output)}"
    else:
        what = f"a {type(output).__name__}"
    raise NetworkError(
        f"layer {name!r} puts out {what}, not one tensor; tap a layer inside it, or one after it"
    )
