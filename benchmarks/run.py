"""Side-by-side timings of srscope's stages against what people use otherwise.

    python benchmarks/run.py [--repeats 5] [--threads 2] [--out benchmarks/results/NAME.json]

Each entry does the same work on the same data; where the results can differ in quality, the quality
is measured too. Times are medians over the repeats, in seconds, after one round that is not
counted. Run it on an otherwise idle machine.
Suffixes: N images, C channels, H/W height and width, D dimensions.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from torch import Tensor
from torchvision.models.feature_extraction import create_feature_extractor

from srscope import files
from srscope.features.extract import extract
from srscope.networks.srresnet import SRResNet, SRResNetConfig
from srscope.projection.config import TsneConfig
from srscope.projection.pca import pca
from srscope.projection.tsne import embed

LAYERS = ("conv_first", "body.3", "body.7", "body.15")
IMAGES, PATCH, COMPONENTS = 300, 32, 50
PATCHES, BATCH = 96, 32  # a third of the images, as the network takes longest
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One contestant of one job. ``quality`` is what ``measure`` names; lower is better."""

    job: str
    who: str
    seconds: float
    measure: str = ""
    quality: float | None = None


def median_seconds(job: Callable[[], object], *, repeats: int) -> float:
    """Return the median time of ``job``, after one round to warm up."""
    job()
    taken: list[float] = []
    for _ in range(repeats):
        started = time.perf_counter()
        job()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def time_features(repeats: int) -> list[Timing]:
    """Record four layers of an SRResNet for every image, as flat vectors."""
    torch.manual_seed(SEED)
    network = SRResNet(SRResNetConfig()).eval()
    images_NCHW = np.random.default_rng(SEED).random((PATCHES, 3, PATCH, PATCH), np.float32)
    batches = torch.from_numpy(images_NCHW).split(BATCH)

    def ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            extract(network, images_NCHW, LAYERS, store=Path(folder) / "s", batch_size=BATCH)

    @torch.inference_mode()
    def hooks() -> dict[str, Tensor]:
        kept: dict[str, list[Tensor]] = {layer: [] for layer in LAYERS}
        handles = [
            network.get_submodule(layer).register_forward_hook(
                lambda _m, _i, output, layer=layer: kept[layer].append(output.flatten(1).clone())
            )
            for layer in LAYERS
        ]
        try:
            for batch_NCHW in batches:
                network(batch_NCHW)
        finally:
            for handle in handles:
                handle.remove()
        return {layer: torch.cat(parts) for layer, parts in kept.items()}

    traced = create_feature_extractor(network, list(LAYERS))

    @torch.inference_mode()
    def torchvision() -> dict[str, Tensor]:
        parts = [traced(batch_NCHW) for batch_NCHW in batches]
        return {layer: torch.cat([p[layer].flatten(1) for p in parts]) for layer in LAYERS}

    job = f"features of {PATCHES} patches, 4 layers"
    return [
        Timing(job=job, who=who, seconds=median_seconds(run, repeats=repeats))
        for who, run in {
            "srscope extract (to disk)": ours,
            "forward hooks (in memory)": hooks,
            "torchvision feature extractor (in memory)": torchvision,
        }.items()
    ]


def _lost(points_NC: NDArray[np.floating], features_ND: NDArray[np.floating]) -> float:
    """Return the share of the variance that the projection lost."""
    centred_ND = features_ND - features_ND.mean(axis=0, dtype=np.float64)
    return 1 - float((np.asarray(points_NC, np.float64) ** 2).sum() / (centred_ND**2).sum())


def time_pca(repeats: int) -> list[Timing]:
    """Reduce one layer's features to 50 dimensions."""
    rng = np.random.default_rng(SEED)
    spectrum_N = 1 / np.sqrt(np.arange(1, IMAGES + 1))
    mixed_NN = rng.standard_normal((IMAGES, IMAGES)) * spectrum_N
    features_ND = (mixed_NN @ rng.standard_normal((IMAGES, 64 * PATCH**2))).astype(np.float32)

    def sklearn(solver: str) -> Callable[[], NDArray[np.floating]]:
        return lambda: PCA(COMPONENTS, svd_solver=solver, random_state=SEED).fit_transform(
            features_ND
        )

    job = f"PCA of {features_ND.shape[0]} x {features_ND.shape[1]} to {COMPONENTS}"
    contestants: dict[str, Callable[[], NDArray[np.floating]]] = {
        "srscope pca": lambda: pca(features_ND, components=COMPONENTS).points_NC,
        "scikit-learn PCA, full": sklearn("full"),
        "scikit-learn PCA, randomized": sklearn("randomized"),
    }
    return [
        Timing(
            job=job,
            who=who,
            seconds=median_seconds(run, repeats=repeats),
            measure="share of variance lost",
            quality=_lost(run(), features_ND),
        )
        for who, run in contestants.items()
    ]


def time_tsne(repeats: int) -> list[Timing]:
    """Map 300 points in three loose clusters to the plane."""
    rng = np.random.default_rng(SEED)
    points_NC = rng.standard_normal((IMAGES, COMPONENTS))
    points_NC[:, :2] += 3 * np.eye(3, 2)[np.arange(IMAGES) % 3]
    config = TsneConfig()

    def ours() -> float:
        return embed(points_NC, config, seed=SEED).kl

    def sklearn(method: str) -> Callable[[], float]:
        def run() -> float:
            tsne = TSNE(
                perplexity=config.perplexity,
                learning_rate=config.learning_rate,
                init=config.init,
                method=method,
                random_state=SEED,
            )
            tsne.fit(points_NC)
            return float(tsne.kl_divergence_)

        return run

    job = f"t-SNE of {IMAGES} points, one run"
    contestants = {
        "srscope embed": ours,
        "scikit-learn TSNE, exact": sklearn("exact"),
        "scikit-learn TSNE, Barnes-Hut": sklearn("barnes_hut"),
    }
    return [
        Timing(
            job=job,
            who=who,
            seconds=median_seconds(run, repeats=repeats),
            measure="KL divergence",
            quality=run(),
        )
        for who, run in contestants.items()
    ]


def machine() -> dict[str, str | int | None]:
    """Return what a reader needs to judge the times."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    packages = ("srscope", "torch", "torchvision", "numpy", "scikit-learn", "openTSNE")
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in packages},
    }


def main() -> None:
    """Time everything, print a table, and write it where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="rounds that are counted")
    parser.add_argument("--threads", type=int, default=None, help="torch's threads")
    parser.add_argument("--out", type=Path, default=None, help="JSON file to write")
    options = parser.parse_args()
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    about = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    timings: list[Timing] = []
    for stage in (time_features, time_pca, time_tsne):
        for timing in stage(options.repeats):
            timings.append(timing)
            quality = "" if timing.quality is None else f"  {timing.measure} {timing.quality:.4g}"
            print(f"{timing.job:38} {timing.who:42} {timing.seconds:8.3f} s{quality}", flush=True)
    if options.out is not None:
        result = {"machine": about, "timings": [asdict(timing) for timing in timings]}
        files.write_text(options.out, json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
