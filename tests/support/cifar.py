"""A small archive in the form of CIFAR-10's."""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import CIFAR10

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
ROOT = "cifar-10-batches-py"


def batch(per_class: int = 3) -> dict[str, object]:
    """Return a batch whose classes take turns and whose pixels are noise."""
    count = 10 * per_class
    pixels = np.random.default_rng(5).integers(0, 256, (count, 3072), dtype=np.uint8)
    return {"data": pixels, "labels": [i % 10 for i in range(count)], "batch_label": "test"}


def write_archive(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    test: int = 3,
    training: tuple[int, ...] = (1, 1, 1, 1, 1),
) -> Path:
    """Write an archive of small batches, and let torchvision hold them for the published ones."""
    batches = {f"data_batch_{n}": batch(each) for n, each in enumerate(training, start=1)}
    contents = {**batches, "test_batch": batch(test), "batches.meta": {"label_names": [*CLASSES]}}
    stored = {name: pickle.dumps(content, protocol=4) for name, content in contents.items()}
    md5 = {name: hashlib.md5(data).hexdigest() for name, data in stored.items()}
    monkeypatch.setattr(CIFAR10, "train_list", [[name, md5[name]] for name in batches])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", md5["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": md5["batches.meta"]})
    with tarfile.open(path, "w:gz") as tar:
        for name, data in stored.items():
            entry = tarfile.TarInfo(f"{ROOT}/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path
