"""Intervals: the weighted CHI is that of copied points, and they cover what they should."""

import numpy as np
import pytest

from srscope.errors import DegenerateError
from srscope.reproduction.estimate import _bootstrap_chi, chi_estimate
from srscope.scores.separability import separability


def planted(distance: float, *, contents: int = 40, seed: int = 0) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    set_N, content_N = np.repeat(np.arange(3), contents), np.tile(np.arange(contents), 3)
    angle_N = set_N * 2 * np.pi / 3
    centre_N2 = distance * np.stack([np.cos(angle_N), np.sin(angle_N)], axis=1)
    points_RN2 = centre_N2 + random.normal(size=(3, len(set_N), 2))
    return points_RN2.astype(np.float32), set_N, content_N


def test_each_draw_is_the_chi_of_points_copied_as_often_as_drawn() -> None:
    points_RN2, set_N, content_N = planted(1.0, contents=12)
    draws, seed = 30, 5
    samples_B = _bootstrap_chi(points_RN2, set_N, content_N, seed=seed, draws=draws)
    random = np.random.default_rng(seed)
    counts_BU = random.multinomial(12, np.full(12, 1 / 12), size=draws)
    run_B = random.integers(3, size=draws)
    expected: list[float] = []
    for count_U, run in zip(counts_BU, run_B, strict=True):
        taken_N = np.repeat(np.arange(len(set_N)), count_U[content_N])
        expected.append(separability(points_RN2[run][taken_N], set_N[taken_N]).chi)
    np.testing.assert_allclose(np.sort(samples_B), np.sort(expected), rtol=1e-6)
    np.testing.assert_allclose(samples_B, expected, rtol=1e-6)


def test_value_and_spread_are_those_of_the_runs() -> None:
    points_RN2, set_N, content_N = planted(2.0)
    estimate = chi_estimate(points_RN2, set_N, content_N, seed=0)
    values = [separability(points_N2, set_N).chi for points_N2 in points_RN2]
    assert estimate.value == pytest.approx(np.mean(values))
    assert estimate.std == pytest.approx(np.std(values))
    assert estimate.low < estimate.value < estimate.high


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    truth = np.mean(
        [separability(planted(2.0, seed=s)[0][0], planted(2.0)[1]).chi for s in range(200, 400)]
    )
    covered = 0
    for seed in range(100):
        points_RN2, set_N, content_N = planted(2.0, seed=seed)
        estimate = chi_estimate(points_RN2[:1], set_N, content_N, seed=0, draws=300)
        covered += estimate.low <= truth <= estimate.high
    assert 85 <= covered <= 100


def test_the_seed_decides() -> None:
    points_RN2, set_N, content_N = planted(1.0)
    first, again, other = (
        chi_estimate(points_RN2, set_N, content_N, seed=seed) for seed in (0, 0, 1)
    )
    assert np.array_equal(first.samples, again.samples)
    assert not np.array_equal(first.samples, other.samples)


def test_points_in_one_place_are_refused() -> None:
    points_RN2, set_N, content_N = planted(1.0)
    with pytest.raises(DegenerateError, match="all points coincide"):
        chi_estimate(np.zeros_like(points_RN2), set_N, content_N, seed=0)
