"""A cache of stages: arrays and numbers under the hash of everything that decides them.

An entry is one ``.npz`` file and its SHA-256 beside it. It is written under a temporary name and
renamed, verified whenever it is read, and made by one process at a time.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import os
import platform
import re
import time
from collections.abc import Callable, Generator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import srscope
from srscope.runtime.files import atomic_path, is_temporary, locked, unwritable

Entry = dict[str, NDArray[Any]]
"""What a stage computes: arrays by name. Plain values travel as JSON, see :func:`pack`."""

_ENTRY = re.compile(r"([a-z0-9_ -]+-)?[0-9a-f]{32}\.(npz|sha256|npy|json)")
_ABANDONED = 3600.0  # seconds; what is half-written and younger may be finished yet
_JSON = "json"


def pack(arrays: Mapping[str, NDArray[Any]], **values: Any) -> Entry:
    """Put JSON values beside arrays into one entry."""
    return {**arrays, _JSON: np.array(json.dumps(values))}


def values_of(entry: Entry) -> dict[str, Any]:
    """Return the JSON values that :func:`pack` put into an entry."""
    return json.loads(str(entry[_JSON]))


def key_of(stage: str, inputs: Mapping[str, Any]) -> str:
    """Return the name of an entry: a hash of the stage and its inputs.

    Args:
        stage: What is computed.
        inputs: Everything that decides the result, as JSON values; :func:`machinery` among them.

    Example:
        >>> key_of("a", {"x": 1, "y": 2}) == key_of("a", {"y": 2, "x": 1})
        True
        >>> key_of("a", {"x": 1}) == key_of("b", {"x": 1})
        False
    """
    text = json.dumps([stage, inputs], sort_keys=True, allow_nan=False)
    return f"{stage}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def hash_of_arrays(*arrays: NDArray[Any]) -> str:
    """Return a hash of shapes, types and values, for the inputs of a stage."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]


@functools.cache
def program() -> str:
    """Return a hash of the package's source: a changed program finds nothing of the old one."""
    root, digest = Path(srscope.__file__).parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:32]


@functools.cache
def machinery() -> dict[str, str]:
    """Return what else decides the last bits of a number: program, libraries, processor."""
    import llvmlite.binding as llvm

    packages = ("numpy", "scipy", "scikit-learn", "openTSNE", "numba")
    return {
        "program": program(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in packages},
        "processor": str(llvm.get_host_cpu_name()),
    }


def prune(folder: Path, limit: int, *, most: int = 20_000) -> int:
    """Delete the entries that were not used for longest, until the rest fits.

    What killed processes left half-written goes as well, an hour later. Files that are not named
    and placed as a cache's are somebody else's, and stay.

    An entry is all files of one name in one folder, whatever their suffix; it was last used when
    the youngest of them was written or touched.

    Args:
        folder: Of a cache: with ``stages`` and ``features``, as analyses have it.
        limit: Bytes that may stay.
        most: Entries that may stay: small ones take long to look through.

    Returns:
        Bytes that stayed.
    """
    sizes: dict[Path, int] = {}
    used: dict[Path, float] = {}
    names: dict[Path, list[Path]] = {}
    for path in (*folder.glob("stages/??/*"), *folder.glob("features/f-*/*")):
        with contextlib.suppress(FileNotFoundError):  # another process cleans up as well
            status = path.stat()
            if is_temporary(path):
                if time.time() - status.st_mtime > _ABANDONED:
                    path.unlink()
            elif _ENTRY.fullmatch(path.name) and path.is_file():
                entry = path.with_suffix("")
                sizes[entry] = sizes.get(entry, 0) + status.st_size
                used[entry] = max(used.get(entry, 0.0), status.st_mtime)
                names.setdefault(entry, []).append(path)
    total = sum(sizes.values())
    left = len(used)
    for entry in sorted(used, key=lambda each: used[each]):
        if total <= limit and left <= most:
            break
        for path in names[entry]:
            with contextlib.suppress(OSError):
                path.unlink()
        total -= sizes[entry]
        left -= 1
    return total


class StageCache:
    """Entries in a folder, shared by processes.

    Args:
        folder: Created when absent.

    Example:
        >>> import tempfile
        >>> cache = StageCache(Path(tempfile.mkdtemp()))
        >>> make = lambda: {"x_N": np.arange(3)}
        >>> [cache.get("count", {"n": 3}, make)["x_N"].tolist() for _ in range(2)]
        [[0, 1, 2], [0, 1, 2]]
        >>> cache.computed, cache.found
        (1, 1)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.computed = 0
        self.found = 0

    def get(
        self,
        stage: str,
        inputs: Mapping[str, Any],
        compute: Callable[[], Entry],
    ) -> Entry:
        """Return the entry of these inputs, computed unless it is there.

        Args:
            stage: What is computed.
            inputs: Everything that decides the result, as JSON values.
            compute: Makes the entry.

        Returns:
            The arrays; the same bits whether computed or found.
        """
        key = key_of(stage, inputs)
        entry = self._read(key)
        if entry is None:
            with self._locked(key):
                entry = self._read(key)  # another process may have made it meanwhile
                if entry is None:
                    self._write(key, compute())
                    self.computed += 1
                    written = self._read(key)
                    assert written is not None
                    return written
        self.found += 1
        return entry

    def find(self, stage: str, inputs: Mapping[str, Any]) -> Entry | None:
        """Return the entry of these inputs if it is there, and mark it as used."""
        key = key_of(stage, inputs)
        entry = self._read(key)
        if entry is not None:
            self.found += 1
            with contextlib.suppress(OSError):
                os.utime(self._path(key).with_suffix(".sha256"))
        return entry

    def has(self, stage: str, inputs: Mapping[str, Any]) -> bool:
        """Tell whether a whole entry is there."""
        return self._read(key_of(stage, inputs)) is not None

    def put(self, stage: str, inputs: Mapping[str, Any], entry: Entry) -> None:
        """Store an entry that was computed together with others."""
        key = key_of(stage, inputs)
        with self._locked(key):
            if self._read(key) is None:
                self._write(key, entry)
                self.computed += 1

    @contextlib.contextmanager
    def alone(self, stage: str, inputs: Mapping[str, Any]) -> Generator[None]:
        """Let one process at a time make entries that are made together.

        Inside, ask again with :meth:`has` what is missing, and :meth:`put` it.

        Args:
            stage: What is made.
            inputs: What the entries have in common, as JSON values.
        """
        with self._locked(key_of(f"{stage}-together", inputs)):
            yield

    def _path(self, key: str) -> Path:
        return self.folder / key[-2:] / f"{key}.npz"

    def _read(self, key: str) -> Entry | None:
        path = self._path(key)
        try:
            content = path.read_bytes()
            wanted = path.with_suffix(".sha256").read_bytes().strip()
        except OSError:
            return None
        if hashlib.sha256(content).hexdigest().encode() != wanted:
            return None  # damaged: made anew, and replaced
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as opened:
                return {name: opened[name] for name in opened.files}
        except Exception:  # whatever was put there, with a hash of its own: not ours
            return None

    def _write(self, key: str, entry: Entry) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, **entry)  # pyright: ignore[reportArgumentType]
        path = self._path(key)
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        # The hash first: without it, or with another's, the entry does not count. So there is no
        # need to wait for the disk.
        for final, content in (
            (path.with_suffix(".sha256"), f"{digest}\n".encode()),
            (path, buffer.getvalue()),
        ):
            with atomic_path(final, flush=False) as temporary:
                temporary.write_bytes(content)

    @contextlib.contextmanager
    def _locked(self, key: str) -> Generator[None]:
        """Let one process at a time make an entry. The lock goes with the process that holds it."""
        path = self._path(key).with_suffix(".lock")
        with contextlib.ExitStack() as stack:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                held = stack.enter_context(locked(path))
            except OSError as error:
                raise unwritable(path.parent, error) from error
            if held:  # then what is half-written was left by a process that was killed
                for left in path.parent.glob(f".{key[:40]}-????????.part.*"):
                    left.unlink(missing_ok=True)
            yield
