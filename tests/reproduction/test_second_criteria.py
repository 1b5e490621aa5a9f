"""Lines, margins and intervals of the second edition: against simulation and worked numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from srscope.errors import ParameterError
from srscope.reproduction.records import Estimate
from srscope.reproduction.second_criteria import (
    SEPARATES_D,
    STRONG_D,
    accuracy_of,
    auc_of,
    equivalent,
    log_chi,
    not_lower,
    over_seeds,
    paired,
    positive,
    run_spread,
)
from srscope.scores.separability import separability
from support.conditions import estimate


def clouds(d_prime: float, sets: int, each: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return round clouds on a plane whose means are equally far apart."""
    angle_K = 2 * np.pi * np.arange(sets) / sets
    radius = d_prime / (2 * math.sin(math.pi / sets))
    mean_K2 = radius * np.stack([np.cos(angle_K), np.sin(angle_K)], axis=1)
    set_N = np.repeat(np.arange(sets), each)
    return mean_K2[set_N] + np.random.default_rng(seed).normal(size=(len(set_N), 2)), set_N


@pytest.mark.parametrize("sets", [2, 3])
@pytest.mark.parametrize(("d_prime", "chi"), [(SEPARATES_D, 20), (STRONG_D, 100)])
def test_the_lines_are_those_of_the_papers_bands(sets: int, d_prime: float, chi: float) -> None:
    found = [separability(*clouds(d_prime, sets, 100, seed)).chi for seed in range(300)]
    # A sample's CHI is larger by about one than that of its clouds: its means scatter too.
    assert np.mean(found) - 1 == pytest.approx(chi, rel=0.06)


@pytest.mark.parametrize("sets", [2, 3])
@pytest.mark.parametrize("d_prime", [SEPARATES_D, STRONG_D])
def test_accuracy_and_auc_are_those_of_simulated_clouds(sets: int, d_prime: float) -> None:
    points_N2, set_N = clouds(d_prime, sets, 40_000, seed=1)
    mean_K2 = np.stack([points_N2[set_N == k].mean(axis=0) for k in range(sets)])
    nearest_N = ((points_N2[:, None] - mean_K2) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest_N == set_N).mean() == pytest.approx(accuracy_of(d_prime, sets), abs=0.006)
    axis_2 = mean_K2[1] - mean_K2[0]
    first_n, second_n = (points_N2[set_N == k] @ axis_2 for k in (0, 1))
    rank = stats.mannwhitneyu(second_n, first_n).statistic / (len(first_n) * len(second_n))
    assert rank == pytest.approx(auc_of(d_prime), abs=0.006)


def test_accuracy_of_ten_sets_is_that_of_ten_equally_distant_clouds() -> None:
    random, each = np.random.default_rng(0), 4000
    set_N = np.repeat(np.arange(10), each)
    points_ND = random.normal(size=(10 * each, 10))
    points_ND[np.arange(10 * each), set_N] += 2.0 / math.sqrt(2)
    assert (points_ND.argmax(axis=1) == set_N).mean() == pytest.approx(
        accuracy_of(2.0, 10), abs=0.01
    )


def test_differences_are_paired_draw_by_draw() -> None:
    gap = paired(estimate(5.0, 2.0), estimate(4.0, 2.0))
    assert (gap.value, gap.low, gap.high) == pytest.approx((1.0, 1.0, 1.0))


def test_ratios_of_chi_are_differences_of_its_logarithm_and_zero_has_one_too() -> None:
    assert log_chi(estimate(20.0)).value == pytest.approx(math.log(20))
    assert log_chi(estimate(0.0)).value == log_chi(estimate(0.005)).low == math.log(0.01)
    gap = paired(log_chi(estimate(60.0)), log_chi(estimate(30.0)))
    assert gap.low == pytest.approx(math.log(2)) == gap.high


def network(value: float, photographs_B: np.ndarray) -> Estimate:
    samples_B = value + photographs_B
    low, high = np.quantile(samples_B, [0.025, 0.975])
    return Estimate(value=value, std=0.0, low=float(low), high=float(high), samples=samples_B)


def test_the_mean_over_seeds_has_students_interval() -> None:
    value_S = np.array([0.7, 0.72, 0.69, 0.75, 0.71])
    found = over_seeds([network(value, np.zeros(100)) for value in value_S])
    low, high = stats.t.interval(0.95, 4, value_S.mean(), stats.sem(value_S))
    assert (found.value, found.low, found.high) == pytest.approx((value_S.mean(), low, high))
    assert found.std == pytest.approx(value_S.std(ddof=1))


def test_photographs_that_all_networks_share_widen_it() -> None:
    shared_B = np.random.default_rng(0).normal(scale=0.1, size=4000)
    same = over_seeds([network(0.7, shared_B) for _ in range(5)])
    assert same.high - same.value == pytest.approx(1.96 * 0.1, rel=0.05)
    own_SB = np.random.default_rng(1).normal(scale=0.1, size=(5, 4000))
    apart = over_seeds([network(0.7, own_B) for own_B in own_SB])
    assert apart.high - apart.value == pytest.approx(1.96 * 0.1 / math.sqrt(5), rel=0.05)


def test_it_covers_what_other_seeds_and_photographs_would_give() -> None:
    random, hits = np.random.default_rng(7), 0
    for _ in range(400):
        of_photographs_P = random.normal(scale=0.5, size=30)
        drawn_BP = random.integers(30, size=(200, 30))
        shared = of_photographs_P.mean()
        samples_B = of_photographs_P[drawn_BP].mean(axis=1) - shared
        values = 1.0 + shared + random.normal(scale=0.1, size=5)
        found = over_seeds([network(float(value), samples_B) for value in values])
        hits += found.low <= 1.0 <= found.high
    assert hits >= 372  # of 400; 380 expected


def test_one_network_is_itself_and_none_is_refused() -> None:
    only = estimate(0.7)
    assert over_seeds([only]) is only
    with pytest.raises(ParameterError, match="one a seed"):
        over_seeds([])


def test_the_spread_of_runs_covers_and_too_few_are_refused() -> None:
    random = np.random.default_rng(3)
    hits = 0
    for _ in range(400):
        spread = run_spread(100 * np.exp(0.12 * random.normal(size=20)))
        hits += spread.low <= 0.12 <= spread.high
    assert 366 <= hits <= 393  # of 400; 380 expected
    with pytest.raises(ParameterError, match="20 runs or more"):
        run_spread([1.0] * 19)


def between(low: float, high: float) -> Estimate:
    middle = (low + high) / 2
    return Estimate(value=middle, std=0.0, low=low, high=high, samples=np.array([low, high]))


@pytest.mark.parametrize(
    ("low", "high", "above_0", "no_lower", "same"),
    [
        (0.01, 0.04, "holds", "holds", "holds"),
        (-0.04, 0.04, "inconclusive", "holds", "holds"),
        (-0.04, -0.01, "does not hold", "holds", "holds"),
        (-0.08, 0.01, "inconclusive", "inconclusive", "inconclusive"),
        (0.01, 0.08, "holds", "holds", "inconclusive"),
        (0.06, 0.08, "holds", "holds", "does not hold"),
        (-0.08, -0.06, "does not hold", "does not hold", "does not hold"),
        (-0.08, 0.08, "inconclusive", "inconclusive", "inconclusive"),
    ],
)
def test_rules_need_the_whole_interval(
    low: float, high: float, above_0: str, no_lower: str, same: str
) -> None:
    gap = between(low, high)
    verdicts = (positive("x", gap), not_lower("x", gap, 0.05), equivalent("x", gap, 0.05))
    assert [each.verdict for each in verdicts] == [above_0, no_lower, same]
    assert {each.interval for each in verdicts} == {(low, high)}
