"""Whether a network's features are a function of the image alone.

Two passes over two small images: the second with another seed, and with one of the images beside
another one and in another place. Where they differ, four more passes change one thing at a time.
What differs is named by the first layer that shows it.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from srscope.errors import NetworkError
from srscope.networks.adapter import AdaptedNetwork, layer_modules
from srscope.networks.outputs import tensors_in
from srscope.networks.structure.trace import COUNT, Recorder, example, kind_of

_VALUES = 4096
"""Values of an output that are compared."""
_ROUNDING = 1e-4
"""Of the largest value: what another place in a batch may change. It is about 1e-6 in float32."""

_Seen = dict[tuple[str, str], Tensor]
"""By call and place in its output: values for one image."""


def check_alone(network: AdaptedNetwork, size_HW: tuple[int, int]) -> str:
    """Compare the features of an image in several passes.

    Args:
        network: Nothing is left in it.
        size_HW: Of images that it takes.

    Returns:
        What is to be said of random numbers that it draws in a pass; empty where it draws none.

    Raises:
        NetworkError: If features depend on the pass, or on the other images of the batch.
    """
    first, other, third = example(size_HW, count=3)
    # Three images whose largest, least and mean values differ by far.
    first, third = 0.2 + 0.5 * first, 0.3 + 0.1 * third
    pair = torch.stack([first, other])
    before = _seen(network, pair, 0)
    if _differing(before, _seen(network, torch.stack([third, first]), 1, image=1)) is None:
        return ""
    place = _differing(before, _seen(network, pair, 0))
    if place is not None:
        raise NetworkError(
            f"the network gives other features when the same images pass again, first seen at "
            f"{_told(network, place)}; it keeps something from pass to pass: reset a state or "
            "counter at the start of forward(), draw random numbers from PyTorch's own generator"
        )
    drawn = _differing(before, _seen(network, pair, 1))
    on = "the other images of its batch"
    place = _differing(before, _seen(network, torch.stack([first, third]), 0))
    if place is None and drawn is None:  # random numbers are those of the place in the batch
        on = "its place in the batch"
        place = _differing(before, _seen(network, torch.stack([other, first]), 0, image=1))
    if place is not None:
        raise NetworkError(
            f"the features of an image depend on {on}, first seen at {_told(network, place)}; "
            f"{_remedy(network, place)}"
        )
    if drawn is None:
        return ""
    return (
        f"draws random numbers in its pass, first seen at {_told(network, drawn)}: its features "
        "are those of one seed, the same in every run, not of the image alone"
    )


def _seen(network: AdaptedNetwork, images_NCHW: Tensor, seed: int, *, image: int = 0) -> _Seen:
    """Return what every call puts out for one of the images, some thousand values of it."""
    found: _Seen = {}

    def look(name: str, output: object) -> None:
        for place, tensor in tensors_in(output).items():
            if tensor.is_floating_point() and tensor.shape[:1] == (COUNT,):
                flat = tensor[image].detach().flatten()
                step = max(1, flat.numel() // _VALUES) | 1  # odd: not always the same channel
                found[name, place] = flat[::step].clone()

    before, network.seed = network.seed, seed
    try:
        Recorder(network, look).run(images_NCHW)
    finally:
        network.seed = before
    return found


def _differing(one: _Seen, other: _Seen) -> str | None:
    """Return the first call whose output differs, and an empty name for the network's own."""
    for key, values in one.items():
        again = other.get(key)
        if again is None or again.shape != values.shape:
            return key[0]
        most = values[values.isfinite()].abs().max() if values.isfinite().any() else values.sum()
        near = float(_ROUNDING * most) if most.isfinite() else 0.0
        if not torch.allclose(values, again, rtol=0.0, atol=near, equal_nan=True):
            return key[0]
    return None


def _around(network: AdaptedNetwork, call: str) -> list[tuple[str, nn.Module]]:
    """Return the module that a call is of, then those around it, the whole network last."""
    modules = layer_modules(network)
    name = call if call in modules else call.rpartition(":")[0]
    parts = name.split(".") if name else []
    names = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
    return [*((each, modules[each]) for each in names if each in modules), ("", network.inner)]


def _told(network: AdaptedNetwork, call: str) -> str:
    """Return where features differ, and why where that can be told."""
    around = _around(network, call)
    layer = around[0][1]
    where = f"layer {call} ({kind_of(layer)})" if call else f"the output of {kind_of(layer)}"
    training = next((name for name, module in around if module.training), None)
    if training is not None:
        who = "which" if training == around[0][0] else f"inside {training or 'the network'}, which"
        return f"{where}, {who} stays in training mode after eval(){_overridden(around)}"
    if _has_no_statistics(layer):
        return f"{where}, which has no running statistics and takes those of the batch"
    return where


def _overridden(around: list[tuple[str, nn.Module]]) -> str:
    for _, module in around:
        for method in ("train", "eval"):
            if getattr(type(module), method) is not getattr(nn.Module, method):
                return f", as {type(module).__name__}.{method}() is overridden"
    return ""


def _has_no_statistics(layer: nn.Module) -> bool:
    is_batch = isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d)
    return is_batch and layer.running_mean is None


def _remedy(network: AdaptedNetwork, call: str) -> str:
    around = _around(network, call)
    if any(module.training for _, module in around):
        return "let eval() reach that layer, by train() of nn.Module or one that calls it"
    if _has_no_statistics(around[0][1]):
        return (
            "use InstanceNorm2d, which does the same to each image by itself, or give it running "
            "statistics (track_running_stats=True)"
        )
    mixes = any(
        isinstance(each, nn.MultiheadAttention) and not each.batch_first
        for each in network.inner.modules()
    )
    if mixes:
        return "nn.MultiheadAttention takes (L, N, C) for N images unless it has batch_first=True"
    return "compute every image of a batch by itself"
