"""The photographs that come with the package; ``tools/build_photos.py`` made them."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from srscope.errors import ImageError, UnknownNameError
from srscope.images.record import PhotoFile, PhotoSet

SETS = ("test", "historic")


def pack_folder() -> Path:
    """Return the folder of the bundled pack, with ``manifest.json`` and ``ATTRIBUTION.md``."""
    return Path(str(resources.files("srscope") / "assets" / "photos"))


def load_bundled(name: str) -> PhotoSet:
    """Return a bundled set of photographs.

    Args:
        name: ``"test"``, ten modern photographs that no bundled network was trained on, or
            ``"historic"``, eight digitised prints of 1865 to 1940 with degradations of their own.

    Returns:
        The photographs, in the order of their names.

    Raises:
        UnknownNameError: If there is no such set.
        ImageError: If the installation lacks the pack.

    Example:
        >>> photos = load_bundled("historic")
        >>> len(photos.photographs), photos.photographs[0].name
        (8, 'acanthus-mollis.jpg')
    """
    if name not in SETS:
        raise UnknownNameError("bundled photograph set", name, SETS)
    folder = pack_folder()
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    except FileNotFoundError:
        raise ImageError(
            folder, "the bundled photographs are missing", "install srscope again"
        ) from None
    files: list[dict[str, Any]] = [p for p in manifest["photographs"] if p["set"] == name]
    photographs = tuple(
        PhotoFile(
            name=Path(entry["file"]).name,
            path=folder / entry["file"],
            size_HW=(entry["height"], entry["width"]),
        )
        for entry in files
    )
    return PhotoSet(photographs=photographs, source=f"bundled {name} photographs")
