"""Two photographs that are decoded at the same time, and warn when it is worst."""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from collections.abc import Generator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srscope.images.record import PhotoFile, PhotoSet


class RacingPhoto(PhotoFile):
    """A photograph that waits for another to be decoded too, and warns as Pillow may."""

    barrier = threading.Barrier(2)

    @property
    def pixels_HW3(self) -> NDArray[np.float32]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.barrier.wait(10)
            if self.name == "b":  # the first one's filter is restored by now, unless ours holds
                time.sleep(0.05)
            warnings.warn("corrupt metadata", UserWarning, stacklevel=1)
            return np.full((*self.size_HW, 3), self.name == "b", np.float32)


@contextlib.contextmanager
def no_warning_let_out() -> Generator[PhotoSet]:
    """Give two such photographs to whoever decodes them in two threads.

    A warning that gets out is an error inside the block; at its end the process's filter of
    warnings must be what it was.
    """
    pair = tuple(RacingPhoto(name=n, path=Path(n), size_HW=(40, 40)) for n in "ab")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        yield PhotoSet(photographs=pair, source="test")
        assert warnings.filters == before
