"""Features on disk: a folder from which every later stage can be rerun, without the network.

One ``.npy`` a layer, float32, (N, D); one a small named array (labels, patches); and ``meta.json``,
which says what they are. ``meta.json`` is written first as incomplete and last as complete, and
each array appears under its own name only when whole, so that a run that is killed leaves
nothing that could be taken for a store.

Suffixes: N images, D dimensions of a feature vector.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from srscope.errors import FileProblem, UnknownNameError

SCHEMA = "srscope.features/1"
META = "meta.json"
_HASHED_AT_ONCE = 1 << 24  # bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredArray:
    """One array of the store.

    Args:
        name: The layer, or the name the array was given.
        file: Its file inside the folder.
        shape: Its shape; (N, D) for a layer.
        dtype: In NumPy's notation with byte order, e.g. ``"<f4"``.
        sha256: Of its values, in C order.
        feature_shape: A layer's output for one image before it was reduced, e.g. (C, H, W).
    """

    name: str
    file: str
    shape: tuple[int, ...]
    dtype: str
    sha256: str
    feature_shape: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureStore:
    """A complete feature store; made by :func:`create_store`, read by :meth:`open`.

    Args:
        path: The folder.
        count: Number of images, N.
        reducer: How a layer's output became one vector an image.
        layers: What is recorded, in the order it was asked for.
        arrays: Small arrays that belong to it: labels, patches.
        metadata: JSON values given by whoever made it: the suite, the images.
        provenance: JSON values: the network and how the features were extracted.
        sha256: Of everything above but the path, so of the content.
    """

    path: Path
    count: int
    reducer: str
    layers: tuple[StoredArray, ...]
    arrays: tuple[StoredArray, ...]
    metadata: Mapping[str, Any]
    provenance: Mapping[str, Any]
    sha256: str

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open the folder ``path`` and check that every array in it has its full size.

        Raises:
            FileProblem: If it is not there, is something else, or is incomplete.
        """
        folder = Path(path)
        meta = read_meta(folder)
        if not meta["complete"]:
            raise FileProblem(folder, "its extraction was cut short", "extract the features again")
        try:
            store = cls(
                path=folder,
                count=int(meta["count"]),
                reducer=str(meta["reducer"]),
                layers=_entries(meta["layers"]),
                arrays=_entries(meta["arrays"]),
                metadata=dict(meta["metadata"]),
                provenance=dict(meta["provenance"]),
                sha256=str(meta["sha256"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise not_a_store(folder, f"its {META} is damaged") from error
        for entry in (*store.layers, *store.arrays):
            store._load(entry)
        return store

    @staticmethod
    def is_complete(path: str | Path) -> bool:
        """Tell whether ``path`` is a store that can be opened."""
        try:
            FeatureStore.open(path)
        except FileProblem:
            return False
        return True

    def layer(self, name: str) -> StoredArray:
        """Return what is known of a layer.

        Raises:
            UnknownNameError: If it was not recorded; near matches are named.
        """
        return _named("stored layer", name, self.layers)

    def read(self, layer: str) -> NDArray[np.float32]:
        """Return a layer's features (N, D), read-only and mapped from disk rather than loaded.

        Raises:
            UnknownNameError: If the layer was not recorded.
            FileProblem: If the file has gone or been cut since the store was opened.
        """
        return self._load(self.layer(layer))

    def array(self, name: str) -> NDArray[Any]:
        """Return a small array by name, loaded and writable.

        Raises:
            UnknownNameError: If there is none of that name.
            FileProblem: If the file has gone or been cut since the store was opened.
        """
        return np.array(self._load(_named("stored array", name, self.arrays)))

    def verify(self) -> None:
        """Read everything and compare it with the hashes taken while writing.

        Raises:
            FileProblem: Naming the first file whose content has changed.
        """
        for entry in (*self.layers, *self.arrays):
            if hash_of(self._load(entry)) != entry.sha256:
                raise _changed(self.path / entry.file)
        if hash_of_meta(read_meta(self.path)) != self.sha256:
            raise _changed(self.path / META)

    def _load(self, entry: StoredArray) -> NDArray[Any]:
        path = self.path / entry.file
        # An empty array cannot be mapped; all the others are, so that opening a store is cheap.
        mode = "r" if all(entry.shape) else None
        try:
            array = np.load(path, mmap_mode=mode, allow_pickle=False)
        except FileNotFoundError:
            raise FileProblem(
                path, "is missing from its feature store", "extract the features again"
            ) from None
        except (OSError, ValueError, EOFError) as error:
            raise _changed(path) from error
        if (array.shape, array.dtype.str) != (entry.shape, entry.dtype):
            raise _changed(path)
        return cast("NDArray[Any]", array)


def _changed(path: Path) -> FileProblem:
    return FileProblem(path, "is not what the feature store wrote", "extract the features again")


def not_a_store(folder: Path, why: str) -> FileProblem:
    """Return the error for a folder that is something else."""
    return FileProblem(
        folder, f"is not a feature store ({why})", "give the folder of an earlier extraction"
    )


def _named(kind: str, name: str, entries: Sequence[StoredArray]) -> StoredArray:
    for entry in entries:
        if entry.name == name:
            return entry
    raise UnknownNameError(kind, name, [entry.name for entry in entries])


def read_meta(folder: Path) -> dict[str, Any]:
    """Return ``meta.json`` of a store that may be incomplete.

    Raises:
        FileProblem: If there is no such folder, or it is not a store's.
    """
    if not folder.exists():
        raise FileProblem(folder, "does not exist", "give the folder of an earlier extraction")
    try:
        meta: Any = json.loads((folder / META).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise not_a_store(folder, f"it holds no {META}") from None
    except (OSError, ValueError) as error:
        raise not_a_store(folder, f"its {META} cannot be read") from error
    schema = meta.get("schema") if isinstance(meta, dict) else None
    if schema != SCHEMA or not isinstance(meta.get("complete"), bool):
        raise not_a_store(folder, f"its {META} has schema {schema!r}, not {SCHEMA!r}")
    return meta


def _entries(values: list[dict[str, Any]]) -> tuple[StoredArray, ...]:
    entries: list[StoredArray] = []
    for value in values:
        fields = {
            k: tuple(map(int, v)) if isinstance(v, list) else str(v) for k, v in value.items()
        }
        entry = StoredArray(**cast("dict[str, Any]", fields))
        if Path(entry.file).name != entry.file or not entry.file.endswith(".npy"):
            raise ValueError(f"{entry.file!r} is no array of this folder")
        entries.append(entry)
    return tuple(entries)


def hash_of(array: NDArray[Any]) -> str:
    """Return the hash of an array's values in C order, reading a bounded part at a time."""
    digest = hashlib.sha256()
    flat = array.reshape(-1)
    step = max(1, _HASHED_AT_ONCE // max(1, array.itemsize))
    for start in range(0, flat.size, step):
        digest.update(flat[start : start + step].tobytes())
    return digest.hexdigest()


def hash_of_meta(meta: Mapping[str, Any]) -> str:
    """Return the hash of what ``meta.json`` says, the hashes of the arrays included."""
    content = {key: value for key, value in meta.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
