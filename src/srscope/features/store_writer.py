"""Write a feature store batch by batch, so that it is whole or not there.

Rows are appended to plain files rather than through a writable memory map: a full disk is then
an error with a message, where writing to a mapped page would kill the process with SIGBUS; and
what is written does not count as the process's memory. The system writes features to the disk when
it suits it; only after a power failure could a layer be damaged, which `FeatureStore.verify` tells.

Suffixes: N images, B images of a batch, D dimensions of a feature vector.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from srscope.errors import ParameterError, UnknownNameError
from srscope.features.store import (
    META,
    SCHEMA,
    StoredArray,
    hash_of,
    hash_of_meta,
    not_a_store,
    read_meta,
)
from srscope.features.stream import LayerFeatures
from srscope.runtime import files

_FEATURES = np.dtype("<f4")


class StoreWriter:
    """Takes features batch by batch; :func:`create_store` makes one and closes it."""

    def __init__(self, folder: Path, names: Mapping[str, str], *, count: int) -> None:
        self._folder, self._count = folder, count
        self._layers = {name: _LayerFile(file, count) for name, file in names.items()}

    def append(
        self, layer: str, features_BD: NDArray[np.float32], *, feature_shape: Sequence[int]
    ) -> None:
        """Append the features of the next B images of one layer.

        Args:
            layer: One of the layers that the store was created with.
            features_BD: Written as little-endian float32.
            feature_shape: The layer's output for one image before reduction, e.g. (C, H, W).

        Raises:
            UnknownNameError: If the store has no such layer.
            ParameterError: If D or ``feature_shape`` differs between batches, or there are more
                rows than images.
            FileProblem: If the disk is full or the folder has gone.
        """
        with _told(self._folder):
            for step in self._steps(layer, features_BD, feature_shape):
                step()

    def append_batch(self, outputs: Mapping[str, LayerFeatures], threads: Executor) -> None:
        """Append the features of the next images of several layers at once.

        Args:
            outputs: By layer.
            threads: Share what is to be done among them.

        Raises:
            SrscopeError: As :meth:`append`.
        """
        with _told(self._folder):
            steps = [
                threads.submit(step)
                for name, each in outputs.items()
                for step in self._steps(name, each.features_BD, each.feature_shape)
            ]
            for step in steps:
                step.result()

    def _steps(
        self, layer: str, features_BD: NDArray[np.float32], feature_shape: Sequence[int]
    ) -> tuple[Callable[[], object], ...]:
        if layer not in self._layers:
            raise UnknownNameError("stored layer", layer, self._layers)
        return self._layers[layer].append(layer, features_BD, feature_shape)

    def open_files(self, stack: contextlib.ExitStack) -> None:
        """Open every layer's file under a temporary name, which ``stack`` makes the final one."""
        for layer in self._layers.values():
            path = self._folder / layer.file
            temporary = stack.enter_context(files.atomic_path(path, flush=False))
            layer.handle = stack.enter_context(temporary.open("wb"))

    def finish(self) -> list[StoredArray]:
        """Return what was written, once every layer has its rows."""
        return [layer.finish(name) for name, layer in self._layers.items()]


class _LayerFile:
    """One layer's ``.npy`` file in the making: its rows so far, and their hash."""

    handle: BinaryIO

    def __init__(self, file: str, count: int) -> None:
        self.file = file
        self._count, self._rows = count, 0
        self._digest = hashlib.sha256()
        self._shapes: tuple[tuple[int, ...], ...] = ()

    def append(
        self, name: str, features_BD: NDArray[Any], feature_shape: Sequence[int]
    ) -> tuple[Callable[[], object], ...]:
        """Check rows, and return what is to be done to append them, in any order."""
        what = f"features of layer {name!r}"
        if features_BD.ndim != 2:
            raise ParameterError(what, "a (B, D) array", features_BD.shape)
        shapes = (features_BD.shape[1:], tuple(map(int, feature_shape)))
        if not self._rows:
            self._shapes = shapes
            header = {
                "descr": _FEATURES.str,
                "fortran_order": False,
                "shape": (self._count, features_BD.shape[1]),
            }
            np.lib.format.write_array_header_1_0(self.handle, header)
        check_equal(name, shapes, self._shapes)
        self._rows += len(features_BD)
        if self._rows > self._count:
            raise ParameterError(what, f"{self._count} rows in all", self._rows)
        data = np.ascontiguousarray(features_BD, dtype=_FEATURES).data
        return partial(self.handle.write, data), partial(self._digest.update, data)

    def finish(self, name: str) -> StoredArray:
        if self._rows < self._count:
            raise ParameterError(
                f"features of layer {name!r}", f"{self._count} rows in all", self._rows
            )
        (dimensions,), feature_shape = self._shapes
        return StoredArray(
            name=name,
            file=self.file,
            shape=(self._count, dimensions),
            dtype=_FEATURES.str,
            sha256=self._digest.hexdigest(),
            feature_shape=feature_shape,
        )


def check_equal(
    layer: str, shapes: tuple[tuple[int, ...], ...], first: tuple[tuple[int, ...], ...]
) -> None:
    """Raise a ParameterError unless a batch's shapes are the first one's."""
    if shapes != first:
        rule = f"of the first batch's shapes, {first}"
        raise ParameterError(f"features of layer {layer!r}", rule, shapes, "give equal images")


@contextlib.contextmanager
def create_store(
    path: str | Path,
    *,
    layers: Sequence[str],
    count: int,
    reducer: str,
    arrays: Mapping[str, NDArray[Any]] | None = None,
    metadata: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Generator[StoreWriter]:
    """Yield a writer; the store is complete when the with-block ends without an exception.

    An earlier store in the folder, whole or half-written, is replaced; anything else is refused.

    Args:
        path: The folder, made when absent.
        layers: The layers to come, each once.
        count: Number of images, N, at least 1.
        reducer: How a layer's output becomes one vector; recorded, not applied.
        arrays: Small arrays to go with it, e.g. ``set_N``. Where a name's shape suffix begins
            with N, the array must have N rows.
        metadata: JSON values to go with it; tuples come back as lists.
        provenance: JSON values on where the features come from.

    Raises:
        ParameterError: If a value cannot be stored, or rows are missing at the end.
        FileProblem: If the folder holds something else, or cannot be written.

    Example:
        >>> import tempfile
        >>> from srscope.features.store import FeatureStore
        >>> folder = tempfile.mkdtemp()
        >>> with create_store(folder, layers=["body.3"], count=2, reducer="flatten") as writer:
        ...     writer.append("body.3", np.ones((2, 5), np.float32), feature_shape=(5, 1, 1))
        >>> FeatureStore.open(folder).read("body.3").shape
        (2, 5)
    """
    if count < 1:
        raise ParameterError("count", "at least 1 image", count)
    if not layers or len(set(layers)) < len(layers):
        raise ParameterError("layers", "a list of at least one layer, each once", list(layers))
    arrays = {name: _checked_array(name, array, count) for name, array in (arrays or {}).items()}
    meta: dict[str, Any] = {
        "schema": SCHEMA,
        "count": count,
        "reducer": reducer,
        "metadata": _plain("metadata", metadata),
        "provenance": _plain("provenance", provenance),
    }
    folder = Path(path)
    layer_files = {name: _file_name(i, name) for i, name in enumerate(layers)}
    array_files = {name: f"array-{name}.npy" for name in arrays}
    with _told(folder):
        _clear(folder)
        meta["files"] = [*layer_files.values(), *array_files.values()]
        _write_meta(folder, {**meta, "complete": False})
        meta["arrays"] = [
            asdict(_write_array(folder / array_files[name], name, array))
            for name, array in arrays.items()
        ]
    with contextlib.ExitStack() as stack:
        writer = StoreWriter(folder, layer_files, count=count)
        with _told(folder):
            writer.open_files(stack)
        yield writer
        meta["layers"] = [asdict(entry) for entry in writer.finish()]
        with _told(folder):
            stack.pop_all().close()
    meta["complete"] = True
    with _told(folder):
        _write_meta(folder, {**meta, "sha256": hash_of_meta(meta)})


@contextlib.contextmanager
def _told(folder: Path) -> Generator[None]:
    """Turn a failure of the disk into one clear line."""
    try:
        yield
    except OSError as error:
        raise files.unwritable(folder, error) from error


def remove_store(folder: Path) -> None:
    """Delete a store, and its folder; nothing where there is none.

    Raises:
        FileProblem: If the folder holds something else; then it is left as it is.
    """
    with _told(folder):
        _clear(folder)
        folder.joinpath(META).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not there, or something else is in it
            folder.rmdir()


def _clear(folder: Path) -> None:
    """Remove an earlier store, whole or half-written, and nothing else."""
    if not folder.exists():
        return
    temporaries = [p for p in folder.iterdir() if p.name.startswith(".") and ".part" in p.suffixes]
    if folder.joinpath(META).exists():
        listed = [Path(str(name)).name for name in read_meta(folder).get("files", [])]
    elif all(entry in temporaries for entry in folder.iterdir()):
        listed = []
    else:
        raise not_a_store(folder, "it holds other files")
    # The old meta.json stays until the new one replaces it, so that the folder is always known as
    # a store; one whose files are missing cannot be opened.
    for path in (*temporaries, *(folder / name for name in listed if name.endswith(".npy"))):
        path.unlink(missing_ok=True)


def _write_meta(folder: Path, meta: Mapping[str, Any]) -> None:
    files.write_text(folder / META, json.dumps(meta, indent=1) + "\n")


def _write_array(path: Path, name: str, array: NDArray[Any]) -> StoredArray:
    with files.atomic_path(path) as temporary:
        np.save(temporary, array, allow_pickle=False)
    return StoredArray(
        name=name, file=path.name, shape=array.shape, dtype=array.dtype.str, sha256=hash_of(array)
    )


def _file_name(index: int, layer: str) -> str:
    """Return a safe file name for a layer.

    The number keeps names apart where a file system folds case or where two are cut to one, and
    keeps them off ``..`` and Windows' reserved names.
    """
    return f"{index:03d}-{re.sub(r'[^A-Za-z0-9._-]', '_', layer)[:80]}.npy"


def _checked_array(name: str, array: NDArray[Any], count: int) -> NDArray[Any]:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,79}", name):
        raise ParameterError("an array's name", "letters, digits, '_' and '-'", name)
    array = np.asarray(array, order="C")
    if array.dtype.hasobject:
        raise ParameterError(f"array {name!r}", "numbers or strings", array.dtype)
    rows = array.shape[0] if array.ndim else 0
    if re.search(r"_N[A-Z0-9]*$", name) and rows != count:
        raise ParameterError(f"array {name!r}", f"of {count} rows, one an image", array.shape)
    return array


def _plain(name: str, values: Mapping[str, Any] | None) -> dict[str, Any]:
    try:
        return json.loads(json.dumps(dict(values or {}), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ParameterError(name, "made of finite JSON values", values, str(error)) from error
