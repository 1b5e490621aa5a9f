"""A small archive in the form of CIFAR-10's."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path

import numpy as np

MEMBER = "cifar-10-batches-py/test_batch"


def batch(per_class: int = 3) -> dict[bytes, object]:
    """Return a batch whose classes take turns and whose pixels are noise."""
    count = 10 * per_class
    pixels = np.random.default_rng(5).integers(0, 256, (count, 3072), dtype=np.uint8)
    return {b"data": pixels, b"labels": [i % 10 for i in range(count)], b"batch_label": b"test"}


def write_archive(path: Path, data: bytes, *, member: str = MEMBER) -> Path:
    return write_members(path, {member: data})


def write_members(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def pickled(content: object) -> bytes:
    return pickle.dumps(content, protocol=4)
