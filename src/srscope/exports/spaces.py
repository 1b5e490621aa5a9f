"""What is exported of a study: its images with their labels, and where each layer puts them.

Suffixes: N images, R t-SNE runs, C principal components.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.scores.record import LayerScores
from srscope.study import words
from srscope.study.record import Study


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """One layer's points.

    Args:
        key: For file, column and array names: letters, digits, ``.``, ``_`` and ``-``.
        entry: The layer.
        pca_NC: The points on which feature-space scores were taken; ``None`` where the analysis
            kept no features.
    """

    key: str
    entry: LayerScores
    pca_NC: NDArray[np.float32] | None

    @property
    def tsne_N2(self) -> NDArray[np.float32]:
        """The points of the first t-SNE run, as the figures draw them."""
        return self.entry.points_RN2[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """A study with its layers as spaces.

    Args:
        study: The study.
        layers: The network's layers, in depth order.
        pixels: The raw-pixel control.
        untrained: The untrained control, layer by layer, or none.
    """

    study: Study
    layers: tuple[Space, ...]
    pixels: Space
    untrained: tuple[Space, ...]

    @property
    def shown(self) -> tuple[Space, ...]:
        """The layers and the raw pixels: what a table or a viewer has room for."""
        return (*self.layers, self.pixels)


@dataclass(frozen=True, kw_only=True, slots=True)
class PcaPoints:
    """PCA points by dotted layer name, where the analysis kept its features; else empty."""

    layers: Mapping[str, NDArray[np.float32]] = field(default_factory=dict[str, Any])
    untrained: Mapping[str, NDArray[np.float32]] = field(default_factory=dict[str, Any])
    pixels: NDArray[np.float32] | None = None


def exported(study: Study, pca: PcaPoints) -> Exported:
    """Give every layer of a study a key and its PCA points.

    Args:
        study: The study.
        pca: The PCA points there are.
    """
    keys = unique_keys([entry.label for entry in study.layers], taken=("pixels",))
    return Exported(
        study=study,
        layers=tuple(
            Space(key=key, entry=entry, pca_NC=pca.layers.get(entry.layer))
            for key, entry in zip(keys, study.layers, strict=True)
        ),
        pixels=Space(key="pixels", entry=study.pixels, pca_NC=pca.pixels),
        untrained=tuple(
            Space(key=f"untrained-{key}", entry=entry, pca_NC=pca.untrained.get(entry.layer))
            for key, entry in zip(keys, study.untrained, strict=False)
        ),
    )


def unique_keys(labels: Sequence[str], *, taken: Sequence[str] = ()) -> list[str]:
    """Return the labels as names fit for files and columns, no two alike, capitals or not.

    Example:
        >>> unique_keys(["Conv1", "layers.0:1", "a/b", "a b", "pixels"], taken=["pixels"])
        ['Conv1', 'layers.0_1', 'a_b', 'a_b-2', 'pixels-2']
    """
    used = {name.casefold() for name in taken}
    keys: list[str] = []
    for label in labels:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", words.shorten(label, 60).replace("…", "_"))
        plain = plain.strip("._-") or "layer"
        key, number = plain, 2
        while key.casefold() in used:
            key, number = f"{plain}-{number}", number + 1
        used.add(key.casefold())
        keys.append(key)
    return keys


def labels_of(study: Study) -> dict[str, list[str]]:
    """Return set, content and photograph of every image, as words fit for one line of a table."""
    inputs = study.inputs
    sets = [words.printable(each.name) for each in study.suite.sets]
    contents = [words.printable(name) for name in inputs.contents]
    labels = {
        "set": [sets[k] for k in inputs.set_N],
        "content": [contents[c] for c in inputs.content_N],
    }
    if inputs.photographs:
        photographs = [words.printable(name) for name in inputs.photographs]
        labels["photograph"] = [photographs[c] for c in inputs.content_N]
    return labels
