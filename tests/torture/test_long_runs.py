"""Analyses repeated in one process: no growth in memory, open files or threads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import srscope
from support.tiny import FASTEST, photographs, tiny_checkpoint
from support.usage import Usage

MINUTES = float(os.environ.get("TORTURE_MINUTES", "60"))
WARM = 2
"""Analyses after which caches are full, and pools have their threads."""
SLACK = 24 << 20
"""Bytes that memory may grow by in all: what the allocator keeps varies by some."""


@pytest.mark.slow
@pytest.mark.parametrize("minutes", [0.0, pytest.param(MINUTES, marks=pytest.mark.torture)])
def test_repeated_analyses_grow_nothing(
    minutes: float, tmp_path: Path, tally: Callable[..., None]
) -> None:
    network = str(tiny_checkpoint(tmp_path / "tiny.safetensors", blocks=1))
    images = str(photographs(tmp_path / "in"))

    def analyse(number: int) -> None:
        out = tmp_path / f"out-{number % 2}"  # a new folder, and one that holds results
        srscope.analyze(network, images=images, out=out, seed=number, **FASTEST)

    for number in range(WARM):
        analyse(number)
    before, usages = Usage.now(), list[Usage]()
    end = time.monotonic() + 60 * minutes
    while len(usages) < 2 or time.monotonic() < end:
        analyse(WARM + len(usages))
        usages.append(Usage.now())
    last = usages[-max(1, len(usages) // 4) :]
    # The least of the last quarter: what is there at any moment is no leak.
    for kind, slack in (("files", 0), ("threads", 0), ("tasks", 0), ("memory", SLACK)):
        lowest = min(getattr(usage, kind) for usage in last)
        assert lowest <= getattr(before, kind) + slack, kind
    grown = min(usage.memory for usage in last) - before.memory
    without = f"no more open files and threads, {grown / 2**20:+.1f} MB, in {minutes:g} minutes"
    tally("analyses repeated in one process", {without: len(usages)})
