"""What starting costs: importing the package, and the help of the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from common import Results, Timing, output_of, take_turns

COMMAND = Path(sys.executable).parent / "srscope"


def benchmark(results: Results, *, rounds: int) -> None:
    """Time whole processes, Python's own start included."""

    def process(*words: str) -> Callable[[], object]:
        return lambda: output_of(words)

    limits = {
        "python -c pass": "",
        "import srscope": "<= 0.15",
        "srscope --help": "<= 0.5",
    }
    taken = take_turns(
        {
            "python -c pass": process(sys.executable, "-c", "pass"),
            "import srscope": process(sys.executable, "-c", "import srscope"),
            "srscope --help": process(str(COMMAND), "--help"),
        },
        rounds=2 * rounds,
    )
    for who, seconds in taken.items():
        timing = Timing(job="starting", who=who, rounds=seconds)
        results.add(timing)
        if limits[who]:
            results.check("starting", f"{who}, seconds", seconds, limits[who])
