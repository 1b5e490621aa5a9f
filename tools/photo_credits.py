"""Credits that packages give elsewhere than in their copyright file, stated in photo-credits.tsv.

A docstring, a list of authors, the picture's own metadata, the pull request that brought it:
``read_in`` says where each was read. Where that is a file of the package, building checks that the
author's name stands in it.
"""

from __future__ import annotations

import csv
import functools
from pathlib import Path

import photo_packages
from photo_packages import BuildError, Credit, Source

TABLE = Path(__file__).resolve().parent / "photo-credits.tsv"
QUOTED = {"BSD-2-Clause", "BSD-3-Clause"}
"""Licences that want their own notice kept, names and all: its text is written beside the pack."""


@functools.cache
def table() -> dict[str, dict[str, str]]:
    """Return the rows of photo-credits.tsv by the picture's name."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {row["name"]: row for row in rows}


def credit_of(source: Source, root: Path) -> Credit:
    """Return a picture's credit: from the table, else from its unpacked package.

    Raises:
        BuildError: If the package does not name the author where the table says so.
    """
    row = table().get(source.stem)
    if row is None:
        return photo_packages.credit_of(source, root)
    where = row["read_in"]
    if not where.startswith("https://"):
        file = root / where
        if not file.is_file() or row["author"].encode() not in file.read_bytes():
            raise BuildError(f"{source.stem}: {where} does not name {row['author']}")
    if row["licence"] not in photo_packages.LICENCES:
        raise BuildError(f"{source.stem}: unknown licence {row['licence']!r}")
    return Credit(
        title=row["title"],
        author=row["author"],
        notice=row["copyright"],
        licence=row["licence"],
        web=row["web"],
        well_known=row["well_known"] == "yes",
        text=_licence_text(source, row, root) if row["licence"] in QUOTED else "",
    )


def _licence_text(source: Source, row: dict[str, str], root: Path) -> str:
    """Return the licence as the package's copyright file words it, under its notice."""
    copyright_file = root / "usr/share/doc" / source.package / "copyright"
    texts = [
        stanza["License"]
        for stanza in photo_packages.parse_copyright(copyright_file.read_text("utf-8"))
        if "Files" not in stanza
        and stanza.get("License", "").lower().startswith(row["licence"].lower())
    ]
    if not texts:
        raise BuildError(f"{source.package}: no text of {row['licence']} in its copyright file")
    lines = ["" if line == "." else line for line in max(texts, key=len).splitlines()[1:]]
    return f"Copyright {row['copyright']}\n\n" + "\n".join(lines) + "\n"
