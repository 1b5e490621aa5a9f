"""What a network's tap points put out."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def tapped(network: nn.Module, x_NCHW: Tensor) -> dict[str, tuple[int, ...]]:
    """Return label to shape (C, H, W) in order of execution; check channels, stride and order."""
    seen: dict[str, tuple[int, ...]] = {}
    modules = dict(network.named_modules())
    taps = network.taps()  # type: ignore[operator]
    hooks = [
        modules[tap.name].register_forward_hook(
            lambda _m, _i, output, label=tap.label: seen.update({label: tuple(output.shape[1:])})
        )
        for tap in taps
    ]
    network(x_NCHW)
    for hook in hooks:
        hook.remove()
    height, width = x_NCHW.shape[-2:]
    for tap in taps:
        expected = (tap.channels, height // tap.stride, width // tap.stride)
        assert seen[tap.label] == expected, tap
    assert list(seen) == [tap.label for tap in taps]
    return seen
