"""Side-by-side timings of srscope against what people use otherwise; everything, in one run.

    python benchmarks/run.py [--full] [--rounds 5] [--only PART ...] [--out benchmarks/results]

Each entry does the same work on the same data; where the results can differ in quality, the quality
is measured too. Contestants take turns. Times are medians over the rounds, in seconds, shown with
their range; ratios are medians of the ratios of single rounds. Takes about 20 minutes on two cores;
`--full` takes longer, with more patches and `srscope reproduce`. `--tiny` only shows that it all
runs.

Run it on an otherwise idle machine: it waits some minutes for the load to fall, records it, and
marks results of a busy machine as such. With `--out`, NAME.json, NAME.md and, at the end,
NAME-size.png and .svg are written; the first two after every part, so that a part that fails costs
only itself.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import foreign
import paper
import precision
import size
import stages
import startup
import whole
from common import Results, is_idle, load_average, machine, settled_load
from plots import size_plot
from table import as_markdown

from srscope.runtime import files
from srscope.study.config import AnalysisConfig

PARTS = (
    "startup",
    "reduction",
    "embedding",
    "extraction",
    "precision",
    "stream",
    "whole",
    "foreign",
    "size",
    "reproduce",
)


def main(words: Sequence[str] | None = None) -> None:
    """Time everything, print it, and write it where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="up to 30,000 patches, and more")
    parser.add_argument("--tiny", action="store_true", help="a few patches, one round: no results")
    text = "that are counted, 3 at most of what takes minutes [5]"
    parser.add_argument("--rounds", type=int, default=None, help=text)
    parser.add_argument("--only", nargs="+", choices=PARTS, help="some parts")
    parser.add_argument("--out", type=Path, default=None, help="files to write, without suffix")
    parser.add_argument("--keep-reproduction", type=Path, help="folder for what `reproduce` wrote")
    options = parser.parse_args(words)
    rounds = options.rounds or (1 if options.tiny else 7 if options.full else 5)
    few = max(1, min(rounds, 3))  # of what takes minutes
    parts = options.only or (PARTS if options.full else PARTS[:-1])
    load = settled_load() if options.out and not options.tiny else load_average()
    about = {**machine(), "load_before": load}
    idle = is_idle(load)
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    if idle is False:
        print("THE MACHINE IS BUSY: these are not results", flush=True)
    results = Results()
    count = 64 if options.tiny else 300
    contents, runs = (18, 1) if options.tiny else (100, whole.RUNS)
    sizes = [60, 100] if options.tiny else [1000, 3000, 10_000, *([30_000] * options.full)]
    jobs = {
        "startup": lambda: startup.benchmark(results, rounds=rounds),
        "reduction": lambda: stages.reduction(results, rounds=rounds, count=count),
        "embedding": lambda: stages.embedding(
            results, rounds=rounds, count=max(count, 100), seeds=runs
        ),
        "extraction": lambda: stages.extraction(results, rounds=few, count=count),
        "precision": lambda: precision.benchmark(results, contents=contents, runs=runs),
        "stream": lambda: stages.stream(
            results,
            rounds=min(few, 2),  # of 50 seconds each
            count=128 if options.tiny else 2048,
            sizes=(64, 128, 256, 512) if options.full else (128,),
        ),
        "whole": lambda: whole.benchmark(
            results,
            rounds=few,
            contents=contents,
            runs=runs,
            most_runs=1 if options.tiny else AnalysisConfig.most_runs,
            labels=("Conv1", "ResBlock8") if options.tiny else ("all",),
        ),
        "foreign": lambda: foreign.benchmark(
            results,
            rounds=few,
            count=32 if options.tiny else 64,
            contents=18 if options.tiny else 60,
            tiny=options.tiny,
        ),
        "size": lambda: size.benchmark(results, sizes=sizes),
        "reproduce": lambda: paper.benchmark(
            results, ids=["figs9"] * options.tiny, keep=options.keep_reproduction
        ),
    }
    seconds: dict[str, float] = {}
    for part in parts:
        started = time.perf_counter()
        jobs[part]()
        seconds[part] = time.perf_counter() - started
        print(f"-- {part}: {seconds[part]:.0f} s", flush=True)
        if options.out is not None:
            known = False if options.tiny else idle
            write(options.out, {"machine": about, "idle": known, "seconds": seconds}, results)
    if options.out is None:
        return
    sized = [fact for fact in results.facts if "peak_bytes" in fact]
    if sized:
        size_plot(sized, about, options.out.with_name(f"{options.out.name}-size"))


def write(out: Path, about: dict[str, Any], results: Results) -> None:
    """Write what has been found so far, for programs and for people."""
    record = {
        **about,
        "timings": [{**asdict(t), "seconds": t.seconds} for t in results.timings],
        "ratios": [{**asdict(r), "value": r.value, "holds": r.holds} for r in results.ratios],
        "facts": results.facts,
    }
    files.write_text(out.with_suffix(".json"), json.dumps(record, indent=2) + "\n")
    files.write_text(out.with_suffix(".md"), as_markdown(record))


if __name__ == "__main__":
    main()
