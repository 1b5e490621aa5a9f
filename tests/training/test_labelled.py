"""Labelled images of either source: shifted, mirrored, deterministic, shared out evenly."""

from pathlib import Path

import numpy as np
import pytest
import torch

from srscope.errors import ParameterError
from srscope.images.cifar10 import ClassLevels
from srscope.training import labelled
from srscope.training.labelled import PADDING, ClassDataConfig, ImageBatches, load_class_data
from support import cifar
from support.tiny import photographs

LEVELS_NHW3 = np.random.default_rng(0).integers(1, 256, (12, 6, 5, 3), dtype=np.uint8)
IMAGES = ClassLevels(
    levels_NHW3=LEVELS_NHW3,
    labels_N=np.arange(12, dtype=np.int64) % 10,
    classes=cifar.CLASSES,
)


def batches(seed: int = 3, size: int = 8) -> ImageBatches:
    return ImageBatches.of(IMAGES, batch_size=size, seed=seed)


def test_a_batch_depends_on_seed_and_iteration_only() -> None:
    first = batches().batch(2)
    assert first[0].shape == (8, 3, 6, 5)
    assert torch.equal(batches().batch(2)[0], first[0])
    assert not torch.equal(batches(seed=4).batch(2)[0], first[0])
    assert not torch.equal(batches().batch(3)[0], first[0])


def test_shards_make_up_the_global_batch() -> None:
    whole = batches().batch(5)
    shards = [batches().batch(5, rank=rank, world=2) for rank in range(2)]
    for part, expected in enumerate(whole):
        assert torch.equal(torch.cat([shard[part] for shard in shards]), expected)


def test_every_image_is_a_window_of_its_original_mirrored_half_of_the_time() -> None:
    images_NCHW, labels_N = batches(size=400).batch(0)
    wide_NHW3 = np.pad(LEVELS_NHW3, ((0, 0), (PADDING,) * 2, (PADDING,) * 2, (0, 0)))
    windows: dict[bytes, tuple[int, bool]] = {}
    for which in range(12):
        for top in range(2 * PADDING + 1):
            for left in range(2 * PADDING + 1):
                window_HW3 = wide_NHW3[which, top : top + 6, left : left + 5]
                windows[window_HW3.tobytes()] = (which, False)
                windows[window_HW3[:, ::-1].tobytes()] = (which, True)
    mirrored = 0
    for image_CHW, label in zip(images_NCHW, labels_N.tolist(), strict=True):
        levels_HW3 = np.rint(image_CHW.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
        which, turned = windows[np.ascontiguousarray(levels_HW3).tobytes()]
        assert label == which % 10
        mirrored += turned
    assert 150 < mirrored < 250


def test_digits_come_with_the_bundled_test_set_and_their_facts(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "in", count=2)
    data = load_class_data(ClassDataConfig(folder=str(folder), batch_size=4), seed=0)
    assert len(data.test.labels_N) == 1000
    assert data.facts["digits"] == 770
    assert data.facts["names"] == ["photo-0.png", "photo-1.png"]
    assert data.batches.batch(0)[0].shape == (4, 3, 32, 32)


def test_cifar10_is_read_from_the_folder_given(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def training(folder: object) -> ClassLevels:
        asked.append(folder)
        return IMAGES

    def test(folder: object, *, per_class: int) -> str:
        asked.append((folder, per_class))
        return "test"

    monkeypatch.setattr(labelled, "cifar10_training", training)
    monkeypatch.setattr(labelled, "cifar10_test", test)
    config = ClassDataConfig(source="cifar10", folder="here", batch_size=4)
    data = load_class_data(config, seed=0)
    assert asked == [Path("here"), (Path("here"), 1000)]
    assert data.test == "test"
    assert data.facts["images"] == 12
    assert len(data.batches.sha256()) == 64
    load_class_data(ClassDataConfig(source="cifar10", folder=""), seed=0)
    assert asked[2] is None


def test_empty_batches_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"data\.batch_size must be at least 1, but is 0"):
        ClassDataConfig(batch_size=0)
