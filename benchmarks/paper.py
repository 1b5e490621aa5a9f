"""What `srscope reproduce` costs: with an empty cache, then with a full one."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from common import Results, Timing, output_of
from startup import COMMAND


def benchmark(results: Results, *, ids: Sequence[str] = (), keep: Path | None = None) -> None:
    """Time whole processes, the page included.

    Args:
        results: Gets the seconds.
        ids: Experiments to run; all of them where none is given.
        keep: Folder in which ``out`` and ``cache`` stay; it holds no cache yet.
    """
    with tempfile.TemporaryDirectory() if keep is None else nullcontext(keep) as folder:
        if (Path(folder) / "cache").exists():
            raise SystemExit(f"{folder}/cache is there already: times need an empty cache")
        run = [str(COMMAND), "reproduce", *ids, "--quiet"]
        run += ["--out", str(Path(folder) / "out"), "--cache", str(Path(folder) / "cache")]
        for who, limit in {"empty cache": "<= 900", "full cache": "<= 20"}.items():
            started = time.perf_counter()
            output_of(run)
            seconds = [time.perf_counter() - started]
            results.add(Timing(job="srscope reproduce", who=who, rounds=seconds))
            results.check("srscope reproduce", f"{who}, seconds", seconds, limit)
