"""The one place where the stages are composed into a study.

images -> degradations -> networks -> features | projection -> scores -> study. The bar is the
features, in a store or held in memory: :func:`extract_features` ends there, :func:`score_features`
starts at a store, and :func:`study_of` is one after the other.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import platform
import time
from collections.abc import Mapping
from contextlib import nullcontext
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.degradations.degrade import DegradedImages
from srscope.degradations.record import SuiteInfo
from srscope.errors import ParameterError
from srscope.features.held import Features, HeldFeatures
from srscope.features.store import FeatureStore
from srscope.networks.description import LoadedNetwork, NetworkInfo
from srscope.networks.loading.spec import is_snapshots
from srscope.networks.zoo import load_network
from srscope.runtime.files import scratch_folder, writing_to
from srscope.runtime.processes import is_helper
from srscope.scores.design import design
from srscope.study.config import AnalysisConfig
from srscope.study.extraction import Progress, assist_features, extract_features, staged
from srscope.study.record import Inputs, Study
from srscope.study.scoring import ScoringInputs, score_layers
from srscope.study.stages import AnalysisCache, opened


def analyze(
    network: str | LoadedNetwork,
    *,
    out: str | Path | None = None,
    config: AnalysisConfig | None = None,
    progress: Progress | None = None,
    cache: str | Path | None = None,
    **options: Any,
) -> Study:
    """Show which degradations a network's features separate, layer by layer.

    Args:
        network: A bundled name, a checkpoint's path, or what :func:`load_network` returned.
        out: Folder for ``report.html``, ``scores.json``, figures and features; ``None`` writes
            nothing.
        config: The parameters; alternatively give its fields as keywords.
        progress: Called as the stages advance.
        cache: Folder in which finished stages are kept, 4 GB of them at most, and found again by
            later analyses, which then compute only what is new; ``None`` keeps nothing. The numbers
            are the same bit for bit.
        options: Fields of :class:`AnalysisConfig`, e.g. ``suite="blur-1-4"``, ``runs=3``.

    Returns:
        The study: scores of every layer, controls, embeddings, provenance.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.

    Source: Liu et al. 2021; the protocol is in the documentation's science page.
    """
    settings = dataclasses.replace(config or AnalysisConfig(), **options)
    if isinstance(network, str) and is_snapshots(network):
        remedy = "for a folder of checkpoints there is srscope.over_training"
        raise ParameterError("network", "one network", network, remedy)
    loaded = load_network(network) if isinstance(network, str) else network
    if settings.devices > 1 and is_helper():
        assist_features(loaded, settings)
    with writing_to(out):
        features = Path(out) / "features" if out is not None and settings.keep_features else None
        with opened(cache) as kept:
            study = study_of(loaded, settings, features=features, progress=progress, cache=kept)
        if out is not None:
            started = time.perf_counter()
            write_outputs(study, out, progress=progress)
            timings = {**study.timings, "report": time.perf_counter() - started}
            study = dataclasses.replace(study, timings=timings)
    return study


def write_outputs(study: Study, out: str | Path, *, progress: Progress | None = None) -> None:
    """Write ``scores.json``, ``study.npz``, the figures and ``report.html`` into a folder.

    The first two hold the whole study: :func:`~srscope.study.store.read_study` gives it back.

    Args:
        study: What to write.
        out: The folder; created when absent.
        progress: Called when the files are written.
    """
    from srscope.figures.save import save_figures
    from srscope.report.html import write_report
    from srscope.study.store import write_study

    folder = Path(out)
    write_study(study, folder)
    save_figures(study, folder / "figures")
    write_report(study, folder / "report.html")
    if progress is not None:
        progress("writing the report", 1, 1)


def study_of(
    network: LoadedNetwork,
    config: AnalysisConfig,
    *,
    features: Path | None = None,
    images: DegradedImages | None = None,
    progress: Progress | None = None,
    cache: AnalysisCache | None = None,
) -> Study:
    """Extract and score.

    Args:
        network: The network.
        config: The parameters.
        features: Folder where the features stay; ``None`` keeps none. They then stay in memory, if
            there are not too many of them, and no cache wants them.
        images: What to feed the network, where that is at hand.
        progress: Called as the stages advance.
        cache: Finished stages are taken from it, and put there.

    Returns:
        The study.
    """
    held: dict[str, HeldFeatures] | None = None
    if features is None and cache is None and config.devices == 1:
        held = {}
    with scratch_folder() if features is None else nullcontext(features) as folder:
        seconds = extract_features(
            network, config, folder, images=images, progress=progress, cache=cache, held=held
        )
        stores = _opened(folder, config, held or {})
        return _scored(stores, config, progress=progress, earlier=seconds, cache=cache)


def _opened(
    folder: Path, config: AnalysisConfig, held: Mapping[str, Features]
) -> dict[str, Features]:
    """Return the features of the network and of its control, from memory or from the folder."""
    stores = dict(held)
    if "network" not in stores:
        stores["network"] = FeatureStore.open(folder / "network")
    if "untrained" not in stores and config.untrained and Path(folder, "untrained").is_dir():
        stores["untrained"] = FeatureStore.open(folder / "untrained")
    return stores


def score_features(
    folder: str | Path,
    config: AnalysisConfig | None = None,
    *,
    progress: Progress | None = None,
    earlier: Mapping[str, float] | None = None,
    cache: AnalysisCache | None = None,
) -> Study:
    """Project and score features that are already on disk.

    Args:
        folder: The ``features`` folder of an earlier analysis.
        config: The parameters of the later stages: pca, tsne, runs, seed, permutations.
        progress: Called as t-SNE runs are done.
        earlier: Seconds of the stages before, to go into the study's timings.
        cache: Projections, scores and maps of features of the same hash are taken from it, and
            put there; the features are not read to check their hash.

    Returns:
        The study.

    Raises:
        FileProblem: If the folder is not a whole feature store.
        SrscopeError: If a score is undefined for these features.
    """
    settings = config or AnalysisConfig()
    stores = _opened(Path(folder), settings, {})
    return _scored(stores, settings, progress=progress, earlier=earlier, cache=cache)


def _scored(
    stores: Mapping[str, Features],
    settings: AnalysisConfig,
    *,
    progress: Progress | None,
    earlier: Mapping[str, float] | None,
    cache: AnalysisCache | None,
) -> Study:
    store, untrained = stores["network"], stores.get("untrained")
    meta = store.metadata
    suite = SuiteInfo.of_plain(meta["suite"])
    images_NCHW = store.array("images_NCHW")
    inputs = Inputs(
        patches_NHW3=_as_bytes(images_NCHW),
        set_N=store.array("set_N"),
        content_N=store.array("content_N"),
        contents=tuple(meta["contents"]),
        source=meta["source"],
        skipped=tuple((str(name), str(why)) for name, why in meta["skipped"]),
        photographs=tuple(meta.get("photographs", ())),
    )
    no_control = [("untrained control", why)] if (why := meta.get("no_untrained")) else []
    allowed = design(inputs.set_N, inputs.content_N, inputs.photograph_N)
    scored = score_layers(
        ScoringInputs(
            store=store,
            untrained=untrained,
            images_NCHW=images_NCHW,
            design=allowed,
            cache=cache,
        ),
        settings,
        progress=staged(progress, "t-SNE"),
    )
    return Study(
        network=NetworkInfo(**meta["network"]),
        suite=suite,
        inputs=inputs,
        protocol=_protocol(settings, store),
        environment=_environment(str(meta["device"])),
        layers=scored.layers,
        pixels=scored.pixels,
        untrained=scored.untrained,
        timings={**(earlier or {}), **scored.timings},
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        left_out=(*allowed.left_out, *no_control),
    )


def _as_bytes(images_NCHW: NDArray[np.float32]) -> NDArray[np.uint8]:
    clipped = np.clip(images_NCHW.transpose(0, 2, 3, 1), 0.0, 1.0)
    return np.rint(clipped * 255.0).astype(np.uint8)


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
    }


def _environment(device: str) -> dict[str, Any]:
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
