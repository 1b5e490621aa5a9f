"""The peer pipeline: what one writes in an afternoon with PyTorch and scikit-learn.

It is tuned as such a script is: inference mode, the same batches as srscope, every thread of the
machine for PyTorch, BLAS and scikit-learn's t-SNE (whose gradient takes all of OpenMP's), PCA by
the solver that scikit-learn picks for the shape, which is the fastest it has here, features kept in
memory. The whole network runs, in float32, in one process, and t-SNE runs follow one another; they
can be asked to run side by side in processes of one thread each, which few scripts do. What it does
not have to do: crop, degrade, permute labels, split variance, score the pixels, write anything.
Suffixes: N images, C channels, H/W height and width, D dimensions, K components.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed, parallel_config
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import calinski_harabasz_score, silhouette_score
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class PeerStudy:
    """What the peer pipeline finds, and the seconds its stages took."""

    chi: dict[str, list[float]]
    maps: dict[str, list[NDArray[np.float32]]]
    points: dict[str, NDArray[np.float32]]
    seconds: dict[str, float]


@torch.inference_mode()
def features(
    network: nn.Module, images_NCHW: NDArray[np.float32], layers: Sequence[str], *, batch: int
) -> dict[str, NDArray[np.float32]]:
    """Record the layers with forward hooks during whole forward passes."""
    kept: dict[str, list[Tensor]] = {layer: [] for layer in layers}

    def keep_in(parts: list[Tensor]) -> Callable[[nn.Module, object, Tensor], None]:
        return lambda _module, _inputs, output: parts.append(output.flatten(1))

    handles = [
        network.get_submodule(layer).register_forward_hook(keep_in(kept[layer])) for layer in layers
    ]
    try:
        for batch_NCHW in torch.from_numpy(images_NCHW).split(batch):
            network(batch_NCHW)
    finally:
        for handle in handles:
            handle.remove()
    return {layer: torch.cat(parts).numpy() for layer, parts in kept.items()}


def analyse(
    network: nn.Module,
    images_NCHW: NDArray[np.float32],
    set_N: NDArray[np.int64],
    layers: Sequence[str],
    *,
    runs: int,
    batch: int,
    processes: int = 1,
) -> PeerStudy:
    """Go from images that are degraded already to the scores of every layer.

    With more than one of ``processes``, t-SNE runs of a layer are spread over them.
    """
    started = time.perf_counter()
    features_of = features(network, images_NCHW, layers, batch=batch)
    seconds = {"features": time.perf_counter() - started, "pca and scores": 0.0, "t-SNE": 0.0}
    study = PeerStudy(chi={}, maps={}, points={}, seconds=seconds)
    make_tsne: Any = TSNE  # its type says that a learning rate is text

    def embedded(points_NK: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
        tsne = make_tsne(
            perplexity=30, learning_rate=200, init="random", random_state=seed, n_jobs=-1
        )
        return tsne.fit_transform(points_NK)

    threads = 1 if processes > 1 else None  # of each process
    for layer, features_ND in features_of.items():
        started = time.perf_counter()
        points_NK = PCA(n_components=50, random_state=0).fit_transform(features_ND)
        calinski_harabasz_score(points_NK, set_N)
        silhouette_score(points_NK, set_N)
        cross_val_score(KNeighborsClassifier(5), points_NK, set_N)
        reduced = time.perf_counter()
        with parallel_config("loky", n_jobs=processes, inner_max_num_threads=threads):
            maps: Any = Parallel()(delayed(embedded)(points_NK, seed) for seed in range(runs))
        study.chi[layer] = [float(calinski_harabasz_score(map_N2, set_N)) for map_N2 in maps]
        study.maps[layer], study.points[layer] = maps, points_NK
        seconds["pca and scores"] += reduced - started
        seconds["t-SNE"] += time.perf_counter() - reduced
    return study
