"""The parts of a page that tools write: they stand between marks, and all else stays."""

from __future__ import annotations


def between(page: str, name: str, text: str) -> str:
    """Return a page with what stands between the marks of a name replaced.

    Where the second mark is gone nothing is lost: it is put back, and what followed stays.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    return f"{before}{begin}\n{text}\n{end}" + (after if found else rest)
