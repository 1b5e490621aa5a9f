"""Features in memory, for an analysis that keeps none: nothing is written, hashed or read again.

Suffixes: N images, D dimensions of a feature vector.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from srscope.features.extract import check_images, extraction_told
from srscope.features.store import StoredArray
from srscope.features.store_writer import check_equal
from srscope.features.stream import LayerFeatures, stream_features


class Features(Protocol):
    """What a :class:`~srscope.features.store.FeatureStore` and :class:`HeldFeatures` share."""

    @property
    def reducer(self) -> str:
        """How a layer's output became one vector an image."""
        ...

    @property
    def layers(self) -> tuple[StoredArray, ...]:
        """What is recorded, in the order it was asked for."""
        ...

    @property
    def metadata(self) -> Mapping[str, Any]:
        """JSON values given by whoever made it."""
        ...

    @property
    def provenance(self) -> Mapping[str, Any]:
        """JSON values: the network and how the features were extracted."""
        ...

    def read(self, layer: str) -> NDArray[np.float32]:
        """Return a layer's features (N, D)."""
        ...

    def array(self, name: str) -> NDArray[Any]:
        """Return a small array by name."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldFeatures:
    """Features of every layer, in memory.

    Args:
        reducer: As of a store.
        layers: As of a store, but without file and hash.
        features: (N, D) by layer.
        arrays: Small arrays that belong to it.
        metadata: As of a store.
        provenance: As of a store.
    """

    reducer: str
    layers: tuple[StoredArray, ...]
    features: Mapping[str, NDArray[np.float32]]
    arrays: Mapping[str, NDArray[Any]]
    metadata: Mapping[str, Any]
    provenance: Mapping[str, Any]

    def read(self, layer: str) -> NDArray[np.float32]:
        """Return a layer's features (N, D)."""
        return self.features[layer]

    def array(self, name: str) -> NDArray[Any]:
        """Return a small array by name."""
        return self.arrays[name]


def hold(
    network: nn.Module,
    images_NCHW: NDArray[np.floating[Any]],
    layers: Sequence[str],
    *,
    most: int,
    batch_size: int = 32,
    reducer: str = "flatten",
    arrays: Mapping[str, NDArray[Any]] | None = None,
    metadata: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
    **how: Any,
) -> HeldFeatures | None:
    """Do what :func:`~srscope.features.extract.extract` does, but in memory.

    The arguments are those of ``extract``, and ``most``, the bytes that the features of all layers
    together may take; ``how`` is what :func:`~srscope.features.stream.stream_features` is told
    besides.

    Returns:
        The features, bit for bit those that a store would hold; ``None`` where they would take more
        than ``most``, or there is no such memory, as is seen after one batch.

    Raises:
        SrscopeError: As ``extract``.
    """
    check_images(images_NCHW, batch_size)
    count = len(images_NCHW)
    starts = range(0, count, batch_size)
    batches = (images_NCHW[start : start + batch_size] for start in starts)
    stream = stream_features(network, batches, layers, reducer=reducer, **how)
    shapes: dict[str, tuple[int, ...]] = {}
    features: dict[str, NDArray[np.float32]] = {}
    with ThreadPoolExecutor(torch.get_num_threads()) as threads, contextlib.closing(stream):
        for start, outputs in zip(starts, stream, strict=True):
            if not features:
                widths = {name: each.features_BD.shape[1] for name, each in outputs.items()}
                if sum(widths.values()) * count * np.dtype(np.float32).itemsize > most:
                    return None
                try:
                    features = {n: np.empty((count, d), np.float32) for n, d in widths.items()}
                except MemoryError:
                    return None
                shapes = {name: each.feature_shape for name, each in outputs.items()}
            copying = [
                threads.submit(
                    _copy, features[name][start : start + batch_size], name, each, shapes[name]
                )
                for name, each in outputs.items()
            ]
            for copied in copying:
                copied.result()
            if progress is not None:
                progress(min(start + batch_size, count), count)
    return HeldFeatures(
        reducer=reducer,
        layers=tuple(
            StoredArray(
                name=name,
                file="",
                shape=features[name].shape,
                dtype=features[name].dtype.str,
                sha256="",
                feature_shape=shapes[name],
            )
            for name in layers
        ),
        features=features,
        arrays=dict(arrays or {}),
        metadata=dict(metadata or {}),
        provenance={**(provenance or {}), "extraction": extraction_told(batch_size, **how)},
    )


def _copy(
    rows_BD: NDArray[np.float32], name: str, each: LayerFeatures, shape: tuple[int, ...]
) -> None:
    check_equal(name, (each.features_BD.shape[1:], each.feature_shape), (rows_BD.shape[1:], shape))
    rows_BD[:] = each.features_BD
