"""The stages of an analysis one by one: extraction, PCA, t-SNE, PCA of a stream.

Suffixes: N images, B images of a batch, C channels, H/W height and width, D dimensions.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openTSNE
import torch
import torch.nn.functional as F
from common import SEED, Results, Timing, take_turns
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits
from torch import Tensor

from srscope.features.extract import extract
from srscope.images.bundled import load_bundled
from srscope.images.record import PhotoFile
from srscope.networks.architectures.srresnet import SLOPE, SRResNet
from srscope.networks.zoo import load_network
from srscope.projection.affinities import joint_affinities, kl_divergence
from srscope.projection.config import TsneConfig
from srscope.projection.pca import pca
from srscope.projection.stream import StreamingPca
from srscope.projection.tsne import embed

PATCH, COMPONENTS, BATCH = 32, 50, 32
LAYER = "body.15"
READY = 1 << 28
"""Bytes of memory that are at hand when a contestant's turn comes."""


def srresnet() -> SRResNet:
    """Return the network whose last block is looked at."""
    module = load_network("srresnet-wgr").module
    assert isinstance(module, SRResNet)
    return module


def extraction(results: Results, *, rounds: int, count: int = 300) -> None:
    """Features of ResBlock16: the whole forward pass, a truncated one by hand, srscope's."""
    network = srresnet()
    images_NCHW = np.random.default_rng(SEED).random((count, 3, PATCH, PATCH), np.float32)

    @torch.inference_mode()
    def truncated(batch_BCHW: Tensor) -> Tensor:
        return network.body(F.leaky_relu(network.conv_first(batch_BCHW), SLOPE))

    def forward(run: Callable[[Tensor], Tensor], *, fast: bool) -> Callable[[], object]:
        layout = torch.channels_last if fast else torch.contiguous_format

        @torch.inference_mode()
        def all_batches() -> None:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast):
                for batch in torch.from_numpy(images_NCHW).split(BATCH):
                    run(batch.contiguous(memory_format=layout))

        return all_batches

    def ours(folder: str, *, fast: bool) -> Callable[[], object]:
        stores = (Path(folder) / str(number) for number in itertools.count())
        return lambda: extract(
            network,
            images_NCHW,
            [LAYER],
            store=next(stores),
            batch_size=BATCH,
            channels_last=fast,
            autocast="bfloat16" if fast else None,
        )

    for fast in (False, True):
        how = "bfloat16, channels-last" if fast else "float32"
        names = {
            "whole": "whole forward pass",
            "cut": "truncated loop by hand, nothing kept",
            "ours": "srscope extract, to disk",
        }
        with tempfile.TemporaryDirectory() as folder:
            taken = take_turns(
                {
                    "whole": forward(network, fast=fast),
                    "cut": forward(truncated, fast=fast),
                    "ours": ours(folder, fast=fast),
                },
                rounds=rounds,
                before=ready_memory,
            )
        job = f"ResBlock16 of {count} patches, {how}"
        whole, cut, extracted = (
            Timing(job=job, who=names[name], rounds=taken[name]) for name in taken
        )
        for timing in (whole, cut, extracted):
            results.add(timing)
        results.compare(extracted, whole, "<= 0.35")
        results.compare(extracted, cut, "<= 1.05")


def ready_memory() -> None:
    """Have some memory at hand that was just used, for files that are about to be written.

    A virtual machine may give its host what is free, and wait when it wants it again: that would be
    charged to whoever writes.
    """
    np.ones(READY, np.uint8)


def reduction(results: Results, *, rounds: int, count: int = 300) -> None:
    """PCA of one layer's features through the Gram matrix."""
    features_ND = _features(count)

    def exact() -> NDArray[Any]:
        return PCA(COMPONENTS, svd_solver="full").fit_transform(features_ND)

    def picked_by_size() -> NDArray[Any]:
        return PCA(COMPONENTS, random_state=SEED).fit_transform(features_ND)

    contestants: dict[str, Callable[[], NDArray[Any]]] = {
        "scikit-learn PCA, full": exact,
        "scikit-learn PCA, as it picks (randomized)": picked_by_size,
        "srscope pca": lambda: pca(features_ND, components=COMPONENTS).points_NC,
    }
    taken = take_turns(contestants, rounds=rounds)
    job = f"PCA of {count} x {features_ND.shape[1]} to {COMPONENTS}"
    full, picked, ours = (
        Timing(
            job=job,
            who=who,
            rounds=taken[who],
            facts={"share of variance lost": _lost(run(), features_ND)},
        )
        for who, run in contestants.items()
    )
    for timing in (full, picked, ours):
        results.add(timing)
    results.compare(full, ours)
    results.compare(picked, ours)


def embedding(results: Results, *, rounds: int, count: int = 300, seeds: int = 5) -> None:
    """One t-SNE run on one thread, by every engine; divergences over all pairs, by one measure."""
    points_NC = pca(_features(count), components=COMPONENTS).points_NC
    affinities_NN = joint_affinities(points_NC, 30.0)

    # Their types say that a learning rate is text.
    make_sklearn: Any = TSNE
    make_opentsne: Any = openTSNE.TSNE

    def scikit_learn(seed: int = SEED) -> NDArray[Any]:
        return make_sklearn(
            perplexity=30, learning_rate=200, init="random", random_state=seed, n_jobs=1
        ).fit_transform(points_NC)

    def opentsne(seed: int = SEED) -> NDArray[Any]:
        # Its gradient lacks the factor 4; all else as its authors set it.
        tsne = make_opentsne(
            learning_rate=800, initialization="random", random_state=seed, n_jobs=1
        )
        return np.asarray(tsne.fit(points_NC))

    def ours(seed: int = SEED) -> NDArray[Any]:
        return embed(points_NC, TsneConfig(), seed=seed).points_ND

    contestants: dict[str, Callable[..., NDArray[Any]]] = {
        "scikit-learn TSNE": scikit_learn,
        "openTSNE": opentsne,
        "srscope embed": ours,
    }
    with threadpool_limits(limits=1):
        taken = take_turns(contestants, rounds=rounds)
        timings = [
            Timing(
                job=f"t-SNE of {count} points, one thread",
                who=who,
                rounds=taken[who],
                facts={
                    "median divergence": statistics.median(
                        kl_divergence(affinities_NN, run(seed)) for seed in range(seeds)
                    )
                },
            )
            for who, run in contestants.items()
        ]
    for timing in timings:
        results.add(timing)
    for timing in timings[:2]:
        results.compare(timing, timings[2])
    sklearn, _, srscope = (timing.facts["median divergence"] for timing in timings)
    results.check(
        timings[0].job, "divergence, srscope / scikit-learn", [srscope / sklearn], "<= 1.02"
    )


def stream(
    results: Results, *, rounds: int, count: int = 2048, sizes: tuple[int, ...] = (128,)
) -> None:
    """PCA in one pass against scikit-learn's, on one stream of real features, batch by batch.

    scikit-learn's cost a sample is least for batches of about twice the components. It keeps no
    coordinates of what it has seen, so that points take a second pass; here that is over features
    in memory, where a stream would have to be extracted again. Its first pass is also timed alone.
    """
    features_ND = _features(count)

    def batches(size: int) -> Iterator[NDArray[np.float32]]:
        return (features_ND[i : i + size] for i in range(0, count, size))

    first_pass: dict[str, list[float]] = {}

    def incremental(size: int) -> Callable[[], NDArray[Any]]:
        def run() -> NDArray[Any]:
            started = time.perf_counter()
            model = IncrementalPCA(COMPONENTS)
            for features_BD in batches(size):
                model.partial_fit(features_BD)
            first_pass.setdefault(incremental_name(size), []).append(time.perf_counter() - started)
            return np.concatenate([model.transform(features_BD) for features_BD in batches(size)])

        return run

    def ours() -> NDArray[Any]:
        streaming = StreamingPca(components=COMPONENTS)
        for features_BD in batches(BATCH):
            streaming.update(features_BD)
        return streaming.finish().points_NC

    def incremental_name(size: int) -> str:
        return f"scikit-learn IncrementalPCA, batches of {size}"

    exact_NC = pca(features_ND, components=COMPONENTS).points_NC
    contestants: dict[str, Callable[[], NDArray[Any]]] = {
        **{incremental_name(size): incremental(size) for size in sizes},
        "srscope StreamingPca": ours,
    }
    found: dict[str, NDArray[Any]] = {}

    def keeping(who: str, run: Callable[[], NDArray[Any]]) -> Callable[[], None]:
        return lambda: found.update({who: run()})

    kept = {who: keeping(who, run) for who, run in contestants.items()}
    taken = take_turns(kept, rounds=rounds, warm_up=False)
    timings = [
        Timing(
            job=f"PCA of a stream of {count} x {features_ND.shape[1]}",
            who=who,
            rounds=taken[who],
            facts={
                "share of the exact subspace missed": subspace_missed(found[who], exact_NC),
                "share of variance lost": _lost(found[who], features_ND),
            },
        )
        for who in contestants
    ]
    for timing in timings:
        results.add(timing)
    ours_timing = timings[-1]
    for timing in timings[:-1]:
        results.compare(timing, ours_timing, ">= 10")
        fit = Timing(job=timing.job, who=f"{timing.who}, fit alone", rounds=first_pass[timing.who])
        results.compare(fit, ours_timing, ">= 10")
    missed = ours_timing.facts["share of the exact subspace missed"]
    results.check(ours_timing.job, "share of the exact subspace missed", [missed], "<= 0.01")


def subspace_missed(points_NC: NDArray[Any], exact_NC: NDArray[Any]) -> float:
    """Return the share of the exact components' space of samples that others do not span."""
    found, exact = (
        np.linalg.qr(np.asarray(points, np.float64))[0] for points in (points_NC, exact_NC)
    )
    return 1 - float(np.linalg.norm(found.T @ exact) ** 2) / exact.shape[1]


def patches(count: int, *, size: int = BATCH) -> Iterator[NDArray[np.float32]]:
    """Yield batches of LR patches, cropped at random from the bundled photographs.

    A third is clean, a third blurred, a third noisy, batch by batch.
    """
    rng = np.random.default_rng(SEED)
    small: list[list[NDArray[np.uint8]]] = []
    for photograph in load_bundled("test").photographs:
        assert isinstance(photograph, PhotoFile)
        with Image.open(photograph.path) as image:
            rgb = image.convert("RGB")
        lr = rgb.resize((rgb.width // 4, rgb.height // 4), Image.Resampling.BICUBIC)
        blurred = lr.filter(ImageFilter.GaussianBlur(2))
        small.append([np.asarray(each) for each in (lr, blurred, lr)])
    for start in range(0, count, size):
        kind = start // size % 3
        batch = np.empty((min(size, count - start), 3, PATCH, PATCH), np.float32)
        for patch_CHW in batch:
            image_HWC = small[int(rng.integers(len(small)))][kind]
            top, left = (int(rng.integers(side - PATCH + 1)) for side in image_HWC.shape[:2])
            patch_HWC = image_HWC[top : top + PATCH, left : left + PATCH]
            patch_CHW[:] = patch_HWC.transpose(2, 0, 1) / 255
        if kind == 2:
            batch += rng.normal(0, 20 / 255, batch.shape).astype(np.float32)
        yield batch


def _features(count: int) -> NDArray[np.float32]:
    """Return the features of ResBlock16 for as many patches."""
    images_NCHW = np.concatenate(list(patches(count)))
    with tempfile.TemporaryDirectory() as folder:
        store = extract(srresnet(), images_NCHW, [LAYER], store=folder, batch_size=BATCH)
        return np.array(store.read(LAYER))


def _lost(points_NC: NDArray[Any], features_ND: NDArray[np.float32]) -> float:
    """Return the share of the variance that the projection lost."""
    mean_D = features_ND.mean(axis=0, dtype=np.float64).astype(np.float32)
    total = sum(
        float(((features_ND[i : i + 64] - mean_D) ** 2).sum(dtype=np.float64))
        for i in range(0, len(features_ND), 64)
    )
    return 1 - float((np.asarray(points_NC, np.float64) ** 2).sum()) / total


__all__ = ["embedding", "extraction", "patches", "reduction", "stream", "subspace_missed"]
