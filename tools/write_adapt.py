"""Judge the guided networks that are trained, and write what is found into the docs.

`python tools/write_adapt.py` (or `make adapt`) takes the networks of `recipes/adapt/` that are
bundled or lie in runs/adapt, runs `srscope adapt` on them, keeps what its page says in
docs/results/adapt.json and its pictures in docs/images/adapt/, and writes docs/adapt.md. What is
not trained is told as not run. `--keep` writes the page from what is kept; `--check` writes
nothing and fails if the page does not say what is kept.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import train_adapt
import write_findings
from marks import between

ROOT = Path(__file__).resolve().parents[1]
BUNDLED = ROOT / "src" / "srscope" / "assets" / "weights" / "guided"
KEPT = ROOT / "docs" / "results" / "adapt.json"
PICTURES = ROOT / "docs" / "images" / "adapt"
PAGE = ROOT / "docs" / "adapt.md"


def trained(runs: Path) -> dict[str, Path]:
    """Return the weights that there are, by name: of a run, else bundled."""
    found: dict[str, Path] = {}
    for name in train_adapt.ORDER:
        for path in (train_adapt.weights(runs, name), BUNDLED / f"{name}.safetensors"):
            if path.is_file():
                found.setdefault(name, path)
    return found


def measure(runs: Path, options: dict[str, Any]) -> None:
    """Judge what is trained; keep what the page says, and the pictures."""
    from srscope.analyses import adapt
    from srscope.analyses.runner import run_analysis
    from srscope.cli.console import stage_progress

    networks = trained(runs)
    if not networks:
        print(f"nothing is trained in {runs} or bundled: python tools/train_adapt.py trains")
        return
    with tempfile.TemporaryDirectory() as folder, stage_progress(quiet=False) as progress:
        record = run_analysis(
            "adapt", [str(path) for path in networks.values()], out=folder, progress=progress,
            **options,
        )  # fmt: skip
        PICTURES.mkdir(parents=True, exist_ok=True)
        for path in Path(folder, "figures").glob("*.png"):
            shutil.copy(path, PICTURES)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "command": f"srscope adapt {' '.join(networks)}",
        "cards": {name: card(path) for name, path in networks.items()},
        "headline": adapt.headline(record),
        "sections": [dataclasses.asdict(each) for each in adapt.sections(record)],
    }
    KEPT.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def card(path: Path) -> dict[str, Any]:
    """Return what the page says of a training."""
    facts = json.loads(path.with_suffix(".json").read_text("utf-8"))
    return {key: facts[key] for key in ("iterations", "seed", "parameters", "seconds", "quality")}


def lines() -> Iterator[str]:
    """Yield the page's lines: trainings, then what was found."""
    told = json.loads(KEPT.read_text("utf-8")) if KEPT.is_file() else {"cards": {}}
    yield "| network | iterations | seed | parameters | PSNR on the mixture, dB | hours |"
    yield "|" + " --- |" * 6
    for name in train_adapt.ORDER:
        facts = told["cards"].get(name)
        if facts is None:
            yield f"| {name} | not run yet | | | | |"
            continue
        yield (
            f"| {name} | {facts['iterations']:,} | {facts['seed']} | {facts['parameters']:,} "
            f"| {facts['quality']['psnr']:.2f} | {facts['seconds'] / 3600:.1f} |"
        )
    if "sections" not in told:
        yield from ("", "Nothing was judged yet: not run yet.")
        return
    yield from write_findings.lines_of(told)
    for section in told["sections"]:
        for key in section["figures"]:
            if (PICTURES / f"{key}.png").is_file():
                yield from ("", f"![{key.replace('-', ' ')}](images/adapt/{key}.png)")


def with_results(page: str) -> str:
    """Return the page with what stands between its marks replaced."""
    return between(page, "ADAPT", "\n".join(lines()))


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "adapt")
    parser.add_argument("--contents", type=int, default=100, help="contents of each set")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--keep", action="store_true", help="use what is kept")
    args = parser.parse_args()
    if not (args.check or args.keep):
        measure(args.runs, {"contents": args.contents})
    page = PAGE.read_text("utf-8")
    wanted = with_results(page)
    if args.check and page != wanted:
        print("docs/adapt.md is out of date; run make adapt", file=sys.stderr)
        return 1
    if not args.check:
        PAGE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
