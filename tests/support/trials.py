"""Many hostile cases in one process of its own: limited in memory and time, watched on stderr.

A case either works (exit code 0) or is refused (exit code 2 and one line on stderr). Everything
else is a failure: a traceback, another exit code, more lines, a case that hangs or kills the
process, or one for which memory ran out.

Run as a program it is that process; :func:`run_trials` starts it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEMORY = 1 << 30
"""Bytes of address space that a case may take beyond what the process has after the first."""
RESIDENT = 400 << 20
"""Bytes of memory that all cases together may take beyond what the process has after the first."""
SECONDS = 20
"""A case that computes for longer hangs."""
WAIT = 900
"""So does one that waits for longer, on a machine that does much else besides."""
_OUT_OF_MEMORY = ("MemoryError", "allocate", "out of memory", "bad_alloc")

Tally = Callable[[str, Mapping[str, int]], None]
"""What the fixture ``tally`` is: records what was tried, and how often each outcome came."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing to try.

    Args:
        name: What is wrong with it.
        words: Arguments of ``srscope``; or a function of ``support`` (``module:function``, which
            raises a SrscopeError to refuse) and one argument for it.
    """

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a case.

    Args:
        name: The case's.
        code: Exit code; -1 for a traceback or a death.
        stderr: What it said there.
        seconds: How long it took.
    """

    name: str
    code: int
    stderr: str
    seconds: float = 0.0

    @property
    def fault(self) -> str:
        """What is wrong with this outcome, empty if it is one of the two allowed."""
        lines = self.stderr.splitlines()
        if self.code not in (0, 2):
            return f"exit code {self.code}: {self.stderr[-1500:]}"
        if self.code == 2 and (len(lines) != 1 or not lines[0].startswith("srscope: ")):
            return f"is refused in {len(lines)} lines: {self.stderr[:600]}"
        if self.code == 2 and len(lines[0]) > 1500:
            return f"is refused in {len(lines[0])} characters"
        if "Traceback" in self.stderr:
            return self.stderr[-1500:]
        if any(word in self.stderr for word in _OUT_OF_MEMORY):
            return f"memory ran out: {self.stderr}"
        return ""


@dataclass(frozen=True, kw_only=True)
class Trials:
    """What came of all cases.

    Args:
        outcomes: One a case.
        grown: Bytes by which the largest resident size grew after the first case.
    """

    outcomes: tuple[Outcome, ...]
    grown: int

    def faults(self) -> list[str]:
        """Name every case that neither worked nor was refused, and memory that grew."""
        found = [f"{each.name}: {each.fault}" for each in self.outcomes if each.fault]
        if self.grown > RESIDENT:
            found.append(f"memory grew by {self.grown >> 20} MB")
        return found

    def counts(self, start: int = 1, end: int | None = None) -> dict[str, int]:
        """Return how many worked and were refused, in the words of the table.

        Args:
            start: The first outcome that counts: not the sound one.
            end: The one after the last.
        """
        these = self.outcomes[start:end]
        count = Counter("worked" if each.code == 0 else "refused" for each in these)
        return {
            "worked": count["worked"],
            "refused in one line with exit code 2": count["refused"],
        }


def run_trials(cases: Sequence[Case], folder: Path) -> Trials:
    """Run cases in a process of their own, after the first of them, which must work.

    Args:
        cases: What to try.
        folder: Where the process keeps its lists.
    """
    folder.mkdir(parents=True, exist_ok=True)
    todo, done = folder / "todo.json", folder / "done.jsonl"
    todo.write_text(json.dumps([[case.name, case.words] for case in cases]), "utf-8")
    done.unlink(missing_ok=True)
    run = subprocess.run(
        [sys.executable, __file__, str(todo), str(done)],
        capture_output=True, text=True, errors="replace", check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])},
        timeout=WAIT * (len(cases) + 1),
    )  # fmt: skip
    lines = [json.loads(line) for line in done.read_text("utf-8").splitlines()]
    outcomes = [Outcome(**line) for line in lines if "code" in line]
    if run.returncode != 0:
        name = cases[min(len(outcomes), len(cases) - 1)].name
        words = f"the process ended with {run.returncode}: {run.stderr[-1500:]}"
        outcomes.append(Outcome(name=name, code=-1, stderr=words))
    assert outcomes[0].code == 0, f"the sound case fails: {outcomes[0]}"
    grown = max((line["grown"] for line in lines if "grown" in line), default=0)
    return Trials(outcomes=tuple(outcomes), grown=grown)


@contextlib.contextmanager
def _caught() -> Generator[io.BytesIO]:
    """Catch what is written to stderr, by libraries in C too."""
    caught, before = io.BytesIO(), os.dup(2)
    with tempfile.TemporaryFile() as file:
        sys.stderr.flush()
        os.dup2(file.fileno(), 2)
        try:
            yield caught
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)
            file.seek(0)
            caught.write(file.read(1_000_000))


def _one(words: Sequence[str]) -> int:
    from srscope.cli.main import main
    from srscope.errors import SrscopeError

    if ":" not in words[0]:
        try:
            return main(words)
        except SystemExit as left:  # a wrong word on the command line
            return left.code if isinstance(left.code, int) else 1
    module, _, name = words[0].partition(":")
    import importlib

    function: Callable[[str], Any] = getattr(importlib.import_module(f"support.{module}"), name)
    try:
        function(words[1])
    except SrscopeError as error:
        print(f"srscope: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _largest() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _limit(more: int) -> None:
    """Allow this much address space beyond what there is."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    limit = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def _work(todo: Path, done: Path) -> None:
    start = 0
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    with done.open("w", encoding="utf-8", buffering=1) as file:
        for number, (name, words) in enumerate(json.loads(todo.read_text("utf-8"))):
            began = time.monotonic()
            signal.setitimer(signal.ITIMER_PROF, SECONDS)  # ends the process
            faulthandler.dump_traceback_later(WAIT, exit=True)
            with _caught() as caught:
                try:
                    code = _one(words)
                except BaseException:
                    traceback.print_exc()
                    code = -1
            faulthandler.cancel_dump_traceback_later()
            signal.setitimer(signal.ITIMER_PROF, 0)
            stderr = caught.getvalue().decode("utf-8", "replace")
            seconds = round(time.monotonic() - began, 3)
            line = {"name": name, "code": code, "stderr": stderr, "seconds": seconds}
            file.write(json.dumps(line) + "\n")
            if number == 0:
                _limit(MEMORY)
                start = _largest()
        file.write(json.dumps({"grown": _largest() - start}) + "\n")


if __name__ == "__main__":
    sys.path.pop(0)  # support itself, whose modules are support.NAME
    _work(Path(sys.argv[1]), Path(sys.argv[2]))
