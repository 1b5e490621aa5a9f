"""Intervals hold the truth as often as they say, on simulated data sets with photograph effects.

The truth of an accuracy is what the probe reaches on new photographs, having learnt from as many as
a fold leaves: half of that is checked by learning and testing on photographs that no fold has seen.
"""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from srscope.scores.decision import Told, decide
from srscope.scores.neighbours import photograph_knn
from srscope.scores.pairs import pair_scores
from srscope.scores.photographs import balanced, difference_interval
from srscope.scores.probe import probe_of_vectors
from support.points import variance_components

DATA_SETS = 300
DESIGNS = {10: 6, 20: 3, 50: 2}  # contents a photograph
WIDTH = 12
# 92 % less a standard error of 300 data sets; above, differences of like networks are cautious.
LEAST, MOST = 0.905, 0.998
_DIRECTION_3D = np.random.default_rng(5).normal(size=(3, WIDTH))
SHIFT_3D = _DIRECTION_3D / np.linalg.norm(_DIRECTION_3D, axis=1, keepdims=True)


def labels(photographs, contents):
    content_N = np.tile(np.arange(photographs * contents), 3)
    return np.repeat(np.arange(3), photographs * contents), content_N, content_N // contents


def simulated(rng, photographs, contents, *, effect):
    """Return features: a set's shift, stronger in some photographs than in others, a photograph's
    own shift in all sets and in each, a content's own, and noise."""
    set_N, content_N, photograph_N = labels(photographs, contents)
    strength_P = np.exp(0.5 * rng.normal(size=photographs))
    features_ND = effect * SHIFT_3D[set_N] * strength_P[photograph_N][:, None]
    features_ND += rng.normal(size=(photographs, WIDTH))[photograph_N]
    features_ND += 0.5 * rng.normal(size=(3, photographs, WIDTH))[set_N, photograph_N]
    features_ND += rng.normal(size=(photographs * contents, WIDTH))[content_N]
    return features_ND + rng.normal(size=features_ND.shape)


def covered(intervals, truth):
    return np.mean([each.low <= truth <= each.high for each in intervals])


@pytest.mark.slow
@pytest.mark.parametrize("photographs", DESIGNS)
def test_intervals_of_what_is_learnt_cover_the_truth(photographs, record_property):
    contents = DESIGNS[photographs]
    set_N, _, photograph_N = labels(photographs, contents)
    found = {"accuracy": [], "difference": [], "auc": [], "neighbours": []}
    for seed in range(DATA_SETS):
        rng = np.random.default_rng(seed)
        features_ND = simulated(rng, photographs, contents, effect=2.5)
        control_ND = features_ND[:, :8] + rng.normal(size=(len(set_N), 8))
        probe, control = (
            probe_of_vectors(each, set_N, photograph_N) for each in (features_ND, control_ND)
        )
        gap_N = probe.told_N * 1.0 - control.told_N
        found["accuracy"].append(probe.accuracy)
        found["difference"].append(
            difference_interval(balanced(gap_N, set_N, photograph_N), folds=probe.folds)
        )
        found["auc"].append(pair_scores(probe, set_N, photograph_N)[0].auc)
        found["neighbours"].append(photograph_knn(features_ND, set_N, photograph_N).accuracy)
    # Leaving photographs out is unbiased: the mean over data sets is the truth.
    truth = {key: np.mean([each.value for each in all_]) for key, all_ in found.items()}
    coverage = {key: covered(all_, truth[key]) for key, all_ in found.items()}
    record_property("coverage", coverage)
    assert 0.6 < truth["accuracy"] < 0.8
    assert 0.03 < truth["difference"] < 0.3
    for key, share in coverage.items():
        assert LEAST <= share <= MOST, key

    learnt = photographs * 9 // 10  # ten folds in all three designs
    rng, right = np.random.default_rng(1), []
    for _ in range(100):
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        model.fit(simulated(rng, learnt, contents, effect=2.5), labels(learnt, contents)[0])
        new_ND = simulated(rng, 100, contents, effect=2.5)
        right.append(np.mean(model.predict(new_ND) == labels(100, contents)[0]))
    assert truth["accuracy"] == pytest.approx(np.mean(right), abs=0.015)


@pytest.mark.slow
@pytest.mark.parametrize("photographs", DESIGNS)
def test_intervals_of_components_cover_the_truth(photographs, record_property):
    contents = DESIGNS[photographs]
    set_N, content_N, photograph_N = labels(photographs, contents)
    effect = 1.6
    # Strengths have mean exp(1/8) and mean square exp(1/2); what varies is residual and content.
    mean_3D = effect * np.exp(0.125) * SHIFT_3D
    varying = effect**2 * (np.exp(0.5) - np.exp(0.25))
    common_DD = SHIFT_3D.mean(axis=0)
    shared = (3 * common_DD @ common_DD - np.square(SHIFT_3D).sum() / 3) / 2
    degradation = np.square(mean_3D - mean_3D.mean(axis=0)).sum() / 2
    content = 2 * WIDTH + varying * shared
    residual = (0.25 + 1) * WIDTH + varying * (np.square(SHIFT_3D).sum() / 3 - shared)
    truth_3 = np.array([degradation, content, residual])
    truth_3 /= truth_3.sum()
    found = []
    for seed in range(DATA_SETS):
        rng = np.random.default_rng(seed)
        features_ND = simulated(rng, photographs, contents, effect=effect)
        result = variance_components(features_ND, set_N, content_N, photograph_N)
        found.append((result.degradation, result.content, result.residual))
    coverage = [
        covered(all_, truth) for all_, truth in zip(zip(*found, strict=True), truth_3, strict=True)
    ]
    record_property("coverage", coverage)
    np.testing.assert_allclose(
        [np.mean([each.value for each in all_]) for all_ in zip(*found, strict=True)],
        truth_3,
        atol=0.012,
    )
    for share in coverage:
        assert LEAST <= share <= MOST


@pytest.mark.slow
@pytest.mark.parametrize("photographs", DESIGNS)
def test_nothing_is_called_separating_or_beyond_more_often_than_said(photographs, record_property):
    contents = DESIGNS[photographs]
    set_N, _, photograph_N = labels(photographs, contents)
    said_separates = said_beyond = chosen_covered = 0
    equal = []
    for seed in range(DATA_SETS):
        rng = np.random.default_rng(seed)
        null_ND = simulated(rng, photographs, contents, effect=0.0)
        views = [null_ND, null_ND[:, :8], null_ND + rng.normal(size=null_ND.shape)]
        null = [probe_of_vectors(each, set_N, photograph_N) for each in views]
        one, other = (
            probe_of_vectors(simulated(rng, photographs, contents, effect=2.5), set_N, photograph_N)
            for _ in range(2)
        )
        blind = Told(
            name="conv", views=("a", "b", "c"), told_VN=np.stack([each.told_N for each in null])
        )
        as_good = [
            Told(name=name, views=("a",), told_VN=each.told_N[None])
            for name, each in (("layer", one), ("control", other))
        ]
        folds = one.folds
        best = decide([blind], [], set_N, photograph_N, folds=folds).best
        said_separates += best.separates == "yes"
        chosen_covered += best.accuracy.low <= 1 / 3 <= best.accuracy.high
        pair = decide(as_good[:1], as_good[1:], set_N, photograph_N, folds=folds).best
        said_beyond += pair.beyond_simple_statistics == "yes"
        equal.append(pair.difference)
    shares = [count / DATA_SETS for count in (said_separates, said_beyond, chosen_covered)]
    record_property("shares", shares)
    assert shares[0] <= 0.05
    assert shares[1] <= 0.05
    assert LEAST <= shares[2] <= MOST
    assert LEAST <= covered(equal, 0.0) <= MOST
