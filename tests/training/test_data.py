"""Training pairs: aligned, deterministic, the same however they are sharded."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srscope.degradations.resize import imresize
from srscope.errors import ImageError, ParameterError
from srscope.images.record import Photograph
from srscope.training import data
from srscope.training.data import Batches, load_pairs, make_pair
from support.racing import no_warning_let_out


def smooth_photograph(name: str = "a.png", height: int = 83, width: int = 102) -> Photograph:
    """Make a photograph without symmetry, smooth enough that LR and HR can be compared."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin(x / 9 + k) * np.cos(y / (11 + k)) + x * y / 9000 for k in range(3)]
    pixels_HW3 = np.stack(waves, axis=-1) * 0.3 + 0.5
    return Photograph(name=name, pixels_HW3=np.clip(pixels_HW3, 0, 1).astype(np.float32))


@pytest.fixture
def batches() -> Batches:
    pairs = tuple(make_pair(smooth_photograph(f"{n}.png", 83 + 8 * n), 4) for n in range(3))
    return Batches(pairs=pairs, scale=4, patch=8, batch_size=8, seed=3)


def test_pairs_are_cut_to_a_multiple_of_the_scale_and_rounded() -> None:
    pair = make_pair(smooth_photograph(), 4)
    assert pair.hr_HW3.shape == (80, 100, 3)
    assert pair.lr_HW3.shape == (20, 25, 3)
    assert pair.hr_HW3.dtype == pair.lr_HW3.dtype == np.uint8


def test_every_turn_keeps_lr_and_hr_aligned(batches: Batches) -> None:
    for iteration in range(6):
        lr_NCHW, hr_NCHW = batches.batch(iteration)
        assert lr_NCHW.shape == (8, 3, 8, 8)
        assert hr_NCHW.shape == (8, 3, 32, 32)
        reduced_NCHW = imresize(hr_NCHW, 1 / 4)
        inner = (..., slice(2, -2), slice(2, -2))
        assert (reduced_NCHW[inner] - lr_NCHW[inner]).abs().max() < 0.02


def test_all_eight_turns_occur(batches: Batches) -> None:
    crops = {
        tuple(np.rot90(np.arange(4).reshape(2, 2), k % 4)[:, :: -1 if k >= 4 else 1].ravel())
        for k in range(8)
    }
    assert len(crops) == 8
    one = Batches(pairs=batches.pairs[:1], scale=4, patch=20, batch_size=64, seed=0)
    only = make_pair(smooth_photograph(height=80, width=80), 4)
    square = Batches(pairs=(only,), scale=4, patch=20, batch_size=64, seed=0)
    lr_NCHW, _ = square.batch(0)
    assert len({crop.numpy().tobytes() for crop in lr_NCHW}) == 8
    assert one.batch(0)[0].shape[0] == 64


def test_a_batch_depends_on_seed_and_iteration_only(batches: Batches) -> None:
    again = Batches(pairs=batches.pairs, scale=4, patch=8, batch_size=8, seed=3)
    again.batch(7)
    torch.testing.assert_close(again.batch(2), batches.batch(2), rtol=0, atol=0)
    other = Batches(pairs=batches.pairs, scale=4, patch=8, batch_size=8, seed=4)
    assert not torch.equal(other.batch(2)[0], batches.batch(2)[0])
    assert not torch.equal(batches.batch(1)[0], batches.batch(2)[0])


@pytest.mark.parametrize("world", [2, 4])
def test_shards_make_up_the_global_batch(batches: Batches, world: int) -> None:
    whole = batches.batch(5)
    shards = [batches.batch(5, rank=rank, world=world) for rank in range(world)]
    for part in range(2):
        assert torch.equal(torch.cat([shard[part] for shard in shards]), whole[part])


def test_photographs_smaller_than_a_crop_are_named() -> None:
    pair = make_pair(smooth_photograph("tiny.png", 40, 60), 4)
    with pytest.raises(ImageError, match=r"tiny\.png: is 15x10 after reduction.*12-pixel crop"):
        Batches(pairs=(pair,), scale=4, patch=12, batch_size=1, seed=0)


def test_validation_photographs_are_kept_apart(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        pixels = (smooth_photograph().pixels_HW3 * 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    training, validation = load_pairs(tmp_path, 4, ["b.png"])
    assert [p.name for p in training] == ["a.png"]
    assert [p.name for p in validation] == ["b.png"]
    with pytest.raises(ParameterError, match=r"data\.validation must be names of files.*or none: "):
        load_pairs(tmp_path, 4, ["c.png"])
    with pytest.raises(ImageError, match="no photograph is left for training"):
        load_pairs(tmp_path, 4, ["a.png", "b.png"])


def test_noise_is_on_the_lr_crops_only_of_the_asked_strength_and_shared_out_alike(
    batches: Batches,
) -> None:
    noisy = dataclasses.replace(batches, noise_sigma=20.0, batch_size=16)
    plain = dataclasses.replace(noisy, noise_sigma=0.0)
    (lr_NCHW, hr_NCHW), (clean_NCHW, same_NCHW) = noisy.batch(3), plain.batch(3)
    assert torch.equal(hr_NCHW, same_NCHW)
    inside_NCHW = (clean_NCHW > 0.3) & (clean_NCHW < 0.7)  # elsewhere clipping takes some away
    noise = (lr_NCHW - clean_NCHW)[inside_NCHW] * 255
    assert float(noise.std()) == pytest.approx(20, rel=0.05)
    assert abs(float(noise.mean())) < 1.0
    levels_NCHW = lr_NCHW * 255
    torch.testing.assert_close(levels_NCHW, levels_NCHW.round(), atol=1e-4, rtol=0)
    halves = [noisy.batch(3, rank=rank, world=2)[0] for rank in (0, 1)]
    assert torch.equal(torch.cat(halves), lr_NCHW)
    assert not torch.equal(noisy.batch(4)[0] - plain.batch(4)[0], lr_NCHW - clean_NCHW)


def test_damaged_and_tiny_photographs_are_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    levels_HW3 = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for name in ("a.png", "b.png", "c.png"):
        Image.fromarray(levels_HW3).save(tmp_path / name)
    whole = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[:-2000])  # its header is sound
    (tmp_path / "d.png").write_bytes(b"")
    Image.new("RGB", (2, 9)).save(tmp_path / "e.png")
    training, validation = load_pairs(tmp_path, 4, ["c.png"])
    assert [pair.name for pair in training] == ["a.png"]
    assert [pair.name for pair in validation] == ["c.png"]
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "skipped 'd.png': is empty"
    assert said[1].startswith("skipped 'b.png': is damaged: ")
    assert said[2] == "skipped 'e.png': is 2x9, too small to be reduced by 4"
    assert said[3] == "training goes on without 3 of 5 images"
    with pytest.raises(ImageError, match=r"b\.png: is damaged: .*mend it or shorten data\.valid"):
        load_pairs(tmp_path, 4, ["b.png"])


def test_threads_let_no_warning_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data.os, "cpu_count", lambda: 2)
    with no_warning_let_out() as photos:
        monkeypatch.setattr(data, "load_folder", lambda _: photos)
        training, _ = load_pairs(".", 4, ())
    assert [pair.name for pair in training] == ["a", "b"]
