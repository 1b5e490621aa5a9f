"""Run a network over images, and store what chosen layers make of them.

Suffixes: N images, B images of a batch, C channels, H/W height and width, D dimensions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
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
)
from srscope.features.reduce import channels_first, check_reducer, reduce_features
from srscope.features.store import FeatureStore
from srscope.features.store_writer import create_store
from srscope.features.tap import FeatureTap

_AUTOCAST = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def extract(
    network: nn.Module,
    images_NCHW: NDArray[np.floating[Any]],
    layers: Sequence[str],
    *,
    store: str | Path,
    reducer: str = "flatten",
    channel_axes: Mapping[str, int] | None = None,
    batch_size: int = 32,
    device: str | torch.device = "cpu",
    channels_last: bool = False,
    autocast: str | None = None,
    arrays: Mapping[str, NDArray[Any]] | None = None,
    metadata: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FeatureStore:
    """Store the features of ``layers`` for every image, one batch in memory at a time.

    The network is left as it was: mode, hooks, gradients, device. Its forward pass stops after
    the last layer asked for. For one machine, thread count and ``batch_size`` the features are
    the same bit for bit; another batch size rounds differently (about 1e-6 of a layer's largest
    value in float32), as the convolution then adds up in another order.

    Args:
        network: Takes a float32 batch (B, C, H, W).
        images_NCHW: What it is fed; finite. A memory map is read a batch at a time.
        layers: Dotted module names, with ``":1"`` for a second call: see :class:`FeatureTap`.
        store: Folder to write; an earlier feature store in it is replaced.
        reducer: How a layer's output becomes one vector: see :func:`reduce_features`.
        channel_axes: Axis of a layer's channels by its name, where that is not 1; the features
            are stored with the channels first.
        batch_size: Images at a time.
        device: Where to compute; the network is moved there, and back at the end.
        channels_last: Feed batches in channels-last layout, often faster on CPU.
        autocast: ``"bfloat16"`` or ``"float16"`` to compute in mixed precision; stored is
            always float32.
        arrays: Labels and other small arrays for the store: see :func:`create_store`.
        metadata: JSON values for the store, e.g. of the suite and the images.
        provenance: JSON values for the store, e.g. of the network; ``"extraction"`` is added.
        progress: Called with the number of images done and N after every batch.

    Returns:
        The complete store.

    Raises:
        ParameterError: If an argument breaks its rule.
        UnknownNameError: If a layer, reducer or autocast type does not exist.
        NetworkError: If the network cannot be run or tapped as asked.
        DegenerateError: If a feature is not finite; names the layer and the image.
        FileProblem: If the store cannot be written.

    Example:
        >>> import tempfile
        >>> network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 3, 1))
        >>> images_NCHW = np.random.default_rng(0).random((5, 3, 8, 8), np.float32)
        >>> features = extract(network, images_NCHW, ["1"], store=tempfile.mkdtemp())
        >>> features.read("1").shape, features.layer("1").feature_shape
        ((5, 256), (4, 8, 8))
    """
    _check_images(images_NCHW)
    if batch_size < 1:
        raise ParameterError("batch_size", "at least 1", batch_size)
    check_reducer(reducer)
    if autocast is not None and autocast not in _AUTOCAST:
        raise UnknownNameError("autocast type", autocast, _AUTOCAST)
    target = _checked_device(device)
    tap = FeatureTap(network, layers)
    how = {
        "batch_size": batch_size,
        "device": str(target),
        "channels_last": channels_last,
        "autocast": autocast,
        "torch": torch.__version__,
    }
    writing = create_store(
        store,
        layers=tap.layers,
        count=len(images_NCHW),
        reducer=reducer,
        arrays=arrays,
        metadata=metadata,
        provenance={**(provenance or {}), "extraction": how},
    )
    layout = torch.channels_last if channels_last else torch.contiguous_format
    mixed = torch.autocast(
        target.type, dtype=_AUTOCAST.get(autocast or ""), enabled=autocast is not None
    )
    with _on_device(network, target), writing as writer, tap, mixed:
        for start in range(0, len(images_NCHW), batch_size):
            # Copied, so that a network that works in place cannot change the caller's images.
            batch = np.array(images_NCHW[start : start + batch_size], dtype=np.float32)
            batch_BCHW = torch.from_numpy(batch).to(target, memory_format=layout)
            outputs = _run(tap, batch_BCHW)
            for layer in tap.layers:
                output = outputs.pop(layer)
                _check_one_an_image(layer, output, len(batch))
                output = channels_first(output, (channel_axes or {}).get(layer, 1))
                features_BD = reduce_features(output, reducer=reducer, layer=layer).cpu().numpy()
                _check_finite(layer, features_BD, start)
                writer.append(layer, features_BD, feature_shape=output.shape[1:])
            if progress is not None:
                progress(start + len(batch), len(images_NCHW))
    return FeatureStore.open(store)


def _check_images(images_NCHW: NDArray[Any]) -> None:
    if images_NCHW.ndim != 4 or 0 in images_NCHW.shape:
        raise ParameterError("images_NCHW", "a non-empty (N, C, H, W) array", images_NCHW.shape)
    if not np.issubdtype(images_NCHW.dtype, np.floating):
        raise ParameterError(
            "images_NCHW", "of a floating-point type", images_NCHW.dtype, "scale it to [0, 1]"
        )
    for index, image_CHW in enumerate(images_NCHW):
        if not np.isfinite(image_CHW).all():
            raise ParameterError(f"images_NCHW[{index}]", "finite", "NaN or infinity in it")


def _checked_device(device: str | torch.device) -> torch.device:
    try:
        target = torch.device(device)
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
        return tap.run(batch_BCHW)
    except SrscopeError:
        raise
    except torch.OutOfMemoryError as error:
        raise NetworkError(
            f"a batch of {len(batch_BCHW)} images does not fit in memory; lower batch_size"
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
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
    finite_B = np.isfinite(features_BD).all(axis=1)
    if not finite_B.all():
        raise DegenerateError(
            f"the feature vector of layer {layer!r}",
            f"image {start + int(np.argmin(finite_B))} gives NaN or infinity there",
            "check the network's weights, or compute without autocast",
        )
