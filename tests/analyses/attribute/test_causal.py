from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from srscope.analyses.attribute.causal import causal_map
from srscope.analyses.attribute.gradients import Window
from srscope.errors import DegenerateError
from support.interventions import described


def pixelwise(gain: float) -> nn.Conv2d:
    module = nn.Conv2d(3, 3, 1, bias=False)
    with torch.no_grad():
        module.weight[:] = gain * torch.eye(3)[:, :, None, None]
    return module


def made(network, *, trials: int = 6, seed: int = 0, window=None):
    random = np.random.default_rng(0)
    picture = random.random((20, 24, 3), np.float32)
    others = random.random((4, 3, 12, 12), np.float32)
    return causal_map(
        network, "clean", picture, picture, others, window or Window(top=9, left=9, side=5),
        trials=trials, seed=seed, batch_size=4, device="cpu", report=lambda done, total: None,
    )  # fmt: skip


def test_only_blocks_that_the_window_looks_at_have_an_effect():
    found = made(described(pixelwise(0.9), ""))
    assert found.effect_RQ.shape == (3, 3)  # the last row is half a block
    other = np.ones((3, 3), bool)
    other[1, 1] = False
    assert (found.effect_RQ[other] == 0).all()
    assert (found.trials_RQ[other] == 3).all()
    assert found.effect_RQ[1, 1] > 5
    assert found.trials_RQ[1, 1] == 6
    assert found.error_RQ[1, 1] > 0


def test_effect_is_the_loss_of_psnr_with_other_content_in_the_block():
    random = np.random.default_rng(0)
    picture, others = (
        random.random((20, 24, 3), np.float32),
        random.random((4, 3, 12, 12), np.float32),
    )
    found = made(described(pixelwise(0.9), ""), trials=3)
    chooser = np.random.default_rng((0, 4))
    inside = slice(9, 14)
    before = np.mean(
        (0.9 * picture[inside, inside] - picture[inside, inside]) ** 2, dtype=np.float64
    )
    lost = []
    for _ in range(3):
        other = others[chooser.integers(4)]
        y, x = (int(chooser.integers(5)) for _ in range(2))
        part = other[:, y + 1 : y + 6, x + 1 : x + 6].transpose(1, 2, 0)
        after = np.mean((0.9 * part - picture[inside, inside]) ** 2, dtype=np.float64)
        lost.append(10 * np.log10(after / before))
    assert found.effect_RQ[1, 1] == pytest.approx(np.mean(lost), rel=1e-4)
    assert found.error_RQ[1, 1] == pytest.approx(np.std(lost, ddof=1) / 3**0.5, rel=1e-4)
    assert found.psnr == pytest.approx(-10 * np.log10(before), rel=1e-5)


def test_the_seed_chooses_the_parts():
    network = described(pixelwise(0.9), "")
    one, same, other = (made(network, seed=seed).effect_RQ for seed in (0, 0, 1))
    assert (one == same).all()
    assert one[1, 1] != other[1, 1]


def test_a_perfect_output_has_no_effect_to_measure():
    with pytest.raises(DegenerateError, match="the original to the bit"):
        made(described(pixelwise(1.0), ""))
