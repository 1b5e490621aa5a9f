"""Planted slopes and thresholds are found again, and where there is nothing, nothing is found."""

from __future__ import annotations

import math

import numpy as np
import pytest

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.agreement import spearman
from srscope.scores.dose import _crossing, _saturation, dose_response
from srscope.scores.fold import Readable
from srscope.scores.products import inner_products

LEVELS = (0.25, 0.5, 1.0, 2.0, 4.0)
PHOTOGRAPH = np.repeat(np.arange(20), 6)
# A probe along one axis with unit spread: AUC = Phi(d' / sqrt 2), 0.75 at d' = 0.954.
JUST = 0.954


def _planted(slope, *, width=6, levels=LEVELS, seed=0, response=lambda s: s, photograph=PHOTOGRAPH):
    """Contents with unit spread in all directions; level s moves them by slope * response(s)."""
    random = np.random.default_rng(seed)
    axis = np.zeros(width)
    axis[1] = 1.0
    clean = random.normal(size=(len(photograph), width))
    moved = [clean + slope * (response(s) if s else 0.0) * axis for s in (0.0, *levels)]
    return np.concatenate(moved)


def test_a_planted_slope_and_threshold_are_found():
    found = dose_response(_planted(1.0), LEVELS, PHOTOGRAPH, draws=40)
    # 120 contents: the standard error of d' is about 0.1, of the threshold 15 %.
    assert found.threshold.outcome == "within the grid"
    assert found.threshold.level == pytest.approx(JUST, rel=0.25)
    assert float(found.threshold.low) < JUST < float(found.threshold.high)
    for level, d_prime, moved, norm in zip(
        LEVELS, found.d_prime, found.displacement, found.norm, strict=True
    ):
        assert d_prime.value == pytest.approx(level, abs=0.15 + 0.15 * level)
        assert moved.value == pytest.approx(level, rel=1e-6)  # nothing else moves: exact
        assert norm.value == pytest.approx(level, rel=1e-6)
    assert found.monotonicity.value == 1.0
    assert found.saturation.outcome == "above the grid"  # a straight line does not flatten


def test_half_the_slope_doubles_the_threshold():
    one, half = (
        dose_response(_planted(slope), LEVELS, PHOTOGRAPH, draws=10) for slope in (1.0, 0.5)
    )
    assert float(half.threshold.level) / float(one.threshold.level) == pytest.approx(2.0, rel=0.2)


def test_wide_features_go_through_a_pca_in_the_fold():
    features = _planted(1.0, width=200)
    features[:, 6:] *= 0.1
    found = dose_response(features, LEVELS, PHOTOGRAPH, draws=10, components=20)
    assert found.threshold.level == pytest.approx(JUST, rel=0.35)
    assert found.displacement[-1].value == pytest.approx(4.0, rel=1e-6)


def test_noise_of_its_own_in_every_image_does_not_lengthen_the_norm():
    random = np.random.default_rng(1)
    features = _planted(0.5, width=150)
    features += 0.5 * random.normal(size=features.shape)
    found = dose_response(features, LEVELS, PHOTOGRAPH, draws=10)
    raw = features.reshape(6, 120, 150)
    plain = np.linalg.norm((raw[2] - raw[0]).mean(axis=0))
    assert plain > 0.6  # of 0.25: this is what noise does to a plain length
    assert found.norm[-1].value == pytest.approx(2.0, rel=0.05)
    assert found.norm[1].value == pytest.approx(0.25, abs=0.2)
    assert found.displacement[1].value == pytest.approx(0.25, abs=0.15)


def test_no_signal_is_above_the_grid_with_auc_about_a_half():
    random = np.random.default_rng(2)
    features = random.normal(size=(6 * 120, 8))
    found = dose_response(features, LEVELS, PHOTOGRAPH, draws=60)
    assert found.threshold.outcome == "above the grid"
    assert found.threshold.level is None
    assert found.threshold.high_outcome == "above the grid"
    assert sum(auc.low <= 0.5 <= auc.high for auc in found.auc) >= 4
    assert all(auc.high < 0.7 for auc in found.auc)


@pytest.mark.slow
def test_intervals_of_no_signal_cover_a_half_as_often_as_they_say():
    # Draws of readings alone, without fitting the probes anew, covered it 79 to 88 times in 100.
    random, inside = np.random.default_rng(3), 0
    photograph = np.repeat(np.arange(15), 2)
    for trial in range(30):
        features = random.normal(size=(3 * 30, 4))
        found = dose_response(features, (1.0, 2.0), photograph, draws=60, seed=trial)
        inside += sum(auc.low <= 0.5 <= auc.high for auc in found.auc)
    assert inside / 60 > 0.88


def test_a_signal_that_is_always_there_is_below_the_grid():
    found = dose_response(_planted(100.0), LEVELS, PHOTOGRAPH, draws=10)
    assert found.threshold.outcome == found.threshold.low_outcome == "below the grid"
    assert found.threshold.level is found.threshold.low is None
    assert found.auc[0].value == 1.0


def test_levels_may_fall_as_jpeg_quality_does():
    falling = tuple(64 / s for s in LEVELS)
    rising = dose_response(_planted(1.0), LEVELS, PHOTOGRAPH, draws=10)
    found = dose_response(_planted(1.0), falling, PHOTOGRAPH, draws=10)
    assert found.threshold.level == pytest.approx(64 / float(rising.threshold.level))
    assert found.threshold.low == pytest.approx(64 / float(rising.threshold.low))  # the weak end


def test_saturation_is_where_the_curve_flattens():
    flat = dose_response(
        _planted(3.0, response=lambda s: min(s, 0.5)), LEVELS, PHOTOGRAPH, draws=10
    )
    assert flat.saturation.outcome == "within the grid"
    # 90 % of the top lies between 0.25 (half of it) and 0.5, linearly in the logarithm.
    assert flat.saturation.level == pytest.approx(0.25 * 2**0.8, rel=1e-6)
    level = np.array([1.0, 2.0, 4.0])
    assert _saturation(np.zeros((3, 3)), level) is None
    late = _saturation(np.tile([0.5, 0.8, 1.0], (3, 1)), level)
    assert late.outcome == "above the grid"  # the last doubling still adds a fifth


def test_one_dip_does_not_decide_the_crossing():
    level = np.array([1.0, 2.0, 4.0, 8.0])
    assert _crossing(np.array([0.5, 0.76, 0.74, 0.9]), 0.75, level) == pytest.approx(math.log(2))
    assert _crossing(np.array([0.8, 0.76, 0.9, 0.9]), 0.75, level) == -math.inf
    assert _crossing(np.array([0.5, 0.5, 0.5, 0.7]), 0.75, level) == math.inf


def test_the_same_seed_gives_the_same_and_another_does_not():
    features = _planted(1.0)
    one, same, other = (
        dose_response(features, LEVELS, PHOTOGRAPH, draws=10, seed=s) for s in (0, 0, 1)
    )
    assert one == same or one.auc == same.auc
    assert one.auc[2].value == other.auc[2].value
    assert one.auc[2] != other.auc[2]
    np.testing.assert_array_equal(one.draws.d_prime_BL, same.draws.d_prime_BL)


def test_intervals_draw_photographs_and_not_contents():
    # Six crops of one photograph move alike: as many draws of contents would be too sure.
    random = np.random.default_rng(0)
    clean = random.normal(size=(120, 6))
    strength = np.repeat(random.normal(1.0, 1.0, 20), 6)[:, None]
    axis = np.eye(6)[1]
    features = np.concatenate([clean + s * strength * axis for s in (0, *LEVELS)])
    crops = dose_response(features, LEVELS, np.arange(120), draws=60)
    whole = dose_response(features, LEVELS, PHOTOGRAPH, draws=60)
    width = [f.displacement[-1].high - f.displacement[-1].low for f in (crops, whole)]
    assert width[1] > 1.4 * width[0]


def test_monotonicity_counts_the_clean_level():
    features = _planted(1.0, response=lambda s: -1.0 if s < 1 else s)
    found = dose_response(features, LEVELS, PHOTOGRAPH, draws=20)
    curve = np.r_[0, [moved.value for moved in found.displacement]]
    assert found.monotonicity.value == pytest.approx(spearman(curve, np.arange(6.0)))
    assert 0 < found.monotonicity.value < 1


@pytest.mark.parametrize(
    "levels", [(1.0,), (1.0, 3.0, 2.0), (0.0, 1.0), (1.0, 1.0)], ids=["one", "mixed", "zero", "tie"]
)
def test_levels_out_of_order_are_refused(levels):
    with pytest.raises(ParameterError, match="levels must be two or more numbers above 0"):
        dose_response(np.ones((10, 3)), levels, np.arange(4))


def test_rows_that_do_not_match_are_refused():
    with pytest.raises(ParameterError, match="720 rows: 120 contents, clean and at 5 levels"):
        dose_response(_planted(1.0)[:100], LEVELS, PHOTOGRAPH)


def test_features_made_ready_give_the_same():
    features = _planted(1.0, width=200)
    ready = Readable.of_products(inner_products(features), components=20)
    found = dose_response(ready, LEVELS, PHOTOGRAPH, draws=5)
    whole = dose_response(features, LEVELS, PHOTOGRAPH, draws=5, components=20)
    assert (found.auc, found.norm, found.threshold) == (whole.auc, whole.norm, whole.threshold)


def test_one_photograph_is_refused():
    with pytest.raises(DegenerateError, match="there are 1 photographs"):
        dose_response(_planted(1.0), LEVELS, np.zeros(120, dtype=int))


def test_levels_without_any_effect_are_not_noticed():
    features = _planted(1.0)
    found = dose_response(features, LEVELS, PHOTOGRAPH, probe=lambda t, c, o: np.zeros(len(o)))
    assert {each.value for each in found.d_prime} == {0.0}
    assert {each.value for each in found.auc} == {0.5}
    assert found.threshold.outcome == "above the grid"


def test_sets_apart_without_spread_are_refused():
    contents = len(PHOTOGRAPH)
    steps_N1 = np.repeat([0.0, *([1.0] * len(LEVELS))], contents)[:, None]
    with pytest.raises(DegenerateError, match="the same score"):
        dose_response(steps_N1, LEVELS, PHOTOGRAPH, probe=lambda t, c, o: o[:, 0])
