"""Where the time of an analysis went, and how near each stage came to what the machine can do.

The limit of a stage is the time its arithmetic would take at the speed of a large matrix product,
measured here and now on the same device and threads; what a stage spends on moving data, on disk
and on Python is what keeps it from there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from srscope.features.tap import FeatureTap
from srscope.networks.description import LoadedNetwork
from srscope.projection.tsne import EXACT_LIMIT
from srscope.scores.record import LayerScores
from srscope.study.record import Study

_PAIR_OPERATIONS = 25  # of t-SNE's gradient, for a pair of points in two dimensions
_SIDE = 1024  # of the matrices whose product tells the speed
_ROUNDS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class StageTime:
    """One stage of an analysis.

    Args:
        stage: Its name.
        seconds: What it took.
        share: Of the seconds of all stages, in [0, 1].
        operations: Floating-point operations; ``None`` where they are not what a stage is about.
        limit: Seconds these would take at the speed of a matrix product.
    """

    stage: str
    seconds: float
    share: float
    operations: float | None = None
    limit: float | None = None

    @property
    def of_limit(self) -> float | None:
        """Share of the limit's speed that was reached; ``None`` where there is no limit."""
        return None if self.limit is None else self.limit / max(self.seconds, 1e-9)


def profile(
    study: Study, network: LoadedNetwork, *, starting: float = 0.0
) -> tuple[StageTime, ...]:
    """Return the stages of a finished analysis, in the order they ran.

    Args:
        study: The analysis, fresh from :func:`~srscope.analyses.separability.analyze`.
        network: What was analysed.
        starting: Seconds before it: loading libraries and the network. 0 leaves this stage out.

    Returns:
        One entry a stage; the shares add up to 1.
    """
    device = str(study.environment["device"])
    images, scored = (
        len(study.inputs.set_N),
        [*study.layers, study.pixels, *study.untrained, *study.random],
    )
    drawn = len(study.random) / max(1, len(study.layers))
    passes = 1 + (bool(study.untrained) + drawn) * _part(study)
    doing: dict[str, tuple[float | None, str, torch.dtype]] = {
        "features": (_forward(study, network, device), device, _kind(study)),
        "pca and feature space": (_products(study, scored, images), "cpu", torch.float64),
        "t-SNE": (_pairs(study, len(scored), images), "cpu", torch.float32),
    }
    timings = {**({"starting": starting} if starting else {}), **study.timings}
    total = sum(timings.values()) or 1.0
    stages: list[StageTime] = []
    for stage, seconds in timings.items():
        operations, where, kind = doing.get(stage, (None, "cpu", torch.float32))
        if stage == "features" and operations is not None:
            operations *= images * passes
        limit = None if operations is None else operations / matrix_speed(where, kind)
        share = seconds / total
        stages.append(
            StageTime(stage=stage, seconds=seconds, share=share, operations=operations, limit=limit)
        )
    return tuple(stages)


def _part(study: Study) -> float:
    """Return the part of the images that each control network was shown."""
    limited = study.protocol.get("controls")
    fewest = min(each.count for each in study.suite.sets)
    return float(limited["contents"]) / fewest if limited else 1.0


def _kind(study: Study) -> torch.dtype:
    """Return what the network computed in; older studies do not say."""
    kinds = {"bfloat16": torch.bfloat16, "float16": torch.float16}
    return kinds.get(str(study.protocol.get("precision")), torch.float32)


def matrix_speed(device: str, kind: torch.dtype) -> float:
    """Return the operations a second of a large matrix product: the best of a few."""
    left, right = (torch.rand(_SIDE, _SIDE, device=device, dtype=kind) for _ in range(2))
    times = [_seconds(lambda: torch.mm(left, right), device) for _ in range(_ROUNDS)]
    return 2 * _SIDE**3 / min(times)


def _seconds(work: Callable[[], object], device: str) -> float:
    _wait_for(device)
    started = time.perf_counter()
    work()
    _wait_for(device)
    return time.perf_counter() - started


def _wait_for(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    elif device.startswith("mps"):
        torch.mps.synchronize()


def _forward(study: Study, network: LoadedNetwork, device: str) -> float | None:
    """Return the operations of one image's pass, up to the last layer that was recorded."""
    home = next((p.device for p in network.module.parameters()), torch.device("cpu"))
    side = int(study.protocol["patch"])
    batch_NCHW = torch.zeros(1, 3, side, side, device=device)
    try:
        network.module.to(device)
        counting = FlopCounterMode(display=False)
        with FeatureTap(network.module, [layer.layer for layer in study.layers]) as tap, counting:
            tap.run(batch_NCHW)
    finally:
        network.module.to(home)
    return float(counting.get_total_flops()) or None


def _products(study: Study, scored: list[LayerScores], images: int) -> float:
    """Return the operations of PCA's inner products: half of all, as they are symmetric."""
    whole = study.protocol["reducer"] == "flatten"
    total = 0.0
    for layer in scored:
        width = math.prod(layer.shape if whole or layer is study.pixels else layer.shape[:1])
        total += float(max(images, width)) * min(images, width) ** 2
    return total


def _pairs(study: Study, layers: int, images: int) -> float | None:
    """Return the operations of t-SNE's gradients, every pair of points once.

    Other engines do not visit every pair.
    """
    tsne = study.protocol["tsne"]
    if tsne["engine"] != "srscope" or images > EXACT_LIMIT:
        return None
    steps = layers * int(study.protocol["runs"]) * int(tsne["iterations"])
    return steps * _PAIR_OPERATIONS * images * (images - 1) / 2
