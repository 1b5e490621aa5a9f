"""Random numbers that a network draws in a pass, the same in every pass."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Generator

import numpy as np
import torch


@contextlib.contextmanager
def seeded(seed: int = 0) -> Generator[None]:
    """Draw from a seed inside the block, by PyTorch, NumPy or Python; all as before at the end.

    Example:
        >>> with seeded():
        ...     first = torch.rand(1)
        >>> with seeded():
        ...     print(torch.equal(torch.rand(1), first))
        True
    """
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    of_python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices=list(devices)):
            torch.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            random.seed(seed)
            yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002
