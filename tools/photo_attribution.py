"""ATTRIBUTION.md: authors and licences of the bundled photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from photo_packages import LICENCES


def attribution(entries: list[dict[str, Any]], *, changes: dict[str, str]) -> str:
    """Return ATTRIBUTION.md: every picture's author, licence, origin and changes.

    Args:
        entries: The manifest's entries.
        changes: What was done to the pictures of each set, by the set's name, in this order.
    """
    lines = [
        "# The bundled photographs: authors and licences",
        "",
        "Written by `tools/build_photos.py` from what each picture's package says of it, or where"
        " it says less, from what `tools/photo-credits.tsv` names."
        " Every picture, as changed here, stays under its own licence, not under that of srscope.",
        "The texts of the GPL and LGPL are in [licences/](licences/), and so are those of"
        " BSD licences, under the name of the package.",
    ]
    for split, what in changes.items():
        of_split = [entry for entry in entries if entry["set"] == split]
        lines += ["", f"## {HEADINGS[split]}", "", what, ""]
        lines += ["| picture | title and author | copyright notice | licence | from |"]
        lines += ["| --- | --- | --- | --- | --- |"]
        lines += [_row(entry) for entry in sorted(of_split, key=_order)]
    return "\n".join(lines) + "\n"


HEADINGS = {
    "test": "Test photographs",
    "test-crops": "Crops of test photographs",
    "historic": "Historic photographs",
}


def _order(entry: dict[str, Any]) -> str:
    return str(entry.get("file") or entry["name"]).casefold()


def _row(entry: dict[str, Any]) -> str:
    name, url = LICENCES[entry["licence"]]
    source = entry["source"]
    files = [entry["file"]] if "file" in entry else [crop["file"] for crop in entry["crops"]]
    return (
        f"| {', '.join(f'[{Path(file).name}]({file})' for file in files)}"
        f" | *{_cell(entry['title'])}*, {_cell(entry['author'])}"
        f" | {_cell(entry['copyright'])}"
        f" | [{name}]({url})"
        f" | [{source['package']} {source['version']}]({entry['web']}),"
        f" `{source['path']}` |"
    )


def _cell(text: str) -> str:
    """Return ``text`` for a table cell: addresses in angle brackets and bars stay what they are."""
    return text.replace("<", "&lt;").replace("|", "\\|")
