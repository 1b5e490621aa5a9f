"""Running a network and its controls over the images, and keeping what their layers put out."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from srscope.degradations.degrade import DegradedImages
from srscope.errors import NetworkError, ParameterError
from srscope.features.extract import assist, extract
from srscope.features.held import Features, hold
from srscope.features.store import FeatureStore
from srscope.features.store_writer import remove_store
from srscope.features.stream import device_of as device_of
from srscope.networks.description import LoadedNetwork, TapPoint, weights_sha256
from srscope.networks.structure.select import depths_of, select_layers
from srscope.networks.untrained import at_random
from srscope.runtime.memory import available_memory
from srscope.runtime.processes import Processes, helping, join_processes
from srscope.study.budget import budget_of, share_of
from srscope.study.cache import Stages
from srscope.study.config import AnalysisConfig
from srscope.study.precision import agreed_precision
from srscope.study.precision import precision_of as precision_of

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, the units done and the units in all."""

CONTROLS = ("untrained", "random-1", "random-2", "random-3")
"""Control networks, by the name of their features' folder."""

HELD = 1 << 31
"""Bytes of features, 2 GiB, up to which an analysis that keeps none leaves them in memory, where
that is no more than half of the memory there is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A network and what it is run on.

    Args:
        network: The network.
        config: The parameters.
        images: What it is fed.
        taps: The layers.
        device: Where it runs.
        precision: How ``extract`` is told what it computes in.
    """

    network: LoadedNetwork
    config: AnalysisConfig
    images: DegradedImages
    taps: tuple[TapPoint, ...]
    device: str
    precision: Mapping[str, Any]

    @property
    def computing(self) -> dict[str, Any]:
        """How :func:`~srscope.features.extract.extract` is told to compute."""
        return {
            "reducer": self.config.reducer,
            "channel_axes": {tap.name: tap.channel_axis for tap in self.taps},
            "batch_size": self.config.batch_size,
            **self.precision,
        }


def job_of(network: LoadedNetwork, config: AnalysisConfig, images: DegradedImages) -> Job:
    """Check that a network can be analysed on these images, and return the job.

    Raises:
        UnknownNameError: If a layer does not exist.
        ParameterError: If there are too few images for PCA or t-SNE.
    """
    taps = tuple(select_layers(network, config.layers))
    require_enough(len(images.images_NCHW), config)
    device = device_of(config.device)
    precision = agreed_precision(
        config.precision, network, device, images, taps, reducer=config.reducer
    )
    return Job(
        network=network, config=config, images=images, taps=taps, device=device,
        precision=precision,
    )  # fmt: skip


def require_enough(count: int, config: AnalysisConfig) -> None:
    """Raise a ParameterError if there are too few images for PCA or t-SNE."""
    more = "give more photographs, a larger --contents, or a smaller"
    if count <= config.pca:
        rule = f"below the number of images, {count} here"
        raise ParameterError("pca", rule, config.pca, f"{more} --pca")
    if count - 1 <= config.tsne.perplexity:  # t-SNE says so too, but after the network's passes
        rule = f"below the number of images less 1, {count - 1} here"
        remedy = f"{more} --tsne.perplexity"
        raise ParameterError("tsne.perplexity", rule, config.tsne.perplexity, remedy)


@dataclass(frozen=True, kw_only=True, slots=True)
class Controls:
    """The same architecture without its training, and why one is missing."""

    modules: Mapping[str, nn.Module]
    missing: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """A network or control network and what it is fed.

    Args:
        name: Of its folder.
        module: The network.
        images_NCHW: What it is fed.
        arrays: What is stored beside its features.
    """

    name: str
    module: nn.Module
    images_NCHW: NDArray[np.float32]
    arrays: Mapping[str, NDArray[Any]]


def _runs(job: Job, controls: Controls) -> tuple[list[_Run], dict[str, Any]]:
    """Return the networks within the budget, and what the record says of it."""
    arrays = {name: getattr(job.images, name) for name in ("images_NCHW", "set_N", "content_N")}
    runs = [_Run(name="network", module=job.network.module, images_NCHW=job.images.images_NCHW,
                 arrays=arrays)]  # fmt: skip
    budget = budget_of(job.config.control_budget, job.network.source)
    share = share_of(job.images, list(controls.modules), budget)
    if share.image_N is not None:
        arrays = {name: array[share.image_N] for name, array in arrays.items()}
        arrays["image_N"] = share.image_N
    runs += [
        _Run(
            name=name,
            module=controls.modules[name],
            images_NCHW=arrays["images_NCHW"],
            arrays=arrays,
        )
        for name in share.names
    ]
    if share.image_N is None:
        return runs, {}
    told = {"budget": budget, "contents": share.contents, "networks": list(share.names)}
    return runs, {"controls": told}


def controls_of(network: LoadedNetwork, config: AnalysisConfig) -> Controls:
    """Return the control networks that a config asks for."""
    modules: dict[str, nn.Module] = {}
    missing: str | None = None
    if config.untrained:
        missing = network.no_untrained if network.untrained is None else None
        try:
            if network.untrained is not None:
                modules["untrained"] = network.untrained(config.seed)
        except NetworkError as error:
            missing = str(error)
    with contextlib.suppress(NetworkError):  # a frozen program, say; the other controls remain
        for draw in range(config.random):
            modules[f"random-{draw + 1}"] = at_random(
                network.module, config.seed + draw, side=network.fitted(config.patch)
            )
    return Controls(modules=modules, missing=missing)


def extract_features(
    job: Job,
    controls: Controls,
    folder: Path,
    *,
    keep: bool,
    stages: Stages,
    progress: Progress | None = None,
) -> dict[str, Features]:
    """Run the network and its controls on the images, and return what their layers put out.

    Args:
        job: The network and its images.
        controls: The control networks.
        folder: Gets the stores, ``network`` and one a control.
        keep: The stores are to stay. Else features that fit stay in memory instead, where no cache
            wants them either.
        stages: Features are taken from it, and put there.
        progress: Called as patches are done.

    Raises:
        SrscopeError: If the network or its features cannot be used.
    """
    config = job.config
    about = dataclasses.asdict(job.network.info)
    runs, limited = _runs(job, controls)
    metadata = {**_metadata(job, controls, about), **limited}
    modules = {each.name: each.module for each in runs}
    for name in CONTROLS:
        if name not in modules:
            remove_store(folder / name)
    processes = _joined(job, modules)
    in_memory = not keep and not stages and config.devices == 1
    available = available_memory()
    room = HELD if available is None else min(HELD, available // 2)
    found: dict[str, Features] = {}
    for run in runs:
        name, module = run.name, run.module
        how: dict[str, Any] = {
            **job.computing,
            "device": job.device if processes is None else processes.device,
            "metadata": metadata,
            "arrays": run.arrays,
            "provenance": about if name == "network" else {name: config.seed},
            "progress": staged(progress, f"features, {name}"),
        }
        given = (module, run.images_NCHW, [tap.name for tap in job.taps])
        if in_memory and (held := hold(*given, most=room, **how)) is not None:
            found[name] = held
            room -= sum(held.read(tap.name).nbytes for tap in job.taps)
            continue
        cache = stages.features_of(module)
        extract(*given, store=folder / name, processes=processes, cache=cache, **how)
        found[name] = FeatureStore.open(folder / name)
    return found


def open_features(folder: Path, config: AnalysisConfig) -> dict[str, Features]:
    """Open the features of an earlier analysis, and of its control.

    Raises:
        FileProblem: If the folder is not a whole feature store.
    """
    found: dict[str, Features] = {"network": FeatureStore.open(folder / "network")}
    wanted = ["untrained"] if config.untrained else []
    for name in (*wanted, *CONTROLS[1 : config.random + 1]):
        if Path(folder, name).is_dir():
            found[name] = FeatureStore.open(folder / name)
    return found


def assist_features(job: Job, controls: Controls) -> None:
    """Do this process's share of :func:`extract_features`, and end the program.

    Raises:
        SystemExit: At the end: see :func:`~srscope.runtime.processes.helping`.
        SrscopeError: If images, suite, layers or features cannot be used.
    """
    runs, _ = _runs(job, controls)
    processes = _joined(job, {each.name: each.module for each in runs})
    assert processes is not None
    with helping():
        for run in runs:
            assist(
                run.module,
                run.images_NCHW,
                [tap.name for tap in job.taps],
                processes=processes,
                device=processes.device,
                **job.computing,
            )


def _metadata(job: Job, controls: Controls, about: Mapping[str, Any]) -> dict[str, Any]:
    images = job.images
    told: dict[str, Any] = {
        "network": about,
        "suite": dataclasses.asdict(images.suite),
        "contents": list(images.contents),
        "photographs": list(images.photographs),
        "source": images.source,
        "skipped": [list(entry) for entry in images.skipped],
        "taps": taps_told(job.network, job.taps),
        "patch": job.network.fitted(job.config.patch),
        "seed": job.config.seed,
        "device": job.device,
    }
    return told if controls.missing is None else {**told, "no_untrained": controls.missing}


def _joined(job: Job, modules: Mapping[str, nn.Module]) -> Processes | None:
    """Return the processes that share the work, which have the same work before them."""
    if job.config.devices == 1:
        return None
    processes = join_processes(job.config.devices, job.device.partition(":")[0])
    digest = hashlib.sha256(np.ascontiguousarray(job.images.images_NCHW).tobytes())
    token = " ".join([digest.hexdigest(), *map(weights_sha256, modules.values())])
    processes.agree("images and weights", token)
    return processes


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
