"""The paper's numbers fit its own formulas: a slip of the pen here would not."""

import pytest

from srscope.reproduction import paper
from srscope.reproduction.evidence import DEEPEST, DEPTHS


@pytest.mark.parametrize("network", paper.SUPER_RESOLUTION)
def test_chi_of_tables_s2_and_s3_follows_from_wd_and_bd(network: str) -> None:
    layers = paper.SUPER_RESOLUTION[network]
    assert tuple(layers) == DEPTHS
    for scores in layers.values():
        expected = scores.bd.mean / scores.wd.mean * (300 - 3) / (3 - 1)
        # A mean of ratios is not the ratio of means; they are a few percent apart.
        assert scores.chi.mean == pytest.approx(expected, rel=0.1, abs=0.01)


@pytest.mark.parametrize("network", paper.CLASSIFIERS)
def test_chi_of_tables_s1_and_s4_follows_from_wd_and_bd(network: str) -> None:
    for scores in paper.CLASSIFIERS[network].values():
        expected = scores.bd.mean / scores.wd.mean * (1000 - 10) / (10 - 1)
        assert scores.chi.mean == pytest.approx(expected, rel=0.1)


def test_chi_of_table_s5_follows_from_wd_and_bd() -> None:
    for name, scores in paper.REDUCTION.items():
        expected = scores.bd.mean / scores.wd.mean * (1000 - 10) / (10 - 1)
        assert scores.chi.mean == pytest.approx(expected, rel=0.1), name
    assert paper.REDUCTION["tsne2"] == paper.CLASSIFIERS["resnet18"]["Conv5_4"]


def test_tables_agree_where_they_tell_the_same() -> None:
    for network, suites in paper.DEGREES.items():
        assert suites["clean-blur-noise"] == paper.SUPER_RESOLUTION[network][DEEPEST].chi.mean
