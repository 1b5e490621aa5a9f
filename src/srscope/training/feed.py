"""Batches made beside the training: the next one is cut while this one is learnt from."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from torch import Tensor

Batch = tuple[Tensor, ...]


class Feed:
    """Calls ``make`` one iteration ahead, in a thread.

    Args:
        make: Returns the batch of an iteration, which its number decides alone.
        iterations: How many there are; none is made ahead beyond the last.
        pin: Keep batches in page-locked memory, which a GPU copies from without waiting.

    Example:
        >>> import torch
        >>> feed = Feed(lambda i: (torch.tensor(i),), iterations=3)
        >>> [int(feed(i)[0]) for i in range(3)]
        [0, 1, 2]
    """

    def __init__(self, make: Callable[[int], Batch], *, iterations: int, pin: bool = False) -> None:
        self._make = make
        self._iterations = iterations
        self._pin = pin
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="srscope-feed")
        self._ahead: tuple[int, Future[Batch]] | None = None

    def _made(self, iteration: int) -> Batch:
        batch = self._make(iteration)
        return tuple(tensor.pin_memory() for tensor in batch) if self._pin else batch

    def __call__(self, iteration: int) -> Batch:
        """Return the batch of ``iteration`` and begin the one after it."""
        if self._ahead is not None and self._ahead[0] == iteration:
            batch = self._ahead[1].result()
        else:
            batch = self._made(iteration)
        following = iteration + 1
        self._ahead = None
        if following < self._iterations:
            self._ahead = (following, self._pool.submit(self._made, following))
        return batch
