"""A whole analysis against the peer pipeline: 300 patches, every tap point, five t-SNE runs.

In float32 and, where the network runs, in bfloat16. Like the peer they keep nothing; a third
writes what the command does: features, figures, report. A fourth is the command itself, from its
start on, with the controls and intervals that the peer does not have. The peer is one process, as
its runs of t-SNE use all threads; once it is also timed with the runs in processes side by side.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence

import numpy as np
from common import Results, Timing, output_of, take_turns
from peer import PeerStudy, analyse

from srscope.analyses.separability import analyze
from srscope.networks.structure.select import select_layers
from srscope.networks.zoo import load_network
from srscope.projection.affinities import joint_affinities, kl_divergence
from srscope.study.config import AnalysisConfig
from srscope.study.inputs import degraded_images, original_contents
from srscope.study.record import Study

NETWORK = "srresnet-wgr"
RUNS, BATCH = 5, 32


def benchmark(
    results: Results,
    *,
    rounds: int,
    contents: int = 100,
    runs: int = RUNS,
    most_runs: int = AnalysisConfig.most_runs,
    labels: tuple[str, ...] = ("all",),
) -> None:
    """Time both from the same network; srscope also crops and degrades, the peer is given that.

    Nothing is taken from a cache.
    """
    network = load_network(NETWORK)
    config = AnalysisConfig(
        contents=contents,
        layers=labels,
        untrained=False,
        runs=runs,
        most_runs=most_runs,
        batch_size=BATCH,
    )
    crops = original_contents((network.scale, config.patch), config)
    images = degraded_images(crops, (network.scale, config.patch), config)
    layers = [tap.name for tap in select_layers(network, labels)]
    cores = os.cpu_count() or 1
    studies: dict[str, Study] = {}
    peers: list[PeerStudy] = []

    def ours(who: str, precision: str) -> Callable[[], None]:
        at = dataclasses.replace(config, precision=precision)
        return lambda: studies.update({who: analyze(network, config=at)})

    def writing() -> None:
        with tempfile.TemporaryDirectory() as folder:
            analyze(network, out=folder, config=config)

    def command() -> None:
        with tempfile.TemporaryDirectory() as folder:
            words = [sys.executable, "-m", "srscope", "analyze", NETWORK, "--quiet", "--no-cache"]
            words += ["--layers", *labels, f"--contents={contents}", f"--runs={runs}"]
            words.append(f"--most-runs={most_runs}")
            output_of([*words, f"--out={folder}/study"])

    def peer() -> None:
        module = network.module
        given = (module, images.images_NCHW, images.set_N, layers)
        peers.append(analyse(*given, runs=runs, batch=BATCH))

    # To warm up: a first analysis compiles, if none on this machine did before.
    analyze(network, config=config, layers=(layers[0],), runs=1)
    first = (images.images_NCHW, images.set_N, layers[:1])
    analyse(network.module, *first, runs=1, batch=BATCH)
    fast = {
        "srscope analyze": ours("srscope analyze", "float32"),
        "srscope analyze, bfloat16": ours("srscope analyze, bfloat16", "bfloat16"),
    }
    contestants = {
        "peer pipeline": peer,
        **fast,
        "srscope analyze, all written": writing,
        "srscope analyze, as a command with all controls": command,
    }
    taken = take_turns(contestants, rounds=rounds, warm_up=False)
    job = f"analysis of {len(images.images_NCHW)} patches, {len(layers)} layers"
    timings = {who: Timing(job=job, who=who, rounds=rounds) for who, rounds in taken.items()}
    for who, timing in timings.items():
        results.add(timing)
        if who != "peer pipeline":
            aim = ">= 8" if "command" in who else ">= 15" if "bfloat16" in who else ">= 10"
            results.compare(timings["peer pipeline"], timing, aim)
    results.fact("seconds of the stages, peer", **peers[-1].seconds)
    side_by_side = analyse(
        network.module, images.images_NCHW, images.set_N, layers,
        runs=runs, batch=BATCH, processes=cores,
    )  # fmt: skip
    results.fact(
        f"seconds of the stages, peer with t-SNE runs in {cores} processes, once",
        **side_by_side.seconds,
        **{"in all": sum(side_by_side.seconds.values())},
    )
    for who, study in studies.items():
        results.fact(f"seconds of the stages, {who}", **study.timings)
        _compare_scores(results, who, study, peers[-1])


def _compare_scores(results: Results, who: str, study: Study, peer: PeerStudy) -> None:
    """Compare CHI, layer by layer, beside its spread over runs, and divergences by one measure."""
    apart: list[float] = []
    ratios: list[float] = []
    for layer in study.layers:
        ours, theirs = layer.tsne.chi.runs, peer.chi[layer.layer]
        affinities_NN = joint_affinities(peer.points[layer.layer].astype(np.float64), 30.0)
        kl = [kl_divergence(affinities_NN, map_N2) for map_N2 in peer.maps[layer.layer]]
        ratios.append(statistics.median(layer.tsne.kl.runs) / statistics.median(kl))
        if len(ours) > 1:
            apart.append(in_deviations(ours, theirs))
        results.fact(
            layer.label,
            table=f"{who}: the same CHI over runs, and t-SNE's divergence by one measure",
            **{
                "CHI, srscope": mean_and_spread(ours),
                "CHI, peer": mean_and_spread(theirs),
                "divergence, srscope": statistics.median(layer.tsne.kl.runs),
                "divergence, peer": statistics.median(kl),
            },
        )
    job = f"{len(study.layers)} layers, {who} against the peer"
    if apart:
        what = "CHI apart, in standard deviations of runs, median and range over layers"
        results.check(job, what, apart, "<= 1")
    what = "t-SNE divergence, srscope / scikit-learn, median and range over layers"
    results.check(job, what, ratios, "<= 1.02")


def in_deviations(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return how far apart two means are, in standard deviations of single runs."""
    spread = np.hypot(np.std(ours, ddof=1), np.std(theirs, ddof=1))
    return abs(statistics.mean(ours) - statistics.mean(theirs)) / float(spread)


def mean_and_spread(values: Sequence[float]) -> str:
    """Return the mean of some runs, and their standard deviation."""
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{spread}"
