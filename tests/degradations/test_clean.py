from __future__ import annotations

import torch

from srscope.degradations.clean import Clean
from support.pictures import images_NCHW


def test_identity_really_is() -> None:
    images = images_NCHW(2, 17, 9) * 3 - 1  # beyond [0, 1], so that clipping would show
    result = Clean()(images, generator=torch.Generator())
    assert torch.equal(result, images)
    assert result.data_ptr() != images.data_ptr()
