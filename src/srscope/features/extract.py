"""Run a network over images, and store what chosen layers make of them.

Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from srscope.errors import ParameterError
from srscope.features.known import FeatureCache, KnownFeatures
from srscope.features.store import FeatureStore
from srscope.features.store_writer import create_store
from srscope.features.stream import LayerFeatures, checked_device, stream_features
from srscope.runtime.processes import Processes


class Images(Protocol):
    """Images that are made when they are asked for, as of photographs that fill no memory."""

    def __len__(self) -> int:
        """Return N."""
        ...

    def __getitem__(self, key: slice, /) -> NDArray[np.float32]:
        """Return the images of a range, (B, C, H, W), finite."""
        ...


def extract(
    network: nn.Module,
    images_NCHW: NDArray[np.floating[Any]] | Images,
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
    processes: Processes | None = None,
    cache: FeatureCache | None = None,
) -> FeatureStore:
    """Store the features of ``layers`` for every image, one batch in memory at a time.

    The network is left as it was: mode, hooks, gradients, device. Its forward pass stops after
    the last layer asked for. For one machine, thread count and ``batch_size`` the features are
    the same bit for bit; another batch size rounds differently (about 1e-6 of a layer's largest
    value in float32), as the convolution then adds up in another order.

    Args:
        network: Takes a float32 batch (B, C, H, W).
        images_NCHW: What it is fed; finite. A memory map, or :class:`Images`, is read a batch at a
            time.
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
        processes: Shares the batches out among them. This is to be the first; the others call
            :func:`assist`. The features are those of one process bit for bit, where each has as
            many threads.
        cache: Batches that are in it do not go through the network; the others are put there. The
            features are the same bit for bit. It takes no part where ``processes`` share the work,
            or images are :class:`Images`.

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
    check_images(images_NCHW, batch_size)
    computing: dict[str, Any] = {
        "reducer": reducer,
        "channels_last": channels_last,
        "autocast": autocast,
    }
    known: KnownFeatures | None = None
    if cache is not None and processes is None and isinstance(images_NCHW, np.ndarray):
        known = KnownFeatures(
            cache,
            images_NCHW,
            layers,
            batch_size=batch_size,
            how={**computing, "device": str(checked_device(device))},
            channel_axes=channel_axes or {},
        )
    stream = stream_batches(
        network,
        images_NCHW,
        layers,
        processes,
        known,
        channel_axes=channel_axes,
        batch_size=batch_size,
        device=device,
        **computing,
    )
    how = extraction_told(batch_size, device=device, channels_last=channels_last, autocast=autocast)
    writing = create_store(
        store,
        layers=list(layers),
        count=len(images_NCHW),
        reducer=reducer,
        arrays=arrays,
        metadata=metadata,
        provenance={**(provenance or {}), "extraction": how},
    )
    # A batch is hashed and written by as many threads as the network has, between its passes: at
    # the same time they would keep each other waiting.
    threads = ThreadPoolExecutor(torch.get_num_threads())
    with writing as writer, threads, contextlib.closing(stream):
        done = 0
        for outputs in stream:
            writer.append_batch(outputs, threads)
            done = min(done + batch_size, len(images_NCHW))
            if progress is not None:
                progress(done, len(images_NCHW))
    opened = FeatureStore.open(store)
    if known is not None:
        known.keep(opened)
    return opened


def assist(
    network: nn.Module,
    images_NCHW: NDArray[np.floating[Any]] | Images,
    layers: Sequence[str],
    *,
    processes: Processes,
    reducer: str = "flatten",
    channel_axes: Mapping[str, int] | None = None,
    batch_size: int = 32,
    device: str | torch.device = "cpu",
    channels_last: bool = False,
    autocast: str | None = None,
) -> None:
    """Make this process's share of what the first one's :func:`extract` stores.

    Every argument is that of the first process's call, but for ``processes``, which says which
    batches are this one's, and ``device``, which is this process's own.

    Raises:
        SrscopeError: As ``extract``; or as another process does.
    """
    check_images(images_NCHW, batch_size)
    stream = stream_batches(
        network,
        images_NCHW,
        layers,
        processes,
        reducer=reducer,
        channel_axes=channel_axes,
        batch_size=batch_size,
        device=device,
        channels_last=channels_last,
        autocast=autocast,
    )
    with contextlib.closing(stream):
        for _ in stream:
            pass


def stream_batches(
    network: nn.Module,
    images_NCHW: NDArray[np.floating[Any]] | Images,
    layers: Sequence[str],
    processes: Processes | None,
    known: KnownFeatures | None = None,
    *,
    batch_size: int,
    **how: Any,
) -> Generator[dict[str, LayerFeatures]]:
    """Return all batches in order; in a process that only helps, they are sent off instead.

    Args:
        network: As of :func:`extract`, like all that is not said here.
        images_NCHW: What it is fed.
        layers: What is recorded.
        processes: Share the batches; ``None`` for this one alone.
        known: Batches that need no pass.
        batch_size: Images at a time.
        how: What :func:`~srscope.features.stream.stream_features` is told besides.
    """
    all_starts = range(0, len(images_NCHW), batch_size)

    def of(numbers: Sequence[int], some: Sequence[str]) -> Generator[dict[str, LayerFeatures]]:
        starts = [all_starts[number] for number in numbers]
        batches = (images_NCHW[start : start + batch_size] for start in starts)
        return stream_features(network, batches, some, starts=starts, **how)

    if known is not None:
        return known.stream(of)
    numbers = range(len(all_starts))
    if processes is None:
        return of(numbers, layers)
    own = of(numbers[processes.rank :: processes.size], layers)
    return _shared(own, processes, batches=len(all_starts))


def _shared(
    own: Generator[dict[str, LayerFeatures]], processes: Processes, *, batches: int
) -> Generator[dict[str, LayerFeatures]]:
    shapes: dict[str, tuple[int, ...]] = {}

    def arrays() -> Generator[dict[str, NDArray[np.float32]]]:
        for outputs in own:
            shapes.update({name: each.feature_shape for name, each in outputs.items()})
            yield {name: each.features_BD for name, each in outputs.items()}

    with contextlib.closing(own):
        for batch in processes.in_order(arrays(), batches=batches):
            yield {
                name: LayerFeatures(features_BD=each, feature_shape=shapes[name])
                for name, each in batch.items()
            }


def extraction_told(
    batch_size: int,
    *,
    device: str | torch.device = "cpu",
    channels_last: bool = False,
    autocast: str | None = None,
    **_: object,
) -> dict[str, Any]:
    """Return what a store's provenance says of its extraction, as JSON values."""
    return {
        "batch_size": batch_size,
        "device": str(torch.device(device)),
        "channels_last": channels_last,
        "autocast": autocast,
        "torch": torch.__version__,
    }


def check_images(images_NCHW: NDArray[Any] | Images, batch_size: int) -> None:
    """Raise a ParameterError unless these are finite images, and ``batch_size`` counts some."""
    if batch_size < 1:
        raise ParameterError("batch_size", "at least 1", batch_size)
    if not isinstance(images_NCHW, np.ndarray):
        if len(images_NCHW) == 0:
            raise ParameterError("images_NCHW", "one image or more", 0)
        return
    if images_NCHW.ndim != 4 or 0 in images_NCHW.shape:
        raise ParameterError("images_NCHW", "a non-empty (N, C, H, W) array", images_NCHW.shape)
    if not np.issubdtype(images_NCHW.dtype, np.floating):
        raise ParameterError(
            "images_NCHW", "of a floating-point type", images_NCHW.dtype, "scale it to [0, 1]"
        )
    for index, image_CHW in enumerate(images_NCHW):
        if not np.isfinite(image_CHW).all():
            raise ParameterError(f"images_NCHW[{index}]", "finite", "NaN or infinity in it")
