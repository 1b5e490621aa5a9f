"""CinCGAN's discriminators and losses, against examples worked by hand."""

import pytest
import torch

from srscope.errors import ParameterError
from srscope.training.cincgan_losses import (
    CycleLossConfig,
    PatchDiscriminator,
    colour_distance,
    fooled,
    judged,
    smallest_side,
    total_variation,
)


@pytest.mark.parametrize(("stride", "side"), [(1, 16), (2, 70)])
def test_one_verdict_looks_at_one_patch(stride: int, side: int) -> None:
    assert smallest_side(stride) == side
    judge = PatchDiscriminator(channels=2, stride=stride)
    assert judge(torch.rand(1, 3, side, side)).shape == (1, 1, 1, 1)
    with pytest.raises(RuntimeError):
        judge(torch.rand(1, 3, side - 1, side))


def test_verdicts_do_not_depend_on_the_rest_of_the_batch() -> None:
    judge = PatchDiscriminator(channels=2, stride=1).train()
    x_NCHW = torch.rand(3, 3, 18, 18)
    torch.testing.assert_close(judge(x_NCHW)[:1], judge(x_NCHW[:1]))


def test_least_squares_losses() -> None:
    half = torch.full((2, 1, 3, 3), 0.5)
    assert float(fooled(half)) == pytest.approx(0.25)
    assert float(fooled(torch.ones(1))) == 0.0
    assert float(judged(half, half)) == pytest.approx(0.25)
    assert float(judged(torch.ones(1), torch.zeros(1))) == 0.0
    assert float(judged(torch.zeros(1), torch.full((1,), 2.0))) == pytest.approx(2.5)


def test_total_variation_counts_both_directions() -> None:
    ramp = torch.arange(4.0).repeat(3, 1)[None, None]  # 1 a step across, 0 down
    assert float(total_variation(ramp)) == pytest.approx(1.0)
    assert float(total_variation(ramp.mT * 2)) == pytest.approx(4.0)
    assert float(total_variation(ramp + ramp[..., :3, :3].new_ones(1))) == pytest.approx(1.0)


def test_colours_are_compared_square_by_square() -> None:
    given_NCHW = torch.zeros(1, 3, 16, 16)
    given_NCHW[..., 1::2] = 1.0  # stripes: every square's mean is a half
    made_NCHW = torch.full((1, 3, 32, 32), 0.5)
    assert float(colour_distance(made_NCHW, given_NCHW)) == 0.0
    made_NCHW[:, 0, :16, :16] = 0.7  # one channel of one of four squares
    assert float(colour_distance(made_NCHW, given_NCHW)) == pytest.approx(0.2 / 12, rel=1e-5)


def test_the_total_weighs_each_loss_by_its_name() -> None:
    weights = CycleLossConfig(adversarial=1.0, cycle=2.0, identity=3.0, total_variation=4.0)
    losses = {"identity": torch.tensor(10.0), "total_variation": torch.tensor(100.0)}
    assert float(weights.total(losses)) == 430.0


@pytest.mark.parametrize("name", ["adversarial", "cycle", "identity", "total_variation", "colour"])
def test_negative_weights_are_refused(name: str) -> None:
    with pytest.raises(ParameterError, match=rf"losses\.{name} must be 0 or more"):
        CycleLossConfig(**{name: -1.0})
