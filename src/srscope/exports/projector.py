"""TensorBoard's Embedding Projector: tensors, labels and a sprite of pictures.

``tensorboard --logdir FOLDER`` then shows every layer under "Projector". Suffixes: N images, D
dimensions, H/W height and width.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srscope.exports.spaces import Exported, labels_of
from srscope.runtime.files import write_bytes, write_text

CONFIG, LABELS, SPRITE = "projector_config.pbtxt", "labels.tsv", "sprite.png"
_LONGEST_SIDE = 8192
"""Pixels: the largest sprite that the projector's WebGL takes."""


def write_projector(data: Exported, folder: Path) -> list[Path]:
    """Write one tensor a layer after PCA and one after t-SNE, their labels and their pictures.

    Args:
        data: The study.
        folder: Gets the files.

    Returns:
        The files written; the configuration, last, is what TensorBoard looks for.
    """
    from google.protobuf import text_format
    from tensorboard.plugins.projector import projector_config_pb2

    study = data.study
    sheet, side_HW = _sprite(study.inputs.patches_NHW3)
    write_bytes(folder / SPRITE, sheet)
    labels = labels_of(study)
    rows = ["\t".join(labels), *("\t".join(row) for row in zip(*labels.values(), strict=True))]
    write_text(folder / LABELS, "\n".join(rows) + "\n")
    messages: Any = projector_config_pb2  # made from a protocol buffer: no types
    config = messages.ProjectorConfig()
    written = [folder / SPRITE, folder / LABELS]
    # The projector opens with the first: the deepest layer.
    for space in reversed((data.pixels, *data.layers)):
        kinds = [("t-SNE", space.tsne_N2)]
        if space.pca_NC is not None:
            kinds.insert(0, (f"PCA {space.pca_NC.shape[1]}", space.pca_NC))
        for name, points_ND in kinds:
            path = folder / f"{space.key}-{name.split()[0].lower().replace('-', '')}.tsv"
            write_text(path, _tsv(points_ND))
            written.append(path)
            entry = config.embeddings.add()
            entry.tensor_name = f"{space.key} ({name})"
            entry.tensor_path = path.name
            entry.tensor_shape.extend(points_ND.shape)
            entry.metadata_path = LABELS
            entry.sprite.image_path = SPRITE
            entry.sprite.single_image_dim.extend(side_HW[::-1])
    write_text(folder / CONFIG, text_format.MessageToString(config))
    return [*written, folder / CONFIG]


def _tsv(points_ND: NDArray[np.float32]) -> str:
    return "".join("\t".join(f"{value:.7g}" for value in row) + "\n" for row in points_ND.tolist())


def _sprite(patches_NHW3: NDArray[np.uint8]) -> tuple[bytes, tuple[int, int]]:
    """Return all patches in one PNG, row by row in a near-square grid, and one's (H, W) in it."""
    count, height, width, _ = patches_NHW3.shape
    columns = math.ceil(math.sqrt(count))
    factor = -(-columns * max(height, width) // _LONGEST_SIDE)
    height, width = max(1, height // factor), max(1, width // factor)
    sheet = Image.new("RGB", (columns * width, -(-count // columns) * height))
    for index, patch_HW3 in enumerate(patches_NHW3):
        patch = Image.fromarray(patch_HW3).resize((width, height), Image.Resampling.BOX)
        sheet.paste(patch, (index % columns * width, index // columns * height))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue(), (height, width)
