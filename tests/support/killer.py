"""A process that has imported srscope once and forks one child a job, some of them to be killed.

Run as a script it reads jobs from stdin, one JSON object a line, and answers each with a line: the
child's exit code (minus the signal's number if one ended it) and the file operations it did.
:class:`Killer` starts it and talks to it. The process itself computes nothing, so that its
children start without threads.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

OPERATIONS = ("open", "os.rename", "os.remove", "os.chmod", "os.mkdir")
"""Audit events that stand for a file operation, their first argument being the path."""


@dataclass(frozen=True)
class Outcome:
    """How a child ended."""

    code: int
    operations: int
    errors: str

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Killer:
    """Starts the process, and stops it at the end of a ``with`` block.

    Args:
        photographs: Folder that takes the place of the bundled test photographs.
        log: File for what the children print.
    """

    def __init__(self, photographs: Path, log: Path) -> None:
        self._photographs, self._log = photographs, log

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self._photographs), str(self._log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def _run(self, job: dict[str, Any]) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._log.unlink(missing_ok=True)
        print(json.dumps(job), file=self._process.stdin, flush=True)
        code, operations = json.loads(self._process.stdout.readline())
        return Outcome(code, operations, self._log.read_text("utf-8"))

    def train(
        self, recipe: Path, out: Path, *more: str, kill_at: int = 0, delay: float = 0.0
    ) -> Outcome:
        """Run ``srscope train``, and kill it ``delay`` seconds after an operation in ``out``.

        Args:
            recipe: The YAML file.
            out: Folder of the run.
            more: Further words of the command.
            kill_at: Number of the file operation, from 1; 0 lets it live.
            delay: In seconds; with 0 the operation itself does not happen.
        """
        words = ["train", str(recipe), "--out", str(out), "--quiet", *more]
        return self.run(words, out, kill_at=kill_at, delay=delay)

    def run(
        self,
        words: Sequence[str],
        folder: Path,
        *,
        modules: Sequence[str] = (),
        kill_at: int = 0,
        delay: float = 0.0,
        limit: int = 0,
    ) -> Outcome:
        """Run any command, and kill it ``delay`` seconds after an operation in ``folder``.

        Args:
            words: Of the command.
            folder: Where operations count.
            modules: To import before any child starts, which saves every one of them the time.
            kill_at: Number of the file operation, from 1; 0 lets it live.
            delay: In seconds; with 0 the operation itself does not happen.
            limit: Bytes that a file may have; 0 for no limit.
        """
        job = {"words": list(words), "folder": str(folder), "at": kill_at, "delay": delay}
        return self._run({**job, "modules": list(modules), "limit": limit})

    def save(self, folder: Path, iteration: int, *, keep: int, kill_at: int = 0) -> Outcome:
        """Save a checkpoint, and be killed instead of one of the file operations."""
        job = {"iteration": iteration, "keep": keep, "folder": str(folder)}
        return self._run({**job, "at": kill_at, "delay": 0.0})


def _count_and_kill(folder: str, at: int, delay: float, count: list[int]) -> None:
    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in OPERATIONS or not isinstance(arguments[0], (str, os.PathLike)):
            return
        if not os.fspath(arguments[0]).startswith(folder):
            return
        count[0] += 1
        if count[0] == at:
            if delay == 0.0:
                die()
            threading.Timer(delay, die).start()

    sys.addaudithook(watch)


def _child(job: dict[str, Any], log: str, answer: int) -> None:
    stream = os.open(log, os.O_WRONLY | os.O_CREAT)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    count = [0]
    _count_and_kill(job["folder"], job["at"], job["delay"], count)
    if job.get("limit"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["limit"],) * 2)
    if "words" in job:
        from srscope.cli.main import main

        code = main(job["words"])
    else:
        import torch

        from srscope.training.checkpoint import save_checkpoint

        state = {"done": job["iteration"], "w": torch.ones(3)}
        folder, iteration = Path(job["folder"]), job["iteration"]
        save_checkpoint(folder, state, iteration=iteration, keep=job["keep"])
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(answer, str(count[0]).encode())
    os._exit(code)


def _know_program() -> None:
    """Hash the package once, so that no child sees what somebody edits meanwhile."""
    from srscope.runtime.cache import program

    program()


def _serve(photographs: str, log: str) -> None:
    for name in ("srscope.cli.console", "srscope.images.tiff", "torch.utils.tensorboard"):
        importlib.import_module(name)  # late imports of training: a third of a tiny run's time
    import srscope.training.facts
    from srscope.images.folder import load_folder
    from srscope.training import export, loop

    assert export
    assert loop
    setattr(srscope.training.facts, "load_bundled", lambda _: load_folder(photographs))  # noqa: B010
    for line in sys.stdin:
        job = json.loads(line)
        for name in job.get("modules", ()):
            importlib.import_module(name)
        if "srscope.runtime.cache" in sys.modules:
            _know_program()
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(read)
                _child(job, log, write)
            except BaseException:
                traceback.print_exc()
            finally:  # never back into the loop above
                sys.stderr.flush()
                os._exit(70)
        os.close(write)
        _, status = os.waitpid(pid, 0)
        with os.fdopen(read) as pipe:
            operations = int(pipe.read() or 0)
        sys.stdout.write(json.dumps([os.waitstatus_to_exitcode(status), operations]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2])
