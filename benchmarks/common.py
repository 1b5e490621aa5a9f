"""What all benchmarks share: taking turns, medians and spreads, and naming the machine."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

SEED = 0
IDLE_LOAD = 0.5
"""Load average above which a machine is not taken to be idle."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One contestant of one job.

    Args:
        job: What was done.
        who: Who did it.
        rounds: Seconds of every round, one more than these not counted.
        facts: What else there is to know, e.g. the quality of the result.
    """

    job: str
    who: str
    rounds: list[float]
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(self.rounds)


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A number against what is aimed for: mostly how many times as long one took as another.

    Args:
        job: What was done.
        what: Who against whom.
        rounds: Of every round, in which both took their turns; or of every layer, or just one.
        target: What the median has to reach: ``">= 10"`` or ``"<= 1.05"``; empty if nothing.
    """

    job: str
    what: str
    rounds: list[float]
    target: str = ""

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.rounds)

    @property
    def holds(self) -> bool | None:
        """Whether the median reaches the target."""
        if not self.target:
            return None
        sign, limit = self.target.split()
        return self.value >= float(limit) if sign == ">=" else self.value <= float(limit)


@dataclass(kw_only=True)
class Results:
    """What the benchmarks of one run found."""

    timings: list[Timing] = field(default_factory=list["Timing"])
    ratios: list[Ratio] = field(default_factory=list["Ratio"])
    facts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def add(self, timing: Timing) -> None:
        """Keep a timing, and show it."""
        self.timings.append(timing)
        facts = "".join(f"  {name} {shown(value)}" for name, value in timing.facts.items())
        low, high = min(timing.rounds), max(timing.rounds)
        print(
            f"{timing.job:44} {timing.who:44} {timing.seconds:9.3f} s  "
            f"({low:.3f} to {high:.3f}){facts}",
            flush=True,
        )

    def compare(self, slow: Timing, fast: Timing, target: str = "") -> None:
        """Keep and show the ratio of two timings that took turns."""
        ratios = [s / f for s, f in zip(slow.rounds, fast.rounds, strict=True)]
        self.check(fast.job, f"{slow.who} / {fast.who}", ratios, target)

    def check(self, job: str, what: str, rounds: list[float], target: str = "") -> None:
        """Keep and show a number against what is aimed for."""
        ratio = Ratio(job=job, what=what, rounds=rounds, target=target)
        self.ratios.append(ratio)
        reached = {None: "", True: "reached", False: "NOT reached"}[ratio.holds]
        print(
            f"{'':44} {ratio.what}: {ratio.value:.3g} "
            f"({min(ratio.rounds):.3g} to {max(ratio.rounds):.3g}) {target} {reached}",
            flush=True,
        )

    def fact(self, what: str, **values: Any) -> None:
        """Keep and show something that is no time."""
        self.facts.append({"what": what, **values})
        told = "  ".join(f"{k} {shown(v)}" for k, v in values.items() if k != "table")
        print(f"{what:44} {told}", flush=True)


def shown(value: Any) -> str:
    """Return a value as it is printed."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def take_turns(
    contestants: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    warm_up: bool = True,
    before: Callable[[], object] | None = None,
) -> dict[str, list[float]]:
    """Return every contestant's seconds in every round; in a round each has one turn.

    Taking turns, what slows the machine for a while slows all of them. What is called ``before``
    each turn is not timed.
    """
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(-1 if warm_up else 0, rounds):
        for name, run in contestants.items():
            if before is not None:
                before()
            started = time.perf_counter()
            run()
            if turn >= 0:
                taken[name].append(time.perf_counter() - started)
    return taken


def load_average() -> float | None:
    """Return the load of the last minute, where the system tells."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def settled_load(patience: float = 180) -> float | None:
    """Return the load when it is that of an idle machine, or after ``patience`` seconds.

    Whatever was done just before, installing say, is in the average for some minutes.
    """
    until = time.monotonic() + patience
    load = load_average()
    if load is not None and load >= IDLE_LOAD and patience > 0:
        print(f"the load is {load:.2f}; waiting until it is below {IDLE_LOAD}", flush=True)
    while load is not None and load >= IDLE_LOAD and time.monotonic() < until:
        time.sleep(5)
        load = load_average()
    return load


def is_idle(load: float | None) -> bool | None:
    """Return whether a load is that of an idle machine; ``None`` where it is not known."""
    return None if load is None else load < IDLE_LOAD


def output_of(words: Sequence[str]) -> str:
    """Run a program and return what it printed; if it fails, show what it said and stop."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr}")
    return done.stdout


def machine() -> dict[str, str | int | float | None]:
    """Return what a reader needs to judge the times."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    packages = ("srscope", "torch", "torchvision", "numpy", "numba", "scikit-learn", "openTSNE")
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in packages},
    }
