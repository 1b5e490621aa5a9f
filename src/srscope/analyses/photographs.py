"""Features of whole photographs, patch by patch, as a stream from the files to the disk.

Suffixes: N patches, P photographs, D dimensions of a feature vector.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import FileProblem, ParameterError
from srscope.features.extract import assist, extract
from srscope.features.store import FeatureStore
from srscope.images.patches import cut_patches
from srscope.images.sources import load_photographs
from srscope.networks.description import LoadedNetwork, weights_sha256
from srscope.networks.structure.select import select_layers
from srscope.networks.zoo import load_network
from srscope.runtime.processes import helping, is_helper, join_processes
from srscope.study.extraction import Progress, device_of, staged, taps_told


def photograph_features(
    network: str | LoadedNetwork,
    images: str | Path,
    *,
    out: str | Path,
    layers: Sequence[str] = (),
    patch: int = 64,
    reducer: str = "mean-pool",
    batch_size: int = 32,
    device: str = "auto",
    devices: int = 1,
    progress: Progress | None = None,
) -> FeatureStore:
    """Store what a network's layers make of every patch of photographs, as they are.

    One photograph and one batch are in memory at a time, whatever the number and size.

    Args:
        network: As for :func:`~srscope.analyses.separability.analyze`.
        images: A folder, searched recursively, or one image.
        out: Folder of the feature store.
        layers: As for ``analyze``.
        patch: Side of a patch, in pixels; a network that takes no such patch gets the next larger.
        reducer: How a layer's output becomes one vector: mean-pool, gram-diagonal or flatten.
        batch_size: Patches a forward pass.
        device: ``cpu``, ``cuda``, ``mps``, or ``auto`` for the best there is.
        devices: Processes that share the work, each with such a device of its own.
        progress: Called as patches are done.

    Returns:
        The store. Its array ``photograph_N`` says which photograph a patch is of, an index into
        ``metadata["photographs"]``, and ``place_N2`` its top and left pixel.

    Raises:
        ParameterError: If a number is out of its range.
        SrscopeError: If another input is wrong.
    """
    for name, value in (("batch_size", batch_size), ("devices", devices)):
        if value < 1:
            raise ParameterError(name, "1 or more", value)
    loaded = load_network(network)
    taps = select_layers(loaded, layers)
    patches = cut_patches(load_photographs(images), patch=loaded.fitted(patch))
    where = device_of(device)
    how: dict[str, Any] = {
        "reducer": reducer,
        "channel_axes": {tap.name: tap.channel_axis for tap in taps},
        "batch_size": batch_size,
        "device": where,
    }
    names = [tap.name for tap in taps]
    processes = None
    if devices > 1:
        processes = join_processes(devices, where.partition(":")[0])
        how["device"] = processes.device
        places = hashlib.sha256(patches.place_N2.tobytes()).hexdigest()
        processes.agree("images and weights", f"{places} {weights_sha256(loaded.module)}")
        if is_helper():
            with helping():
                assist(loaded.module, patches, names, processes=processes, **how)
    about = dataclasses.asdict(loaded.info)
    return extract(
        loaded.module,
        patches,
        names,
        store=out,
        arrays={"photograph_N": patches.photograph_N, "place_N2": patches.place_N2},
        metadata={
            "network": about,
            "photographs": [each.name for each in patches.photographs],
            "sizes": [list(each.size_HW) for each in patches.photographs],
            "source": patches.source,
            "skipped": [list(entry) for entry in patches.skipped],
            "patch": patches.patch,
            "taps": taps_told(loaded, taps),
        },
        provenance=about,
        progress=staged(progress, "features"),
        processes=processes,
        **how,
    )


def photograph_means(store: FeatureStore, layer: str) -> NDArray[np.float32]:
    """Return one vector a photograph: the mean over its patches.

    Args:
        store: What :func:`photograph_features` made.
        layer: A layer of it, by dotted name.

    Returns:
        An array (P, D), in the order of ``store.metadata["photographs"]``.

    Raises:
        UnknownNameError: If the layer was not recorded.
        FileProblem: If the store is not one of photographs.
    """
    if "photograph_N" not in {each.name for each in store.arrays}:
        problem = "holds no features of whole photographs"
        raise FileProblem(store.path, problem, "give a folder that srscope features wrote")
    features_ND, photograph_N = store.read(layer), store.array("photograph_N")
    means = [
        features_ND[photograph_N == index].mean(axis=0, dtype=np.float64)
        for index in range(len(store.metadata["photographs"]))
    ]
    return np.stack(means).astype(np.float32)
