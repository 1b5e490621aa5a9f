"""The feed: batches in order, one ahead, none beyond the end, errors where they belong."""

import pytest
import torch

from srscope.training.feed import Feed


def test_batches_are_those_of_their_iteration_in_any_order() -> None:
    feed = Feed(lambda i: (torch.tensor(i * i),), iterations=10)
    assert [int(feed(i)[0]) for i in (0, 1, 2, 7, 8, 3, 9)] == [0, 1, 4, 49, 64, 9, 81]


def test_one_is_made_ahead_and_none_beyond_the_last() -> None:
    made: list[int] = []

    def make(iteration: int) -> tuple[torch.Tensor, ...]:
        made.append(iteration)
        return (torch.tensor(iteration),)

    feed = Feed(make, iterations=3)
    for iteration in range(3):
        feed(iteration)
    assert made == [0, 1, 2]


def test_an_error_made_ahead_is_raised_at_its_iteration() -> None:
    def make(iteration: int) -> tuple[torch.Tensor, ...]:
        if iteration == 1:
            raise ValueError("batch 1 is broken")
        return (torch.tensor(iteration),)

    feed = Feed(make, iterations=3)
    feed(0)
    with pytest.raises(ValueError, match="batch 1 is broken"):
        feed(1)
