"""What must not change a score: rotation, translation, scale, order, the names of classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from srscope.projection.pca import pca
from srscope.scores.feature_space import knn_accuracy, silhouette
from srscope.scores.null import permutation_p_value
from srscope.scores.separability import separability
from srscope.scores.variance import two_way_variance
from support.points import crossed_labels

Points, Labels = NDArray[np.float64], NDArray[np.int64]
Drawn = tuple[Points, Labels, Labels, np.random.Generator]
"""Points (N, D), sets, contents, and what to draw more from."""

SCORES: dict[str, Callable[[Points, Labels, Labels], tuple[float, ...]]] = {
    "CHI": lambda x, s, c: (separability(x, s).chi,),
    "silhouette": lambda x, s, c: (silhouette(x, s),),
    "k-NN": lambda x, s, c: (knn_accuracy(x, s, c, k=3),),
    "variance": lambda x, s, c: astuple(two_way_variance(x, s, c))[:3],
    "CHI after PCA": lambda x, s, c: (separability(pca(x, components=4).points_NC, s).chi,),
}
"""Scores without a unit, of points (N, D), sets and contents."""


@st.composite
def crossed_points(draw: st.DrawFn) -> Drawn:
    """Draw points of a crossed design: every content in every set."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sets, contents, width = (draw(st.integers(*ends)) for ends in ((2, 4), (5, 9), (5, 30)))
    set_N, content_N = crossed_labels(sets, contents)
    points_ND = rng.normal(size=(len(set_N), width))
    points_ND += draw(st.floats(0, 5)) * rng.normal(size=(sets, width))[set_N]
    points_ND += draw(st.floats(0, 5)) * rng.normal(size=(contents, width))[content_N]
    return points_ND, set_N, content_N, rng


few = settings(max_examples=15, deadline=None)


@pytest.mark.parametrize("score", SCORES)
@given(drawn=crossed_points(), shift=st.floats(-1e3, 1e3), log_scale=st.floats(-6, 6))
@few
def test_rotation_translation_and_scale_change_no_score(
    score: str,
    drawn: Drawn,
    shift: float,
    log_scale: float,
) -> None:
    points_ND, set_N, content_N, rng = drawn
    rotation_DD = np.linalg.qr(rng.normal(size=(points_ND.shape[1],) * 2))[0]
    moved_ND = (points_ND @ rotation_DD + shift) * 10**log_scale
    before = SCORES[score](points_ND, set_N, content_N)
    after = SCORES[score](moved_ND, set_N, content_N)
    assert after == pytest.approx(before, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("score", SCORES)
@given(drawn=crossed_points())
@few
def test_order_and_names_change_no_score(score: str, drawn: Drawn) -> None:
    points_ND, set_N, content_N, rng = drawn
    order_N = rng.permutation(len(points_ND))
    named_N = (rng.permutation(100)[: set_N.max() + 1] - 50)[set_N]
    shown_N = (rng.permutation(100)[: content_N.max() + 1] - 50)[content_N]
    before = SCORES[score](points_ND, set_N, content_N)
    after = SCORES[score](points_ND[order_N], named_N[order_N], shown_N[order_N])
    assert after == pytest.approx(before, rel=1e-9, abs=1e-12)


@given(drawn=crossed_points(), log_scale=st.floats(-6, 6))
@few
def test_the_p_value_does_not_depend_on_scale_and_place(drawn: Drawn, log_scale: float) -> None:
    points_ND, set_N, content_N, _ = drawn
    options = {"permutations": 19, "seed": 0}
    before = permutation_p_value(points_ND, set_N, content_N, **options)
    moved_ND = (points_ND + 3.0) * 10**log_scale
    assert permutation_p_value(moved_ND, set_N, content_N, **options) == before


@given(drawn=crossed_points(), log_scale=st.floats(-3, 3))
@few
def test_wd_and_bd_scale_with_the_square_and_add_up_to_all_the_dispersion(
    drawn: Drawn, log_scale: float
) -> None:
    points_ND, set_N, _, _ = drawn
    scale = 10**log_scale
    one, other = separability(points_ND, set_N), separability(points_ND * scale, set_N)
    assert other.wd == pytest.approx(one.wd * scale**2, rel=1e-9)
    assert other.bd == pytest.approx(one.bd * scale**2, rel=1e-9)
    total = ((points_ND - points_ND.mean(axis=0)) ** 2).sum()
    assert one.wd + one.bd == pytest.approx(total, rel=1e-9)
    twice = separability(np.concatenate([points_ND] * 2), np.concatenate([set_N] * 2))
    assert (twice.wd, twice.bd) == pytest.approx((2 * one.wd, 2 * one.bd), rel=1e-9)
