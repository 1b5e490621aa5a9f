"""Training throughput: srscope's loop beside a plain PyTorch one, in one run.

    python benchmarks/training.py [--rounds 5] [--iterations 20] [--patches 16 24] [--threads 2 1]
                                  [--recipe FILE] [--out benchmarks/results-training.json]

Both train the same network from the same weights on the same crops with Adam. *srscope* is
`srscope.training.loop.train` with the small recipe as it stands: bf16 autocast, channels-last,
fused Adam, running average of the weights, the next batch cut meanwhile, logging. *plain* is what
one writes in an afternoon: float32, PyTorch's memory order, the batch cut when it is wanted, no
average, no logging. The two take turns; times are medians over the rounds of the seconds an
iteration takes, after as many iterations to warm up. Checkpoints and validation fall outside.
Beside them stands how many floating-point operations an iteration is, what share of the speed of a
large matrix product in its precision each loop reached, measured between its turns, and how much
faster such a product is in bf16 than in float32: about as much faster can a loop be at most.
Run it on an otherwise idle machine. Suffixes: N images, C channels, H/W height and width.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from common import is_idle, load_average, machine, settled_load
from torch.utils.flop_counter import FlopCounterMode

import srscope
from srscope.networks.architectures.build import build_network
from srscope.runtime import files
from srscope.study.profile import matrix_speed
from srscope.training.data import Batches, load_pairs
from srscope.training.loop import train
from srscope.training.recipes import load_recipe
from srscope.training.sr import SRRecipe

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "small" / "srresnet-wgr-stage1.yaml"
PHOTOGRAPHS = Path(srscope.__file__).parent / "assets" / "photos" / "test"
"""Pixels to train on: speed does not depend on which, and these come with the package."""


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Both loops at one setting; seconds an iteration, and the mean loss while they were taken."""

    threads: int
    batch: int
    patch: int
    srscope: float
    plain: float
    ratio: float
    srscope_rounds: list[float]
    plain_rounds: list[float]
    srscope_loss: float
    plain_loss: float
    operations: float
    srscope_of_limit: float
    plain_of_limit: float
    limit_ratio: float


def ours(recipe: SRRecipe, iterations: int) -> tuple[float, float]:
    """Return seconds an iteration and the mean loss, of the second half of a run."""
    recipe = dataclasses.replace(
        recipe,
        iterations=2 * iterations,
        log_every=iterations,
        validate_every=0,
        checkpoint_every=2 * iterations,
    )
    ticks: list[float] = []
    losses: list[float] = []

    def tick(_: int, numbers: dict[str, float]) -> None:
        ticks.append(time.perf_counter())
        losses.append(numbers["loss"])

    with tempfile.TemporaryDirectory() as out:
        train(recipe, out=out, report=tick)
    return (ticks[1] - ticks[0]) / iterations, losses[1]


def plain(recipe: SRRecipe, iterations: int) -> tuple[float, float]:
    """Return the same of the plain loop."""
    training, _ = load_pairs(recipe.data.folder, recipe.network.scale, ())
    batches = Batches.of(recipe.data, training, recipe.network.scale, recipe.seed)
    torch.manual_seed(recipe.seed)
    network = build_network(recipe.network)
    config = recipe.optimizer
    optimizer = torch.optim.Adam(
        network.parameters(), lr=config.learning_rate, betas=(config.beta1, config.beta2)
    )
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, config.milestones, config.gamma)
    started, total = 0.0, 0.0
    for iteration in range(2 * iterations):
        if iteration == iterations:
            started, total = time.perf_counter(), 0.0
        lr_NCHW, hr_NCHW = batches.batch(iteration)
        loss = F.l1_loss(network(lr_NCHW), hr_NCHW)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.item()
    return (time.perf_counter() - started) / iterations, total / iterations


def operations(recipe: SRRecipe) -> float:
    """Return the floating-point operations of the network's passes in one iteration."""
    network = build_network(recipe.network)
    side = recipe.data.patch
    with FlopCounterMode(display=False) as counting:
        network(torch.zeros(recipe.data.batch_size, 3, side, side)).sum().backward()
    return float(counting.get_total_flops())


def compare(recipe: SRRecipe, *, threads: int, rounds: int, iterations: int) -> Throughput:
    """Let the two loops take turns."""
    torch.set_num_threads(threads)
    contestants: dict[str, Callable[[SRRecipe, int], tuple[float, float]]]
    contestants = {"srscope": ours, "plain": plain}
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    losses: dict[str, float] = {}
    kinds = {"srscope": torch.bfloat16, "plain": torch.float32}
    speeds = dict.fromkeys(kinds, 0.0)
    for _ in range(rounds):
        for name, loop in contestants.items():
            taken, losses[name] = loop(recipe, iterations)
            seconds[name].append(taken)
            speeds[name] = max(speeds[name], matrix_speed("cpu", kinds[name]))
    work = operations(recipe)
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    return Throughput(
        threads=threads,
        batch=recipe.data.batch_size,
        patch=recipe.data.patch,
        srscope=medians["srscope"],
        plain=medians["plain"],
        ratio=medians["plain"] / medians["srscope"],
        srscope_rounds=seconds["srscope"],
        plain_rounds=seconds["plain"],
        srscope_loss=losses["srscope"],
        plain_loss=losses["plain"],
        operations=work,
        srscope_of_limit=work / medians["srscope"] / speeds["srscope"],
        plain_of_limit=work / medians["plain"] / speeds["plain"],
        limit_ratio=speeds["srscope"] / speeds["plain"],
    )


def main() -> None:
    """Time every setting, print a table, and write it where asked."""
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of each loop")
    parser.add_argument("--iterations", type=int, default=20, help="timed ones a round")
    parser.add_argument("--patches", type=int, nargs="+", default=[16, 24], help="LR sides")
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({cores, 1}, reverse=True))
    parser.add_argument("--recipe", type=Path, default=RECIPE, help="of an SR network")
    parser.add_argument("--out", type=Path, default=None, help="JSON file to write")
    options = parser.parse_args()
    recipe = load_recipe(options.recipe, [f"--data.folder={PHOTOGRAPHS}", "--data.validation=[]"])
    assert isinstance(recipe, SRRecipe), "the benchmark is of L1 training"
    load = load_average() if options.out is None else settled_load()
    about = {**machine(), "load_before": load}
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    if is_idle(load) is False:
        print("THE MACHINE IS BUSY: these are not results", flush=True)
    found: list[Throughput] = []
    for threads in options.threads:
        for patch in options.patches:
            at = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, patch=patch))
            one = compare(at, threads=threads, rounds=options.rounds, iterations=options.iterations)
            found.append(one)
            print(
                f"threads {threads}, batch {one.batch} x {patch}^2 LR: srscope {one.srscope:.4f} s "
                f"(loss {one.srscope_loss:.4f}), plain {one.plain:.4f} s (loss {one.plain_loss:.4f}"
                f") an iteration, ratio {one.ratio:.2f}; of a matrix product's speed "
                f"{one.srscope_of_limit:.0%} and {one.plain_of_limit:.0%}, which is "
                f"{one.limit_ratio:.2f} times as high in bf16",
                flush=True,
            )
    if options.out is not None:
        result = {
            "machine": about,
            "idle": is_idle(load),
            "throughput": [asdict(one) for one in found],
        }
        files.write_text(options.out, json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
