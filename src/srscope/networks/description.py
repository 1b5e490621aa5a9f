"""What every network says of itself: its tap points, scale, provenance."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from srscope.networks.adapter import inner_network
from srscope.networks.record import NetworkInfo


@dataclass(frozen=True, kw_only=True, slots=True)
class TapPoint:
    """A place in a network where features can be recorded.

    Args:
        name: The module's dotted name, with ``":1"`` for its second call in a pass.
        label: The paper's name where it has one; else the block's class and number, or the
            dotted name.
        channels: Channels of its output.
        stride: Input pixels per output pixel, along one side, at least 1.
        channel_axis: Axis of the channels in its output: 1 for (N, C, H, W), the last for
            channels-last features (N, H, W, C) and for a transformer's (N, L, C).
        shape: Of its output for one image of an example pass; empty where none was made.
    """

    name: str
    label: str
    channels: int
    stride: int
    channel_axis: int = 1
    shape: tuple[int, ...] = ()


def shown_of_blocks(names: Sequence[str]) -> tuple[str, ...]:
    """Return the first conv and the blocks at a quarter, a half and the end of the chain.

    Args:
        names: The first conv, then the blocks, in depth order.

    Example:
        >>> shown_of_blocks(["conv", *(f"block{i}" for i in range(1, 17))])
        ('conv', 'block4', 'block8', 'block16')
    """
    blocks = len(names) - 1
    return tuple(dict.fromkeys(names[i] for i in (0, -(-blocks // 4), -(-blocks // 2), -1)))


def fitted_side(side: int, *, smallest: int, multiple: int) -> int:
    """Return the least multiple of ``multiple`` that is not below ``side`` nor ``smallest``.

    Example:
        >>> fitted_side(30, smallest=8, multiple=4), fitted_side(30, smallest=48, multiple=32)
        (32, 64)
    """
    return -(-max(side, smallest) // multiple) * multiple


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedNetwork:
    """A network in evaluation mode, with what is known of it.

    Args:
        module: Takes float RGB in [0, 1], (N, 3, H, W).
        name: The name or path the user gave.
        source: Where the weights come from, in words.
        scale: Magnification; 1 for restoration networks.
        taps: All tap points, in depth order.
        default_layers: Names of the taps the paper shows, in depth order.
        sha256: Of the weights, by :func:`weights_sha256`.
        untrained: Builds the same architecture with fresh weights from a seed. ``None`` where
            that cannot be done.
        receptive_radius: How far an output pixel looks: input pixels beyond its own, along a
            side. None where that is the whole image (channel attention) or is not known.
        multiple: Input sides must be multiples of this, in pixels.
        smallest: Shortest input side the network takes, in pixels.
        layers: Every layer whose output can be recorded, in depth order; empty where no example
            pass was made.
        no_untrained: Why there is no untrained control, where there is none.
        notes: What is to be known of how srscope feeds the network: what it read, tried out or
            assumed.
        remarks: What a reader of results must know too: which weights of a file and which of
            several outputs were taken, what the features depend on beside the image.
    """

    module: nn.Module
    name: str
    source: str
    scale: int
    taps: tuple[TapPoint, ...]
    default_layers: tuple[str, ...]
    sha256: str
    untrained: Callable[[int], nn.Module] | None
    receptive_radius: int | None = None
    multiple: int = 1
    smallest: int = 1
    layers: tuple[TapPoint, ...] = ()
    no_untrained: str = ""
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def fitted(self, side: int) -> int:
        """Return the shortest side that the network takes and that is not below ``side``."""
        return fitted_side(side, smallest=self.smallest, multiple=self.multiple)

    @property
    def info(self) -> NetworkInfo:
        """The part that goes into ``scores.json``."""
        return NetworkInfo(
            name=self.name,
            source=self.source,
            parameters=sum(p.numel() for p in self.module.parameters()),
            sha256=self.sha256,
            scale=self.scale,
            remarks=self.remarks,
        )


def weights_sha256(module: nn.Module) -> str:
    """Return a hash of all parameters and buffers: names, shapes and values, in name order."""
    digest = hashlib.sha256()
    for name, tensor in sorted(inner_network(module).state_dict().items()):
        if not isinstance(tensor, torch.Tensor):  # a module's extra state
            continue
        array = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {tuple(array.shape)} {array.dtype}\n".encode())
        digest.update(array.view(-1).float().numpy().tobytes())
    return digest.hexdigest()
