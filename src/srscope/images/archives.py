"""Unpacking archives without trusting them."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from srscope.errors import DownloadError

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def unzip(archive: Path, folder: Path, *, most_bytes: int) -> Path:
    """Unpack a ZIP file into ``folder``, which appears only when it is whole.

    Args:
        archive: The ZIP file.
        folder: The folder to make; it must not exist.
        most_bytes: How much may come out of it.

    Returns:
        ``folder``.

    Raises:
        DownloadError: If the archive is damaged, names a file outside the folder, holds a
            symbolic link or unpacks to more than ``most_bytes``.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".part", dir=folder.parent))
    try:
        with zipfile.ZipFile(archive) as opened:
            left = most_bytes
            for entry in opened.infolist():
                if entry.is_dir():
                    continue
                target = scratch / _safe_name(archive, entry)
                target.parent.mkdir(parents=True, exist_ok=True)
                left -= _copy(opened, entry, target, left)
                if left < 0:
                    raise DownloadError(f"{archive} unpacks to more than {most_bytes:,} bytes")
        scratch.chmod(0o755)
        scratch.rename(folder)
    except _DAMAGE as error:
        raise DownloadError(f"{archive} is damaged: {error}; delete it and run again") from error
    except OSError as error:
        raise DownloadError(f"{archive} cannot be unpacked: {error.strerror or error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def _safe_name(archive: Path, entry: zipfile.ZipInfo) -> PurePosixPath:
    name = PurePosixPath(entry.filename)
    outside = name.is_absolute() or ".." in name.parts or not name.parts
    if outside or any(character in entry.filename for character in "\\:\0"):
        raise DownloadError(f"{archive} holds a file outside its folder: {entry.filename!r}")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise DownloadError(f"{archive} holds a symbolic link: {entry.filename!r}")
    return name


def _copy(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, most: int) -> int:
    """Write one file and return its size; stop soon after ``most`` bytes."""
    written = 0
    with opened.open(entry) as source, target.open("xb") as file:
        while written <= most and (block := source.read(1 << 20)):
            file.write(block)
            written += len(block)
    return written
