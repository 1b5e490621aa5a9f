"""The p-value of a layer: of whole features, by whole photographs."""

from __future__ import annotations

import numpy as np
import pytest

from srscope.scores.null import photograph_p_value
from srscope.scores.products import inner_products
from srscope.study.cache import Stages
from srscope.study.config import AnalysisConfig
from srscope.study.scoring import reduce_sources
from study.test_evidence import CHANNELS, crossed, features_of, source_of


@pytest.mark.parametrize("width", [CHANNELS * 9, CHANNELS * 300])  # fewer than images, and more
def test_photographs_are_turned_about_not_their_crops(width: int) -> None:
    labels = crossed(8)
    few_ND = 0.15 * features_of(labels, effect=0.5)
    features_ND = np.random.default_rng(1).normal(size=(len(few_ND), width))
    features_ND[:, : few_ND.shape[1]] += few_ND
    config = AnalysisConfig(pca=8, permutations=499, seed=3)
    (found,) = reduce_sources([source_of(features_ND, (width, 1, 1))], labels, config, Stages())
    gram_NN = inner_products(features_ND.astype(np.float32))
    by_unit = {
        unit: photograph_p_value(gram_NN, labels.set_N, unit_N, permutations=499, seed=3)
        for unit, unit_N in (("photograph", labels.photograph_N), ("content", labels.content_N))
    }
    assert found.space.p_value == by_unit["photograph"] != by_unit["content"]


def test_few_photographs_leave_the_p_value_out() -> None:
    labels = crossed(4)
    source = source_of(features_of(labels), (CHANNELS, 3, 3))
    (found,) = reduce_sources([source], labels, AnalysisConfig(pca=8), Stages())
    assert found.space.p_value is None
