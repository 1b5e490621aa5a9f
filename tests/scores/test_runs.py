"""When t-SNE runs are enough, and map quality against a definition written out."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.runs import map_quality, summarize_runs


def test_the_interval_is_students_and_the_papers_five_come_first():
    chi = np.random.default_rng(0).normal(30, 8, size=12).tolist()
    summary = summarize_runs(chi)
    low, high = stats.t.interval(0.95, 11, loc=np.mean(chi), scale=stats.sem(chi))
    assert (summary.low, summary.high) == pytest.approx((low, high))
    assert (summary.mean, summary.runs) == (pytest.approx(np.mean(chi)), 12)
    assert summary.paper_mean == pytest.approx(np.mean(chi[:5]))
    assert summary.paper_std == pytest.approx(np.std(chi[:5], ddof=1))


def test_runs_are_added_until_the_mean_is_known():
    chi = np.random.default_rng(1).normal(30, 8, size=60)
    count = next(n for n in range(1, 60) if summarize_runs(chi[:n]).enough)
    half = stats.t.ppf(0.975, count - 1) * stats.sem(chi[:count])
    assert 5 < count < 40
    assert half <= 0.1 * chi[:count].mean()
    assert not summarize_runs(chi[: count - 1]).known


def test_forty_runs_are_enough_without_being_known():
    wild = [1.0, 400.0] * 20
    assert not summarize_runs(wild[:39]).enough
    summary = summarize_runs(wild)
    assert (summary.enough, summary.known) == (True, False)
    assert summarize_runs(wild[:3], most=3).enough


def test_never_fewer_than_five():
    assert not summarize_runs([30.0] * 4).enough
    assert summarize_runs([30.0] * 5).known


def test_a_score_far_below_the_papers_bands_is_known():
    chi = [0.0, 0.2, 0.01, 0.05, 0.4]
    summary = summarize_runs(chi)
    assert summary.high - summary.mean > 0.1 * summary.mean
    assert summary.known
    assert summary.low == 0


def test_one_run_has_no_spread():
    summary = summarize_runs([30.0])
    assert (summary.paper_std, summary.enough) == (None, False)
    assert (summary.low, summary.high) == (0, np.inf)


def by_definition(before, after, k):
    """Return trustworthiness as Venna and Kaski write it."""
    n = len(before)
    rank = np.argsort(np.argsort(cdist(before, before), axis=1), axis=1)
    near = np.argsort(cdist(after, after), axis=1)[:, 1 : k + 1]
    penalty = sum(max(0, rank[i, j] - k) for i in range(n) for j in near[i])
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * penalty


def test_quality_is_by_definition():
    rng = np.random.default_rng(0)
    points_NC = rng.normal(size=(60, 10))
    map_N2 = points_NC[:, :2] + 0.2 * rng.normal(size=(60, 2))
    quality = map_quality(points_NC, map_N2, neighbours=7)
    assert quality.trustworthiness == pytest.approx(by_definition(points_NC, map_N2, 7))
    assert quality.continuity == pytest.approx(by_definition(map_N2, points_NC, 7))
    assert quality.trustworthiness != pytest.approx(quality.continuity, abs=1e-3)


def test_a_map_that_folds_is_continuous_but_not_trustworthy():
    line = np.linspace(-1, 1, 101)[:, None]
    quality = map_quality(line, np.hstack([np.abs(line), 0 * line]))
    assert quality.continuity > quality.trustworthiness + 0.1


def test_wrong_values_are_named():
    points = np.random.default_rng(0).normal(size=(10, 2))
    with pytest.raises(ParameterError, match="the t-SNE runs must be 1 or more"):
        summarize_runs([])
    with pytest.raises(ParameterError, match="most must be 1 or more"):
        summarize_runs([1.0], most=0)
    with pytest.raises(DegenerateError, match="CHI of a run is not finite"):
        summarize_runs([1.0, np.nan])
    with pytest.raises(ParameterError, match="two arrays of as many rows"):
        map_quality(points, points[1:])
    with pytest.raises(ParameterError, match="from 1 to below half of the 10 points"):
        map_quality(points, points)
    with pytest.raises(DegenerateError, match="a point is NaN or infinite"):
        map_quality(points, np.full((10, 2), np.inf), neighbours=3)
