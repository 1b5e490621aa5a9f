"""The variance split on resampled contents equals the split of the resampled data."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from srscope.errors import DegenerateError
from srscope.scores.resampled import content_shares
from srscope.scores.variance import two_way_variance
from support.points import products_of

SETS, CONTENTS = 3, 7


def design() -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return features with all three parts, in shuffled order."""
    random = np.random.default_rng(0)
    set_N = np.repeat(np.arange(SETS), CONTENTS)
    content_N = np.tile(np.arange(CONTENTS), SETS)
    features_ND = (
        random.normal(size=(CONTENTS, 40))[content_N]
        + 0.5 * random.normal(size=(SETS, 40))[set_N]
        + 0.7 * random.normal(size=(SETS * CONTENTS, 40))
        + 100.0
    )
    order = random.permutation(len(set_N))
    return features_ND[order], set_N[order], content_N[order]


def test_every_content_once_is_the_plain_split() -> None:
    features_ND, set_N, content_N = design()
    share = content_shares(products_of(*design()), np.ones((1, CONTENTS)))
    expected = two_way_variance(features_ND, set_N, content_N).content
    assert share[0] == pytest.approx(expected, rel=1e-9)


def test_a_draw_is_the_split_of_the_data_it_stands_for() -> None:
    features_ND, set_N, content_N = design()
    random = np.random.default_rng(1)
    count_BM = random.multinomial(CONTENTS, np.full(CONTENTS, 1 / CONTENTS), size=20)
    shares_B = content_shares(products_of(features_ND, set_N, content_N), count_BM)
    for count_M, share in zip(count_BM, shares_B, strict=True):
        drawn = np.repeat(np.arange(CONTENTS), count_M)
        rows = [
            int(np.flatnonzero((set_N == s) & (content_N == m))[0])
            for s in range(SETS)
            for m in drawn
        ]
        expected = two_way_variance(
            features_ND[rows],
            np.repeat(np.arange(SETS), CONTENTS),
            np.tile(np.arange(CONTENTS), SETS),
        ).content
        assert share == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("contents", [5, 18])
def test_corrected_draws_spread_about_the_share_of_the_data(contents: int) -> None:
    random = np.random.default_rng(4)
    set_N, content_N = np.repeat(np.arange(SETS), contents), np.tile(np.arange(contents), SETS)
    features_ND = (
        random.normal(size=(contents, 500))[content_N]
        + 0.8 * random.normal(size=(SETS, 500))[set_N]
        + random.normal(size=(SETS * contents, 500))
    )
    products = products_of(features_ND, set_N, content_N)
    count_BM = random.multinomial(contents, np.full(contents, 1 / contents), size=4000)
    value = content_shares(products, np.ones((1, contents)))[0]
    plain, corrected = (
        float(np.nanmean(content_shares(products, count_BM, corrected=each)))
        for each in (False, True)
    )
    assert plain < value - 0.2 / contents
    assert abs(corrected - value) < 0.2 * abs(plain - value)


def test_ends_of_the_scale() -> None:
    _, set_N, content_N = design()
    count_BM = np.ones((1, CONTENTS))
    for labels_N, expected in ((content_N, 1.0), (set_N, 0.0)):
        features_ND = labels_N[:, None] ** 2 * np.ones((1, 3))
        products = products_of(features_ND, set_N, content_N)
        assert content_shares(products, count_BM)[0] == pytest.approx(expected, abs=1e-12)


def test_a_sample_without_variance_has_no_share() -> None:
    set_N, content_N = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    products = products_of(content_N[:, None].astype(float), set_N, content_N)
    shares_B = content_shares(products, np.array([[1, 1], [2, 0]]))
    assert shares_B[0] == 1.0
    assert np.isnan(shares_B[1])


def test_what_has_no_split_is_refused() -> None:
    features_ND, set_N, content_N = design()
    with pytest.raises(DegenerateError, match="ResBlock16 is undefined: the design is not crossed"):
        products_of(features_ND[1:], set_N[1:], content_N[1:], name="ResBlock16")
