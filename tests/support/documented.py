"""The tables of docs/odd-inputs.md, whose rows are tests."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs" / "odd-inputs.md"


def row_of(kind: str) -> tuple[int, str]:
    """Return how many inputs of a kind are tried, and what happens, as the documents say."""
    line = next(
        line for line in DOCS.read_text("utf-8").splitlines() if line.startswith(f"| {kind} |")
    )
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    return int(cells[-2]), cells[-1]
