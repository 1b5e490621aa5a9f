"""What a network computes in, and whether fewer bits give the same scores.

Suffixes: N images.
"""

from __future__ import annotations

import contextlib
import functools
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from srscope.degradations.degrade import DegradedImages
from srscope.errors import SrscopeError
from srscope.features.held import hold
from srscope.networks.description import LoadedNetwork, TapPoint
from srscope.networks.structure.kept import found_again
from srscope.networks.zoo import BUNDLED
from srscope.runtime.cache import hash_of_arrays
from srscope.scores.products import inner_products

AGREE = 0.01
"""Relative error of the images' inner products up to which bfloat16 is taken. All scores but those
of t-SNE's maps follow from these."""
_LOOKED_AT = 32
_FLAGS = ("amx_bf16", "avx512_bf16")


def precision_of(wanted: str, network: LoadedNetwork, device: str) -> dict[str, Any]:
    """Return how ``extract`` is told the precision that a config's ``precision`` names.

    Args:
        wanted: The name.
        network: ``auto`` looks whether it is bundled.
        device: Where it runs.

    Returns:
        ``autocast`` and ``channels_last``.
    """
    if wanted == "auto":
        half = device.startswith("cuda") and network.source.startswith(BUNDLED)
        wanted = "bfloat16" if half else "float32"
    lower = wanted != "float32"
    return {"autocast": wanted if lower else None, "channels_last": lower}


def agreed_precision(
    wanted: str,
    network: LoadedNetwork,
    device: str,
    images: DegradedImages,
    taps: Sequence[TapPoint],
    *,
    reducer: str,
) -> dict[str, Any]:
    """Return what :func:`precision_of` does, but try bfloat16 on a processor that computes in it.

    There ``auto`` runs some of the images in both, and takes bfloat16 where the layers' inner
    products agree to :data:`AGREE`.

    Args:
        wanted: The name.
        network: The network.
        device: Where it runs.
        images: What it is fed.
        taps: The layers.
        reducer: Of the features.
    """
    if wanted != "auto" or device != "cpu" or not computes_bfloat16():
        return precision_of(wanted, network, device)
    contents = max(2, _LOOKED_AT // len(images.suite.sets))
    place_N = np.concatenate(
        [np.flatnonzero(images.set_N == k)[:contents] for k in range(len(images.suite.sets))]
    )
    some_NCHW = images.images_NCHW[place_N]
    told = {"layers": [tap.name for tap in taps], "reducer": reducer}
    told |= {"images": hash_of_arrays(some_NCHW)}
    apart = found_again(
        "bfloat16", network.module, told, lambda: _apart(network, some_NCHW, taps, reducer)
    )
    return precision_of("bfloat16" if apart <= AGREE else "float32", network, device)


def _apart(
    network: LoadedNetwork, images_NCHW: Any, taps: Sequence[TapPoint], reducer: str
) -> float:
    """Return the largest relative error of a layer's inner products in bfloat16.

    Infinite where it cannot be run in bfloat16, or all images are alike in a layer.
    """
    with contextlib.suppress(SrscopeError):
        return _error(network, images_NCHW, taps, reducer)
    return math.inf


def _error(
    network: LoadedNetwork, images_NCHW: Any, taps: Sequence[TapPoint], reducer: str
) -> float:
    names = [tap.name for tap in taps]
    axes = {tap.name: tap.channel_axis for tap in taps}
    products: list[list[Any]] = []
    for name in ("float32", "bfloat16"):
        held = hold(
            network.module, images_NCHW, names, most=sys.maxsize, reducer=reducer,
            channel_axes=axes, **precision_of(name, network, "cpu"),
        )  # fmt: skip
        if held is None:  # no memory: leave it
            return math.inf
        products.append([inner_products(held.read(tap), name=tap) for tap in names])
    return max(
        float(np.linalg.norm(half - whole) / np.linalg.norm(whole))
        for whole, half in zip(*products, strict=True)
    )


@functools.cache
def computes_bfloat16() -> bool:
    """Tell whether this processor has instructions for bfloat16; known on Linux alone."""
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8").split()
    except OSError:
        return False
    return any(flag in flags for flag in _FLAGS)
