"""Train the guided restoration networks, their twins, and the transfer network.

    python tools/train_adapt.py                     # all that is missing, two at a time
    python tools/train_adapt.py adapt-none adapt-oracle
    python tools/train_adapt.py --data data/photos/train --jobs 1

Every recipe of `recipes/adapt/` is trained in a process of its own with one thread, into
`runs/adapt/NAME`; `runs/adapt/NAME.log` gets a line every hundred iterations. A run that was
interrupted goes on from its last checkpoint, a finished one is not repeated.
`python tools/write_adapt.py` makes the page of results from what there is.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import train_population

RECIPES = Path(__file__).resolve().parents[1] / "recipes" / "adapt"
ORDER = (
    "adapt-none", "adapt-oracle", "adapt-statistics", "adapt-block16", "transfer-block8",
    "adapt-block4",
)  # fmt: skip
"""The order of the runs: after the fourth the main question can be answered."""


@dataclass(frozen=True)
class Run:
    """One recipe."""

    name: str
    data: Path

    def needs(self, out: Path) -> Path | None:
        """Nothing is started from another run's weights."""
        del out
        return None

    def command(self, out: Path) -> list[str]:
        """The command that trains it in a process of its own, or goes on with it."""
        here = str(Path(__file__).resolve())
        return [sys.executable, here, "--alone", self.name, "--out", str(out),
                "--data", str(self.data)]  # fmt: skip


def weights(out: Path, name: str) -> Path:
    """The file that a finished run leaves."""
    return out / name / f"{name}.safetensors"


def train_alone(name: str, out: Path, data: Path) -> None:
    """Train one recipe in this process, from its last checkpoint where there is one."""
    from srscope.training.export import export
    from srscope.training.loop import train
    from srscope.training.recipes import load_recipe

    recipe = load_recipe(RECIPES / f"{name}.yaml", [f"--data.folder={data}"])
    begun = time.monotonic()

    def report(done: int, numbers: dict[str, float]) -> None:
        told = " ".join(f"{key} {value:.5g}" for key, value in numbers.items())
        seconds = time.monotonic() - begun
        print(f"{name}: {done:,} of {recipe.iterations:,}, {told}, {seconds:.0f} s", flush=True)

    trained = train(recipe, out=out / name, resume=True, report=report)
    print(export(trained, out / name), flush=True)


def main() -> int:
    """Train what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[], help="recipes [all]")
    parser.add_argument("--out", type=Path, default=Path("runs/adapt"))
    parser.add_argument("--data", type=Path, default=Path("data/photos/train"))
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    parser.add_argument("--alone", choices=ORDER, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.alone:
        train_alone(args.alone, args.out, args.data)
        return 0
    unknown = sorted(set(args.names) - set(ORDER))
    if unknown or not args.data.is_dir():
        what = f"no recipe {unknown[0]}" if unknown else f"no folder {args.data}: give --data"
        print(f"{what}; recipes: {', '.join(ORDER)}", file=sys.stderr)
        return 2
    names = [name for name in ORDER if name in (args.names or ORDER)]
    waiting = [Run(name, args.data) for name in names if not weights(args.out, name).is_file()]
    failed = train_population.train(waiting, args.out, args.jobs)
    if failed:
        print(f"not finished: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
