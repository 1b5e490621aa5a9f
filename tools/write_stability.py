"""Try whether verdicts depend on the seed and the number of contents, and write it into the docs.

`python tools/write_stability.py` analyses the four SRResNet and SRGAN networks with seeds 0 to 4
and 40 and 100 contents, keeps each verdict in docs/results/stability.json as it is found, goes on
with those that are missing, and writes the table in docs/verdict.md. t-SNE runs once a layer, as no
map decides what is tabled. `--keep` writes the table alone; `--check` fails if it is out of date.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from marks import between

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "results" / "stability.json"
PAGE = ROOT / "docs" / "verdict.md"
NETWORKS = ("srresnet-wogr", "srresnet-wgr", "srgan-wogr", "srgan-wgr")
SEEDS, CONTENTS = range(5), (40, 100)
ANSWERS = ("separates", "beyond_simple_statistics")

Verdicts = Mapping[str, Mapping[str, str]]


def cases() -> list[tuple[str, int, int]]:
    """Return network, contents and seed of every analysis."""
    return [(name, count, seed) for seed in SEEDS for count in CONTENTS for name in NETWORKS]


def key(network: str, contents: int, seed: int) -> str:
    """Return what a case is kept under."""
    return f"{network}, {contents} contents, seed {seed}"


def measure(network: str, contents: int, seed: int) -> dict[str, str]:
    """Analyse, and return the answers of the verdict."""
    from srscope.analyses.separability import analyze

    verdict = analyze(
        network, contents=contents, seed=seed, runs=1, most_runs=1, untrained=False, random=0
    ).verdict
    assert verdict is not None
    return {name: getattr(verdict, name) for name in ANSWERS}


def contradicted(kept: Verdicts) -> list[str]:
    """Return the networks of which one case says yes to a question and another says no."""
    return [
        network
        for network in NETWORKS
        for answer in ANSWERS
        if {"yes", "no"}
        <= {v[answer] for case, v in kept.items() if case.startswith(f"{network},")}
    ]


def table(kept: Verdicts) -> str:
    """Return the answers, counted over seeds."""
    if not kept:
        return "Not measured yet: `python tools/write_stability.py`."
    lines = [
        "| network | contents | separates | beyond simple statistics |",
        "| --- | --- | --- | --- |",
    ]
    for network in NETWORKS:
        for contents in CONTENTS:
            found = [kept[k] for s in SEEDS if (k := key(network, contents, s)) in kept]
            cells = [_counted([each[answer] for each in found]) for answer in ANSWERS]
            lines.append(f"| {network} | {contents} | {' | '.join(cells)} |")
    wrong = contradicted(kept)
    said = f"Contradicted: {', '.join(wrong)}." if wrong else "No answer turns from yes to no."
    missing = len(cases()) - len(kept)
    left = f" {missing} of {len(cases())} analyses are missing." if missing else ""
    return "\n".join([*lines, "", said + left])


def _counted(answers: list[str]) -> str:
    return ", ".join(f"{count} {answer}" for answer, count in Counter(answers).most_common()) or "-"


def with_table(page: str, written: str) -> str:
    """Return the page with what stands between its marks replaced."""
    return between(page, "STABILITY", written)


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--keep", action="store_true", help="use what is kept")
    given = parser.parse_args()
    kept = json.loads(KEPT.read_text("utf-8")) if KEPT.is_file() else {}
    for case in () if given.check or given.keep else cases():
        if key(*case) not in kept:
            kept[key(*case)] = measure(*case)
            print(f"{key(*case)}: {kept[key(*case)]}", flush=True)
            KEPT.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    page = PAGE.read_text("utf-8")
    wanted = with_table(page, table(kept))
    if given.check and page != wanted:
        print("docs/verdict.md is out of date; run tools/write_stability.py", file=sys.stderr)
        return 1
    if not given.check:
        PAGE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
