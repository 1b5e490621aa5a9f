"""Record what chosen layers put out, and leave the forward pass once all of them have.

PyTorch offers no way to end a forward pass but an exception, and an exception out of
``network(batch)`` would end the user's with-block too. So the stand-in for the network's
``forward`` (see :mod:`srscope.features.hooks`) swallows the tap's private exception and returns
``None``.

Why no order of execution has to be learned: the hooks count what is still missing, and the pass
ends when nothing is. That is right from the first pass on, whatever the modules are called and
even where the order depends on the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from srscope.errors import NetworkError
from srscope.features.hooks import LayerHooks, tensor_of


class _LeaveForward(BaseException):
    """Carries the flow of control out of a forward pass; never seen outside this file.

    A ``BaseException``, so that a network that catches ``Exception`` to fall back on another
    implementation does not take it for a failure and compute the layer a second time.
    """

    def __init__(self, tap: FeatureTap) -> None:
        self.tap = tap
        super().__init__()


class FeatureTap(LayerHooks):
    """Records the outputs of ``layers`` while the with-block runs the network.

    Inside the block the network is in evaluation mode and computes no gradients. On leaving it,
    also by an exception, the hooks are gone and every module's training mode is what it was;
    parameters, their gradients, buffers and device are never touched.

    A layer is addressed by its dotted module name. Where one module is called several times in
    a pass, ``"name"`` means its first call and ``"name:1"`` its second; calls are counted from 0
    and per module, also if the module is known under two names.

    Inside the with-block of a :class:`~srscope.features.edit.FeatureEdit` of the same network, the
    tap records edited features: of an edited layer what the edit passes on, of the layers after it
    what they make of that. An edit that asks for gradients computes them there too.

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
        super().__init__(network, layers)
        self.stop_after_last = stop_after_last
        self._record: dict[str, Tensor] | None = None  # of the last whole pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        self._record = None

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

    def _check_inside(self, outer: LayerHooks) -> None:
        if isinstance(outer, FeatureTap):
            raise NetworkError(
                "this network is already tapped; leave the other FeatureTap's with-block first, "
                "or name all the layers in one FeatureTap"
            )

    def _forward(self, *inputs: Any, **named: Any) -> Any:
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
            self._check_all_ran(record, "tap")
        finally:
            self._pass = None
        self._record = record
        return output

    def _at(self, names: Sequence[str], output: object) -> None:
        assert self._pass is not None  # _hook has seen to it
        for name in names:
            tensor = tensor_of(name, output, "tap")
            # A network may run itself in inference mode, whose tensors can be used hardly anywhere.
            with torch.inference_mode(False):
                self._pass[name] = tensor.detach().clone()
        if self.stop_after_last and len(self._pass) == len(self.layers):
            raise _LeaveForward(self)
