"""A whole analysis against the peer pipeline: 300 patches, every tap point, five t-SNE runs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np
from common import Results, Timing, take_turns
from peer import PeerStudy, analyse

from srscope.analysis import analyze
from srscope.analysis_config import AnalysisConfig
from srscope.analysis_features import degraded_images, original_contents
from srscope.networks.zoo import load_network
from srscope.projection.affinities import joint_affinities, kl_divergence
from srscope.study import Study

NETWORK = "srresnet-wgr"
RUNS, BATCH = 5, 32


def benchmark(results: Results, *, rounds: int, contents: int = 100, runs: int = RUNS) -> None:
    """Time both from the same network; srscope also crops and degrades, the peer is given that.

    Nothing is taken from a cache.
    """
    network = load_network(NETWORK)
    config = AnalysisConfig(
        contents=contents, layers=("all",), untrained=False, runs=runs, batch_size=BATCH
    )
    crops = original_contents(network.scale, config.patch, config)
    images = degraded_images(crops, network.scale, config.patch, config)
    layers = [tap.name for tap in network.taps]
    studies: list[Study] = []
    peers: list[PeerStudy] = []

    def ours() -> None:
        studies.append(analyze(network, config=config))

    def peer() -> None:
        module = network.module
        given = (module, images.images_NCHW, images.set_N, layers)
        peers.append(analyse(*given, runs=runs, batch=BATCH))

    # To warm up: a first analysis compiles, if none on this machine did before.
    analyze(network, config=config, layers=(layers[0],), runs=1)
    first = (images.images_NCHW, images.set_N, layers[:1])
    analyse(network.module, *first, runs=1, batch=BATCH)
    contestants = {"peer pipeline": peer, "srscope analyze": ours}
    taken = take_turns(contestants, rounds=rounds, warm_up=False)
    job = f"analysis of {len(images.images_NCHW)} patches, {len(layers)} layers"
    slow, fast = (Timing(job=job, who=who, rounds=taken[who]) for who in contestants)
    results.add(slow)
    results.add(fast)
    results.compare(slow, fast, ">= 10")
    for who, each in (("peer", peers[-1].seconds), ("srscope", studies[-1].timings)):
        results.fact(f"seconds of the stages, {who}", **each)
    _compare_scores(results, studies[-1], peers[-1])


def _compare_scores(results: Results, study: Study, peer: PeerStudy) -> None:
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
            table="The same scores: CHI over runs, and t-SNE's divergence by one measure",
            **{
                "CHI, srscope": mean_and_spread(ours),
                "CHI, peer": mean_and_spread(theirs),
                "divergence, srscope": statistics.median(layer.tsne.kl.runs),
                "divergence, peer": statistics.median(kl),
            },
        )
    job = f"{len(study.layers)} layers, srscope against the peer"
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
