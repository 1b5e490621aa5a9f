"""Change what chosen layers put out while a network runs.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn

from srscope.errors import NetworkError, ParameterError
from srscope.features.hooks import LayerHooks, tensor_of
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.select import select_layers

Edit = Callable[[Tensor], Tensor]
"""Takes what a layer puts out; returns what it is to put out instead, of the same kind."""


class FeatureEdit(LayerHooks):
    """Changes the outputs of layers while the with-block runs the network.

    Inside the block the network is in evaluation mode. On leaving it, also by an exception, the
    hooks are gone, and the training mode of every module is what it was; so is what every parameter
    says about gradients. Parameters, their gradients, buffers and device are never touched.

    A function is given a copy, and what it returns is copied before the network goes on: neither
    an edit in place nor a later layer that works in place changes any other tensor.

    To record layers under an edit, open a :class:`~srscope.features.tap.FeatureTap` of the same
    network inside the block of the edit.

    Args:
        network: As for :class:`~srscope.features.tap.FeatureTap`.
        edits: One function a layer; layers are addressed as for ``FeatureTap``. It takes the
            layer's output, and returns a tensor of that shape, type and device. Two names of one
            call are edited one after the other.
        gradients: Compute gradients, of the input where that requires them, and of the edited
            features: see :attr:`edited`. The parameters get none: within the block they require
            none. ``False`` computes none at all.

    Raises:
        UnknownNameError: If a layer does not exist; near matches are named.
        ParameterError: If ``edits`` is empty or holds anything but functions; later, if one of
            them returns something else than it must.
        NetworkError: If the network cannot be edited; later, if a layer puts out anything but one
            tensor or is not run by the forward pass, or if gradients are asked for and the network
            switches them off.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 3, 1, bias=False))
        >>> with FeatureEdit(network, {"1": torch.zeros_like}):
        ...     output = network(torch.rand(2, 3, 5, 5))
        >>> float(output.abs().max())
        0.0
        >>> with FeatureEdit(network, {"1": lambda features: features}, gradients=True) as edit:
        ...     output = network(torch.rand(2, 3, 5, 5))
        ...     (slope,) = torch.autograd.grad(output.sum(), edit.edited["1"])
        >>> slope.shape
        torch.Size([2, 4, 5, 5])
    """

    def __init__(
        self, network: nn.Module, edits: Mapping[str, Edit], *, gradients: bool = False
    ) -> None:
        if not isinstance(edits, Mapping) or not edits:  # pyright: ignore[reportUnnecessaryIsInstance]
            rule = "one function for each of at least one layer"
            raise ParameterError("edits", rule, edits, "write {layer: function, ...}")
        super().__init__(network, list(edits))
        for layer, edit in edits.items():
            if not callable(edit):
                raise ParameterError(f"the edit of layer {layer!r}", "a function", edit)
        self._edits = dict(edits)
        self.gradients = gradients
        self._edited: dict[str, Tensor] | None = None
        self._required: list[tuple[nn.Parameter, bool]] = []

    @property
    def edited(self) -> dict[str, Tensor]:
        """What the layers passed on in the last pass, as parts of its graph.

        ``torch.autograd.grad(output.sum(), edit.edited[layer])`` is the derivative of the output
        by the layer's edited features. Where nothing before the layer requires gradients, neither
        the input nor a tensor of the edit, the features are the start of the graph.

        Raises:
            NetworkError: If the edit was not told to compute gradients, or no pass was made.
        """
        if not self.gradients:
            raise NetworkError("no edited features are kept; open the edit with gradients=True")
        if self._edited is None:
            raise NetworkError("no pass was made; run the network once, inside the with-block")
        return self._edited

    def __enter__(self) -> Self:
        super().__enter__()
        if self.gradients:
            # A parameter that requires no gradients is left alone by a user's backward().
            self._required = [(p, p.requires_grad) for p in self.network.parameters()]
            for parameter, _ in self._required:
                parameter.requires_grad_(False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        for parameter, required in self._required:
            parameter.requires_grad_(required)
        self._required, self._edited = [], None

    def _check_inside(self, outer: LayerHooks) -> None:
        if isinstance(outer, FeatureEdit):
            raise NetworkError(
                "this network is already edited; leave the other FeatureEdit's with-block first, "
                "or give the edits of all layers to one FeatureEdit"
            )
        raise NetworkError(
            "this network is already tapped, and what the tap records would depend on the order "
            "of the two; open the FeatureEdit first, and the FeatureTap inside its with-block"
        )

    def _forward(self, *inputs: Any, **named: Any) -> Any:
        if self.gradients:
            _refuse_inference([*inputs, *named.values()])
        self._calls.clear()
        done: dict[str, Tensor] = {}
        # Set before the pass, as a FeatureTap within may leave it: what is edited by then is there.
        self._edited, self._pass = (done if self.gradients else None), done
        try:
            if self.gradients:
                with torch.inference_mode(False), torch.enable_grad():
                    output = self._inner(*inputs, **named)
            else:
                with torch.no_grad():  # not inference_mode: see FeatureTap
                    output = self._inner(*inputs, **named)
            self._check_all_ran(done, "edit")
        except Exception:
            self._edited = None
            raise
        finally:
            self._pass = None
        return output

    def _at(self, names: Sequence[str], output: object) -> Tensor | None:
        assert self._pass is not None  # _hook has seen to it
        if not names:
            return None
        if self.gradients and not torch.is_grad_enabled():
            raise NetworkError(
                f"the network computes no gradients at layer {names[0]!r}, as its own code "
                "switches them off; edit it with gradients=False"
            )
        passed = tensor_of(names[0], output, "edit")
        for name in names:
            passed = self._pass[name] = self._changed(name, passed)
        with torch.inference_mode(False):
            return passed.clone()

    def _changed(self, name: str, output: Tensor) -> Tensor:
        # A network may run itself in inference mode, whose tensors can be used hardly anywhere.
        with torch.inference_mode(False):
            edited = self._edits[name](output.clone())
            if not isinstance(edited, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
                found = f"a {type(edited).__name__}"
            elif _kind(edited) != _kind(output):
                found = _kind(edited)
            else:
                if self.gradients and not edited.requires_grad:
                    return edited.detach().clone().requires_grad_()
                return edited
        rule = f"a function that keeps the kind of its tensor, {_kind(output)}"
        remedy = "return a tensor of the shape, type and device that the function is given"
        raise ParameterError(f"the edit of layer {name!r}", rule, found, remedy)


def edit(
    network: LoadedNetwork, edits: Mapping[str, Edit], *, gradients: bool = False
) -> FeatureEdit:
    """Change what layers of a loaded network put out, for as long as a with-block lasts.

    Args:
        network: What :func:`~srscope.networks.zoo.load_network` returned; run its ``module`` in
            the block.
        edits: One function a layer, which is named as for ``analyze``, e.g. ``"ResBlock16"``: see
            :class:`FeatureEdit`.
        gradients: As for :class:`FeatureEdit`.

    Returns:
        The context.

    Raises:
        UnknownNameError: If a name stands for no layer.
        ParameterError: If a name stands for several layers, or two names for one.

    Example:
        >>> from srscope.networks.zoo import load_network
        >>> network = load_network("srresnet-wgr")
        >>> images_NCHW = torch.rand(1, 3, 8, 8)
        >>> with edit(network, {"ResBlock16": lambda features_NCHW: 0.7 * features_NCHW}):
        ...     output_NCHW = network.module(images_NCHW)
        >>> output_NCHW.shape
        torch.Size([1, 3, 32, 32])
    """
    by_layer: dict[str, Edit] = {}
    for word, function in edits.items():
        found = [tap.name for tap in select_layers(network, [word])]
        if len(found) > 1:
            raise ParameterError("a name in edits", "that of one layer", word, f"it fits {found}")
        if found[0] in by_layer:
            raise ParameterError("edits", "free of repeated layers", word)
        by_layer[found[0]] = function
    return FeatureEdit(network.module, by_layer, gradients=gradients)


def _kind(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {tensor.dtype} on {tensor.device}"


def _refuse_inference(inputs: Sequence[object]) -> None:
    if any(isinstance(value, Tensor) and value.is_inference() for value in inputs):
        raise NetworkError(
            "an input made in torch.inference_mode() can have no gradients; make it outside, or "
            "give a clone() that is made outside"
        )
