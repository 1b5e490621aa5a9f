from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from srscope.analyses.intervene.decoding import balanced_accuracy

PHOTOGRAPH_M = np.arange(40) // 2


def drawn(shift: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    content_MC = rng.standard_normal((20, 6)).repeat(2, axis=0)
    clean_MC = content_MC + 0.5 * rng.standard_normal((40, 6))
    return clean_MC, content_MC + 0.5 * rng.standard_normal((40, 6)) + shift


@pytest.mark.parametrize("shift", [0.0, 0.4, 3.0])
def test_it_is_the_accuracy_that_scikit_learn_gives_with_photographs_left_out(shift):
    clean_MC, degraded_MC = drawn(shift)
    found = balanced_accuracy(lambda _: (clean_MC, degraded_MC), PHOTOGRAPH_M)
    labels = np.repeat([0, 1], 40)
    predicted = cross_val_predict(
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
        np.concatenate([clean_MC, degraded_MC]),
        labels,
        groups=np.tile(PHOTOGRAPH_M, 2),
        cv=LeaveOneGroupOut(),
    )
    assert found == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert (found > 0.95) == (shift == 3.0)


def test_what_tells_one_photograph_alone_tells_nothing_of_the_others():
    clean_MC, degraded_MC = drawn(0.0)
    told_MC = degraded_MC + 50.0 * (PHOTOGRAPH_M == 3)[:, None]
    found = balanced_accuracy(lambda _: (clean_MC, told_MC), PHOTOGRAPH_M)
    assert found < 0.7


def test_features_are_asked_for_with_each_photograph_left_out():
    asked, pair = [], drawn(1.0)
    balanced_accuracy(lambda out: (asked.append(out), pair)[1], PHOTOGRAPH_M)
    assert asked == list(range(20))
