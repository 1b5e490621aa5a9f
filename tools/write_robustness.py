"""Write what `make torture` tried into docs/robustness.md, between the TORTURE marks.

`make torture` keeps the counts of every test in docs/results/robustness.json; this makes a table
of them. `--check` writes nothing and fails if the page does not say what the kept counts say.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from marks import between

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "results" / "robustness.json"
PAGE = ROOT / "docs" / "robustness.md"


def table(kept: dict[str, dict[str, int]]) -> str:
    """Return the counts as Markdown, one row for each thing that was tried."""
    lines = ["| what was tried | how many | what happened |", "| --- | --- | --- |"]
    for what, outcomes in sorted(kept.items()):
        words = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.items())
        lines.append(f"| {what} | {sum(outcomes.values()):,} | {words} |")
    return "\n".join(lines)


def with_table(page: str, rows: str) -> str:
    """Return a page with what stands between its marks replaced."""
    return between(page, "TORTURE", rows)


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    page = PAGE.read_text("utf-8")
    wanted = with_table(page, table(json.loads(KEPT.read_text("utf-8"))))
    if check and page != wanted:
        print(f"{PAGE.name} is out of date; run {Path(__file__).name}", file=sys.stderr)
        return 1
    if not check:
        PAGE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
