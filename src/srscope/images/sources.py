"""One place that turns what a user names or holds into photographs."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from pathlib import Path
from typing import Any

from srscope.errors import ParameterError
from srscope.images.bundled import load_bundled
from srscope.images.downloads import div2k_validation
from srscope.images.folder import load_folder
from srscope.images.given import KINDS, is_image, pixels_of
from srscope.images.io import as_rgb, read_size
from srscope.images.record import PhotoFile, Photograph, PhotoSet

BUNDLED = "bundled:"
"""Start of a name that means photographs of this package, e.g. ``bundled:historic``."""


def load_photographs(images: Any = None) -> PhotoSet:
    """Return the photographs that ``images`` names, or holds.

    Args:
        images: A folder, searched recursively, or a file; ``div2k`` for DIV2K's validation set,
            downloaded once; ``bundled:test``, ``bundled:test-crops`` or ``bundled:historic``; the
            second of them if absent. Or an array, a tensor, a PIL image (see
            :func:`~srscope.images.given.pixels_of`), or a list of any of these.

    Raises:
        SrscopeError: If there are none; the message says what to give.

    Example:
        >>> load_photographs("bundled:historic").source
        'bundled historic photographs'
    """
    if images is None:
        return load_bundled("test-crops")
    if isinstance(images, PhotoSet):
        return images
    if isinstance(images, str) and images.startswith(BUNDLED):
        return load_bundled(images.removeprefix(BUNDLED))
    if isinstance(images, str) and images == "div2k":
        return div2k_validation()
    if isinstance(images, str | os.PathLike):
        return _named(os.fspath(images))
    return _held(images)


def _named(path: str) -> PhotoSet:
    file = Path(path)
    if not os.path.isfile(file):  # noqa: PTH113 (a name may be too long to be one)
        return load_folder(file)
    photo = PhotoFile(name=file.name, path=file, size_HW=read_size(file))
    return PhotoSet(photographs=(photo,), source=str(file))


def _held(images: Any) -> PhotoSet:
    found: list[Photograph | PhotoFile] = []
    skipped: list[tuple[str, str]] = []
    if not (_is_one(images) or hasattr(images, "__iter__")):
        raise ParameterError("images", KINDS, type(images).__name__)
    items: list[Any] = [images] if _is_one(images) else [*images]
    for item in items:
        if isinstance(item, Photograph | PhotoFile):
            found.append(item)
        elif is_image(item):
            named = Path(getattr(item, "filename", "")).name
            for pixels_HWC in pixels_of(item):
                name = named or f"image {len(found) + 1}"
                found.append(Photograph(name=name, pixels_HW3=as_rgb(pixels_HWC)))
        elif isinstance(item, str | os.PathLike):
            there = load_photographs(item)
            found += there.photographs
            skipped += there.skipped
        else:
            raise ParameterError("images", f"{KINDS}, or a list of them", type(item).__name__)
    if not found:
        raise ParameterError("images", "one image or more", items)
    of_files = all(isinstance(each, PhotoFile) for each in found)
    source = f"{len(found)} {'files' if of_files else 'images'} given"
    return PhotoSet(photographs=_distinct(found), source=source, skipped=tuple(skipped))


def _is_one(value: object) -> bool:
    return is_image(value) or isinstance(value, Photograph | PhotoFile)


def _distinct(photos: list[Photograph | PhotoFile]) -> tuple[Photograph | PhotoFile, ...]:
    """Give photographs of the same name different ones: files their path, others a number."""
    times = Counter(photo.name for photo in photos)
    distinct: list[Photograph | PhotoFile] = []
    for number, photo in enumerate(photos, start=1):
        if times[photo.name] > 1:
            path = photo.path.as_posix() if isinstance(photo, PhotoFile) else None
            photo = dataclasses.replace(photo, name=path or f"{photo.name} ({number})")
        distinct.append(photo)
    return tuple(distinct)
