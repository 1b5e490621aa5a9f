"""Intervals: the weighted CHI is that of copied points, and they cover what they should."""

import numpy as np
import pytest

from srscope.errors import DegenerateError
from srscope.reproduction.estimate import _bootstrap_chi, chi_estimate, unit_counts
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
    drawn_B2 = random.integers(3, size=(draws, 2))  # one run fewer than the three
    expected: list[float] = []
    for count_U, drawn_2 in zip(counts_BU, drawn_B2, strict=True):
        taken_N = np.repeat(np.arange(len(set_N)), count_U[content_N])
        of_runs = [separability(points_RN2[r][taken_N], set_N[taken_N]).chi for r in drawn_2]
        expected.append(float(np.mean(of_runs)))
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


def maps_that_differ(runs: int, *, seed: int) -> tuple[np.ndarray, ...]:
    """Return maps of runs that pull the sets apart by more or less, as t-SNE's do."""
    strengths = np.random.default_rng([seed, 1]).lognormal(0.7, 0.15, size=runs)
    maps = [planted(d, seed=1000 * seed + r)[0][0] for r, d in enumerate(strengths)]
    return np.stack(maps), *planted(1.0)[1:]


def test_with_several_runs_it_is_their_mean_that_is_covered() -> None:
    points_RN2, set_N, _ = maps_that_differ(400, seed=500)
    truth = np.mean([separability(points_N2, set_N).chi for points_N2 in points_RN2])
    covered, widths, single = 0, list[float](), list[float]()
    for seed in range(100):
        points_RN2, set_N, content_N = maps_that_differ(5, seed=seed)
        estimate = chi_estimate(points_RN2, set_N, content_N, seed=0, draws=300)
        covered += estimate.low <= truth <= estimate.high
        widths.append(estimate.high - estimate.low)
        values = [separability(points_N2, set_N).chi for points_N2 in points_RN2]
        single.append(2 * 1.96 * float(np.std(values, ddof=1)))
    assert 85 <= covered <= 99
    # The runs' own spread over the root of five, where contents add little to it.
    assert np.median(widths) == pytest.approx(np.median(single) / 5**0.5, rel=0.35)


def test_more_runs_make_the_interval_narrower() -> None:
    def width(runs: int) -> float:
        points_RN2, set_N, content_N = maps_that_differ(runs, seed=3)
        estimate = chi_estimate(points_RN2, set_N, content_N, seed=0)
        return estimate.high - estimate.low

    assert width(40) < 0.6 * width(5)


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


def by_photograph(seed: int, photographs: int = 20, crops: int = 5) -> tuple[np.ndarray, ...]:
    """Return points whose crops of one photograph lie close together, and their photographs."""
    random = np.random.default_rng(seed)
    contents = photographs * crops
    photograph_M = np.repeat(np.arange(photographs), crops)
    set_N, content_N = np.repeat(np.arange(3), contents), np.tile(np.arange(contents), 3)
    points_1N2, *_ = planted(2.0, contents=contents, seed=seed)
    # A photograph moves its points of all sets alike, and in each set by itself.
    own_3P2 = random.normal(size=(3, photographs, 2))
    points_1N2 = points_1N2[:1] * 0.2 + own_3P2[set_N, photograph_M[content_N]]
    angle_N = set_N * 2 * np.pi / 3
    points_1N2 = points_1N2 + 2 * np.stack([np.cos(angle_N), np.sin(angle_N)], axis=1)
    return points_1N2, set_N, content_N, photograph_M[content_N]


def test_photographs_are_drawn_with_all_their_contents() -> None:
    unit_N = np.array([4, 4, 9, 9, 9, 2])
    counts_BN = unit_counts(unit_N, np.random.default_rng(0), draws=50)
    for same in ([0, 1], [2, 3, 4]):
        assert (counts_BN[:, same] == counts_BN[:, same[:1]]).all()
    assert (counts_BN[:, [0, 2, 5]].sum(axis=1) == 3).all()
    # The same units in another order and number are drawn alike: differences are paired.
    again_BN = unit_counts(np.array([9, 2, 4]), np.random.default_rng(0), draws=50)
    assert np.array_equal(again_BN[:, [2, 0, 1]], counts_BN[:, [0, 2, 5]])


def test_intervals_over_photographs_cover_where_those_over_contents_do_not() -> None:
    truth = np.mean(
        [separability(p[0][0], p[1]).chi for p in (by_photograph(s) for s in range(500, 700))]
    )
    covered = {"content": 0, "photograph": 0}
    for seed in range(60):
        points_1N2, set_N, content_N, photograph_N = by_photograph(seed)
        for name, unit_N in (("content", content_N), ("photograph", photograph_N)):
            estimate = chi_estimate(points_1N2, set_N, unit_N, seed=0, draws=200)
            covered[name] += estimate.low <= truth <= estimate.high
    assert covered["photograph"] >= 48  # of 60; percentile intervals of 20 units are a bit narrow
    assert covered["content"] < covered["photograph"] - 8
