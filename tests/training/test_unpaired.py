"""Unpaired data: halves without common content, deterministic crops, equal shards."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srscope.errors import ImageError, ParameterError
from srscope.images.record import Photograph
from srscope.training.data import Pair, make_pair
from srscope.training.unpaired import (
    UnpairedBatches,
    UnpairedDataConfig,
    folder_pairs,
    mild_judged,
    split_halves,
)


def grey_pair(level: int, side: int = 60) -> Pair:
    """Make a photograph of one grey level, by which its crops are known again."""
    return Pair(
        name=f"{level:04d}.png",
        hr_HW3=np.full((4 * side, 4 * side, 3), level, np.uint8),
        lr_HW3=np.full((side, side, 3), level, np.uint8),
    )


PAIRS = tuple(grey_pair(level) for level in (40, 80, 120, 160, 200))


def batches(*, synthesize: bool = True, seed: int = 3) -> UnpairedBatches:
    degraded, clean = split_halves(PAIRS, seed=0)
    return UnpairedBatches(
        degraded=degraded,
        clean=clean,
        synthesize=synthesize,
        scale=4,
        patch=16,
        batch_size=4,
        seed=seed,
    )


def test_halves_share_no_photograph_and_lose_none() -> None:
    for seed in range(5):
        degraded, clean = split_halves(PAIRS, seed=seed)
        assert (len(degraded), len(clean)) == (2, 3)
        assert {p.name for p in degraded} | {p.name for p in clean} == {p.name for p in PAIRS}
    halves = {tuple(p.name for p in split_halves(PAIRS, seed=seed)[0]) for seed in range(20)}
    assert len(halves) > 3
    assert split_halves(PAIRS, seed=2) == split_halves(PAIRS, seed=2)


def test_one_photograph_cannot_be_split() -> None:
    with pytest.raises(ParameterError, match="two photographs or more"):
        split_halves(PAIRS[:1], seed=0)


def test_crops_come_from_their_half_only() -> None:
    degraded, clean = split_halves(PAIRS, seed=0)
    seen_x: set[str] = set()
    seen_y: set[str] = set()
    for iteration in range(20):
        x_NCHW, y_NCHW, z_NCHW = batches(synthesize=False).batch(iteration)
        seen_x |= {f"{round(float(crop.mean()) * 255):04d}.png" for crop in x_NCHW}
        seen_y |= {f"{round(float(crop.mean()) * 255):04d}.png" for crop in y_NCHW}
        torch.testing.assert_close(y_NCHW.mean((1, 2, 3)), z_NCHW.mean((1, 2, 3)))
    assert seen_x == {p.name for p in degraded}
    assert seen_y == {p.name for p in clean}


def test_shapes_and_range() -> None:
    x_NCHW, y_NCHW, z_NCHW = batches().batch(0)
    assert x_NCHW.shape == y_NCHW.shape == (4, 3, 16, 16)
    assert z_NCHW.shape == (4, 3, 64, 64)
    for images in (x_NCHW, y_NCHW, z_NCHW):
        assert images.dtype == torch.float32
        assert torch.equal(images, images.clamp(0.0, 1.0))


def test_degraded_crops_are_noisy_each_in_its_own_way() -> None:
    x_NCHW, y_NCHW, _ = batches().batch(0)
    assert float(y_NCHW.std((1, 2, 3)).max()) == 0.0
    assert float(x_NCHW.std((1, 2, 3)).min()) > 3 / 255
    one = UnpairedBatches(
        degraded=PAIRS[:1],
        clean=PAIRS[1:],
        synthesize=True,
        scale=4,
        patch=16,
        batch_size=2,
        seed=0,
    )
    first_CHW, second_CHW = one.batch(0)[0]
    assert not torch.equal(first_CHW, second_CHW)


def test_a_batch_depends_on_seed_and_iteration_only() -> None:
    again = batches()
    again.batch(7)
    torch.testing.assert_close(again.batch(2), batches().batch(2), rtol=0, atol=0)
    assert not torch.equal(batches(seed=4).batch(2)[0], batches().batch(2)[0])
    assert not torch.equal(batches().batch(1)[0], batches().batch(2)[0])


@pytest.mark.parametrize("world", [2, 4])
def test_shards_make_up_the_global_batch(world: int) -> None:
    whole = batches().batch(5)
    shards = [batches().batch(5, rank=rank, world=world) for rank in range(world)]
    for part in range(3):
        assert torch.equal(torch.cat([shard[part] for shard in shards]), whole[part])


def test_blur_sees_the_crop_s_real_neighbours() -> None:
    """A crop of a ramp keeps its slope at the border, where a reflected one would flatten."""
    ramp_HW3 = np.broadcast_to(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (60, 60, 3))
    ramp = Pair(name="r.png", hr_HW3=ramp_HW3, lr_HW3=np.ascontiguousarray(ramp_HW3))
    many = UnpairedBatches(
        degraded=(ramp,), clean=PAIRS, synthesize=True, scale=4, patch=16, batch_size=64, seed=0
    )
    x_NCHW = many.batch(0)[0]
    columns = x_NCHW.mean((1, 2)) - x_NCHW.mean((1, 2, 3))[:, None]
    rows = x_NCHW.mean((1, 3)) - x_NCHW.mean((1, 2, 3))[:, None]
    profile = torch.where((columns.std(1) > rows.std(1))[:, None], columns, rows)
    profile = (profile * torch.sign(profile[:, -1:])).mean(0) * 255
    assert float(profile[-1] - profile[-2]) > 2.8  # 4 a pixel; about half when reflected
    assert float(profile[1] - profile[0]) > 2.8


def test_a_photograph_on_both_sides_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"without a common photograph.*0080\.png"):
        UnpairedBatches(
            degraded=PAIRS[:2], clean=PAIRS[1:], synthesize=True, scale=4, patch=16, batch_size=1,
            seed=0,
        )  # fmt: skip


def test_photographs_smaller_than_a_crop_with_its_margin_are_named() -> None:
    small = (grey_pair(1, 25), *PAIRS)
    with pytest.raises(ImageError, match=r"0001\.png: is 25x25 .*16-pixel crop .*\(30 pixels\)"):
        UnpairedBatches(
            degraded=small[:1],
            clean=PAIRS,
            synthesize=True,
            scale=4,
            patch=16,
            batch_size=1,
            seed=0,
        )


def textured_pair() -> Pair:
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (20, 24, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((192, 160), Image.Resampling.BICUBIC)
    pixels_HW3 = np.asarray(picture, np.float32) / np.float32(255)
    return make_pair(Photograph(name="t.png", pixels_HW3=pixels_HW3), 4)


def test_judged_photographs_depend_on_seed_and_place() -> None:
    pair = textured_pair()
    first, second = mild_judged([pair, pair], scale=4, seed=0)
    again = mild_judged([pair], scale=4, seed=0)[0]
    other = mild_judged([pair], scale=4, seed=1)[0]
    np.testing.assert_array_equal(first.pair.lr_HW3, again.pair.lr_HW3)
    for different in (second, other):
        assert (first.pair.lr_HW3 != different.pair.lr_HW3).any()
    assert first.pair.lr_HW3.dtype == first.clean_HW3.dtype == np.uint8


def test_the_original_moves_along_with_the_degraded_content() -> None:
    pair = textured_pair()
    inner = (slice(2, -2), slice(2, -2))
    for seed in range(6):
        judged = mild_judged([pair], scale=4, seed=seed)[0]
        degraded, moved, still = (
            image_HW3[inner].astype(np.float32)
            for image_HW3 in (judged.pair.lr_HW3, judged.clean_HW3, pair.lr_HW3)
        )
        assert np.square(degraded - moved).mean() < np.square(degraded - still).mean()


def save(folder: Path, name: str, level: int, side: int = 60) -> None:
    Image.new("RGB", (side, side), (level, level, level)).save(folder / name)


def test_images_of_a_folder_belong_to_the_photograph_they_are_named_after(tmp_path: Path) -> None:
    save(tmp_path, "0040x4m1.png", 11)
    save(tmp_path, "0040x4m2.png", 12)
    save(tmp_path, "0080.png", 13)
    save(tmp_path, "00801.png", 14)  # another photograph's: its number goes on
    found = folder_pairs(tmp_path, PAIRS[:2])
    assert [(p.name, int(p.lr_HW3[0, 0, 0])) for p in found] == [
        ("0040.png", 11), ("0040.png", 12), ("0080.png", 13),
    ]  # fmt: skip
    assert found[0].hr_HW3 is PAIRS[0].hr_HW3


def test_missing_and_misfitting_images_of_a_folder_are_named(tmp_path: Path) -> None:
    save(tmp_path, "0040m.png", 11, side=30)
    with pytest.raises(ImageError, match=r"0040m\.png: is 30x30, not the 60x60 of 0040\.png's"):
        folder_pairs(tmp_path, PAIRS[:1])
    with pytest.raises(ParameterError, match=r"data\.degraded .* an image of 0080\.png"):
        folder_pairs(tmp_path, PAIRS[1:2])


@pytest.mark.parametrize(("name", "value"), [("batch_size", 0), ("patch", 15)])
def test_impossible_data_is_refused(name: str, value: int) -> None:
    with pytest.raises(ParameterError, match=rf"data\.{name} must be"):
        UnpairedDataConfig(**{name: value})
