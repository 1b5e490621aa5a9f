"""Time and memory against the number of patches: features as they are extracted, PCA, t-SNE.

Each size runs in a process of its own, whose peak memory is its own; PyTorch, NumPy and the
network are part of it. The features are never all in memory, nor on disk.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import Results, output_of
from stages import BATCH, COMPONENTS, LAYER, patches, srresnet, subspace_missed

from srscope.features.stream import stream_features
from srscope.projection.config import TsneConfig
from srscope.projection.pca import pca
from srscope.projection.stream import StreamingPca
from srscope.projection.tsne import embed

FITS = 1000
"""Samples up to which exact PCA is run beside."""


def benchmark(results: Results, *, sizes: list[int], extrapolated: int = 100_000) -> None:
    """Measure every size; extrapolate one from the largest two."""
    measured = [_in_a_process(count) for count in sizes]
    for one in measured:
        results.fact(f"{one['samples']} patches x {one['width']}", measured=True, **one)
    last, largest = measured[-1], measured[-1]
    if extrapolated > last["samples"]:
        largest = _extrapolated(measured, extrapolated)
        results.fact(
            f"{extrapolated} patches x {last['width']}",
            measured=False,
            how=f"linear from {measured[-2]['samples']} and {last['samples']}",
            **largest,
        )
    job = f"stream of patches x {last['width']} to a map"
    note = "" if largest is last else ", extrapolated"
    peak = largest["peak_bytes"] / 2**30
    results.check(job, f"GiB at most, {largest['samples']} patches{note}", [peak], "<= 2")
    first_cost, last_cost = (
        (one["extraction"] + one["pca"] + one["pca_finish"]) / one["samples"]
        for one in (measured[0], last)
    )
    results.check(
        job,
        f"seconds a patch to points, {last['samples']} / {measured[0]['samples']} patches",
        [last_cost / first_cost],
        "<= 1.2",
    )
    for one in measured:
        if "subspace_missed" in one:
            what = f"share of the exact subspace missed, {one['samples']} patches"
            results.check(job, what, [one["subspace_missed"]], "<= 0.01")


def _extrapolated(measured: list[dict[str, float]], count: int) -> dict[str, float]:
    """Return what more patches would take: times in proportion, memory by its growth."""
    before, last = measured[-2:]
    factor = count / last["samples"]
    times = {name: last[name] * factor for name in ("extraction", "pca", "pca_finish", "t-SNE")}
    # A sample keeps 400 coordinates, before and after they are turned, in float32, and 50
    # components in float64, as points and as t-SNE's copy; or more, where that was measured.
    growth = (last["peak_bytes"] - before["peak_bytes"]) / (last["samples"] - before["samples"])
    added = (count - last["samples"]) * max(growth, 400 * 8 + 50 * 16)
    return {
        "samples": count,
        "width": last["width"],
        "peak_bytes": last["peak_bytes"] + added,
        **times,
    }


def _in_a_process(count: int) -> dict[str, float]:
    given = [sys.executable, __file__, "--one", str(count)]
    return json.loads(output_of(given).splitlines()[-1])


def _one(count: int) -> dict[str, float]:
    """Measure one size, in this process."""
    embed(np.random.default_rng(0).normal(size=(40, 3)), TsneConfig(perplexity=5), seed=0)
    network = srresnet()
    clock = {"extraction": 0.0, "pca": 0.0}
    reduction = StreamingPca(components=COMPONENTS)
    width = 0
    last = time.perf_counter()
    for outputs in stream_features(network, patches(count), [LAYER]):
        came = time.perf_counter()
        clock["extraction"] += came - last
        features_BD = outputs[LAYER].features_BD
        width = features_BD.shape[1]
        reduction.update(features_BD)
        last = time.perf_counter()
        clock["pca"] += last - came
    started = time.perf_counter()
    points_NC = reduction.finish().points_NC
    clock["pca_finish"] = time.perf_counter() - started
    started = time.perf_counter()
    embed(points_NC, TsneConfig(), seed=0)
    clock["t-SNE"] = time.perf_counter() - started
    found = {"samples": count, "width": width, "peak_bytes": _peak_bytes(), **clock}
    if count <= FITS:
        found["subspace_missed"] = subspace_missed(points_NC, _exact(count, width))
    return found


def _peak_bytes() -> int:
    """Return the most memory this process has had; an exec starts it anew, unlike getrusage."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return 1024 * next(int(x.split()[1]) for x in lines if x.startswith("VmHWM"))
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else 1024 * used


def _exact(count: int, width: int) -> np.ndarray:
    """Return the points of exact PCA; needs all features, here on disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        mapped = np.lib.format.open_memmap(path, "w+", np.float32, (count, width))
        for i, outputs in enumerate(stream_features(srresnet(), patches(count), [LAYER])):
            mapped[i * BATCH : (i + 1) * BATCH] = outputs[LAYER].features_BD
        return pca(mapped, components=COMPONENTS).points_NC


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--one", type=int, required=True)
    print(json.dumps(_one(parser.parse_args().one)))
