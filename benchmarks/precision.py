"""Whether another memory order or precision of the network changes a score: CHI side by side."""

from __future__ import annotations

import statistics
import tempfile
from typing import Any

import numpy as np
from common import Results
from stages import BATCH, COMPONENTS
from whole import NETWORK, RUNS, in_deviations, mean_and_spread

from srscope.features.extract import extract
from srscope.networks.zoo import load_network
from srscope.projection.pca import pca
from srscope.projection.tsne import TsneConfig, embed_many
from srscope.scores.separability import separability
from srscope.study.config import AnalysisConfig
from srscope.study.inputs import degraded_images, original_contents

WAYS: dict[str, dict[str, Any]] = {
    "float32": {},
    "float32, channels-last": {"channels_last": True},
    "bfloat16, channels-last": {"channels_last": True, "autocast": "bfloat16"},
}


def benchmark(results: Results, *, contents: int = 100, runs: int = RUNS) -> None:
    """Extract the layers that the paper shows in every way, and score each by the same protocol."""
    network = load_network(NETWORK)
    config = AnalysisConfig(contents=contents)
    crops = original_contents((network.scale, config.patch), config)
    images = degraded_images(crops, (network.scale, config.patch), config)
    chi: dict[str, list[list[float]]] = {}
    distance: dict[str, list[float]] = {}
    space: dict[str, list[float]] = {}
    reference: list[np.ndarray] = []
    for way, options in WAYS.items():
        with tempfile.TemporaryDirectory() as folder:
            store = extract(
                network.module,
                images.images_NCHW,
                network.default_layers,
                store=folder,
                batch_size=BATCH,
                **options,
            )
            features = [np.array(store.read(layer)) for layer in network.default_layers]
        reference = reference or features
        distance[way] = [
            float(np.linalg.norm(each - exact) / np.linalg.norm(exact))
            for each, exact in zip(features, reference, strict=True)
        ]
        points = [pca(each, components=COMPONENTS).points_NC for each in features]
        space[way] = [separability(each, images.set_N).chi for each in points]
        chi[way] = [
            [separability(run.points_ND, images.set_N).chi for run in layer]
            for layer in embed_many(points, TsneConfig(), runs=runs, seed=config.seed)
        ]
    for i, layer in enumerate(network.default_layers):
        results.fact(
            layer,
            table=f"CHI of {NETWORK} by precision, of maps and in feature space",
            **{way: mean_and_spread(chi[way][i]) for way in WAYS},
            **{f"in feature space, {way}": space[way][i] for way in WAYS},
        )
    for way in list(WAYS)[1:]:
        job = f"{len(network.default_layers)} layers of {NETWORK}, {way}"
        results.fact(job, features_differ_by_at_most=max(distance[way]))
        changes = [abs(a / b - 1) for a, b in zip(space[way], space["float32"], strict=True)]
        results.check(
            job, "change of CHI in feature space, median and range over layers", changes, "<= 0.01"
        )
        if runs > 1:
            apart = [in_deviations(*pair) for pair in zip(chi[way], chi["float32"], strict=True)]
            what = "CHI apart from float32's, in standard deviations of runs, over layers"
            results.check(job, what, apart, "<= 1")
            results.fact(job, median_apart=statistics.median(apart), largest_apart=max(apart))
