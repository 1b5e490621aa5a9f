"""Checksummed downloads that resume where they stopped.

A file arrives as ``NAME.part`` beside its final place. What is there is never thrown away
because a connection was cut: the next attempt, of this run or a later one, asks the server for
the rest only. The file gets its name when its checksum is right, not before.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from srscope.errors import DownloadError, ParameterError

_BLOCK = 1 << 18
# A bar that flashes up for a quick file is noise.
_SECONDS_BEFORE_PROGRESS = 2.0
_TOO_MANY = http.HTTPStatus.TOO_MANY_REQUESTS
_UNSATISFIABLE = http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
_CUT = (OSError, http.client.HTTPException)


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteFile:
    """A published file.

    Args:
        url: Where it is.
        name: What it is called on disk.
        size: Its size in bytes.
        algorithm: ``"sha256"`` or ``"md5"``, whichever its publisher gives.
        checksum: In hexadecimal digits.

    Raises:
        ParameterError: If the checksum does not have the algorithm's form.
    """

    url: str
    name: str
    size: int
    algorithm: str
    checksum: str

    def __post_init__(self) -> None:
        digits = {"sha256": 64, "md5": 32}.get(self.algorithm)
        if digits is None:
            raise ParameterError("algorithm", "'sha256' or 'md5'", self.algorithm)
        if not re.fullmatch(rf"[0-9a-f]{{{digits}}}", self.checksum):
            raise ParameterError("checksum", f"{digits} lower-case hex digits", self.checksum)


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long to keep trying.

    Args:
        attempts: Attempts in a row that bring nothing before giving up; one that brings data
            starts the count anew.
        pause: Seconds before the second attempt; doubled for each further one.
        timeout: Seconds without data after which a connection counts as cut.
    """

    attempts: int = 4
    pause: float = 1.0
    timeout: float = 30.0


def fetch(
    remote: RemoteFile, folder: Path, *, progress: bool = True, patience: Patience | None = None
) -> Path:
    """Return the file in ``folder``, downloaded unless it is there already.

    Args:
        remote: What to get.
        folder: Where to put it.
        progress: Show a bar on stderr once it has taken 2 seconds.
        patience: How long to keep trying.

    Returns:
        The file, of the published size and checksum.

    Raises:
        DownloadError: If the file cannot be had, is not the published one, or does not fit on
            the disk. The message says how to go on without a network.
    """
    final = folder / remote.name
    part = folder / f"{remote.name}.part"
    patience = patience or Patience()
    try:
        if final.exists():
            if _is_published(final, remote):
                return final
            raise DownloadError(
                f"{final} is not the published file: its {remote.algorithm} is"
                f" {_checksum(final, remote.algorithm)}, not {remote.checksum};"
                " delete it, and it will be downloaded"
            )
        folder.mkdir(parents=True, exist_ok=True)
        for fresh in (False, True):
            if fresh:  # what an earlier run left may have been of another version
                part.unlink(missing_ok=True)
            resumed = _size(part) > 0
            _require_space(remote, part)
            with _bar(remote, shown=progress) as advance:
                _complete(remote, part, patience, advance)
            if _is_published(part, remote):
                part.replace(final)
                return final
            if not resumed:
                break
        found = _checksum(part, remote.algorithm)
        part.unlink()
    except OSError as error:
        raise DownloadError(f"{folder} cannot be written: {error.strerror or error}") from error
    raise DownloadError(
        f"{remote.url} gave a file whose {remote.algorithm} is {found}, not the published"
        f" {remote.checksum}; it was deleted. {_by_hand(remote, part)}"
    )


def _by_hand(remote: RemoteFile, part: Path) -> str:
    return (
        f"Without a network, place the file at {part.with_name(remote.name)}"
        f" ({remote.size:,} bytes, {remote.algorithm} {remote.checksum})"
    )


def _checksum(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _is_published(path: Path, remote: RemoteFile) -> bool:
    return path.stat().st_size == remote.size and (
        _checksum(path, remote.algorithm) == remote.checksum
    )


def _require_space(remote: RemoteFile, part: Path) -> None:
    needed = remote.size - _size(part)
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise DownloadError(
            f"{remote.name} needs {needed:,} bytes more in {part.parent}, which has {free:,} free"
        )


def _complete(
    remote: RemoteFile, part: Path, patience: Patience, advance: Callable[[int], None]
) -> None:
    """Bring ``part`` to the published size, in as many connections as it takes."""
    idle, furthest = 0, 0
    while (have := _size(part)) < remote.size:
        furthest = max(furthest, have)
        try:
            _append(remote, part, have, patience.timeout, advance)
            reason = "the server closed the connection early"
        except urllib.error.HTTPError as error:
            reason = f"it answers {error.code} {error.reason}"
            if error.code == _UNSATISFIABLE:
                part.unlink(missing_ok=True)  # what is there is no beginning of that file
            elif error.code < 500 and error.code != _TOO_MANY:
                raise DownloadError(
                    f"{remote.url} answers {error.code} {error.reason}. {_by_hand(remote, part)}"
                ) from None
        except _CUT as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        # Only what was never reached before is progress: a server that cannot resume and always
        # stops at the same place must not keep us here for ever.
        now = _size(part)
        idle = 0 if now > furthest else idle + 1
        if idle >= patience.attempts:
            raise DownloadError(
                f"{remote.url} cannot be downloaded: {reason}. {now:,} of {remote.size:,} bytes"
                f" are kept; run again to go on. {_by_hand(remote, part)}"
            )
        if idle:
            time.sleep(patience.pause * 2 ** (idle - 1))


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _append(
    remote: RemoteFile, part: Path, have: int, timeout: float, advance: Callable[[int], None]
) -> None:
    """Add to ``part`` what one connection brings."""
    request = urllib.request.Request(remote.url, headers={"User-Agent": "srscope"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        start, total = _place(answer)
        if total not in (None, remote.size):
            raise DownloadError(
                f"{remote.url} gives a file of {total:,} bytes, not the published one."
                f" {_by_hand(remote, part)}"
            )
        if start not in (0, have):
            raise http.client.HTTPException(f"it answers from byte {start}, not {have}")
        have = start  # 0 when the server cannot resume
        with _disk(part):
            file = part.open("ab" if have else "wb", buffering=0)
        with file:
            advance(have)
            # Never more than was published, whatever a server sends.
            while have < remote.size and (block := answer.read1(min(_BLOCK, remote.size - have))):
                with _disk(part):
                    rest = memoryview(block)
                    while rest:
                        rest = rest[file.write(rest) or 0 :]
                have += len(block)
                advance(have)


@contextlib.contextmanager
def _disk(part: Path) -> Generator[None]:
    """Tell errors of the disk from those of the connection: both are OSError."""
    try:
        yield
    except OSError as error:
        raise DownloadError(f"{part} cannot be written: {error.strerror or error}") from error


def _place(answer: http.client.HTTPResponse) -> tuple[int, int | None]:
    """Return where in the file an answer begins, and the file's size if the answer says it."""
    if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
        length = answer.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    said = re.match(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if said is None:
        raise http.client.HTTPException("it gives a part of the file without saying which")
    return int(said[1]), int(said[2]) if said[2] != "*" else None


@contextlib.contextmanager
def _bar(remote: RemoteFile, *, shown: bool) -> Generator[Callable[[int], None]]:
    """Yield a function to call with the bytes there are; it draws a bar after 2 seconds."""
    if not shown:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    task = bar.add_task(remote.name, total=remote.size)
    begun, drawn = time.monotonic(), False

    def advance(have: int) -> None:
        nonlocal drawn
        if not drawn and time.monotonic() - begun >= _SECONDS_BEFORE_PROGRESS:
            drawn = True
            bar.start()
        bar.update(task, completed=have)

    try:
        yield advance
    finally:
        if drawn:
            bar.stop()
