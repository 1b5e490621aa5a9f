"""One row an image, for pandas, embedding-atlas, FiftyOne and whatever else reads Parquet.

Suffixes: N images, C principal components.
"""

from __future__ import annotations

import importlib.util
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from srscope.errors import SrscopeError
from srscope.exports.spaces import Exported, labels_of
from srscope.runtime.files import atomic_path, write_bytes
from srscope.study.record import layer_row, score_columns

TABLE, PICTURES = "images.parquet", "images"


def can_write() -> bool:
    """Whether pyarrow, which is an extra, is installed."""
    return importlib.util.find_spec("pyarrow") is not None


def write_parquet(data: Exported, folder: Path) -> list[Path]:
    """Write one row an image, and the pictures as PNG files beside it.

    The column ``image`` holds the picture itself, in the form of Hugging Face's datasets, which
    viewers show; ``filepath`` is its file, relative to the table, for tools that want files.

    Args:
        data: The study.
        folder: Gets ``images.parquet`` and the folder ``images``.

    Returns:
        The table.

    Raises:
        SrscopeError: If pyarrow is not installed.
    """
    if not can_write():
        raise SrscopeError(
            "the format parquet needs pyarrow, which is not installed; "
            "install it with: pip install 'srscope[parquet]'"
        )
    import pyarrow as pa
    from pyarrow import parquet

    study = data.study
    labels = labels_of(study)
    names = [f"{PICTURES}/{n:05d}.png" for n in range(len(study.inputs.set_N))]
    pictures = [_png(patch) for patch in study.inputs.patches_NHW3]
    for name, picture in zip(names, pictures, strict=True):
        write_bytes(folder / name, picture)
    rows = [{"bytes": b, "path": name} for b, name in zip(pictures, names, strict=True)]
    columns: dict[str, Any] = {
        "image": pa.array(rows, type=pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        "filepath": pa.array(names, type=pa.string()),
        **{name: pa.array(values, type=pa.string()) for name, values in labels.items()},
    }
    for space in data.shown:
        for axis, values_N in zip("xy", space.tsne_N2.T, strict=True):
            columns[f"{space.key}_{axis}"] = pa.array(values_N, type=pa.float32())
    for space in data.shown:
        if space.pca_NC is not None:
            flat = pa.array(space.pca_NC.ravel(), type=pa.float32())
            fixed = pa.FixedSizeListArray.from_arrays(flat, space.pca_NC.shape[1])
            columns[f"{space.key}_pca"] = fixed
    about = {
        "srscope": json.dumps(
            {
                "network": study.network.name,
                "suite": study.suite.name,
                "scores": {
                    layer.layer: dict(zip(score_columns(), layer_row(layer)[3:], strict=True))
                    for layer in study.layers
                },
            }
        ),
        "huggingface": json.dumps({"info": {"features": {"image": {"_type": "Image"}}}}),
    }
    table = pa.table(columns).replace_schema_metadata(about)
    path = folder / TABLE
    with atomic_path(path) as temporary:
        parquet.write_table(table, temporary, compression="zstd")
    return [path]


def _png(patch_HW3: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(patch_HW3).save(buffer, "PNG")
    return buffer.getvalue()
