"""The photographs that come with the package; ``tools/build_photos.py`` made them."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from srscope.errors import ImageError, UnknownNameError
from srscope.images.record import PhotoFile, PhotoSet

SETS = ("test", "historic", "test-crops")


def pack_folder() -> Path:
    """Return the folder of the bundled pack, with ``manifest.json`` and ``ATTRIBUTION.md``."""
    return Path(str(resources.files("srscope") / "assets" / "photos"))


def load_bundled(name: str) -> PhotoSet:
    """Return a bundled set of photographs.

    Args:
        name: ``"test-crops"``, crops of 256 x 256 pixels of fifty modern photographs, two to
            four of each, the default of an analysis; ``"test"``, ten of these photographs,
            whole; or ``"historic"``, eight digitised prints of 1865 to 1940 with degradations of
            their own. No bundled network was trained on any of them.

    Returns:
        The photographs, in the order of their names; a crop's ``photograph`` names the one it
        was cut from.

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
    found: list[dict[str, Any]] = [p for p in manifest["photographs"] if p["set"] == name]
    files = _crops(found, folder) if name == "test-crops" else _whole(found, folder)
    # What they were cut from, since readers count photographs and not files.
    kind = name.removesuffix("-crops")
    return PhotoSet(photographs=files, source=f"bundled {kind} photographs")


def _whole(entries: list[dict[str, Any]], folder: Path) -> tuple[PhotoFile, ...]:
    return tuple(
        PhotoFile(
            name=Path(entry["file"]).name,
            path=folder / entry["file"],
            size_HW=(entry["height"], entry["width"]),
        )
        for entry in entries
    )


def _crops(entries: list[dict[str, Any]], folder: Path) -> tuple[PhotoFile, ...]:
    return tuple(
        PhotoFile(
            name=Path(crop["file"]).name,
            path=folder / crop["file"],
            size_HW=(crop["height"], crop["width"]),
            cut_from=entry["name"],
        )
        for entry in entries
        for crop in entry["crops"]
    )
