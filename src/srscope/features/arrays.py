"""What a network's layers make of images, as arrays: one call, nothing on disk.

Suffixes: N images, C channels, H/W height and width, D dimensions of a feature vector.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ParameterError
from srscope.features.held import hold
from srscope.features.stream import device_of
from srscope.images.sources import load_photographs
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.select import select_layers
from srscope.networks.upscale import padded
from srscope.networks.zoo import load_network


def features(
    network: Any,
    images: Any = None,
    layers: str | Sequence[str] = (),
    *,
    reducer: str = "flatten",
    batch_size: int = 32,
    device: str = "auto",
) -> dict[str, NDArray[np.float32]]:
    """Return what a network's layers make of images, which are fed as they are.

    Args:
        network: All that :func:`~srscope.networks.zoo.load_network` takes.
        images: All that :func:`~srscope.images.sources.load_photographs` takes: a folder, files,
            arrays, tensors, PIL images. Images whose sides the network does not take are mirrored
            at the right and the bottom up to the next size that it takes.
        layers: Layers by dotted name, label or pattern; by default those that an analysis shows.
        reducer: ``flatten`` keeps every value; ``mean-pool`` and ``gram-diagonal`` give one value
            a channel, also for images of different sizes.
        batch_size: Images a forward pass.
        device: ``cpu``, ``cuda``, ``mps``, or ``auto`` for the best there is.

    Returns:
        By the layer's name, in depth order: (N, C, H, W), or the layer's own shape behind N; with
        another reducer (N, D).

    Raises:
        ParameterError: If images of different sizes are to be flattened.
        SrscopeError: If another input is wrong.

    Example:
        >>> images = np.random.default_rng(0).random((2, 16, 16, 3))
        >>> found = features("srresnet-wgr", images, "ResBlock16", device="cpu")
        >>> {name: array.shape for name, array in found.items()}
        {'body.15': (2, 64, 16, 16)}
    """
    loaded = load_network(network)
    taps = select_layers(loaded, layers)
    photos = load_photographs(images).photographs
    sizes = dict.fromkeys(photo.size_HW for photo in photos)
    if len(sizes) > 1 and reducer == "flatten":
        (h0, w0), (h1, w1) = list(sizes)[:2]
        remedy = "give crops of one size, or reducer='mean-pool'"
        raise ParameterError(
            "images", "of one size to be flattened", f"{w0}x{h0}, {w1}x{h1}", remedy
        )
    found: dict[str, list[NDArray[np.float32]]] = {tap.name: [] for tap in taps}
    for first in range(0, len(photos), batch_size if len(sizes) == 1 else 1):
        batch = photos[first : first + (batch_size if len(sizes) == 1 else 1)]
        images_NCHW = np.stack([padded(loaded, photo.pixels_HW3) for photo in batch])
        held = layer_values(
            loaded,
            images_NCHW.transpose(0, 3, 1, 2),
            [tap.name for tap in taps],
            reducer=reducer,
            batch_size=batch_size,
            device=device_of(device),
        )
        for name, values in held.items():
            found[name].append(values)
    return {name: np.concatenate(arrays) for name, arrays in found.items()}


def layer_values(
    network: LoadedNetwork,
    images_NCHW: NDArray[np.float32],
    layers: str | Sequence[str],
    *,
    reducer: str = "flatten",
    **how: Any,
) -> dict[str, NDArray[np.float32]]:
    """Return what layers make of a batch that the network takes.

    Args:
        network: The network.
        images_NCHW: RGB in [0, 1].
        layers: By dotted name, label or pattern.
        reducer: As for :func:`features`.
        how: What :func:`~srscope.features.held.hold` is told besides.

    Returns:
        By the layer's name: values in the layer's own shape, or (N, D).
    """
    taps = select_layers(network, layers)
    held = hold(
        network.module,
        np.ascontiguousarray(images_NCHW),
        [tap.name for tap in taps],
        most=sys.maxsize,
        reducer=reducer,
        channel_axes={tap.name: tap.channel_axis for tap in taps},
        **how,
    )
    if held is None:
        raise MemoryError
    own = reducer == "flatten"
    return {
        each.name: held.read(each.name).reshape(-1, *each.feature_shape)
        if own
        else held.read(each.name)
        for each in held.layers
    }
