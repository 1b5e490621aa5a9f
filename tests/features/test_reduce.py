from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from srscope.errors import NetworkError, UnknownNameError
from srscope.features.reduce import (
    as_maps,
    channels_first,
    check_reducer,
    list_reducers,
    reduce_features,
)

FEATURES_NCHW = torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("reducer", "reference"),
    [
        ("flatten", lambda f: f.reshape(3, -1)),
        ("mean-pool", lambda f: f.mean(axis=(2, 3))),
        (
            "gram-diagonal",
            lambda f: np.stack([np.diag(x @ x.T) / 30 for x in f.reshape(3, 4, 30)]),
        ),
    ],
)
def test_reducers_agree_with_numpy_in_any_layout(reducer, reference, layout):
    found = reduce_features(FEATURES_NCHW.contiguous(memory_format=layout), reducer=reducer)
    np.testing.assert_allclose(found, reference(FEATURES_NCHW.double().numpy()), atol=1e-6)
    assert found.dtype == torch.float32


def test_flatten_is_the_default_and_the_first():
    assert torch.equal(reduce_features(FEATURES_NCHW), FEATURES_NCHW.flatten(1))
    assert list_reducers() == ("flatten", "mean-pool", "gram-diagonal")


def test_flatten_takes_tokens_and_vectors():
    assert reduce_features(torch.ones(2, 7, 3)).shape == (2, 21)
    assert reduce_features(torch.ones(2, 7)).shape == (2, 7)


@pytest.mark.parametrize("reducer", list_reducers())
def test_half_precision_is_widened_before_reducing(reducer):
    # 300 squared is beyond float16's range
    found = reduce_features(torch.full((1, 2, 3, 3), 300.0).half(), reducer=reducer)
    assert found.dtype == torch.float32
    assert torch.isfinite(found).all()


def test_an_unknown_reducer_is_named_with_near_matches():
    with pytest.raises(UnknownNameError, match="unknown reducer 'meanpool'; did you mean 'mean-po"):
        check_reducer("meanpool")
    with pytest.raises(UnknownNameError, match="unknown reducer"):
        reduce_features(FEATURES_NCHW, reducer="max")


@pytest.mark.parametrize("reducer", ["mean-pool", "gram-diagonal"])
def test_pooling_needs_space(reducer):
    message = f"layer 'fc' puts out shape (2, 7), but reducer '{reducer}' needs (N, C, H, W) or "
    with pytest.raises(NetworkError, match=re.escape(message + "(N, C, L); use reducer 'flatten'")):
        reduce_features(torch.ones(2, 7), reducer=reducer, layer="fc")


@pytest.mark.parametrize("reducer", ["mean-pool", "gram-diagonal"])
def test_tokens_and_channels_last_pool_as_the_same_features_with_channels_first(reducer):
    expected = reduce_features(FEATURES_NCHW, reducer=reducer)
    last_NHWC = FEATURES_NCHW.permute(0, 2, 3, 1)
    tokens_NLC = last_NHWC.flatten(1, 2)
    for features, axis in ((last_NHWC, 3), (tokens_NLC, 2)):
        found = reduce_features(channels_first(features, axis), reducer=reducer)
        torch.testing.assert_close(found, expected)


def test_channels_first_moves_no_value_and_leaves_vectors():
    last_NHWC = FEATURES_NCHW.permute(0, 2, 3, 1)
    assert torch.equal(channels_first(last_NHWC, 3), FEATURES_NCHW)
    assert torch.equal(channels_first(last_NHWC.flatten(1, 2), 2), FEATURES_NCHW.flatten(2))
    assert torch.equal(channels_first(FEATURES_NCHW, 1), FEATURES_NCHW)
    assert channels_first(torch.ones(2, 7), 2).shape == (2, 7)


def test_positions_become_rows_and_columns_only_where_they_fit_the_image():
    features_NCHW = torch.rand(2, 5, 4, 6)
    tokens_NLC = features_NCHW.flatten(2).transpose(1, 2)
    assert torch.equal(as_maps(tokens_NLC, 2, (8, 12)), features_NCHW)
    assert as_maps(tokens_NLC, 2, (9, 12)).shape == (2, 5, 4, 6)
    assert as_maps(tokens_NLC[:, 1:], 2, (8, 12)).shape == (2, 5, 23)  # a class token's gone


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_only_real_numbers_are_features(dtype):
    with pytest.raises(NetworkError, match=f"'fft' puts out {dtype}, not real floating-point"):
        reduce_features(torch.ones(2, 3, dtype=dtype), layer="fft")


def test_a_vector_is_no_features():
    with pytest.raises(NetworkError, match=r"'loss' puts out shape \(2,\), which holds no feat"):
        reduce_features(torch.ones(2), layer="loss")
