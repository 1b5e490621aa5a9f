"""The first half of an analysis: photographs, degradations, the network, features on disk."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from srscope.allocation import available_memory
from srscope.analysis_cache import AnalysisCache
from srscope.analysis_config import AnalysisConfig
from srscope.degradations.degrade import DegradedImages, degrade
from srscope.degradations.suite import DegradedSet, Suite, load_suite
from srscope.errors import NetworkError, ParameterError
from srscope.features.extract import assist, extract
from srscope.features.held import HeldFeatures, hold
from srscope.features.store_writer import remove_store
from srscope.images.bundled import load_bundled
from srscope.images.contents import crop_contents
from srscope.images.downloads import div2k_validation
from srscope.images.folder import load_folder
from srscope.images.record import Contents, PhotoSet
from srscope.networks.description import LoadedNetwork, TapPoint, weights_sha256
from srscope.networks.select import depths_of, select_layers
from srscope.networks.zoo import BUNDLED
from srscope.processes import Processes, helping, join_processes

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, the units done and the units in all."""

MARGIN = 12
"""LR pixels kept round every patch while it is degraded: more than any bundled kernel reaches."""


HELD = 1 << 31
"""Bytes of features, 2 GiB, up to which an analysis that keeps none leaves them in memory, where
that is no more than half of the memory there is."""


def extract_features(
    network: LoadedNetwork,
    config: AnalysisConfig,
    folder: Path,
    *,
    images: DegradedImages | None = None,
    progress: Progress | None = None,
    cache: AnalysisCache | None = None,
    held: dict[str, HeldFeatures] | None = None,
) -> dict[str, float]:
    """Degrade the photographs, run the network on them and store what its layers put out.

    Args:
        network: The network.
        config: The parameters.
        folder: Gets the stores ``network`` and, for the control, ``untrained``.
        images: What to feed it, where that is at hand: what :func:`degraded_images` makes.
        progress: Called as patches are done.
        cache: Features are taken from it, and put there.
        held: Gets ``network`` and ``untrained`` instead, where both together take no more memory
            than ``HELD``; what would is stored in the folder all the same.

    Returns:
        Seconds taken, by stage.

    Raises:
        SrscopeError: If images, suite, layers or features cannot be used.
    """
    if images is not None and config.devices > 1:
        remedy = "analyse one network at a time"
        raise ParameterError("devices", "1 for several networks", config.devices, remedy)
    started = time.perf_counter()
    job = _prepared(network, config, images)
    images, taps = job.images, job.taps
    degraded = time.perf_counter()
    about = dataclasses.asdict(network.info)
    meta: dict[str, Any] = {
        "network": about,
        "suite": dataclasses.asdict(images.suite),
        "contents": list(images.contents),
        "photographs": list(images.photographs),
        "source": images.source,
        "skipped": [list(entry) for entry in images.skipped],
        "taps": taps_told(network, taps),
        "patch": job.patch,
        "seed": config.seed,
        "device": job.device,
    }
    arrays = {
        "images_NCHW": images.images_NCHW,
        "set_N": images.set_N,
        "content_N": images.content_N,
    }
    modules, no_untrained = _modules(network, config)
    if no_untrained is not None:
        meta["no_untrained"] = no_untrained
    if "untrained" not in modules:
        remove_store(folder / "untrained")
    processes = _joined(job, modules, config)
    available = available_memory()
    room = HELD if available is None else min(HELD, available // 2)
    for name, module in modules.items():
        computing: dict[str, Any] = {
            "reducer": config.reducer,
            "channel_axes": {tap.name: tap.channel_axis for tap in taps},
            "batch_size": config.batch_size,
            "device": job.device if processes is None else processes.device,
            **job.precision,
            "arrays": arrays,
            "metadata": meta,
            "provenance": about if name == "network" else {"untrained": config.seed},
            "progress": staged(progress, f"features, {name}"),
        }
        given = (module, images.images_NCHW, [tap.name for tap in taps])
        if held is not None and (in_memory := hold(*given, most=room, **computing)) is not None:
            held[name] = in_memory
            room -= sum(in_memory.read(tap.name).nbytes for tap in taps)
            continue
        extract(
            *given,
            store=folder / name,
            processes=processes,
            cache=None if cache is None else cache.features_of(module),
            **computing,
        )
    return {"degradation": degraded - started, "features": time.perf_counter() - degraded}


def assist_features(network: LoadedNetwork, config: AnalysisConfig) -> None:
    """Do this process's share of :func:`extract_features`, and end the program.

    Args:
        network: The same as in the first process.
        config: The same.

    Raises:
        SystemExit: At the end: see :func:`~srscope.processes.helping`.
        SrscopeError: If images, suite, layers or features cannot be used.
    """
    job = _prepared(network, config, None)
    modules, _ = _modules(network, config)
    processes = _joined(job, modules, config)
    assert processes is not None
    with helping():
        for module in modules.values():
            assist(
                module,
                job.images.images_NCHW,
                [tap.name for tap in job.taps],
                processes=processes,
                reducer=config.reducer,
                channel_axes={tap.name: tap.channel_axis for tap in job.taps},
                batch_size=config.batch_size,
                device=processes.device,
                **job.precision,
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """What a network is to be run on."""

    taps: tuple[TapPoint, ...]
    patch: int
    images: DegradedImages
    device: str
    precision: dict[str, Any]


def _prepared(
    network: LoadedNetwork, config: AnalysisConfig, images: DegradedImages | None
) -> _Job:
    taps = tuple(select_layers(network, config.layers))
    patch = network.fitted(config.patch)
    if images is None:
        contents = original_contents(network.scale, patch, config)
        images = degraded_images(contents, network.scale, patch, config)
    count = len(images.images_NCHW)
    more = "give more photographs, a larger --contents, or a smaller"
    if count <= config.pca:
        rule = f"below the number of images, {count} here"
        raise ParameterError("pca", rule, config.pca, f"{more} --pca")
    if count - 1 <= config.tsne.perplexity:  # t-SNE says so too, but after the network's passes
        rule = f"below the number of images less 1, {count - 1} here"
        remedy = f"{more} --tsne.perplexity"
        raise ParameterError("tsne.perplexity", rule, config.tsne.perplexity, remedy)
    device = device_of(config.device)
    precision = precision_of(config.precision, network, device)
    return _Job(taps=taps, patch=patch, images=images, device=device, precision=precision)


def _modules(
    network: LoadedNetwork, config: AnalysisConfig
) -> tuple[dict[str, nn.Module], str | None]:
    """Return the network and its control, and why there is none of the latter where one is due."""
    modules = {"network": network.module}
    if not config.untrained:
        return modules, None
    control, why = _control(network, config.seed)
    if control is not None:
        modules["untrained"] = control
    return modules, why


def _joined(
    job: _Job, modules: Mapping[str, nn.Module], config: AnalysisConfig
) -> Processes | None:
    """Return the processes that share the work, which have the same work before them."""
    if config.devices == 1:
        return None
    processes = join_processes(config.devices, job.device.partition(":")[0])
    digest = hashlib.sha256(np.ascontiguousarray(job.images.images_NCHW).tobytes())
    token = " ".join([digest.hexdigest(), *map(weights_sha256, modules.values())])
    processes.agree("images and weights", token)
    return processes


def _control(network: LoadedNetwork, seed: int) -> tuple[nn.Module | None, str]:
    """Return the same architecture with fresh weights; or nothing, and why."""
    if network.untrained is None:
        return None, network.no_untrained
    try:
        return network.untrained(seed), ""
    except NetworkError as error:
        return None, str(error)


def taps_told(network: LoadedNetwork, taps: Sequence[TapPoint]) -> list[dict[str, Any]]:
    """Return what a feature store says of its layers, as JSON values."""
    return [
        {"name": tap.name, "label": tap.label, "depth": depth}
        for tap, depth in zip(taps, depths_of(network, taps), strict=True)
    ]


def staged(progress: Progress | None, stage: str) -> Callable[[int, int], None] | None:
    """Return a callback of one stage, or ``None``."""
    if progress is None:
        return None
    return lambda done, total: progress(stage, done, total)


def suite_of(config: AnalysisConfig) -> Suite:
    """Return the suite that a config names, with what it overrides."""
    suite = suite_of_folders(config) if config.sets else load_suite(config.suite)
    if config.blur_applied_to is not None:
        suite = dataclasses.replace(suite, blur_applied_to=config.blur_applied_to)
    if config.quantized is not None:
        suite = dataclasses.replace(suite, quantized=config.quantized)
    return suite


def original_contents(scale: int, patch: int, config: AnalysisConfig) -> Contents | None:
    """Return the HR crops that a network of this scale is fed reductions of.

    Args:
        scale: The network's.
        patch: Side of what it is fed, in LR pixels.
        config: Says which photographs, and how many contents.

    Returns:
        The crops with their margin; ``None`` where every set is a folder of images as they are.
    """
    if all(each.folder is not None for each in suite_of(config).sets):
        return None
    return crop_contents(
        load_photographs(config.images),
        count=config.contents,
        patch=patch,
        scale=scale,
        margin=MARGIN,
    )


def degraded_images(
    contents: Contents | None, scale: int, patch: int, config: AnalysisConfig
) -> DegradedImages:
    """Return what a network of this scale is fed: every set of the suite, made of the contents."""
    count = config.contents if contents is None else None
    options = {"patch": patch, "scale": scale, "seed": config.seed}
    return degrade(contents, suite_of(config), count=count, **options)


def suite_of_folders(config: AnalysisConfig) -> Suite:
    """Return the suite whose sets are the folders of ``config.sets``.

    Raises:
        ParameterError: If a name cannot name a set, or an image would be in two sets.
    """
    for (first, one), (second, other) in itertools.combinations(config.sets.items(), 2):
        inner, outer = sorted((Path(one).resolve(), Path(other).resolve()), reverse=True)
        if inner.is_relative_to(outer):
            rule = "different folders, none inside another"
            raise ParameterError(f"sets {first} and {second}", rule, f"{one} and {other}")
    sets = (DegradedSet(name=name, folder=folder) for name, folder in config.sets.items())
    return Suite(name=config.suite_name, sets=tuple(sets))


def load_photographs(images: str | None) -> PhotoSet:
    """Return the photographs that a config's ``images`` names: see :class:`AnalysisConfig`."""
    if images is None:
        return load_bundled("test-crops")
    return div2k_validation() if images == "div2k" else load_folder(images)


def precision_of(wanted: str, network: LoadedNetwork, device: str) -> dict[str, Any]:
    """Return how ``extract`` is told the precision that a config's ``precision`` names.

    Args:
        wanted: The name.
        network: ``auto`` looks whether it is bundled.
        device: Where it runs.

    Returns:
        ``autocast`` and ``channels_last``.
    """
    if wanted == "auto":
        half = device.startswith("cuda") and network.source.startswith(BUNDLED)
        wanted = "bfloat16" if half else "float32"
    lower = wanted != "float32"
    return {"autocast": wanted if lower else None, "channels_last": lower}


def device_of(wanted: str) -> str:
    """Return the device that a config's ``device`` names."""
    import torch

    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
