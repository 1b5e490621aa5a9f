"""Fill docs/reproduction.md from what `srscope reproduce` wrote.

`python tools/write_reproduction.py OUT` keeps the scorecard, the findings and the tables that the
page shows in docs/results/reproduction/, its figures in docs/images/reproduction/, and rewrites
what stands between marks in the page:

    <!-- SCORECARD -->                                     the verdict on every claim
    <!-- TABLE name: column, column as heading, ... -->    columns of one of the tables
    <!-- COUNT -->                                         how many claims hold
    <!-- COURSE name: layer -->                            separability over a training

each ended by `<!-- / -->`. Without OUT the page is rewritten from what is kept; `--check` writes
nothing and fails if the page does not say what is kept. `--course FOLDER` keeps the course.json
that `srscope analyze CHECKPOINTS --out FOLDER` wrote, under the folder's name, and its chart in
docs/images/courses/.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from srscope.study import words

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reproduction.md"
KEPT = ROOT / "docs" / "results" / "reproduction"
COURSES = ROOT / "docs" / "results" / "courses"
IMAGES = ROOT / "docs" / "images" / "reproduction"
MARK = re.compile(
    r"<!-- (SCORECARD|COUNT|(?:TABLE|COURSE) ([\w-]+): ([^>]+?)) -->\n?(.*?)<!-- / -->", re.DOTALL
)
FIGURE = re.compile(r"\]\(images/reproduction/([\w-]+)\.png\)")


def read(name: str) -> Any:
    """Return a kept JSON file."""
    return json.loads((KEPT / f"{name}.json").read_text("utf-8"))


def scorecard() -> str:
    """Return the verdicts as a table."""
    lines = ["| claim | | verdict | measured | paper |", "| --- | --- | --- | --- | --- |"]
    for each in read("scorecard"):
        cells = (
            f"**{each['id']}**",
            each["claim"],
            f"**{each['verdict']}**. {each['why']}",
            each["measured"],
            each["paper"],
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def count() -> str:
    """Return how many claims hold, as bold words."""
    verdicts = Counter(each["verdict"] for each in read("scorecard"))
    total = sum(verdicts.values())
    rest = [
        f"{verdicts[v]} {v}" for v in ("does not hold", "inconclusive", "not run") if verdicts[v]
    ]
    return f"**{verdicts['holds']} of {total} hold**" + "".join(f", {each}" for each in rest)


def cell(value: Any) -> str:
    """Return a table's value as the page shows it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return words.number(value) if math.isfinite(value) else ""
    return str(value).replace("|", "\\|")


def table(name: str, wanted: str) -> str:
    """Return some columns of a kept table, each perhaps under another heading."""
    kept = read(name)
    columns = [each.strip().partition(" as ") for each in wanted.split(",")]
    indices = [kept["columns"].index(source) for source, _, _ in columns]
    headings = [heading or source for source, _, heading in columns]
    lines = ["| " + " | ".join(headings) + " |", "| " + " | ".join("---" for _ in columns) + " |"]
    lines += ["| " + " | ".join(cell(row[i]) for i in indices) + " |" for row in kept["rows"]]
    return "\n".join(lines)


def course(name: str, label: str) -> str:
    """Return the scores of one layer at every checkpoint of a kept course."""
    kept = json.loads((COURSES / f"{name}.json").read_text("utf-8"))
    lines = ["| iterations | CHI | CHI of PCA-50 | k-NN accuracy |", "| --- | --- | --- | --- |"]
    for each in kept["checkpoints"]:
        layer = next(layer for layer in each["layers"] if layer["label"] == label)
        chi, space = layer["tsne"]["chi"], layer["feature_space"]
        cells = (f"{each['iteration']:,}".replace(",", " "),
                 f"{words.number(chi['mean'])} ± {words.number(chi['std'])}",
                 words.number(space["chi"]), words.number(space["knn_accuracy"]))  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def filled(page: str) -> str:
    """Return the page with everything between marks written anew."""

    def fill(found: re.Match[str]) -> str:
        what, name, columns, _ = found.groups()
        if what == "COUNT":
            return f"<!-- COUNT -->{count()}<!-- / -->"
        if what == "SCORECARD":
            body = scorecard()
        else:
            body = (course if what.startswith("COURSE") else table)(name, columns)
        return f"<!-- {what} -->\n{body}\n<!-- / -->"

    return MARK.sub(fill, page)


def keep(out: Path, page: str) -> None:
    """Copy what the page shows from a reproduction's folder; drop what it no longer shows."""
    tables = [found[2] for found in MARK.finditer(page) if found[1].startswith("TABLE")]
    files = [(out / f"{name}.json", KEPT) for name in ("scorecard", "findings")]
    files += [(out / "tables" / f"{name}.json", KEPT) for name in tables]
    files += [(out / "figures" / f"{name}.png", IMAGES) for name in FIGURE.findall(page)]
    # Before anything is deleted: a folder of some experiments only would leave the page without.
    if missing := [str(file.relative_to(out)) for file, _ in files if not file.is_file()]:
        raise SystemExit(f"{out} lacks what the page shows: {', '.join(missing)}; run all of it")
    for folder in (KEPT, IMAGES):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for file, folder in files:
        shutil.copy(file, folder)


def keep_courses(folders: Sequence[Path]) -> None:
    """Copy numbers and chart of trainings from the folders of their analyses."""
    charts = IMAGES.parent / "courses"
    for folder in (COURSES, charts):
        folder.mkdir(parents=True, exist_ok=True)
    for folder in folders:
        shutil.copy(folder / "course.json", COURSES / f"{folder.name}.json")
        shutil.copy(folder / "figures" / "scores-by-iteration.png", charts / f"{folder.name}.png")


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, help="folder of a reproduction")
    parser.add_argument("--course", action="append", default=[], type=Path, metavar="FOLDER")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args()
    page = PAGE.read_text("utf-8")
    if options.out is not None and not options.check:
        keep(options.out, page)
    if options.course and not options.check:
        keep_courses(options.course)
    wanted = filled(page)
    if options.check:
        if page != wanted:
            print("docs/reproduction.md is out of date", file=sys.stderr)
        return int(page != wanted)
    PAGE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
