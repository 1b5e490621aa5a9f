"""manifest.json: what is said of every picture that was written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from photo_images import LONG_SIDE, Picture
from PIL import Image

from srscope.runtime import files

SCHEMA = "srscope.photos/1"


def record(picture: Picture, file: str, data: bytes, image: Image.Image) -> dict[str, Any]:
    """Return the manifest's entry of a written picture."""
    return {
        "file": file,
        "set": picture.source.split,
        "width": image.width,
        "height": image.height,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        **provenance(picture),
    }


def provenance(picture: Picture) -> dict[str, Any]:
    """Return what the manifest says of where a picture is from and whose it is."""
    source, credit = picture.source, picture.credit
    return {
        "title": credit.title,
        "author": credit.author,
        "copyright": credit.notice,
        "licence": credit.licence,
        "web": credit.web,
        "source": {
            "registry": source.registry,
            "package": source.package,
            "version": picture.version,
            "path": source.path_in_package,
            "sha256": source.sha256,
        },
    }


def write_manifest(folder: Path, entries: list[dict[str, Any]], **about: Any) -> None:
    """Write manifest.json; it comes last, so where it stands the pictures do too."""
    entries = sorted(entries, key=lambda entry: (_name(entry).casefold(), _name(entry)))
    manifest = {"schema": SCHEMA, "long_side": LONG_SIDE, **about, "photographs": entries}
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    files.write_text(folder / "manifest.json", text)


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("file") or f"{entry['set']}/{entry['name']}")
