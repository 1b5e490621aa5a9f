"""Run a network batch by batch, and hand on what chosen layers make of each batch.

On CUDA the loop never waits for the batch it has just launched: images and features travel through
pinned memory, and a batch is handed on when the next one is under way.

Suffixes: N images, B images of a batch, C channels, H/W height and width, D dimensions of a
feature vector.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from srscope.errors import (
    DegenerateError,
    NetworkError,
    ParameterError,
    SrscopeError,
    UnknownNameError,
    reason_of,
)
from srscope.features.reduce import channels_first, check_reducer, reduce_features
from srscope.features.tap import FeatureTap
from srscope.networks.randomness import seeded
from srscope.runtime.memory import reusing_memory

_AUTOCAST = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerFeatures:
    """What one layer put out for one batch.

    Args:
        features_BD: One vector an image, float32, finite.
        feature_shape: The layer's output for one image before it was reduced, e.g. (C, H, W).
    """

    features_BD: NDArray[np.float32]
    feature_shape: tuple[int, ...]


def stream_features(
    network: nn.Module,
    batches: Iterable[NDArray[np.floating[Any]]],
    layers: Sequence[str],
    *,
    reducer: str = "flatten",
    channel_axes: Mapping[str, int] | None = None,
    device: str | torch.device = "cpu",
    channels_last: bool = False,
    autocast: str | None = None,
    starts: Iterable[int] | None = None,
) -> Generator[dict[str, LayerFeatures]]:
    """Yield the features of ``layers``, batch by batch, without keeping any.

    While the generator lasts the network is tapped, in evaluation mode and on ``device``; when it
    ends, or is closed, the network is as it was. Random numbers that it draws are those of one seed
    in every batch.

    Args:
        network: Takes a float32 batch (B, C, H, W).
        batches: Arrays (B, C, H, W); each is copied, so that a network that works in place cannot
            change it.
        layers: Dotted module names, with ``":1"`` for a second call: see :class:`FeatureTap`.
        reducer: How a layer's output becomes one vector: see :func:`reduce_features`.
        channel_axes: Axis of a layer's channels by its name, where that is not 1; the features
            have the channels first.
        device: Where to compute; the network is moved there, and back at the end.
        channels_last: Feed batches in channels-last layout, often faster on CPU.
        autocast: ``"bfloat16"`` or ``"float16"`` to compute in mixed precision; what comes out is
            always float32.
        starts: Number of every batch's first image, for messages; counted from 0 if absent.

    Returns:
        A generator of the layers' features by name, in the order of ``layers``.

    Raises:
        ParameterError: If an argument breaks its rule.
        UnknownNameError: If a layer, reducer or autocast type does not exist.
        NetworkError: If the network cannot be run or tapped as asked.
        DegenerateError: If a feature is not finite; names the layer and the image.

    Example:
        >>> network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 3, 1))
        >>> batches = (np.zeros((2, 3, 8, 8), np.float32) for _ in range(3))
        >>> [out["1"].features_BD.shape for out in stream_features(network, batches, ["1"])]
        [(2, 256), (2, 256), (2, 256)]
    """
    check_reducer(reducer)
    if autocast is not None and autocast not in _AUTOCAST:
        raise UnknownNameError("autocast type", autocast, _AUTOCAST)
    target = checked_device(device)
    tap = FeatureTap(network, layers)
    layout = torch.channels_last if channels_last else torch.contiguous_format

    def mixed() -> torch.autocast:
        """Make it anew for every batch: between batches the caller's own arithmetic is his."""
        kind = _AUTOCAST.get(autocast or "")
        return torch.autocast(target.type, dtype=kind, enabled=autocast is not None)

    def generate() -> Generator[dict[str, LayerFeatures]]:
        start, known = 0, iter(() if starts is None else starts)
        under_way: deque[dict[str, _Coming]] = deque()
        with reusing_memory(), _on_device(network, target), tap:
            for images in batches:
                start = next(known, start)
                batch = torch.from_numpy(np.array(images, dtype=np.float32))
                coming: dict[str, _Coming] = {}
                with mixed():
                    outputs = _run(tap, _sent(batch, target, layout))
                    for layer in tap.layers:
                        output = outputs.pop(layer)
                        _check_one_an_image(layer, output, len(batch))
                        output = channels_first(output, (channel_axes or {}).get(layer, 1))
                        reduced_BD = reduce_features(output, reducer=reducer, layer=layer)
                        coming[layer] = _Coming(layer, reduced_BD, tuple(output.shape[1:]), start)
                start += len(batch)
                under_way.append(coming)
                if len(under_way) > (1 if target.type == "cuda" else 0):
                    yield _arrived(under_way.popleft())
            while under_way:
                yield _arrived(under_way.popleft())

    return generate()


class _Coming:
    """Features on their way to the host."""

    def __init__(self, layer: str, reduced_BD: Tensor, shape: tuple[int, ...], start: int) -> None:
        self._layer, self._shape, self._start = layer, shape, start
        self._event: torch.cuda.Event | None = None
        if reduced_BD.is_cuda:
            self._host_BD = torch.empty(reduced_BD.shape, dtype=torch.float32, pin_memory=True)
            self._host_BD.copy_(reduced_BD, non_blocking=True)
            self._event = torch.cuda.Event()
            self._event.record()
        else:
            self._host_BD = reduced_BD.cpu()

    def arrived(self) -> LayerFeatures:
        """Wait for them, unless they are there, and check them."""
        if self._event is not None:
            self._event.synchronize()
        features_BD = self._host_BD.numpy()
        _check_finite(self._layer, features_BD, self._start)
        return LayerFeatures(features_BD=features_BD, feature_shape=self._shape)


def _arrived(coming: dict[str, _Coming]) -> dict[str, LayerFeatures]:
    return {layer: each.arrived() for layer, each in coming.items()}


def _sent(batch_BCHW: Tensor, target: torch.device, layout: torch.memory_format) -> Tensor:
    if target.type == "cuda":  # pinned, so that the copy runs beside what the device still does
        batch_BCHW = batch_BCHW.pin_memory()
    return batch_BCHW.to(target, memory_format=layout, non_blocking=target.type == "cuda")


def checked_device(device: str | torch.device) -> torch.device:
    """Return a device that PyTorch can use here.

    Args:
        device: Its name.

    Raises:
        ParameterError: If there is none of that name.
    """
    try:
        target = torch.device(device)
        if target.type == "meta":
            raise RuntimeError("has no values")
        torch.empty(0, device=target)
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA asserts
        raise ParameterError(
            "device", "one that PyTorch can use here", str(device), "use 'cpu'"
        ) from error
    return target


@contextlib.contextmanager
def _on_device(network: nn.Module, target: torch.device) -> Generator[None]:
    """Move the network to ``target`` and back; nothing is done where it is there already."""
    devices = {tensor.device for tensor in (*network.parameters(), *network.buffers())}
    if len(devices) > 1:
        names = ", ".join(sorted(map(str, devices)))
        raise NetworkError(f"the network is spread over devices {names}; move it to one first")
    home = devices.pop() if devices else target
    try:
        if home != target:
            network.to(target)
        yield
    finally:
        if home != target:
            network.to(home)


def _run(tap: FeatureTap, batch_BCHW: Tensor) -> dict[str, Tensor]:
    try:
        with seeded():  # for networks that draw random numbers in a pass
            return tap.run(batch_BCHW)
    except SrscopeError:
        raise
    except torch.OutOfMemoryError as error:
        raise NetworkError(
            f"a batch of {len(batch_BCHW)} images does not fit in memory; lower batch_size"
        ) from error
    except (Exception, SystemExit) as error:
        reason = reason_of(error)
        raise NetworkError(
            f"the network fails on images of shape {tuple(batch_BCHW.shape)}: {reason}"
        ) from error


def _check_one_an_image(layer: str, output: Tensor, count: int) -> None:
    if output.shape[:1] != (count,):
        raise NetworkError(
            f"layer {layer!r} puts out shape {tuple(output.shape)} for {count} images, so its "
            "first axis does not count images; tap a layer outside it"
        )


def _check_finite(layer: str, features_BD: NDArray[np.float32], start: int) -> None:
    with np.errstate(all="ignore"):
        if np.isfinite(features_BD.sum()):  # one quick pass; whatever is not finite shows in it
            return
    finite_B = np.isfinite(features_BD).all(axis=1)
    if not finite_B.all():
        raise DegenerateError(
            f"the feature vector of layer {layer!r}",
            f"image {start + int(np.argmin(finite_B))} gives NaN or infinity there",
            "check the network's weights, or compute without autocast",
        )


def device_of(wanted: str) -> str:
    """Return the device that ``auto`` means here; any other as it is."""
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
