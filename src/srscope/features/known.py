"""Features of earlier extractions, found again batch by batch.

What a layer makes of a batch is decided by the network, the batch and the machine, so a batch that
went through before need not go through again: another layer, suite or seed then costs only the
passes that are new. A folder holds one ``.npy`` a layer and extraction, a hard link to the feature
store's own file where the file system allows, and beside it a record of the batches in it.

Suffixes: N images, B images of a batch, C channels, H/W height and width, D dimensions.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from srscope.errors import FileProblem
from srscope.features.store import FeatureStore, hash_of, hash_of_meta
from srscope.features.stream import LayerFeatures
from srscope.runtime.cache import key_of, machinery
from srscope.runtime.files import atomic_path

Compute = Callable[[Sequence[int], Sequence[str]], Generator[dict[str, LayerFeatures]]]
"""Runs the network on the batches of these numbers, for these layers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureCache:
    """Where features are kept, and of which network.

    Args:
        folder: Made when absent.
        network: Its identity: see :func:`srscope.networks.structure.identity.identity_of`.
    """

    folder: Path
    network: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rows:
    """A batch of a layer in a kept file."""

    record: Path
    array_ND: NDArray[np.float32]
    start: int
    stop: int
    feature_shape: tuple[int, ...]

    def read(self) -> LayerFeatures:
        rows_BD = np.array(self.array_ND[self.start : self.stop])
        return LayerFeatures(features_BD=rows_BD, feature_shape=self.feature_shape)


class KnownFeatures:
    """What is known of the features that one extraction is to make.

    Args:
        cache: Where to look.
        images_NCHW: What the network is fed.
        layers: The layers wanted.
        batch_size: Images of a batch: another size rounds differently.
        how: What else decides the features, as JSON values: device, precision, reducer.
        channel_axes: Axis of a layer's channels by its name, where that is not 1.
    """

    def __init__(
        self,
        cache: FeatureCache,
        images_NCHW: NDArray[np.floating[Any]],
        layers: Sequence[str],
        *,
        batch_size: int,
        how: Mapping[str, Any],
        channel_axes: Mapping[str, int],
    ) -> None:
        self._layers = tuple(layers)
        self._count = len(images_NCHW)
        self._batches = {
            start: _hash_of_batch(images_NCHW[start : start + batch_size])
            for start in range(0, self._count, batch_size)
        }
        common = {"network": cache.network, **how, **machine(str(how.get("device", "cpu")))}
        self._folders = {
            layer: cache.folder
            / key_of("f", {**common, "layer": layer, "axis": channel_axes.get(layer, 1)})
            for layer in self._layers
        }
        wanted = set(self._batches.values())
        self._found = {layer: _rows_of(folder, wanted) for layer, folder in self._folders.items()}

    def stream(self, compute: Compute) -> Generator[dict[str, LayerFeatures]]:
        """Yield the features of all batches in order, running the network where they are not known.

        Args:
            compute: Runs it; called once, or not at all.
        """
        missing = {
            number: [layer for layer in self._layers if batch not in self._found[layer]]
            for number, batch in enumerate(self._batches.values())
        }
        todo = [number for number, layers in missing.items() if layers]
        new = {layer for layers in missing.values() for layer in layers}
        with contextlib.ExitStack() as stack:
            computing: Generator[dict[str, LayerFeatures]] | None = None
            if todo:
                computing = compute(todo, [layer for layer in self._layers if layer in new])
                stack.enter_context(contextlib.closing(computing))
            for number, batch in enumerate(self._batches.values()):
                made = next(computing) if computing is not None and missing[number] else {}
                yield {
                    layer: made[layer] if layer in made else self._found[layer][batch].read()
                    for layer in self._layers
                }

    def keep(self, store: FeatureStore) -> None:
        """Keep what was computed, and mark what was found as used; a full disk is no failure."""
        for layer, folder in self._folders.items():
            found = self._found[layer]
            with contextlib.suppress(OSError, FileProblem):
                if all(batch in found for batch in self._batches.values()):
                    for record in {rows.record for rows in found.values()}:
                        os.utime(record)
                else:
                    self._keep(store, layer, folder)

    def _keep(self, store: FeatureStore, layer: str, folder: Path) -> None:
        entry = store.layer(layer)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{entry.sha256[:32]}.npy"
        _link(store.path / entry.file, path)
        starts = [*self._batches, self._count]
        meta: dict[str, Any] = {
            "features": entry.sha256,
            "feature_shape": list(entry.feature_shape),
            "batches": [
                [batch, start, stop]
                for (start, batch), stop in zip(self._batches.items(), starts[1:], strict=True)
            ],
        }
        text = json.dumps({**meta, "sha256": hash_of_meta(meta)})
        with atomic_path(path.with_suffix(".json"), flush=False) as temporary:
            temporary.write_text(text + "\n", "utf-8")


def _rows_of(folder: Path, wanted: set[str]) -> dict[str, _Rows]:
    """Return where batches are, the newest file first; each file used is verified."""
    found: dict[str, _Rows] = {}
    try:
        records = sorted(folder.glob("*.json"), key=lambda path: -path.stat().st_mtime)
    except OSError:  # another process has just deleted one
        return found
    for record in records:
        try:
            meta = json.loads(record.read_text("utf-8"))
            if meta.get("sha256") != hash_of_meta(meta):
                continue
            new = {b: (a, z) for b, a, z in meta["batches"] if b in wanted and b not in found}
            if not new:
                continue
            array_ND: NDArray[np.float32] = np.load(
                record.with_suffix(".npy"), mmap_mode="r", allow_pickle=False
            )
            whole = hash_of(array_ND) == meta["features"]
        except Exception:  # whatever was put there in its place
            whole, new, meta, array_ND = False, {}, {}, np.empty((0, 0), np.float32)
        if not whole:  # damaged, or written to in the output folder that it is a link to
            for path in (record, record.with_suffix(".npy")):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
            continue
        shape = tuple(meta["feature_shape"])
        for batch, (start, stop) in new.items():
            found[batch] = _Rows(
                record=record, array_ND=array_ND, start=start, stop=stop, feature_shape=shape
            )
    return found


def _link(source: Path, target: Path) -> None:
    """Make ``target`` another name of a file, or a copy where the file system has no links."""
    try:
        os.link(source, target)
    except FileExistsError:  # of the same content by its name, but it may be damaged
        if not target.samefile(source):
            target.unlink(missing_ok=True)
            os.link(source, target)
    except OSError:
        with atomic_path(target, flush=False) as temporary:
            shutil.copyfile(source, temporary)


def _hash_of_batch(images_BCHW: NDArray[np.floating[Any]]) -> str:
    array = np.ascontiguousarray(images_BCHW, dtype=np.float32)
    digest = hashlib.sha256(str(array.shape).encode())
    digest.update(array.data)
    return digest.hexdigest()[:32]


def machine(device: str) -> dict[str, Any]:
    """Return what of the machine and of PyTorch's settings decides the last bits of features."""
    cuda = torch.cuda.get_device_name(device) if device.startswith("cuda") else ""
    return {
        **machinery(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "matmul": torch.get_float32_matmul_precision(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "kernels": [
            torch.backends.mkldnn.enabled,
            torch.backends.cudnn.enabled,
            torch.backends.cudnn.allow_tf32,
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.deterministic,
        ],
        "variables": {
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith(("ONEDNN_", "DNNL_"))
        },
        "card": cuda,
    }
