"""The parameters of an analysis: what may be given for them, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from srscope.errors import SrscopeError
from srscope.projection.config import TsneConfig
from srscope.study.config import AnalysisConfig, configured


def test_a_dict_stands_for_parameters_of_tsne() -> None:
    given: Any = {"perplexity": 20, "iterations": 500}
    assert AnalysisConfig(tsne=given).tsne == TsneConfig(perplexity=20, iterations=500)


def test_a_layer_alone_is_no_list_of_letters() -> None:
    given: Any = "Conv1"
    assert AnalysisConfig(layers=given).layers == ("Conv1",)


def test_whole_numbers_of_numpy_become_pythons() -> None:
    given: Any = np.int64(3)
    assert type(AnalysisConfig(runs=given).runs) is int


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tsne": {"perplexty": 3}}, "unknown option 'tsne.perplexty'; did you mean 'tsne.perpl"),
        ({"tsne": 30}, "tsne must be a dict or a TsneConfig, but is 30"),
        ({"contnts": 3}, "unknown option 'contnts'; did you mean 'contents'"),
        ({"runs": "3"}, "runs must be a whole number, but is '3'"),
        ({"patch": 32.0}, "patch must be a whole number, but is 32.0"),
        ({"device": 3}, "device must be a name, but is 3"),
        ({"untrained": "no"}, "untrained must be True or False, but is 'no'"),
    ],
)
def test_wrong_kinds_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SrscopeError, match=message):
        configured(AnalysisConfig(), options)
