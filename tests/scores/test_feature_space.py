"""Scores on the features: against scikit-learn and a plain reference."""

import numpy as np
import pytest
from sklearn.metrics import calinski_harabasz_score, silhouette_score

from srscope.errors import DegenerateError, ParameterError
from srscope.scores import feature_space
from srscope.scores.feature_space import chi, knn_accuracy, silhouette
from support.points import clusters, crossed_labels, degraded_contents

SETS, CONTENTS = crossed_labels(3, 50)


@pytest.mark.parametrize("points", [clusters(), degraded_contents()])
def test_chi_and_silhouette_agree_with_scikit_learn(points):
    assert chi(points, SETS) == pytest.approx(calinski_harabasz_score(points, SETS), rel=1e-9)
    assert silhouette(points, SETS) == pytest.approx(silhouette_score(points, SETS), rel=1e-12)


def reference_accuracy(points, labels, contents, k):
    """Decide point by point, as the definition reads."""
    right = 0
    for i, point in enumerate(points):
        others = [j for j in range(len(points)) if contents[j] != contents[i]]
        others.sort(key=lambda j: (np.sqrt(((points[j] - point) ** 2).sum()), j))
        nearest = [labels[j] for j in others[:k]]
        most = max(nearest.count(label) for label in nearest)
        winner = next(label for label in nearest if nearest.count(label) == most)
        right += winner == labels[i]
    return right / len(points)


@pytest.mark.parametrize("k", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("seed", [0, 1])
def test_knn_agrees_with_the_plain_reference(k, seed):
    rng = np.random.default_rng(seed)
    labels, contents = crossed_labels(3, 20)
    order = rng.permutation(60)
    labels, contents = labels[order] * 7 - 3, contents[order]
    points = rng.normal(size=(60, 3)) + 0.8 * labels[:, None] / 7
    expected = reference_accuracy(points, labels, contents, k)
    assert 0.3 < expected < 0.95
    assert knn_accuracy(points, labels, contents, k=k) == expected


def test_knn_agrees_with_the_plain_reference_where_distances_are_equal():
    rng = np.random.default_rng(0)
    labels, contents = crossed_labels(3, 20)
    points = rng.integers(0, 3, size=(60, 2)).astype(float)
    for k in (1, 2, 5):
        expected = reference_accuracy(points, labels, contents, k)
        assert knn_accuracy(points, labels, contents, k=k) == expected


def test_knn_does_not_depend_on_blocks(monkeypatch):
    points = degraded_contents()
    whole = knn_accuracy(points, SETS, CONTENTS)
    monkeypatch.setattr(feature_space, "_BLOCK_VALUES", 7 * 150 + 1)
    assert knn_accuracy(points, SETS, CONTENTS) == whole


def test_a_neighbour_of_the_same_content_never_counts():
    # Each content is a place of its own, and its versions lie together; sets differ by a little
    # along another axis. With its own content, a point would be taken for the other set.
    labels, contents = crossed_labels(2, 12)
    points = np.stack([contents * 0.001, labels * 5.0], axis=1)
    assert knn_accuracy(points, labels, contents, k=5) == 1.0
    # Unrelated contents: 12 places far apart, versions 0.1 apart. Only the own content is near.
    points = np.random.default_rng(0).normal(size=(12, 30))[contents] * 100
    points[:, 0] += 0.1 * labels
    assert knn_accuracy(points, labels, contents, k=1) == reference_accuracy(
        points, labels, contents, 1
    )
    assert knn_accuracy(points, labels, np.arange(24), k=1) == 0.0


def test_knn_without_enough_other_contents():
    points = np.random.default_rng(0).normal(size=(6, 2))
    labels, contents = crossed_labels(2, 3)
    message = (
        "k-NN accuracy of Conv1 is undefined: a point has only 4 others of different content, and "
        "k is 5; give more contents, or lower k"
    )
    with pytest.raises(DegenerateError) as caught:
        knn_accuracy(points, labels, contents, name="Conv1")
    assert str(caught.value) == message
    assert 0 <= knn_accuracy(points, labels, contents, k=4) <= 1


def test_impossible_arguments_are_refused():
    points = clusters()
    with pytest.raises(ParameterError, match="k must be 1 or more, but is 0"):
        knn_accuracy(points, SETS, CONTENTS, k=0)
    rule = r"the contents of Conv1 must be one a point, shape \(150,\), but is \(149,\)"
    with pytest.raises(ParameterError, match=rule):
        knn_accuracy(points, SETS, CONTENTS[1:], name="Conv1")


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (lambda points, labels: chi(points, labels, name="Conv1"), "CHI of Conv1"),
        (
            lambda points, labels: silhouette(points, labels, name="Conv1"),
            "the silhouette of Conv1",
        ),
        (
            lambda points, labels: knn_accuracy(points, labels, CONTENTS, name="Conv1"),
            "k-NN accuracy of Conv1",
        ),
    ],
)
def test_what_is_undefined_names_score_and_layer(score, said):
    with pytest.raises(DegenerateError, match=f"{said} is undefined: there is one class only"):
        score(clusters(), np.zeros(150, dtype=int))
    with pytest.raises(DegenerateError, match=f"{said} is undefined: every point is a class"):
        score(clusters(), np.arange(150))
    with pytest.raises(DegenerateError, match=f"{said} is undefined: all points coincide"):
        score(np.full((150, 2), 0.1), SETS)
    with pytest.raises(DegenerateError, match=f"{said} is undefined: 300 coordinates are NaN"):
        score(np.full((150, 2), np.nan), SETS)
