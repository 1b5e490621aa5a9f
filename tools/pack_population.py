"""Pack a trained population: weights in half precision, with the networks at matched PSNR.

    python tools/pack_population.py runs/population --out src/srscope/assets/population

Copies the weights of every network that the claims are judged by, and writes those checkpoints that
stand for a network at matched PSNR (`A@B.safetensors`), so that `srscope reproduce` needs no run's
folder. Which these are is measured on the test photographs, as the criteria say.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from srscope.reproduction.lab import Lab, LabConfig
from srscope.reproduction.population import load_of_population, save_of_population
from srscope.reproduction.second_evidence import POPULATION, matched_pair
from srscope.reproduction.second_measure import Measured
from srscope.study.cache import Stages, default_cache


def pack(runs: Path, out: Path, numbers: Measured) -> list[str]:
    """Write the population's networks into a folder; return their names.

    Raises:
        FileNotFoundError: If a run is not finished.
        KeyError: If a network at matched PSNR has no checkpoints.
    """
    out.mkdir(parents=True, exist_ok=True)
    packed: list[str] = []
    for name in (name for members in POPULATION.members.values() for name in members):
        shutil.copy(runs / name / f"{name}.safetensors", out)
        packed.append(name)
    for kind in ("l1", "gan"):
        pairs = zip(
            POPULATION.members[f"{kind}-wgr"], POPULATION.members[f"{kind}-wogr"], strict=True
        )
        for one, other in pairs:
            for name in matched_pair(numbers, one, other):
                if "@" in name:
                    taken = load_of_population(str(runs), numbers.earlier(name))
                    save_of_population(taken, out / f"{name}.safetensors")
                    packed.append(name)
    return packed


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, help="folder of tools/train_population.py")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    lab = Lab(stages=Stages(default_cache()), config=LabConfig(population=str(given.runs)))
    try:
        packed = pack(given.runs, given.out, Measured(lab))
    except (FileNotFoundError, KeyError) as error:
        print(f"not packed: {error}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in given.out.glob("*.safetensors"))
    print(f"{len(packed)} networks, {size / 1e6:.1f} MB in {given.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
