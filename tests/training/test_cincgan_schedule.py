"""The stages' learning rates, as the optimizer sees them."""

import pytest
import torch

from srscope.errors import ParameterError
from srscope.training.cincgan_schedule import StageConfig, StagedAdam

FIRST = StageConfig(iterations=5, learning_rate=0.8, halve_every=2)
THEN = StageConfig(iterations=3, learning_rate=0.3, halve_every=2)
RATES = [0.8, 0.8, 0.4, 0.4, 0.2, 0.3, 0.3, 0.15]


def rates(steps: int, restart_at: int | None = None) -> list[float]:
    """Step through the schedule, taking it down and up again at ``restart_at``."""
    adam = StagedAdam(stages=(FIRST, THEN), beta1=0.5, beta2=0.999)

    def build() -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
        optimizer = adam.optimizer([torch.nn.Parameter(torch.zeros(1))])
        return optimizer, adam.schedule(optimizer, 8)

    optimizer, schedule = build()
    seen: list[float] = []
    for step in range(steps):
        if step == restart_at:
            saved = optimizer.state_dict(), schedule.state_dict()
            optimizer, schedule = build()
            optimizer.load_state_dict(saved[0])
            schedule.load_state_dict(saved[1])
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.param_groups[0]["params"][0].grad = torch.ones(1)
        optimizer.step()
        schedule.step()
    return seen


def test_each_stage_starts_at_its_own_rate_and_halves_it() -> None:
    assert rates(8) == pytest.approx(RATES)


def test_a_restored_schedule_goes_on() -> None:
    assert rates(8, restart_at=4) == pytest.approx(RATES)


def test_a_stage_of_no_iterations_is_left_out() -> None:
    adam = StagedAdam(stages=(StageConfig(iterations=0), THEN), beta1=0.5, beta2=0.999)
    assert adam.rate(0) == 0.3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iterations", -1),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("halve_every", 0),
    ],
)
def test_impossible_stages_are_refused(name: str, value: float) -> None:
    with pytest.raises(ParameterError, match=f"stage {name} must be"):
        StageConfig(**{name: value})
