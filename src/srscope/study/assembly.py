"""From features to the record of a finished analysis."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.degradations.record import SuiteInfo
from srscope.features.held import Features
from srscope.networks.record import NetworkInfo
from srscope.runtime.records import record_of
from srscope.scores.design import design
from srscope.scores.record import FeatureSpaceScores, LayerScores, Runs, TsneScores
from srscope.study.cache import Stages
from srscope.study.config import AnalysisConfig
from srscope.study.extraction import Progress, open_features, staged
from srscope.study.record import Inputs, Study
from srscope.study.scoring import score_sources
from srscope.study.sources import Labels, sources_of, trivial_of
from srscope.study.verdict import verdict_of


def study_of_folder(
    folder: str | Path,
    config: AnalysisConfig,
    *,
    stages: Stages | None = None,
    progress: Progress | None = None,
) -> Study:
    """Project and score features that are already on disk.

    Args:
        folder: The ``features`` folder of an earlier analysis.
        config: The parameters of the later stages: pca, tsne, runs, seed, permutations.
        stages: Projections, scores and maps of features of the same hash are taken from it, and
            put there; the features are not read to check their hash.
        progress: Called as t-SNE runs are done.

    Raises:
        FileProblem: If the folder is not a whole feature store.
        SrscopeError: If a score is undefined for these features.
    """
    return study_of(
        open_features(Path(folder), config), config, stages or Stages(), progress=progress
    )


def study_of(
    stores: Mapping[str, Features],
    config: AnalysisConfig,
    stages: Stages,
    *,
    progress: Progress | None = None,
    earlier: Mapping[str, float] | None = None,
) -> Study:
    """Score the features of a network and of its controls."""
    store = stores["network"]
    meta = store.metadata
    images_NCHW = None if meta.get("no_images") else store.array("images_NCHW")
    inputs = Inputs(
        patches_NHW3=_as_bytes(images_NCHW, len(store.array("set_N"))),
        set_N=store.array("set_N"),
        content_N=store.array("content_N"),
        contents=tuple(meta["contents"]),
        source=meta["source"],
        skipped=tuple((str(name), str(why)) for name, why in meta["skipped"]),
        photographs=tuple(meta.get("photographs", ())),
    )
    no_control = [("untrained control", why)] if (why := meta.get("no_untrained")) else []
    if images_NCHW is None:
        no_control.append(("raw pixels and simple statistics", "no images were given"))
    allowed = design(inputs.set_N, inputs.content_N, inputs.photograph_N)
    suite = record_of(SuiteInfo, meta["suite"])
    labels = Labels(
        set_N=inputs.set_N,
        content_N=inputs.content_N,
        photograph_N=inputs.photograph_N,
        sets=tuple(each.name for each in suite.sets),
        design=allowed,
    )
    sources = sources_of(stores, images_NCHW)
    if config.trivial and images_NCHW is not None:
        sources += trivial_of(images_NCHW)
    scored, seconds = score_sources(
        sources, labels, config, stages, progress=staged(progress, "t-SNE")
    )
    of_group = {
        group: tuple(s for s, each in zip(scored, sources, strict=True) if each.group == group)
        for group in ("network", "pixels", "untrained", "trivial", "random")
    }
    study = Study(
        network=record_of(NetworkInfo, meta["network"]),
        suite=suite,
        inputs=inputs,
        protocol=_protocol(config, store),
        environment=environment(str(meta["device"])),
        layers=of_group["network"],
        pixels=next(iter(of_group["pixels"]), _no_pixels(config.runs, len(inputs.set_N))),
        untrained=of_group["untrained"],
        trivial=of_group["trivial"],
        random=of_group["random"],
        timings={**(earlier or {}), **seconds},
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        left_out=(*allowed.left_out, *no_control),
    )
    return dataclasses.replace(study, verdict=verdict_of(study))


def _as_bytes(images_NCHW: NDArray[np.float32] | None, count: int) -> NDArray[np.uint8]:
    """Return the images in 8 bits; a grey pixel each where there are none."""
    if images_NCHW is None:
        return np.full((count, 1, 1, 3), 128, np.uint8)
    clipped = np.clip(images_NCHW.transpose(0, 2, 3, 1), 0.0, 1.0)
    return np.rint(clipped * 255.0).astype(np.uint8)


def _no_pixels(runs: int, count: int) -> LayerScores:
    """Return what stands in for the raw pixels where features came without images."""
    nan = math.nan
    undefined = Runs(mean=nan, std=nan, runs=())
    return LayerScores(
        layer="pixels",
        label="raw pixels",
        shape=(),
        depth=0.0,
        tsne=TsneScores(chi=undefined, wd=undefined, bd=undefined, kl=undefined, grade="-"),
        feature_space=FeatureSpaceScores(chi=nan, silhouette=nan, knn_accuracy=None, p_value=None),
        variance=None,
        points_RN2=np.full((runs, count, 2), nan, np.float32),
    )


def _protocol(config: AnalysisConfig, store: Features) -> dict[str, Any]:
    return {
        "patch": store.metadata["patch"],
        "contents": config.contents,
        "precision": store.provenance["extraction"]["autocast"] or "float32",
        "reducer": store.reducer,
        "pca": config.pca,
        "tsne": dataclasses.asdict(config.tsne),
        "runs": config.runs,
        "seed": config.seed,
        "permutations": config.permutations,
        **{name: store.metadata[name] for name in ("controls",) if name in store.metadata},
    }


def environment(device: str) -> dict[str, Any]:
    """Return versions, machine and device, as JSON values."""
    import torch

    packages = ("srscope", "torch", "numpy", "scipy", "scikit-learn", "openTSNE", "numba")
    return {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in packages},
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "device": device,
        "threads": torch.get_num_threads(),
    }
