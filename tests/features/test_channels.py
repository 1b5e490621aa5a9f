"""Which channels are shown first."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from srscope.errors import DegenerateError, ParameterError
from srscope.features.channels import rank_channels


def sources(count: int, *, size: int = 16, images: int = 3) -> NDArray[np.float64]:
    """Return maps (N, K, H, W) that are uncorrelated, of mean 0 and variance 1, exactly."""
    random = np.random.default_rng(0)
    flat_PK = random.normal(size=(images * size * size, count))
    flat_PK -= flat_PK.mean(axis=0)
    flat_PK = np.linalg.qr(flat_PK)[0] * np.sqrt(len(flat_PK))
    return flat_PK.reshape(images, size, size, count).transpose(0, 3, 1, 2)


def test_independent_channels_rank_by_their_variance() -> None:
    strength_C = np.array([3.0, 1.0, 5.0, 2.0, 4.0])
    ranking = rank_channels(sources(5) * strength_C[:, None, None])
    assert ranking.order_C.tolist() == [2, 4, 0, 3, 1]
    np.testing.assert_allclose(ranking.eigenvalue_C, [25, 16, 9, 4, 1])
    np.testing.assert_allclose(ranking.variance_C, strength_C**2)


def test_each_direction_names_one_channel_however_many_share_it() -> None:
    maps = sources(2)
    a, b = maps[:, :1], maps[:, 1:]
    planted = np.concatenate([2 * a, 6 * a, 3 * b, -5 * a], axis=1)
    # a has variance 4 + 36 + 25, b has 9; what is left has no direction of its own.
    ranking = rank_channels(planted)
    assert ranking.order_C.tolist() == [1, 2, 3, 0]
    np.testing.assert_allclose(ranking.eigenvalue_C, [65, 9, 0, 0], atol=1e-9)


def test_the_mean_of_a_channel_does_not_count() -> None:
    maps = sources(3) * np.array([1.0, 2.0, 3.0])[:, None, None]
    offset_C = np.array([1000.0, 0.0, -50.0])
    shifted = rank_channels(maps + offset_C[:, None, None])
    assert shifted.order_C.tolist() == rank_channels(maps).order_C.tolist() == [2, 1, 0]


def test_differences_between_images_count() -> None:
    maps = sources(2) * np.array([1.0, 2.0])[:, None, None]
    maps[0, 0] += 100.0  # the first channel differs between images, not within them
    assert rank_channels(maps).order_C.tolist() == [0, 1]


def test_dead_channels_come_last_by_index() -> None:
    maps = np.zeros((1, 4, 5, 5))
    maps[:, 2] = sources(1, size=5, images=1)[:, 0]
    assert rank_channels(maps).order_C.tolist() == [2, 0, 1, 3]
    assert rank_channels(np.ones((2, 3, 1, 1))).order_C.tolist() == [0, 1, 2]


def test_every_channel_is_ranked_once_in_any_precision() -> None:
    maps = np.random.default_rng(1).normal(size=(2, 40, 3, 4)).astype(np.float32)
    assert sorted(rank_channels(maps).order_C.tolist()) == list(range(40))


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(ParameterError, match="conv1 must be a non-empty"):
        rank_channels(np.zeros((3, 4)), name="conv1")
    with pytest.raises(DegenerateError, match="conv1"):
        rank_channels(np.full((1, 2, 3, 3), np.nan), name="conv1")
