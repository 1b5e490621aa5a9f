"""Any folder of images as a set of photographs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from srscope.errors import ImageError
from srscope.images.formats import HEIF_SUFFIXES, RAW_SUFFIXES, SUFFIXES, unread_suffix
from srscope.images.io import read_size
from srscope.images.record import PhotoFile, PhotoSet

_SYSTEM_FOLDERS = frozenset(
    {"@eadir", "__macosx", "thumbs", "thumbnails", "$recycle.bin", "#recycle", "@recycle"}
    | {"lost+found", "system volume information"}
)
"""Folders that systems leave among photographs, in small letters: thumbnails, or what was deleted.
"""


def load_folder(path: str | os.PathLike[str]) -> PhotoSet:
    """Find the photographs in a folder and the folders in it.

    Names are paths relative to the folder, with ``/``, in an order that does not depend on the
    file system: without regard to case, then by case. Hidden files and folders are ignored, and
    so are files whose suffix is no picture's. Folders that systems leave behind, such as
    ``@eaDir`` with its thumbnails, are skipped. Symbolic links are followed, each folder is
    visited once. Only headers are read: pixels are decoded when asked for.

    Args:
        path: The folder.

    Returns:
        Its photographs; files that cannot be read stand in ``skipped`` with the reason.

    Raises:
        ImageError: If the folder is missing, is no folder, may not be read or holds no
            readable image.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("b.png", "A.png"):
        ...     Image.new("RGB", (8, 6)).save(folder / name)
        >>> [(photo.name, photo.size_HW) for photo in load_folder(folder).photographs]
        [('A.png', (6, 8)), ('b.png', (6, 8))]
    """
    folder = Path(path)
    try:
        exists, is_folder = folder.exists(), folder.is_dir()
    except OSError as error:
        raise ImageError(folder, f"cannot be opened: {error.strerror}") from None
    if not exists:
        raise ImageError(folder, "does not exist", "give a folder of images")
    if not is_folder:
        raise ImageError(folder, "is not a folder", "give the folder the image is in")

    photographs: list[PhotoFile] = []
    skipped: list[tuple[str, str]] = []
    files = sorted(_files(folder, folder, set(), skipped), key=_order)
    for name, file in files:
        suffix = file.suffix.lower()
        if reason := unread_suffix(suffix):
            skipped.append((name, reason))
        elif suffix in SUFFIXES | HEIF_SUFFIXES | RAW_SUFFIXES:
            try:
                photographs.append(PhotoFile(name=name, path=file, size_HW=read_size(file)))
            except ImageError as error:
                skipped.append((name, error.problem))
    skipped.sort(key=lambda entry: (entry[0].casefold(), entry[0]))
    if not photographs:
        raise _nothing_found(folder, len(files), skipped)
    return PhotoSet(photographs=tuple(photographs), source=_text(folder), skipped=tuple(skipped))


def _files(
    folder: Path, top: Path, visited: set[tuple[int, int]], skipped: list[tuple[str, str]]
) -> Iterator[tuple[str, Path]]:
    """Yield (relative name, path) of every file that is not hidden, depth first."""
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        reason = f"folder cannot be read: {error.strerror}"
        if folder == top:
            raise ImageError(folder, reason, "check its permissions") from None
        skipped.append((_name(folder, top), reason))
        return
    if (status.st_dev, status.st_ino) in visited:
        return
    visited.add((status.st_dev, status.st_ino))
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith("."):
            continue
        if os.path.isdir(path):  # noqa: PTH112 (a link too long to follow is no folder)
            if entry.name.casefold() in _SYSTEM_FOLDERS:
                skipped.append((_name(path, top), "is a folder of thumbnails or system files"))
                continue
            yield from _files(path, top, visited, skipped)
        else:
            yield _name(path, top), path


def _name(path: Path, top: Path) -> str:
    return _text(path.relative_to(top).as_posix())


def _text(path: str | Path) -> str:
    """Return ``path`` as text that UTF-8 can hold; bytes that it cannot are written out in hex."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _order(file: tuple[str, Path]) -> tuple[str, str]:
    return file[0].casefold(), file[0]


def _nothing_found(folder: Path, files: int, skipped: list[tuple[str, str]]) -> ImageError:
    if skipped:
        name, reason = skipped[0]
        return ImageError(
            folder, f"holds no readable image; {len(skipped)} skipped, the first: {name} {reason}"
        )
    others = f"only {files} other file{'s' if files > 1 else ''}"
    found = f"holds no images, {others}" if files else "is empty"
    return ImageError(folder, found, "give a folder with PNG, JPEG, TIFF, WebP, BMP or GIF files")
