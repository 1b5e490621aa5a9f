"""What keeps a module from being run on an image as it is: what is mended, and what to do else."""

from __future__ import annotations

import itertools
import re

import torch
from torch import nn

from srscope.errors import NetworkError

_MORE = (
    "give the rest in code of your own: package.module:factory, which returns a module that calls "
    "this one with it"
)
_CAUSES = (
    (r"missing \d+ required positional argument", f"it takes more than an image; {_MORE}"),
    (
        r"shape\[0\] to be equal to|batch size|shape of input at dim 0",
        "it takes a fixed number of images; make it with a dynamic batch (torch.export.Dim.AUTO)",
    ),
    (
        r"NVIDIA driver|compiled with CUDA|same device|CUDA backend|'cuda|device cuda",
        "its program names a device: trace or export it on the CPU, from network.cpu()",
    ),
    (
        r"expected scalar type|should be the same|same dtype|expected m1 and m2",
        "its program computes in another precision than float32: save it from network.float()",
    ),
)
"""What a network says to an image, and what to do then."""
_ANYTHING = "say what it takes, e.g. ?channels=1 or ?smallest=640"


def remedy_for(said: str) -> str:
    """Return what to do about a network that takes no image.

    Args:
        said: What it answered to the first.

    Example:
        >>> remedy_for("forward() missing 1 required positional argument: 'sigma'")[:30]
        'it takes more than an image; g'
    """
    wanted = re.search(r"to have (\d+) channels", said)
    if wanted is not None and wanted[1] not in ("1", "3"):
        return f"it takes {wanted[1]} channels, srscope feeds 1 or 3; {_MORE}"
    return next((remedy for words, remedy in _CAUSES if re.search(words, said)), _ANYTHING)


def runnable(network: nn.Module, name: str) -> tuple[nn.Module, tuple[str, ...]]:
    """Return a network that runs hooks and takes float32, and words for what was done to it.

    Modules of ``torch.compile`` are replaced by those that they were made from, and weights of
    another precision become float32.

    Raises:
        NetworkError: If some of its weights have no values.
    """
    notes: list[str] = []
    network, compiled = _uncompiled(network)
    if compiled:
        notes.append("is run without torch.compile, whose modules cannot be tapped")
    tensors = dict(itertools.chain(network.named_parameters(), network.named_buffers()))
    empty = next((n for n, tensor in tensors.items() if tensor.is_meta), None)
    if empty is not None:
        raise NetworkError(
            f"{name} has no values for {empty} (meta device); give weights with ?checkpoint=FILE, "
            "or build it on the CPU"
        )
    kinds = {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()}
    others = sorted(str(kind).removeprefix("torch.") for kind in kinds - {torch.float32})
    if others:
        network = network.float()
        notes.append(f"its weights in {', '.join(others)} are run as float32")
    return network, tuple(notes)


def _uncompiled(network: nn.Module) -> tuple[nn.Module, bool]:
    compiled = False
    while isinstance(inner := getattr(network, "_orig_mod", None), nn.Module):
        network, compiled = inner, True
    for module in list(network.modules()):
        if vars(module).get("_compiled_call_impl") is not None:  # of module.compile()
            module.__dict__["_compiled_call_impl"] = None
            compiled = True
        for name, child in list(module.named_children()):
            while isinstance(inner := getattr(child, "_orig_mod", None), nn.Module):
                child, compiled = inner, True
                setattr(module, name, child)
    return network, compiled
