"""Files that are either whole or absent, and folders that one process at a time writes.

A file is written under a temporary name and then renamed. A folder is locked by the kernel's lock
on a file in it, which goes with the process that holds it, however that process ends. A file
system without such locks (some mounts of NFS and Lustre) is written without them.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

from srscope.errors import FileProblem, ParameterError

LOCK = ".srscope.lock"
"""The file in an output folder that is there, and locked, while a process writes to the folder."""

PARTS = ("figures", "tables", "features/*", "networks/*")
"""Folders that commands make in an output folder."""

_TEMPORARY = re.compile(r"\..{0,40}-[a-z0-9_]{8}\.part(\.[^.]*)?")
_SCRATCH = "srscope-"
_UMASK = os.umask(0o077)  # it can only be asked for by setting it
os.umask(_UMASK)
_ABANDONED = 60.0  # seconds; what is younger may not have come to lock its folder yet
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL}
_FREE = "free some disk space or choose another folder"
_REMEDIES = {
    errno.ENOSPC: _FREE,
    errno.EDQUOT: "free some of your quota or choose another folder",
    errno.EFBIG: "free some space within the limit of file size (ulimit -f) or choose another disk",
    errno.EROFS: "choose a folder that can be written",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
}


def unwritable(path: str | os.PathLike[str], error: OSError) -> FileProblem:
    """Return the error, in one line, for a file or folder that the system does not let us write."""
    if error.errno is None:  # NumPy and Pillow tell only how far they came
        return FileProblem(Path(path), f"cannot be written whole ({error})", _FREE)
    remedy = _REMEDIES.get(error.errno, "choose another folder")
    return FileProblem(Path(path), f"cannot be written ({error.strerror or error})", remedy)


def full_disk(error: OSError) -> FileProblem | None:
    """Return the error for a disk that is full or cannot be written; ``None`` if that is not it.

    Args:
        error: One that was not raised by a function of this module.
    """
    if error.errno not in _FULL:
        return None
    return unwritable(error.filename or "the disk", error)


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str], *, flush: bool = True) -> Generator[Path]:
    """Yield a temporary path beside ``path``; on success rename it to ``path``, else delete it.

    Args:
        path: The final file. Its folder is created when absent.
        flush: Wait until the disk has it, so that it is whole after a power failure too. Not
            worth the wait for large files that can be computed again.

    Yields:
        A path in the same folder with the same suffix; write the whole file there.

    Raises:
        FileProblem: If the system does not let us write: the disk is full, the folder read-only.

    Example:
        >>> import tempfile, pathlib
        >>> target = pathlib.Path(tempfile.mkdtemp()) / "a.txt"
        >>> with atomic_path(target) as temporary:
        ...     _ = temporary.write_text("whole")
        >>> target.read_text()
        'whole'
    """
    final = Path(path)
    temporary: Path | None = None
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{final.stem[:40]}-", suffix=f".part{final.suffix}", dir=final.parent
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_UMASK)
        if flush:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        temporary.replace(final)
    except OSError as error:
        about = error.filename in (str(temporary), str(final))
        # What else is raised in the block is the caller's; Pillow's has no number, and no class.
        if temporary is None or about or error.errno in _REMEDIES or type(error) is OSError:
            raise unwritable(final, error) from error
        raise
    except RuntimeError as error:  # torch.save says nothing of the disk, but was told of it
        if not isinstance(error.__context__, OSError):
            raise
        raise unwritable(final, error.__context__) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write ``data`` to ``path`` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write ``text`` to ``path`` atomically, as UTF-8 with Unix line ends."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write plain values to ``path`` atomically, keys in their order, indented by two spaces."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    r"""Return a table as CSV with Unix line ends; ``None`` is an empty cell.

    Example:
        >>> csv_text(("x", "y"), [("b,c", None), ("d", 1.5)])
        'x,y\n"b,c",\nd,1.5\n'
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(rows)
    return text.getvalue()


@contextlib.contextmanager
def writing_to(
    path: str | os.PathLike[str] | None, *, parts: Sequence[str] = PARTS
) -> Generator[None]:
    """Make a folder, and keep other processes of ours from writing to it while the block lasts.

    What a killed process left half-written is deleted; a folder that nothing was written to is
    not left behind.

    Args:
        path: The folder; made when absent, its parents too. ``None`` for nothing to write.
        parts: Folders inside that are looked through for what a killed process left, as patterns.

    Raises:
        FileProblem: If it is a file, cannot be written, or another process is writing to it.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp()) / "new"
        >>> with writing_to(folder):
        ...     write_text(folder / "a.txt", "whole")
        >>> [path.name for path in folder.iterdir()]
        ['a.txt']
    """
    if path is None:
        yield
        return
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise FileProblem(folder, "is a file, not a folder", "name another output folder")
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    with contextlib.ExitStack() as stack:
        stack.callback(_remove_empty, made)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held = stack.enter_context(locked(folder / LOCK, wait=False))
            if held:  # then nobody is writing what looks half-written
                _remove_leftovers(folder, parts)
        except OSError as error:
            raise unwritable(folder, error) from error
        if held is False:
            raise _in_use(folder)
        try:
            yield
        except OSError as error:
            if (told := full_disk(error)) is None:
                raise
            raise told from error


def _remove_empty(folders: Sequence[Path]) -> None:
    """Delete folders, the innermost first, until one has something in it."""
    with contextlib.suppress(OSError):
        for each in folders:
            each.rmdir()


def _in_use(folder: Path) -> FileProblem:
    try:
        who = (folder / LOCK).read_text("utf-8").strip()[:100]
    except (OSError, ValueError):
        who = ""
    return FileProblem(
        folder,
        f"is being written by another srscope ({who or 'which does not say its name'})",
        "wait until it is done, or name another output folder",
    )


def check_name(parameter: str, name: object) -> None:
    """Raise unless ``name`` is safe as a file name everywhere.

    Raises:
        ParameterError: If it is not.
    """
    fits = (
        isinstance(name, str)
        and 1 <= len(name) <= 60
        and (name[0] + name[-1]).isalnum()
        and all(letter.isalnum() or letter in "._-" for letter in name)
    )
    if not fits:
        rule = "1 to 60 letters, digits, '.', '_' or '-', with a letter or a digit at both ends"
        raise ParameterError(parameter, rule, name)


def is_temporary(path: Path) -> bool:
    """Tell by its name whether a file is one that :func:`atomic_path` writes to."""
    return _TEMPORARY.fullmatch(path.name) is not None


def _remove_leftovers(folder: Path, parts: Sequence[str]) -> None:
    """Delete temporary files of a killed process; nobody else's, for the folder is locked."""
    for part in (".", *parts):
        for each in folder.glob(f"{part}/.*.part*"):
            if is_temporary(each) and each.is_file():
                each.unlink(missing_ok=True)


@contextlib.contextmanager
def scratch_folder() -> Generator[Path]:
    """Yield a folder of the system's temporary one, for files that go when the block ends.

    Folders that killed processes left behind are deleted first.
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_SCRATCH))
    try:
        with locked(folder / LOCK):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(folder: Path) -> None:
    if sys.platform == "win32":
        return
    for each in folder.glob(f"{_SCRATCH}????????"):
        with contextlib.suppress(OSError):
            status, lock = each.lstat(), each / LOCK
            ours = status.st_uid == os.getuid() and each.is_dir() and not each.is_symlink()
            if ours and time.time() - lock.lstat().st_mtime > _ABANDONED:
                with locked(lock, wait=False) as held:
                    if held is True:
                        shutil.rmtree(each, ignore_errors=True)


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Generator[bool | None]:
    """Lock a file, made for that and deleted in the end, against other processes and threads.

    The lock is the kernel's and goes with the process. The file may stay where that was killed:
    only the lock on it counts.

    Args:
        path: The file; its folder is there.
        wait: Until others have let go of it.

    Yields:
        ``True`` with the lock; ``False`` if another has it; ``None``, and no lock, where the file
        system has none.
    """
    handle, held = _open_locked(path, wait=wait)
    try:
        if held:
            with contextlib.suppress(OSError):  # a full disk: then it does not say whose it is
                os.truncate(handle, 0)
                os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        yield held
    finally:
        if held is not False:
            with contextlib.suppress(OSError):  # while it is locked: see _open_locked
                path.unlink(missing_ok=True)
        os.close(handle)


def _open_locked(path: Path, *, wait: bool) -> tuple[int, bool | None]:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        try:
            held = _flock(handle, wait=wait)
            if not held or _is_file(path, handle):
                return handle, held
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # who held it before has deleted it: lock the one that is there now


def _is_file(path: Path, handle: int) -> bool:
    try:
        there, ours = path.stat(), os.fstat(handle)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _flock(handle: int, *, wait: bool) -> bool | None:
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    module: Any = fcntl
    try:
        module.flock(handle, module.LOCK_EX | (0 if wait else module.LOCK_NB))
    except OSError as error:
        if error.errno in _HELD:
            return False
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True
