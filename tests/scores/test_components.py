"""Variance components against tables worked by hand, and against a plain double loop."""

import itertools

import numpy as np
import pytest

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.components import noise_floor, variance_components_of_gram
from srscope.scores.variance import two_way_variance
from support.points import crossed_labels, variance_components


def shares(result):
    return [each.value for each in (result.degradation, result.content, result.residual)]


def test_a_table_worked_by_hand():
    # Rows are 2 sets, columns 3 contents of a photograph each:  1 4 7 / 3 8 13.
    # Set means 4 and 8, content means 2, 6, 10, mean 6. Sums of squares: sets 3 (4 + 4) = 24,
    # contents 2 (16 + 0 + 16) = 64, rest 4: (1-2+2, 4-6+2, 7-10+2) = (1, 0, -1), twice.
    # Mean squares 24, 32, 2. Components (24 - 2) / 3, (32 - 2) / 2 and 2.
    features_N1 = np.array([[1.0], [4], [7], [3], [8], [13]])
    set_N, content_N = crossed_labels(2, 3)
    result = variance_components(features_N1, set_N, content_N, content_N)
    expected = np.array([22 / 3, 15, 2])
    assert result.total == pytest.approx(expected.sum())
    np.testing.assert_allclose(shares(result), expected / expected.sum())
    assert result.negative == ()


def by_loops(features_ND, set_N, content_N, photograph_N):
    """Return degradation, content and residual from all pairs of contents, one at a time."""
    sets, contents = np.unique(set_N), np.unique(content_N)
    cell = {(s, c): features_ND[(set_N == s) & (content_N == c)][0] for s in sets for c in contents}
    photograph = {c: photograph_N[content_N == c][0] for c in contents}
    pairs = [(c, d) for c in contents for d in contents if photograph[c] != photograph[d]]
    within = np.mean([np.sum((cell[s, c] - cell[s, d]) ** 2) / 2 for s in sets for c, d in pairs])
    both = np.mean(
        [
            (cell[s, c] - cell[s, d]) @ (cell[r, c] - cell[r, d]) / 2
            for s, r in itertools.permutations(sets, 2)
            for c, d in pairs
        ]
    )
    squared = [
        (cell[s, c] - cell[r, c]) @ (cell[s, d] - cell[r, d])
        for s, r in itertools.combinations(sets, 2)
        for c, d in pairs
    ]
    distances = np.sum(squared) / len(pairs)
    return np.array([distances / (len(sets) * (len(sets) - 1)), both, within - both])


def test_pairs_of_different_photographs_and_no_others():
    rng = np.random.default_rng(0)
    set_N, content_N = crossed_labels(3, 9)
    photograph_M = np.array([4, 4, 4, 4, 9, 9, 1, 7, 7])
    order_N = rng.permutation(27)
    set_N, content_N = set_N[order_N], content_N[order_N]
    photograph_N = photograph_M[content_N]
    features_ND = rng.normal(size=(27, 5)) + 2 * rng.normal(size=(10, 5))[photograph_N]
    features_ND += rng.normal(size=(3, 5))[set_N] + 30
    expected = by_loops(features_ND, set_N, content_N, photograph_N)
    assert (expected > 0).all()
    result = variance_components(features_ND, set_N, content_N, photograph_N)
    assert result.total == pytest.approx(expected.sum())
    np.testing.assert_allclose(shares(result), expected / expected.sum())

    # The interval is the jackknife's, from the same without each photograph.
    logits = []
    for left_out in np.unique(photograph_N):
        kept = photograph_N != left_out
        part = by_loops(features_ND[kept], set_N[kept], content_N[kept], photograph_N[kept])
        share = part[1] / part.sum()
        logits.append(np.log(share / (1 - share)))
    half = 3.182446 * np.sqrt(3 * np.var(logits))  # Student's quantile of 3
    centre = np.log(result.content.value / (1 - result.content.value))
    assert result.content.high == pytest.approx(1 / (1 + np.exp(-centre - half)))
    assert (result.content.photographs, result.content.reliable) == (4, False)


def test_noise_has_a_third_of_raw_shares_and_no_content():
    rng = np.random.default_rng(0)
    set_N, content_N = crossed_labels(3, 100)
    noise_ND = rng.normal(size=(300, 400))
    raw = two_way_variance(noise_ND, set_N, content_N)
    result = variance_components(noise_ND, set_N, content_N, content_N // 10)
    floor = result.noise_floor
    assert (floor.degradation, floor.content) == pytest.approx((2 / 299, 99 / 299))
    assert floor.degradation + floor.content + floor.interaction == pytest.approx(1)
    assert raw.content == pytest.approx(floor.content, abs=0.01)
    assert result.content.value < 0.005
    assert result.degradation.value < 0.002
    assert result.residual.value > 0.99


def test_shares_do_not_depend_on_how_many_contents_there_are():
    rng = np.random.default_rng(0)
    values = []
    for contents in (20, 200):
        set_N, content_N = crossed_labels(3, contents)
        features_ND = rng.normal(size=(3 * contents, 500))
        features_ND += rng.normal(size=(contents, 500))[content_N]
        result = variance_components(features_ND, set_N, content_N, content_N)
        values.append(result.content.value)
    assert values == pytest.approx([0.5, 0.5], abs=0.02)


def test_what_is_estimated_below_nothing_is_named():
    set_N, content_N = crossed_labels(2, 3)
    features_N1 = np.array([[1.0], [0], [-1], [-1.1], [0.1], [1]])  # versions that mirror
    result = variance_components(features_N1, set_N, content_N, content_N)
    assert result.negative == ("degradation", "content")
    assert result.content.value == result.content.low == 0
    assert result.residual.value == 1


def test_features_and_inner_products_say_the_same():
    rng = np.random.default_rng(0)
    set_N, content_N = crossed_labels(3, 8)
    features_ND = rng.normal(size=(24, 6)) + 2 * rng.normal(size=(8, 6))[content_N] + 100
    by_features = variance_components(features_ND, set_N, content_N, content_N // 2)
    gram_NN = features_ND @ features_ND.T
    by_gram = variance_components_of_gram(gram_NN, set_N, content_N, content_N // 2)
    np.testing.assert_allclose(shares(by_features), shares(by_gram), atol=1e-6)


def test_wrong_values_are_named():
    set_N, content_N = crossed_labels(2, 4)
    features_ND = np.random.default_rng(0).normal(size=(8, 2))
    with pytest.raises(DegenerateError, match="all images have the same features"):
        variance_components(np.ones((8, 2)), set_N, content_N, content_N)
    with pytest.raises(DegenerateError, match="the design is not crossed"):
        variance_components(features_ND, set_N, np.arange(8), np.arange(8))
    with pytest.raises(DegenerateError, match=r"of 2 photograph.*3 are the fewest"):
        variance_components(features_ND, set_N, content_N, content_N // 2)
    with pytest.raises(DegenerateError, match="a feature is NaN or infinite"):
        variance_components(np.full((8, 2), np.nan), set_N, content_N, content_N)
    first_N = (content_N == 0)[:, None] * features_ND
    with pytest.raises(DegenerateError, match="without one of the photographs all images"):
        variance_components(first_N, set_N, content_N, content_N)
    with pytest.raises(ParameterError, match="the same for all images of a content"):
        variance_components(features_ND, set_N, content_N, np.arange(8))
    with pytest.raises(ParameterError, match="the contents of features must be one an image"):
        variance_components(features_ND, set_N, content_N[1:], content_N)
    with pytest.raises(ParameterError, match="must be square"):
        variance_components_of_gram(features_ND, set_N, content_N, content_N)
    with pytest.raises(ParameterError, match="sets must be 2 or more"):
        noise_floor(1, 10)
