"""Messages: one line, and short, whatever other people put into a name."""

from __future__ import annotations

import tracemalloc

import pytest

from srscope.errors import FileProblem, SrscopeError, UnknownNameError

ENDLESS = "x" * 5_000_000


@pytest.mark.parametrize(
    "make",
    [
        lambda: UnknownNameError("architecture", ENDLESS, ["srresnet", "resnet18"]),
        lambda: FileProblem("a.pth", ENDLESS),
        lambda: SrscopeError(ENDLESS),
    ],
)
def test_a_text_of_millions_costs_nothing(make) -> None:
    tracemalloc.start()
    try:
        error = make()
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(str(error)) <= 1200
    assert taken < len(ENDLESS) / 10
