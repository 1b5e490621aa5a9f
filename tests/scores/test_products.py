"""Principal axes from inner products, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from srscope.errors import DegenerateError, ParameterError
from srscope.scores.products import inner_products, principal_points

RANDOM = np.random.default_rng(0)
WIDE = RANDOM.normal(size=(30, 200)) * np.geomspace(3, 0.1, 200) + 5
NARROW = RANDOM.normal(size=(30, 4)) + 2


@pytest.mark.parametrize("features", [WIDE, NARROW], ids=["wide", "narrow"])
def test_inner_products_are_of_the_centred_rows(features):
    centred = features - features.mean(axis=0)
    np.testing.assert_allclose(inner_products(features), centred @ centred.T, atol=1e-9)


@pytest.mark.parametrize("features", [WIDE, NARROW], ids=["wide", "narrow"])
def test_points_of_a_fold_are_those_of_scikit_learn(features):
    train, other = np.arange(20), np.arange(20, 30)
    components = min(6, features.shape[1])
    fitted = PCA(components).fit(features[train])
    products = inner_products(features)
    ours = principal_points(products, train, other, components=components)
    theirs = [fitted.transform(features[rows]) for rows in (train, other)]
    sign = np.sign((ours[0] * theirs[0]).sum(axis=0))
    for mine, his in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine * sign, his, atol=1e-8)
    assert (ours[0].max(axis=0) == np.abs(ours[0]).max(axis=0)).all()


def test_axes_without_variance_are_left_out():
    products = inner_products(NARROW)
    train, _ = principal_points(products, np.arange(30), np.arange(0), components=50)
    assert train.shape == (30, 4)


def test_drawn_rows_stand_several_times():
    rows = np.array([0, 0, 1, 2])
    train, _ = principal_points(inner_products(WIDE), rows, rows[:0], components=2)
    np.testing.assert_allclose(train[0], train[1], atol=1e-9)
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-9)


def test_what_cannot_be_fitted_is_refused():
    products = inner_products(WIDE)
    with pytest.raises(ParameterError, match="components must be 1 or more"):
        principal_points(products, np.arange(3), np.arange(0), components=0)
    with pytest.raises(DegenerateError, match="are alike"):
        principal_points(products, np.zeros(4, dtype=int), np.arange(0), components=2)
