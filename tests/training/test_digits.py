"""Training batches of digits: deterministic, shared out evenly, bent as they should be."""

import numpy as np
import pytest
import torch

from srscope.images.digits import SIDE, WANDER, PatchPool, training_digits
from srscope.training.digits import GROWTH, TURN, DigitBatches, bent
from support.pictures import make_photos

POOL = PatchPool.of(make_photos(("a.png", 140, 180), ("b.png", 200, 130)))


def batches(seed: int = 3) -> DigitBatches:
    return DigitBatches(digits=training_digits(), pool=POOL, batch_size=8, seed=seed)


def test_a_batch_depends_on_seed_and_iteration_only() -> None:
    images_NCHW, labels_N = batches().batch(2)
    assert images_NCHW.shape == (8, 3, SIDE, SIDE)
    assert images_NCHW.dtype == torch.float32
    assert (labels_N.shape, labels_N.dtype) == ((8,), torch.int64)
    assert 0 <= float(images_NCHW.min()) < float(images_NCHW.max()) <= 1
    again = batches()
    again.batch(7)
    for one, other in zip(again.batch(2), (images_NCHW, labels_N), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert not torch.equal(batches(seed=4).batch(2)[0], images_NCHW)
    assert not torch.equal(batches().batch(3)[0], images_NCHW)


@pytest.mark.parametrize("world", [2, 4])
def test_shards_make_up_the_global_batch(world: int) -> None:
    whole = batches().batch(5)
    shards = [batches().batch(5, rank=rank, world=world) for rank in range(world)]
    for part, expected in enumerate(whole):
        torch.testing.assert_close(
            torch.cat([shard[part] for shard in shards]), expected, rtol=0, atol=0
        )


def blob(y: int, x: int) -> np.ndarray:
    ink_NHW = np.zeros((1, SIDE, SIDE), dtype=np.float32)
    ink_NHW[0, y - 1 : y + 2, x - 1 : x + 2] = 1
    return ink_NHW


def centre(ink_NHW: np.ndarray) -> tuple[float, float]:
    """Return the centre of mass, from the middle of the image, in pixels right and down."""
    place = np.arange(SIDE) - (SIDE - 1) / 2
    ink_HW = ink_NHW[0] / ink_NHW[0].sum()
    return float((ink_HW.sum(0) * place).sum()), float((ink_HW.sum(1) * place).sum())


def bend(*values: float) -> np.ndarray:
    return np.array([values])


def test_nothing_is_bent_by_nothing() -> None:
    ink_NHW = blob(12, 20)
    np.testing.assert_allclose(bent(ink_NHW, bend(0, 0, 0, 0, 0)), ink_NHW, atol=1e-5)


def test_digits_move_right_and_down() -> None:
    x, y = centre(blob(12, 20))
    right, down = centre(bent(blob(12, 20), bend(0, 0, 0, 1, -1)))
    assert right == pytest.approx(x + WANDER, abs=1e-3)
    assert down == pytest.approx(y - WANDER, abs=1e-3)


def test_digits_grow_from_the_middle() -> None:
    x, y = centre(blob(10, 22))
    right, down = centre(bent(blob(10, 22), bend(0, 1, 0, 0, 0)))
    assert right == pytest.approx(x * np.exp(GROWTH), abs=0.1)
    assert down == pytest.approx(y * np.exp(GROWTH), abs=0.1)


def test_digits_turn_about_the_middle() -> None:
    x, y = centre(blob(10, 22))
    right, down = centre(bent(blob(10, 22), bend(1, 0, 0, 0, 0)))
    assert np.hypot(right, down) == pytest.approx(np.hypot(x, y), abs=0.1)
    turned = abs(np.arctan2(down, right) - np.arctan2(y, x))
    assert turned == pytest.approx(TURN, abs=0.01)


def test_slanting_keeps_rows() -> None:
    x, y = centre(blob(8, 16))
    right, down = centre(bent(blob(8, 16), bend(0, 0, 1, 0, 0)))
    assert down == pytest.approx(y, abs=0.05)
    assert abs(right - x) > 1


def test_the_hash_covers_digits_labels_and_photographs() -> None:
    same = batches(seed=9).sha256()
    assert same == batches().sha256()
    other = PatchPool.of(make_photos(("a.png", 140, 184)))
    changed = DigitBatches(digits=training_digits(), pool=other, batch_size=8, seed=9)
    assert changed.sha256() != same
