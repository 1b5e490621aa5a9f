"""Which scores a design allows: hand-made designs, and every reason by its words."""

import itertools
import math

import numpy as np
import pytest

from srscope.scores.design import design, smallest_p_value
from support.points import crossed_labels


def test_a_crossed_design_allows_everything() -> None:
    sets, contents = crossed_labels(3, 12)
    found = design(sets, contents, contents // 2)
    assert found.crossed
    assert found.left_out == ()
    np.testing.assert_array_equal(found.kin_N, contents)


def test_a_crossed_design_of_few_contents_has_no_neighbours() -> None:
    sets, contents = crossed_labels(2, 3)
    assert dict(design(sets, contents, contents).left_out) == {
        "knn_accuracy": "an image has only 4 others of a different content, and 5 of them vote",
        "p_value": "it needs 6 photographs, there are 3",
    }


def test_few_photographs_have_no_p_value_in_a_crossed_design() -> None:
    sets, contents = np.repeat([0, 1], 12), np.tile(np.arange(12), 2)
    assert design(sets, contents, contents // 2).left_out == ()
    five = np.minimum(contents // 2, 4)
    assert design(sets, contents, five).left_out == (
        ("p_value", "it needs 6 photographs, there are 5"),
    )


def test_folders_leave_out_the_split_alone_where_photographs_are_many() -> None:
    sets = np.repeat([0, 1], [8, 10])
    photographs = np.repeat(np.arange(9), 2)
    found = design(sets, np.arange(18), photographs)
    assert not found.crossed
    assert [score for score, _ in found.left_out] == ["variance"]
    assert found.defines("p_value")
    assert not found.defines("variance")
    np.testing.assert_array_equal(found.kin_N, photographs)
    np.testing.assert_array_equal(found.unit_N, photographs)


def test_one_photograph_a_set_allows_neither_neighbours_nor_shuffling() -> None:
    found = dict(design(np.repeat([0, 1], 10), np.arange(20), np.repeat([5, 3], 10)).left_out)
    assert found["knn_accuracy"].startswith("a set is of one photograph alone")
    assert "with 1 and 1 photographs a set" in found["p_value"]
    assert "below 1;" in found["p_value"]


def test_photographs_in_some_of_the_sets_cannot_exchange_labels() -> None:
    sets = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    photographs = np.array([0, 1, 2, 0, 1, 2, 3, 4, 5])  # clean and noise share theirs
    found = dict(design(sets, np.array([0, 1, 2, 0, 1, 2, 3, 4, 5]), photographs).left_out)
    assert found.keys() == {"variance", "p_value"}
    assert "labels cannot be exchanged" in found["p_value"]


@pytest.mark.parametrize("counts", [[1, 1], [3, 3], [2, 3], [1, 2, 2], [2, 2, 2]])
def test_smallest_p_value_is_that_of_all_labellings(counts: list[int]) -> None:
    labels = [k for k, count in enumerate(counts) for _ in range(count)]
    labellings = set(itertools.permutations(labels))

    def partition(labelling: tuple[int, ...]) -> set[frozenset[int]]:
        return {
            frozenset(i for i, label in enumerate(labelling) if label == k) for k in set(labelling)
        }

    same = sum(partition(each) == partition(tuple(labels)) for each in labellings)
    assert math.isclose(smallest_p_value(counts), same / len(labellings))


def test_many_photographs_do_not_overflow() -> None:
    assert smallest_p_value([2000, 3000]) == 0
