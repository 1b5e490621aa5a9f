"""What an attribution found, and its files.

Suffixes: H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.analyses.attribute.causal import CausalMap
from srscope.analyses.attribute.channels import ChannelSaliency
from srscope.analyses.attribute.filters import FilterRecord
from srscope.analyses.attribute.gradients import Window
from srscope.runtime.files import atomic_path
from srscope.study.record import plain

LAM, STRAIGHT = "LAM", "straight line"
"""The paths: blur that falls to 0, and integrated gradients from the same blurred image."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelMap:
    """Which pixels of one version of the image the window's detail depends on, by one method.

    Args:
        method: ``LAM`` or ``straight line``.
        map_HW: Absolute attribution over its maximum, of the input's size.
        diffusion_index: How evenly the map spreads, up to 100.
        start: Detail in the window at the path's start.
        end: Detail in the window for the image itself.
        steps: Gradients that were added up.
        first_error: Completeness error of the evenly spaced steps, as a share.
        error: Completeness error in the end.
        complete: The error is under the tolerance.
        like_first: Rank correlation with the same method's map of the first version; ``None`` for
            that itself.
    """

    method: str
    map_HW: NDArray[np.float64]
    diffusion_index: float
    start: float
    end: float
    steps: int
    first_error: float
    error: float
    complete: bool
    like_first: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One version of the image.

    Args:
        name: Of the suite's set.
        input_HW3: What the network is fed.
        output_HW3: What it makes of that, clipped to [0, 1].
        maps: One a method.
    """

    name: str
    input_HW3: NDArray[np.float32]
    output_HW3: NDArray[np.float32]
    maps: tuple[PixelMap, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RandomMap:
    """A map of the first version, made by a network with some weights at random.

    Args:
        method: As in :class:`PixelMap`.
        layer: First layer at random in the order of a pass, all after it are too; empty for the
            trained network itself, whose map is made of the same few steps: the ceiling.
        share: Of the layers with weights that are at random.
        correlation: Rank correlation with the trained network's map; ``None`` where it is
            undefined.
        why: Why it is undefined.
    """

    method: str
    layer: str
    share: float
    correlation: float | None
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttributeRecord:
    """What a network's output depends on.

    Args:
        network: Its name.
        image: The file's name.
        scale: Magnification of the network.
        receptive_radius: How far an output pixel looks, in input pixels; ``None`` where that is
            not known, or is the whole image.
        window: Of the output.
        versions: Of the image.
        random: Maps by networks with random weights.
        channels: Their saliency, one a layer.
        causal: Causal effect maps, one a version.
        filters: Those that a fine-tuned network deals with a degradation by.
    """

    network: str
    image: str
    scale: int
    receptive_radius: int | None
    window: Window
    versions: tuple[Version, ...]
    random: tuple[RandomMap, ...]
    channels: tuple[ChannelSaliency, ...] = ()
    causal: tuple[CausalMap, ...] = ()
    filters: FilterRecord | None = None


def to_dict(record: AttributeRecord) -> dict[str, Any]:
    """Return JSON values; pictures and maps are in ``maps.npz``."""
    return {
        "image": record.image,
        "scale": record.scale,
        "receptive_radius": record.receptive_radius,
        "window": plain(record.window),
        "pixels": [
            {
                "version": version.name,
                **{
                    field.name: plain(getattr(each, field.name))
                    for field in dataclasses.fields(each)
                    if field.name != "map_HW"
                },
            }
            for version in record.versions
            for each in version.maps
        ],
        "random_weights": plain(record.random),
        "channels": _lists(record.channels),
        "causal": _lists(record.causal),
        "filters": plain(record.filters),
    }


def _lists(records: Sequence[ChannelSaliency] | Sequence[CausalMap]) -> list[dict[str, Any]]:
    """Return records whose arrays are small enough for JSON."""
    return [
        {
            field.name: value.tolist() if isinstance(value, np.ndarray) else plain(value)
            for field in dataclasses.fields(each)
            for value in (getattr(each, field.name),)
        }
        for each in records
    ]


def write(record: AttributeRecord, folder: Path) -> None:
    """Write ``maps.npz``: inputs, outputs and maps, e.g. ``clean_LAM``, ``clean_input``."""
    arrays: dict[str, NDArray[Any]] = {}
    for version in record.versions:
        arrays[f"{version.name}_input"] = version.input_HW3
        arrays[f"{version.name}_output"] = version.output_HW3
        for each in version.maps:
            arrays[f"{version.name}_{each.method.replace(' ', '-')}"] = each.map_HW
    with atomic_path(folder / "maps.npz") as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
