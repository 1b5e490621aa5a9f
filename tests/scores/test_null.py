"""The permutation test: exact where all labellings can be listed, and honest under the null."""

import itertools
import time

import numpy as np
import pytest

from srscope.errors import DegenerateError, ParameterError
from srscope.scores import null
from srscope.scores.null import permutation_p_value, photograph_p_value
from srscope.scores.separability import separability
from support.points import clusters, crossed_labels


def share_at_least(points, sets, labellings):
    """Return the share of labellings whose CHI is no less than that of ``sets``."""
    observed = separability(points, sets).chi
    scores = [separability(points, np.array(labels)).chi for labels in labellings]
    return np.mean([score >= observed * (1 - 1e-9) for score in scores])


def test_crossed_designs_are_shuffled_within_contents():
    rng = np.random.default_rng(0)
    sets, contents = crossed_labels(3, 3)
    order = rng.permutation(9)  # in no order at all
    sets, contents = sets[order], contents[order]
    points = rng.normal(size=(9, 2)) + 0.5 * sets[:, None] + 3 * rng.normal(size=(3, 2))[contents]
    labellings = []
    for rows in itertools.product(itertools.permutations(range(3)), repeat=3):
        labels = np.empty(9, int)
        for content, row in enumerate(rows):
            labels[np.flatnonzero(contents == content)] = row
        labellings.append(labels)
    expected = share_at_least(points, sets, labellings)
    assert 0.05 < expected < 0.8
    p_value = permutation_p_value(points, sets, contents, permutations=20_000, seed=0)
    assert p_value == pytest.approx(expected, abs=0.012)


@pytest.mark.parametrize("contents", [None, np.arange(7), np.array([0, 1, 2, 0, 1, 2, 0])])
def test_other_designs_are_shuffled_over_all(contents):
    rng = np.random.default_rng(2)
    sets = np.array([0, 1, 1, 2, 2, 2, 2])  # with unequal sets, BD is more than a sum of squares
    points = rng.normal(size=(7, 2)) + 0.6 * sets[:, None]
    labellings = set(itertools.permutations(sets.tolist()))
    assert len(labellings) == 105
    expected = share_at_least(points, sets, labellings)
    assert 0.05 < expected < 0.8
    p_value = permutation_p_value(points, sets, contents, permutations=20_000, seed=0)
    assert p_value == pytest.approx(expected, abs=0.012)


def test_a_small_constant_effect_shows_only_within_contents():
    rng = np.random.default_rng(0)
    sets, contents = crossed_labels(3, 30)
    points = 10 * rng.normal(size=(30, 5))[contents] + 0.3 * np.eye(3, 5)[sets]
    points += 0.05 * rng.normal(size=points.shape)
    assert permutation_p_value(points, sets, contents, seed=0) == 0.001
    assert permutation_p_value(points, sets, None, seed=0) > 0.5


@pytest.mark.parametrize("crossed", [True, False])
def test_it_rejects_as_often_as_it_says_under_the_null(crossed):
    rng = np.random.default_rng(0)
    sets, contents = crossed_labels(3, 12)
    rejected = 0
    for trial in range(200):
        points = rng.standard_t(4, size=(36, 6))
        if crossed:
            points += 5 * rng.normal(size=(12, 6))[contents]
        labels = contents if crossed else None
        p_value = permutation_p_value(points, sets, labels, permutations=199, seed=trial)
        rejected += p_value <= 0.05
    assert 0.02 <= rejected / 200 <= 0.09


def test_separate_sets_get_the_smallest_p_value():
    sets, contents = crossed_labels(3, 50)
    points = clusters()
    assert permutation_p_value(points, sets, contents, seed=0) == 1 / 1000
    assert permutation_p_value(points, sets, contents, permutations=99, seed=0) == 1 / 100


def test_shuffles_that_only_rename_the_sets_count():
    # Two contents in two sets: half of the four shuffles give the observed partition.
    sets, contents = crossed_labels(2, 2)
    points = np.array([[0.1, 0.2], [0.3, 0.1], [7.1, 3.3], [7.7, 3.1]])
    p_value = permutation_p_value(points, sets, contents, permutations=4000, seed=0)
    assert p_value == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("shift", [0.0, 1e6])
@pytest.mark.parametrize("scale", [1e-120, 1.0, 1e120])
def test_neither_scale_nor_position_matters(scale, shift):
    sets, contents = crossed_labels(3, 20)
    points = np.random.default_rng(0).normal(size=(60, 4)) + 0.3 * sets[:, None]
    expected = permutation_p_value(points, sets, contents, seed=0)
    assert 0.001 < expected < 0.9
    assert permutation_p_value((points + shift) * scale, sets, contents, seed=0) == expected


def test_the_seed_decides(monkeypatch):
    sets, contents = crossed_labels(3, 20)
    points = np.random.default_rng(0).normal(size=(60, 4))
    first, second, other = (
        permutation_p_value(points, sets, contents, seed=seed) for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other
    monkeypatch.setattr(null, "_BLOCK_VALUES", 60 * 10)
    assert permutation_p_value(points, sets, contents, seed=1) == first


def test_999_permutations_of_300_points_take_well_under_a_second():
    sets, contents = crossed_labels(3, 100)
    points = np.random.default_rng(0).normal(size=(300, 50))
    for labels in (contents, None):
        started = time.process_time()  # of this process: other load does not count
        permutation_p_value(points, sets, labels, seed=0)
        assert time.process_time() - started < 0.8


def test_impossible_arguments_are_refused():
    sets, contents = crossed_labels(3, 50)
    points = clusters()
    with pytest.raises(ParameterError, match="permutations must be 1 or more, but is 0"):
        permutation_p_value(points, sets, contents, permutations=0, seed=0)
    with pytest.raises(ParameterError, match="seed must be 0 or more, but is -1"):
        permutation_p_value(points, sets, contents, seed=-1)
    rule = r"the contents of Conv1 must be one a point, shape \(150,\), but is \(149,\)"
    with pytest.raises(ParameterError, match=rule):
        permutation_p_value(points, sets, contents[1:], seed=0, name="Conv1")


def test_what_is_undefined_names_the_layer():
    sets, contents = crossed_labels(3, 50)
    with pytest.raises(DegenerateError, match="the p-value of Conv1 is undefined: all points co"):
        permutation_p_value(np.ones((150, 2)), sets, contents, seed=0, name="Conv1")
    with pytest.raises(DegenerateError, match="the p-value of Conv1 is undefined: there is one"):
        permutation_p_value(clusters(), sets * 0, contents, seed=0, name="Conv1")


def test_over_shuffled_data_sets_it_rejects_about_as_often_as_it_says() -> None:
    """Of 200 data sets whose labels were shuffled, 2 to 9 % must be rejected at 5 %."""
    contents, sets = 20, 3
    random = np.random.default_rng(2021)
    set_N = np.repeat(np.arange(sets), contents)
    content_N = np.tile(np.arange(contents), sets)
    rejected = 0
    for _ in range(200):
        points_NC = 5 * random.normal(size=(contents, 4))[content_N]  # contents differ greatly
        points_NC = points_NC + random.normal(size=points_NC.shape)
        points_NC[:, 0] += 10.0 * set_N  # the true sets too, but their labels are shuffled:
        shuffled_SM = random.permuted(set_N.reshape(sets, contents), axis=0)  # in each content
        p_value = permutation_p_value(
            points_NC, shuffled_SM.reshape(-1), content_N, permutations=199, seed=0
        )
        rejected += p_value <= 0.05
    assert 4 <= rejected <= 18


def test_units_are_shuffled_whole():
    rng = np.random.default_rng(3)
    units = np.array([0, 0, 0, 1, 2, 2, 3, 4, 4])
    sets = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1])  # 3 units against 2: 10 labellings
    points = rng.normal(size=(5, 2))[units] + 0.1 * rng.normal(size=(9, 2)) + 0.7 * sets[:, None]
    labellings = [
        np.array(labels)[units] for labels in set(itertools.permutations([0, 0, 0, 1, 1]))
    ]
    assert len(labellings) == 10
    expected = share_at_least(points, sets, labellings)
    order = rng.permutation(9)
    p_value = permutation_p_value(
        points[order], sets[order], None, unit_N=10 - units[order], permutations=20_000, seed=0
    )
    assert p_value == pytest.approx(expected, abs=0.012)


def test_patches_of_few_photographs_are_no_proof():
    """Under the null, shuffling patches finds an effect nearly always; photographs do not."""
    rng = np.random.default_rng(4)
    sets, units = np.repeat([0, 1], 60), np.repeat(np.arange(12), 10)
    by_patch, by_photograph = [], []
    for _ in range(60):
        points = rng.normal(size=(12, 3))[units] + 0.3 * rng.normal(size=(120, 3))
        common = {"permutations": 199, "seed": int(rng.integers(1000))}
        by_patch.append(permutation_p_value(points, sets, None, **common))
        by_photograph.append(permutation_p_value(points, sets, None, unit_N=units, **common))
    assert np.mean(np.array(by_patch) <= 0.05) > 0.6
    assert np.mean(np.array(by_photograph) <= 0.05) < 0.13


@pytest.mark.parametrize(
    ("units", "contents", "message"),
    [
        (np.array([0, 0, 0, 1]), None, "in one set each"),
        (np.arange(3), None, "one a point"),
        (np.arange(4), np.arange(4), "left out where contents are given"),
    ],
)
def test_units_that_do_not_fit_are_refused(units, contents, message):
    points, sets = np.arange(8.0).reshape(4, 2), np.array([0, 0, 1, 1])
    with pytest.raises(ParameterError, match=message):
        permutation_p_value(points, sets, contents, unit_N=units, seed=0)


def photograph_design(photographs, contents=2, sets=3):
    photograph_N = np.tile(np.repeat(np.arange(photographs), contents), sets)
    return np.repeat(np.arange(sets), photographs * contents), photograph_N


def test_photographs_are_turned_about_as_wholes():
    rng = np.random.default_rng(0)
    sets, photographs = photograph_design(7)
    points = rng.normal(size=(42, 3)) + 0.3 * sets[:, None] + rng.normal(size=(7, 3))[photographs]
    shift = np.zeros((7, 3, 3))
    for p, k in itertools.product(range(7), range(3)):
        shift[p, k] = points[(photographs == p) & (sets == k)].mean(axis=0)
    shift -= shift.mean(axis=1, keepdims=True)
    turned = [
        ((np.array(signs)[:, None, None] * shift).mean(axis=0) ** 2).sum()
        for signs in itertools.product((1, -1), repeat=7)
    ]
    expected = np.mean(np.array(turned) >= turned[0] * (1 - 1e-9))
    assert 0.02 < expected < 0.8
    exact = photograph_p_value(points @ points.T, sets, photographs, permutations=999, seed=0)
    assert exact == pytest.approx(expected)
    drawn = photograph_p_value(points @ points.T, sets, photographs, permutations=63 - 1, seed=0)
    other = photograph_p_value(points @ points.T, sets, photographs, permutations=63 - 1, seed=1)
    assert drawn == pytest.approx(expected, abs=0.15)
    assert drawn != other


def test_sets_that_differ_in_spread_alone_are_not_shifted():
    rng = np.random.default_rng(0)
    sets, photographs = photograph_design(12)
    spread = np.array([0.1, 1.0, 4.0])[sets][:, None]  # what shuffling labels cannot bear
    rejected = shuffled = 0
    for trial in range(200):
        own = rng.normal(size=(3, 12, 5))[sets, photographs] * spread  # a photograph's own shift
        points = own + spread * rng.normal(size=(72, 5)) + 3 * rng.normal(size=(12, 5))[photographs]
        p = photograph_p_value(points @ points.T, sets, photographs, permutations=199, seed=trial)
        rejected += p <= 0.05
        contents = np.tile(np.arange(24), 3)
        shuffled += permutation_p_value(points, sets, contents, permutations=199, seed=0) <= 0.05
    assert 0.02 <= rejected / 200 <= 0.08
    assert shuffled / 200 > 0.1


def test_a_shift_of_a_set_is_found():
    rng = np.random.default_rng(0)
    sets, photographs = photograph_design(20)
    points = rng.normal(size=(120, 5)) + 0.8 * np.eye(3, 5)[sets]
    assert photograph_p_value(points @ points.T, sets, photographs, seed=0) <= 0.005


def test_designs_without_photographs_to_turn_say_why():
    sets, photographs = photograph_design(6)
    points = np.random.default_rng(0).normal(size=(36, 2))
    photograph_p_value(points @ points.T, sets, photographs, seed=0)
    five = photographs < 5
    with pytest.raises(DegenerateError, match="turning 5 photographs about gives no p-value"):
        photograph_p_value(points[five] @ points[five].T, sets[five], photographs[five], seed=0)
    with pytest.raises(DegenerateError, match=r"not in all sets; .* by shuffling their labels"):
        photograph_p_value(points @ points.T, sets, np.arange(36), seed=0)
    with pytest.raises(ParameterError, match="the photographs of features must be one an image"):
        photograph_p_value(points @ points.T, sets, photographs[1:], seed=0)
    with pytest.raises(ParameterError, match="the inner products of features must be square"):
        photograph_p_value(points, sets, photographs, seed=0)
    with pytest.raises(DegenerateError, match="there is one set only"):
        photograph_p_value(points @ points.T, 0 * sets, photographs, seed=0)
    with pytest.raises(DegenerateError, match="a feature is NaN or infinite"):
        photograph_p_value(np.full((36, 36), np.nan), sets, photographs, seed=0)
    assert photograph_p_value(np.zeros((36, 36)), sets, photographs, seed=0) == 1  # no shift at all
    with pytest.raises(ParameterError, match="permutations must be 1 or more"):
        photograph_p_value(points @ points.T, sets, photographs, permutations=0, seed=0)
    with pytest.raises(ParameterError, match="seed must be 0 or more"):
        photograph_p_value(points @ points.T, sets, photographs, seed=-1)
