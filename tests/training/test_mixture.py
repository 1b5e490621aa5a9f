"""Mixtures: of the seed and the iteration alone, as the families degrade, shared out alike."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from srscope.degradations.blur import GaussianBlur
from srscope.errors import ImageError, ParameterError
from srscope.training.data import Pair
from srscope.training.mixture import MARGIN, Mixed, MixtureBatches, MixtureConfig, degraded, partner

DATA = MixtureConfig(batch_size=8, patch=12)


def photographs(count: int = 3, side: int = 60) -> tuple[Pair, ...]:
    random = np.random.default_rng(0)
    arrays = [random.integers(0, 256, (side, side, 3), dtype=np.uint8) for _ in range(count)]
    return tuple(Pair(name=f"{n}.png", hr_HW3=a, lr_HW3=a) for n, a in enumerate(arrays))


def mixed(iteration: int, data: MixtureConfig = DATA, seed: int = 1) -> Mixed:
    return MixtureBatches(data=data, photographs=photographs(), seed=seed).batch(iteration)


def equal(one: Mixed, other: Mixed) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_batch_depends_on_seed_and_iteration_only() -> None:
    assert equal(mixed(3), mixed(3))
    assert not equal(mixed(3), mixed(4))
    assert not equal(mixed(3), mixed(3, seed=2))


@pytest.mark.parametrize("world", [2, 4])
def test_shards_make_up_the_global_batch(world: int) -> None:
    batches = MixtureBatches(data=DATA, photographs=photographs(), seed=1)
    shares = [batches.batch(5, rank=rank, world=world) for rank in range(world)]
    whole = [torch.cat(parts) for parts in zip(*shares, strict=True)]
    assert equal(Mixed(*whole), mixed(5))


def test_blur_is_the_family_s_and_noise_has_its_sigma() -> None:
    random = np.random.default_rng(0)
    wide = random.random((1, 3, 20 + 2 * MARGIN, 30 + 2 * MARGIN), dtype=np.float32)
    none = np.zeros((1, 3, 20, 30), np.float32)
    blurred = GaussianBlur(sigma=1.7)(torch.from_numpy(wide), generator=torch.Generator())
    inner = blurred[..., MARGIN:-MARGIN, MARGIN:-MARGIN].numpy()
    found = degraded(wide, np.array([[1.7, 0.0]]), none)
    np.testing.assert_allclose(found, inner, atol=0.51 / 255)
    assert np.array_equal(found * 255, np.rint(found * 255))
    grey = np.full_like(wide, 0.5)
    noise = random.standard_normal(none.shape, dtype=np.float32)
    told = degraded(grey, np.array([[0.0, 20.0]]), noise) - 0.5
    np.testing.assert_allclose(told.std() * 255, 20, rtol=0.05)
    np.testing.assert_array_equal(
        degraded(wide, np.array([[0.0, 0.0]]), noise),
        np.rint(wide[..., MARGIN:-MARGIN, MARGIN:-MARGIN] * 255) / np.float32(255),
    )


def test_levels_fill_their_range_and_are_left_out_at_their_chance() -> None:
    levels = torch.cat([mixed(n).levels_NL for n in range(60)])
    assert float(levels.min()) == 0
    for column, top in ((0, 2.5), (1, 30.0)):
        assert 0.9 * top < float(levels[:, column].max()) <= top
        share = float((levels[:, column] == 0).float().mean())
        assert 0.2 < share < 0.4
    never = dataclasses.replace(DATA, absent=0.0)
    assert float(mixed(0, never).levels_NL.min()) > 0


def test_a_crop_is_given_its_partner_s_levels_and_further_noise() -> None:
    data = dataclasses.replace(DATA, blur=0.0, absent=0.0)
    found = mixed(2, data)
    sigma = found.levels_NL[partner(8), 1]
    added = found.given_NCHW - found.clean_NCHW
    wanted = found.noise_NCHW * sigma[:, None, None, None] / 255
    inside = (found.clean_NCHW + wanted > 0) & (found.clean_NCHW + wanted < 1)
    assert float((added - wanted)[inside].abs().max()) <= 0.501 / 255
    own = found.degraded_NCHW - found.clean_NCHW
    assert abs(float(np.corrcoef(own.flatten(), added.flatten())[0, 1])) < 0.2


def test_photographs_smaller_than_a_crop_are_named() -> None:
    with pytest.raises(ImageError, match=r"0\.png.*smaller"):
        MixtureBatches(data=DATA, photographs=photographs(side=20), seed=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blur": -1.0}, "data.blur must be from 0 to 5"),
        ({"noise": 300.0}, "data.noise must be from 0 to 255"),
        ({"absent": 2.0}, "data.absent must be from 0 to 1"),
        ({"reduction": 0}, "data.reduction must be from 1 to 8"),
        ({"noise_sigma": 3.0}, "write data.noise"),
    ],
)
def test_impossible_mixtures_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        MixtureConfig(**changes)  # pyright: ignore[reportArgumentType]
