"""Use one GPU: its tests, a benchmark, and the training recipes of the paper's budget.

    python tools/gpu.py                       # all three; trainings for 8 minutes each
    python tools/gpu.py --steps benchmark     # one of: tests, benchmark, train
    python tools/gpu.py --minutes 60 --recipes srresnet-wgr srresnet-wogr

The benchmark tells, with the card's name, how many iterations a second a paper recipe trains at,
what share of a large matrix product's speed in bfloat16 that is, and how many patches a second are
extracted. Trainings go on from where they stopped, so that the command can be given again until
they are finished. Photographs come from `--photographs`; `make gpu` changes nothing in the recipes
but where these are and what hardware is used. `--device cpu` tries it all without a GPU.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from srscope.features.extract import extract
from srscope.networks.architectures.build import build_network
from srscope.networks.zoo import load_network
from srscope.runtime.files import write_json
from srscope.study.profile import matrix_speed
from srscope.training.loop import train
from srscope.training.recipes import load_recipe
from srscope.training.sr import SRRecipe

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ROOT / "recipes" / "paper"
STEPS = ("tests", "benchmark", "train")
PAIRS = ("srresnet-wgr", "srresnet-wogr", "srgan-wgr", "srgan-wogr")
"""The L1 pair and the adversarial pair, which starts from it."""


def card(device: str) -> str:
    """Return the name of the card, or of the device where it is none."""
    return torch.cuda.get_device_name(0) if device == "cuda" else device


def training_speed(device: str, photographs: str, iterations: int) -> dict[str, float]:
    """Time the second half of a short run of the paper's SRResNet recipe."""
    recipe = load_recipe(
        RECIPES / "srresnet-wgr.yaml",
        [f"--data.folder={photographs}", "--data.validation=[]", f"--accelerator={device}"],
    )
    assert isinstance(recipe, SRRecipe)
    recipe = dataclasses.replace(
        recipe,
        iterations=2 * iterations,
        log_every=iterations,  # numbers are asked for at these lines alone
        validate_every=0,
        checkpoint_every=2 * iterations,
    )
    ticks: list[float] = []

    def tick(_done: int, _numbers: dict[str, float]) -> None:
        ticks.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as out:
        train(recipe, out=out, report=tick)
    rate = iterations / (ticks[1] - ticks[0])
    side = recipe.data.patch
    with FlopCounterMode(display=False) as counting:
        batch_NCHW = torch.zeros(recipe.data.batch_size, 3, side, side)
        build_network(recipe.network)(batch_NCHW).sum().backward()
    limit = matrix_speed(device, torch.bfloat16)
    return {
        "iterations_per_second": rate,
        "share_of_bf16_matrix_product": rate * counting.get_total_flops() / limit,
    }


def extraction_speed(device: str, patches: int) -> float:
    """Return how many patches a second pass a bundled network, their features written to disk."""
    network = load_network("srresnet-wgr")
    images_NCHW = np.random.default_rng(0).random((patches, 3, 32, 32), dtype=np.float32)
    precise: dict[str, Any] = {"autocast": "bfloat16"} if device == "cuda" else {}
    layers = [network.default_layers[-1]]
    seconds: list[float] = []
    for _ in range(2):  # the first warms up
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            extract(
                network.module, images_NCHW, layers, store=Path(folder) / "features",
                device=device, batch_size=min(patches, 256), **precise,
            )  # fmt: skip
            seconds.append(time.perf_counter() - started)
    return patches / seconds[-1]


def benchmark(device: str, photographs: str, *, iterations: int, patches: int) -> dict[str, Any]:
    """Measure training and extraction."""
    return {
        "card": card(device),
        "torch": torch.__version__,
        **training_speed(device, photographs, iterations),
        "patches_per_second": extraction_speed(device, patches),
    }


def continue_training(recipe: str, device: str, photographs: str, out: Path, minutes: float) -> int:
    """Go on with a recipe for some minutes; return the command's exit code."""
    folder = out / recipe
    if (folder / f"{recipe}.safetensors").is_file():
        print(f"{recipe}: finished before")
        return 0
    words = [
        sys.executable, "-m", "srscope", "train", str(RECIPES / f"{recipe}.yaml"),
        f"--out={folder}", f"--minutes={minutes:g}", "--resume", f"--accelerator={device}",
        f"--data.folder={photographs}", "--data.validation=[]", "--quiet",
    ]  # fmt: skip
    if recipe.startswith("srgan-"):
        start = recipe.replace("srgan-", "srresnet-")
        weights = out / start / f"{start}.safetensors"
        if not weights.is_file():
            print(f"{recipe}: waits for {start}")
            return 0
        # VGG19's weights are a download; the discriminator's own features need none.
        words += [f"--init={weights}", "--losses.perceptual_features=discriminator"]
    return subprocess.run(words, check=False).returncode


def main(arguments: list[str] | None = None) -> int:
    """Run the steps; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--minutes", type=float, default=8.0, help="of training, a recipe")
    parser.add_argument("--recipes", nargs="+", default=list(PAIRS))
    parser.add_argument("--photographs", default="data/photos/train")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"))
    parser.add_argument("--iterations", type=int, default=200, help="of the benchmark")
    parser.add_argument("--patches", type=int, default=4096, help="of the benchmark")
    given = parser.parse_args(arguments)
    if given.device == "cuda" and not torch.cuda.is_available():
        print("gpu: no CUDA device here; --device cpu tries the same without one", file=sys.stderr)
        return 2
    code = 0
    if "tests" in given.steps:
        words = [sys.executable, "-m", "pytest", "-q", str(ROOT / "tests"), "-m", "cuda"]
        code = subprocess.run(words, check=False).returncode
    if "benchmark" in given.steps:
        found = benchmark(
            given.device, given.photographs, iterations=given.iterations, patches=given.patches
        )
        print(json.dumps(found, indent=1))
        write_json(given.out / "benchmark.json", found)
    for recipe in given.recipes if "train" in given.steps else ():
        code = code or continue_training(
            recipe, given.device, given.photographs, given.out, given.minutes
        )
    return code


if __name__ == "__main__":
    raise SystemExit(main())
