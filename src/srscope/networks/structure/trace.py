"""What happens in one pass of a network: which modules are called, when, with what output.

Suffixes: N images, C channels, H/W height and width, L positions (tokens).
"""

from __future__ import annotations

import contextlib
import weakref
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from srscope.errors import NetworkError, reason_of
from srscope.networks.adapter import AdaptedNetwork, inner_network, layer_modules
from srscope.networks.outputs import image_of
from srscope.networks.randomness import seeded
from srscope.networks.structure.replay import Replayed

COUNT = 2
"""Images in an example pass: more than one, so that the axis that counts them can be told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerCall:
    """One call of one module in an example pass.

    Args:
        name: The module's dotted name, with ``":1"`` for its second call, as a layer is addressed.
        module: The dotted name alone.
        kind: The module's class.
        parent: Index of the call inside which this one was made; ``None`` for the network's own.
        end: Place in the order in which calls ended, from 0; ``-1`` for one that did not.
        shape: Of the output for one image; empty if it is not one tensor.
        why_not: Why the output cannot be a feature; empty if it can.
        channel_axis: Of the output with its batch axis.
        weighted: The module itself has a weight of two axes or more: a convolution, a linear map.
        sequence: A plain ``nn.Sequential``, which does nothing but call what is in it.
        same_as_inner: The output is that of a call inside, handed on.
        joins: Two or more tensors of its output's shape go in: a sum, as at the end of a residual
            block.
    """

    name: str
    module: str
    kind: str
    parent: int | None
    end: int = -1
    shape: tuple[int, ...] = ()
    why_not: str = ""
    channel_axis: int = 1
    weighted: bool = False
    sequence: bool = False
    same_as_inner: bool = False
    joins: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """An example pass.

    Args:
        calls: In the order in which they began.
        size_HW: Of the images.
        input: Shape of one image as the network itself is given it.
        output: Shape of what the network itself returns for it, or of the image in that; empty if
            there is no one tensor.
    """

    calls: tuple[LayerCall, ...]
    size_HW: tuple[int, int]
    input: tuple[int, ...]
    output: tuple[int, ...]

    @property
    def given_HW(self) -> tuple[int, int]:
        """Height and width that the network itself was given: with the border it is fed."""
        return (self.input[1], self.input[2]) if len(self.input) == 3 else self.size_HW


@contextlib.contextmanager
def undisturbed(network: nn.Module) -> Generator[None]:
    """Evaluation mode, no gradients, torch's random state kept; all as before at the end."""
    modes = [(module, module.training) for module in network.modules()]
    try:
        network.eval()
        with torch.no_grad(), seeded():
            yield
    finally:
        for module, training in modes:
            if module.training != training:
                module.training = training


def example(size_HW: tuple[int, int], *, count: int = COUNT, channels: int = 3) -> Tensor:
    """Return images of noise in [0, 1], always the same ones, (count, channels, H, W)."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(count, channels, *size_HW, generator=generator)


def trace_network(
    network: nn.Module, size_HW: tuple[int, int], *, wider: tuple[int, int] | None = None
) -> Trace:
    """Run a network on example images and record every call of every module in it.

    The axis of the channels is told by a second pass over wider images: what grows is a place, what
    stays is a channel. Where that pass is not possible, three axes are taken to be (N, L, C), and
    four to be (N, C, H, W), or (N, H, W, C) if only the second and third are equal.

    Nothing is left in the network: no hook, its modes and gradients are what they were.

    Args:
        network: Takes RGB in [0, 1].
        size_HW: Height and width of the images, in pixels.
        wider: Of the images of the second pass: of the same height, and wider.

    Raises:
        NetworkError: If the network fails on the images of the first pass.
    """
    recorder = Recorder(network)
    try:
        recorder.run(example(size_HW))
    except Exception as error:
        reason = reason_of(error)
        raise NetworkError(
            f"the network fails on RGB images of {size_HW[1]}x{size_HW[0]} pixels: {reason}"
        ) from error
    calls, given, returned = recorder.calls, recorder.given, recorder.returned
    others: dict[str, LayerCall] = {}
    if wider is not None:
        with contextlib.suppress(Exception):  # of fixed size: the first pass must do
            recorder.run(example(wider))
            others = {call.name: call for call in recorder.calls}
    return Trace(
        calls=tuple(_with_layout(call, others.get(call.name)) for call in calls),
        size_HW=size_HW,
        input=given,
        output=returned,
    )


def constant_layers(
    network: nn.Module, layers: Sequence[str], size_HW: tuple[int, int]
) -> tuple[str, ...]:
    """Return those of ``layers`` that put out the same for two images, or NaN or infinity.

    Args:
        network: Takes RGB in [0, 1]; nothing is left in it.
        layers: Names of calls, as in :class:`LayerCall`.
        size_HW: Of the two images.
    """
    found: list[str] = []

    def look(name: str, output: object) -> None:
        if name in layers and isinstance(output, Tensor):
            flat = output.detach().flatten(start_dim=1)
            if not flat.isfinite().all() or torch.equal(flat[0], flat[1]):
                found.append(name)

    Recorder(network, look).run(example(size_HW))
    return tuple(found)


class Recorder:
    """Runs the network with a hook before and after every module.

    Args:
        network: Takes RGB in [0, 1]; nothing is left in it.
        look: Called with the name and the output of every call when it ends, and with an empty name
            for the network's own.
    """

    def __init__(
        self, network: nn.Module, look: Callable[[str, object], None] | None = None
    ) -> None:
        self.network, self.look = network, look
        self.names: dict[nn.Module, str] = {}
        for name, module in layer_modules(network).items():
            self.names.setdefault(module, name)
        self.calls: list[LayerCall] = []
        self.given: tuple[int, ...] = ()
        self.returned: tuple[int, ...] = ()

    def run(self, images_NCHW: Tensor) -> None:
        """Make one pass over COUNT images."""
        self.calls = []
        self._count: Counter[nn.Module] = Counter()
        self._open: list[int] = []
        self._ended = 0
        self._last: dict[int | None, weakref.ref[Tensor]] = {}  # parent -> what ended last in it
        handles: list[RemovableHandle] = []
        parameter = next(self.network.parameters(), None)
        device = images_NCHW.device if parameter is None else parameter.device
        try:
            with undisturbed(self.network):
                whole = inner_network(self.network)
                handles.append(whole.register_forward_hook(self._whole))
                for module in self.names:
                    handles.append(module.register_forward_pre_hook(self._before))
                    handles.append(module.register_forward_hook(self._after))
                self.network(images_NCHW.to(device))
        finally:
            for handle in handles:
                handle.remove()

    def _whole(self, module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        self.given = _shape(inputs[0] if inputs else None)
        place = self.network.output if isinstance(self.network, AdaptedNetwork) else ""
        channels = self.given[0] if self.given else 3
        self.returned = _shape(image_of(output, channels, place))
        if self.look is not None:
            self.look("", output)

    def _before(self, module: nn.Module, inputs: object) -> None:
        index, name, kind = self._count[module], self.names[module], kind_of(module)
        self._count[module] += 1
        self.calls.append(
            LayerCall(
                name=f"{name}:{index}" if index else name,
                module=name,
                kind=kind,
                parent=self._open[-1] if self._open else None,
                weighted=any(p.ndim > 1 for p in module.parameters(recurse=False)),
                sequence=type(module).forward is nn.Sequential.forward or kind == "Sequential",
            )
        )
        self._open.append(len(self.calls) - 1)

    def _after(self, module: nn.Module, inputs: object, output: object) -> None:
        index = self._open.pop()
        call = self.calls[index]
        inner = self._last.get(index)
        self.calls[index] = replace(
            call,
            end=self._ended,
            shape=_shape(output),
            why_not=_why_not(output),
            same_as_inner=inner is not None and inner() is output,
            joins=_count_alike(inputs, output) > 1,
        )
        self._ended += 1
        if isinstance(output, Tensor):
            self._last[call.parent] = weakref.ref(output)
        if self.look is not None:
            self.look(call.name, output)


def kind_of(module: nn.Module) -> str:
    """Return a module's class; for one that was exported or scripted, its class before that."""
    if isinstance(module, torch.jit.ScriptModule | Replayed):
        return str(module.original_name)
    told = getattr(module, "type_name", None)  # by torch.export, whose classes are names, from 2.7
    if type(module).__name__ == "InterpreterModule" and callable(told):
        return str(told()).rpartition(".")[2]
    return type(module).__name__


def _count_alike(inputs: object, output: object) -> int:
    """Count the tensors among a call's inputs that have the shape of its output."""
    shape = _shape(output)
    return sum(bool(shape) and _shape(x) == shape for x in inputs) if type(inputs) is tuple else 0


def _shape(value: object) -> tuple[int, ...]:
    """Return the shape of a tensor for one image; empty for anything else."""
    return tuple(value.shape[1:]) if isinstance(value, Tensor) else ()


def _why_not(output: object) -> str:
    if not isinstance(output, Tensor):
        if isinstance(output, (tuple, list, dict)):
            return f"{type(output).__name__} of {len(output)}"
        return type(output).__name__
    if not output.is_floating_point():
        return str(output.dtype).removeprefix("torch.")
    if output.ndim < 2 or 0 in output.shape:
        return f"shape {tuple(output.shape)}"
    if output.shape[0] != COUNT:
        return f"{output.shape[0]} rows for {COUNT} images"
    return ""


def _with_layout(call: LayerCall, other: LayerCall | None) -> LayerCall:
    if call.why_not or not call.shape:
        return call
    if other is not None and other.why_not:
        return replace(call, why_not="its first axis does not always count images")
    ndim = len(call.shape) + 1
    grown: set[int] = set()
    if other is not None and len(other.shape) + 1 == ndim:
        pairs = zip(call.shape, other.shape, strict=True)
        grown = {axis for axis, (one, two) in enumerate(pairs, start=1) if one != two}
    return replace(call, channel_axis=_channel_axis(call.shape, grown))


def _channel_axis(shape: tuple[int, ...], grown: set[int]) -> int:
    """Return the axis of the channels, given those that grew with the image's width."""
    if len(shape) == 2:  # (N, L, C) or (N, C, L)
        return 1 if grown == {2} else 2
    if len(shape) == 3:
        if grown:
            return 3 if 3 not in grown else 1
        first, middle, last = shape
        return 3 if first == middle != last else 1
    return 1
