"""WD, BD and CHI against hand-worked numbers, scikit-learn, and what must not change them."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import calinski_harabasz_score

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.separability import grade, separability
from support.points import clusters, degraded_contents


def test_hand_worked_example():
    # Class 0: (0,0), (2,0), (1,3); mean (1,1). Squared distances: 1+1, 1+1, 0+4  -> sum  8.
    # Class 1: (7,5), (9,5);        mean (8,5). Squared distances: 1, 1           -> sum  2.
    # WD = 8 + 2 = 10.
    # Mean of all five: (19/5, 13/5) = (3.8, 2.6).
    # Class 0: 3 * ((1-3.8)^2 + (1-2.6)^2) = 3 * (7.84 + 2.56)  = 31.2
    # Class 1: 2 * ((8-3.8)^2 + (5-2.6)^2) = 2 * (17.64 + 5.76) = 46.8
    # BD = 31.2 + 46.8 = 78.
    # CHI = BD / WD * (N-K) / (K-1) = 78/10 * (5-2)/(2-1) = 23.4.
    points = np.array([[0, 0], [2, 0], [1, 3], [7, 5], [9, 5]], dtype=float)
    score = separability(points, np.array([0, 0, 0, 1, 1]))
    assert score.wd == pytest.approx(10, rel=1e-14)
    assert score.bd == pytest.approx(78, rel=1e-14)
    assert score.chi == pytest.approx(23.4, rel=1e-14)


@pytest.mark.parametrize("points", [clusters(), degraded_contents(), clusters(dimensions=2)])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_chi_agrees_with_scikit_learn(points, offset):
    labels = np.repeat([4, -1, 9], 50)
    expected = calinski_harabasz_score(points + offset, labels)
    score = separability(points + offset, labels)
    assert score.chi == pytest.approx(expected, rel=1e-9)
    within = sum(
        ((points[labels == k] - points[labels == k].mean(axis=0)) ** 2).sum() for k in (4, -1, 9)
    )
    assert score.wd == pytest.approx(within, rel=1e-9)
    total = ((points - points.mean(axis=0)) ** 2).sum()
    assert score.wd + score.bd == pytest.approx(total, rel=1e-9)


def test_float32_points_are_scored_in_float64():
    points = (clusters() + 100).astype(np.float32)
    labels = np.repeat([0, 1, 2], 50)
    assert separability(points, labels) == separability(points.astype(np.float64), labels)


def test_unequal_classes_agree_with_scikit_learn():
    points, labels = clusters(), np.random.default_rng(0).integers(0, 7, 150)
    expected = calinski_harabasz_score(points, labels)
    assert separability(points, labels).chi == pytest.approx(expected, rel=1e-9)


@st.composite
def labelled_points(draw):
    """Draw points of two or more classes that overlap more or less."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    classes, dimensions = draw(st.integers(2, 6)), draw(st.integers(1, 5))
    labels = np.repeat(np.arange(classes), rng.integers(1, 12, classes) + 1)
    centres = rng.normal(size=(classes, dimensions)) * draw(st.floats(0.1, 10))
    return centres[labels] + rng.normal(size=(len(labels), dimensions)), labels, rng


def assert_same(score, expected, scale=1.0):
    assert score.wd == pytest.approx(expected.wd * scale**2, rel=1e-9)
    # The class means may all but coincide, so BD is held to the scale of WD.
    slack = 1e-9 * (expected.wd + expected.bd)
    assert score.bd == pytest.approx(expected.bd * scale**2, abs=slack * scale**2)
    assert score.chi == pytest.approx(expected.chi, rel=1e-9, abs=1e-9)


@given(labelled_points())
def test_rotation_changes_nothing(drawn):
    points, labels, rng = drawn
    rotation = np.linalg.qr(rng.normal(size=(points.shape[1],) * 2))[0]
    assert_same(separability(points @ rotation, labels), separability(points, labels))


@given(labelled_points(), st.floats(-1e3, 1e3))
def test_translation_changes_nothing(drawn, distance):
    points, labels, _ = drawn
    assert_same(separability(points + distance, labels), separability(points, labels))


@given(labelled_points())
def test_order_and_names_change_nothing(drawn):
    points, labels, rng = drawn
    order = rng.permutation(len(points))
    names = rng.permutation(100)[: labels.max() + 1] - 50
    assert_same(separability(points[order], names[labels][order]), separability(points, labels))


@given(labelled_points(), st.floats(1e-3, 1e3))
def test_dispersions_scale_with_the_square_and_chi_not(drawn, scale):
    points, labels, _ = drawn
    assert_same(separability(points * scale, labels), separability(points, labels), scale)


def test_the_record_is_frozen():
    score = separability(clusters(), np.repeat([0, 1, 2], 50))
    with pytest.raises(dataclasses.FrozenInstanceError):
        score.chi = 0.0


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3])
def test_classes_that_collapse_to_points_are_undefined(value):
    labels = np.repeat([0, 1, 2], 100)
    points = np.repeat([[value, 1.1], [value + 0.7, 2.3], [value, 3.3]], 100, axis=0)
    # The mean of a hundred times 0.1 is not 0.1, so a careless WD is 1e-30 and not 0.
    with pytest.raises(DegenerateError, match="CHI of Conv1 is undefined: all points of every"):
        separability(points, labels, name="Conv1")


def test_scikit_learn_hides_a_perfect_separation():
    points = np.repeat([[0.0], [5.0]], 3, axis=0)
    labels = np.repeat([0, 1], 3)
    assert calinski_harabasz_score(points, labels) == 1.0
    with pytest.raises(DegenerateError, match="the separation is perfect, and has no finite"):
        separability(points, labels)


def test_one_class_that_collapses_is_defined():
    points = np.array([[0.0], [0.0], [1.0], [3.0]])
    assert separability(points, np.array([0, 0, 1, 1])).wd == 2


def test_points_that_coincide_to_rounding_have_no_finite_chi():
    labels = np.array([0, 0, 1, 1])
    for points in ([0.0, 5e-160, 1e150, 1e150], [0.0, 0.0, 1.0, 1 + 2e-16]):
        with pytest.raises(DegenerateError, match="all points of every class coincide to rounding"):
            separability(np.array(points)[:, None], labels)
    # What single precision can tell apart is no rounding.
    assert separability(np.array([[0.0], [0.0], [1.0], [1 + 1e-7]]), labels).chi < 1e15


@pytest.mark.parametrize(
    ("points", "labels", "why"),
    [
        ([[0.0], [1.0], [2.0]], [1, 1, 1], "there is one class only; give two sets or more"),
        (
            [[0.0], [1.0], [2.0]],
            [1, 2, 3],
            "every point is a class of its own; give more images a set",
        ),
        ([[0.1], [0.1], [0.1]], [1, 2, 2], "all points coincide; choose another layer"),
        ([[0.0], [np.nan], [np.inf]], [1, 2, 2], "2 coordinates are NaN or infinite"),
        ([[0.0], [1e200], [-1e200]], [1, 2, 2], "squared distances overflow; scale the points"),
    ],
)
def test_what_is_undefined_says_why(points, labels, why):
    with pytest.raises(DegenerateError) as caught:
        separability(np.array(points), np.array(labels), name="Conv1")
    assert str(caught.value) == f"CHI of Conv1 is undefined: {why}"


def test_shapes_that_do_not_fit():
    rule = r"the labels of Conv1 must be one a point, shape \(3,\), but is \(2,\)"
    with pytest.raises(ParameterError, match=rule):
        separability(np.zeros((3, 2)), np.array([0, 1]), name="Conv1")
    rule = r"Conv1 must be an array \(points, dimensions\), but is \(3,\)"
    with pytest.raises(ParameterError, match=rule):
        separability(np.zeros(3), np.array([0, 1, 1]), name="Conv1")


@pytest.mark.parametrize(
    ("chi", "expected"),
    [
        (0.0, "-"),
        (np.nextafter(20, 0), "-"),
        (20.0, "+"),
        (np.nextafter(100, 0), "+"),
        (100.0, "++"),
        (np.nextafter(500, 0), "++"),
        (500.0, "+++"),
        (1e9, "+++"),
    ],
)
def test_grades_include_their_lower_end(chi, expected):
    assert grade(chi) == expected


@pytest.mark.parametrize("chi", [-1.0, float("nan"), float("inf")])
def test_only_a_finite_chi_has_a_grade(chi):
    with pytest.raises(ParameterError, match="chi must be a finite number of 0 or more, but is"):
        grade(chi)
