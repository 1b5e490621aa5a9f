"""What waits to be scored: the network's layers, the raw pixels, and every other control.

Suffixes: N images, M some of them, C channels, D features, H/W height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from srscope.features.held import Features
from srscope.features.store import hash_of
from srscope.features.trivial import TRIVIAL, describe
from srscope.runtime.cache import hash_of_arrays
from srscope.scores.design import Design, design

Group = Literal["network", "pixels", "untrained", "trivial", "random"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Features that wait to be scored: a layer's, or a control's.

    Args:
        group: Whose they are.
        name: The layer's dotted name, or the control's.
        label: What it is called in tables.
        depth: From 0 to 1 over the network's tap points.
        shape: Of one image's features.
        read: Returns them, (N, D).
        sha256: Their hash; empty where nothing is kept.
        image_M: Numbers of the images they are of; ``None`` for all.
    """

    group: Group
    name: str
    label: str
    depth: float
    shape: tuple[int, ...]
    read: Callable[[], NDArray[np.float32]]
    sha256: str
    image_M: NDArray[np.int64] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Labels:
    """The set and the content of every image, and what can be scored with them."""

    set_N: NDArray[np.int64]
    content_N: NDArray[np.int64]
    photograph_N: NDArray[np.int64]
    sets: tuple[str, ...]
    design: Design

    def of(self, image_M: NDArray[np.int64]) -> Labels:
        """Return the labels of some of the images."""
        set_M, content_M = self.set_N[image_M], self.content_N[image_M]
        photograph_M = self.photograph_N[image_M]
        return Labels(
            set_N=set_M,
            content_N=content_M,
            photograph_N=photograph_M,
            sets=self.sets,
            design=design(set_M, content_M, photograph_M),
        )

    @property
    def key(self) -> list[str]:
        """Identifies them in the cache."""
        design = self.design
        return [
            hash_of_arrays(each)
            for each in (
                self.set_N,
                self.content_N,
                self.photograph_N,
                design.kin_N,
                design.unit_N,
            )
        ]


def sources_of(
    stores: Mapping[str, Features], images_NCHW: NDArray[np.float32] | None
) -> list[Source]:
    """Return the layers of the network, the raw pixels, then the control networks' layers.

    Without images there are no raw pixels.
    """
    sources: list[Source] = []
    for name, store in stores.items():
        limited = name != "network" and "controls" in store.metadata
        image_M = store.array("image_N") if limited else None
        group = name.partition("-")[0]
        draw = "" if group == name else f", draw {name.partition('-')[2]}"
        taps = {tap["name"]: tap for tap in store.metadata["taps"]}
        sources += [
            Source(
                group=cast(Group, group),
                name=entry.name,
                label=taps[entry.name]["label"] + draw,
                depth=float(taps[entry.name]["depth"]),
                shape=tuple(entry.feature_shape),
                read=partial(store.read, entry.name),
                sha256=entry.sha256,
                image_M=image_M,
            )
            for entry in store.layers
        ]
        if group == "network" and images_NCHW is not None:
            sources.append(pixels_of(images_NCHW))
    return sources


def trivial_of(images_NCHW: NDArray[np.float32]) -> list[Source]:
    """Return the simple statistics of the images as sources; raw pixels have one of their own."""
    sources: list[Source] = []
    for each in TRIVIAL.values():
        if each.name == "pixels":
            continue
        vectors_ND = describe(each.name, images_NCHW).astype(np.float32)
        sources.append(
            Source(
                group="trivial",
                name=each.name,
                label=each.label,
                depth=0.0,
                shape=images_NCHW.shape[1:] if each.is_map else vectors_ND.shape[1:],
                read=partial(_same, vectors_ND),
                sha256=hash_of(vectors_ND),
            )
        )
    return sources


def _same(features_ND: NDArray[np.float32]) -> NDArray[np.float32]:
    return features_ND


def pixels_of(images_NCHW: NDArray[np.float32]) -> Source:
    """Return the raw pixels of the images as a source."""
    pixels_ND = images_NCHW.reshape(len(images_NCHW), -1)
    return Source(
        group="pixels",
        name="pixels",
        label="raw pixels",
        depth=0.0,
        shape=images_NCHW.shape[1:],
        read=lambda: pixels_ND,
        sha256=hash_of(pixels_ND),
    )
