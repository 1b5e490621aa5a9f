"""Everything as NumPy arrays, in one file that needs no srscope to be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.exports.spaces import Exported
from srscope.runtime.files import atomic_path

ARRAYS = "embeddings.npz"


def write_arrays(data: Exported, folder: Path) -> list[Path]:
    """Write labels, patches, t-SNE and PCA points of every layer and control.

    Args:
        data: The study.
        folder: Gets ``embeddings.npz``.

    Returns:
        The file.
    """
    study = data.study
    arrays: dict[str, NDArray[Any]] = {
        "patches": study.inputs.patches_NHW3,
        "set": study.inputs.set_N,
        "content": study.inputs.content_N,
        "photograph": study.inputs.photograph_N,
        "set_names": np.array([each.name for each in study.suite.sets], dtype=np.str_),
        "content_names": np.array(study.inputs.contents, dtype=np.str_),
        "layers": np.array([space.key for space in data.layers], dtype=np.str_),
    }
    for space in (*data.layers, data.pixels, *data.untrained):
        arrays[f"{space.key}_tsne"] = space.entry.points_RN2
        if space.pca_NC is not None:
            arrays[f"{space.key}_pca"] = space.pca_NC
    path = folder / ARRAYS
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
    return [path]
