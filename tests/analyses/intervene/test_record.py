from __future__ import annotations

import pytest

from srscope.analyses.intervene.record import InterveneConfig
from srscope.errors import ParameterError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("controls", 0),
        ("resamples", 99),
        ("seed", -1),
        ("batch_size", 0),
        ("alpha", 0.0),
        ("alpha", float("inf")),
        ("margin", 0.0),
        ("shrinkage", 0.0),
        ("shrinkage", 1.0),
        ("controlled", ("swap",)),
        ("controlled", ("move", "ceiling")),
    ],
)
def test_a_parameter_out_of_range_is_named(field, value):
    with pytest.raises(ParameterError, match=f"{field} must be"):
        InterveneConfig(**{field: value})
