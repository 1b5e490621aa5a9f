"""Layers as what probes need of them: inner products and channel statistics, kept for later.

An analysis that probes layers many times needs no features once it has these, so they are what the
cache holds: a second analysis of the same images runs no network.

Suffixes: N images, C channels, H/W height and width, D features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from srscope.features.extract import extract
from srscope.features.known import machine
from srscope.networks.description import LoadedNetwork, TapPoint, weights_sha256
from srscope.networks.structure.identity import identity_of
from srscope.runtime.cache import Entry, hash_of_arrays, pack, values_of
from srscope.runtime.files import scratch_folder
from srscope.scores.probe import channel_moments
from srscope.scores.products import inner_products
from srscope.study.extraction import device_of, precision_of, staged
from srscope.study.session import Session, named


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LayerReading:
    """A layer's output for all images.

    Args:
        tap: The layer.
        shape: Of one image's features, channels first.
        products_NN: Inner products of the flattened features, less their mean.
        mean_NC: Channel means.
        log_std_NC: Logarithm of the channels' standard deviations over positions; ``None`` where a
            channel has one position only.
    """

    tap: TapPoint
    shape: tuple[int, ...]
    products_NN: NDArray[np.float64]
    mean_NC: NDArray[np.float64]
    log_std_NC: NDArray[np.float64] | None


def read_layers(
    session: Session,
    network: LoadedNetwork,
    taps: Sequence[TapPoint],
    images_NCHW: NDArray[np.float32],
    *,
    module: nn.Module | None = None,
    name: str = "features",
) -> list[LayerReading]:
    """Read layers, from the cache where it has them; one pass makes all that are missing.

    Args:
        session: Says how to compute, and where finished stages are.
        network: The network.
        taps: Its layers.
        images_NCHW: What it is fed.
        module: The same architecture with other weights, where these are to be read.
        name: Of the stage, for progress.

    Raises:
        SrscopeError: If the network cannot be run or a layer cannot be recorded.
    """
    run = network.module if module is None else module
    device = device_of(session.config.device)
    precision = precision_of(session.config.precision, network, device)
    common = {
        "network": identity_of(run) or weights_sha256(run),
        "images": hash_of_arrays(images_NCHW),
        "batch": session.config.batch_size,
        **precision,
        **machine(device),
    }
    inputs = {tap.name: {**common, "layer": tap.name, "axis": tap.channel_axis} for tap in taps}
    entries = {tap.name: session.stages.find("reading", inputs[tap.name]) for tap in taps}
    missing = [tap for tap in taps if entries[tap.name] is None]
    if missing:
        with scratch_folder() as folder:
            store = extract(
                run,
                images_NCHW,
                [tap.name for tap in missing],
                store=folder / "features",
                channel_axes={tap.name: tap.channel_axis for tap in missing},
                batch_size=session.config.batch_size,
                device=device,
                progress=staged(named(session.progress, network.name), name),
                cache=session.stages.features_of(run),
                **precision,
            )
            for tap in missing:
                entry = _entry(store.read(tap.name), store.layer(tap.name).feature_shape, tap.label)
                session.stages.keep("reading", inputs[tap.name], entry)
                entries[tap.name] = entry
    return [_reading(tap, entries[tap.name]) for tap in taps]


def _entry(features_ND: NDArray[np.float32], shape: tuple[int, ...], label: str) -> Entry:
    mean_NC, log_std_NC = channel_moments(features_ND, shape[0], name=label)
    arrays = {"products_NN": inner_products(features_ND, name=label), "mean_NC": mean_NC}
    if log_std_NC is not None:
        arrays["log_std_NC"] = log_std_NC
    return pack(arrays, shape=list(shape))


def _reading(tap: TapPoint, entry: Entry | None) -> LayerReading:
    assert entry is not None
    return LayerReading(
        tap=tap,
        shape=tuple(values_of(entry)["shape"]),
        products_NN=entry["products_NN"],
        mean_NC=entry["mean_NC"],
        log_std_NC=entry.get("log_std_NC"),
    )
