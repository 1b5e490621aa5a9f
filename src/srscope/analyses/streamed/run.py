"""Feed a network image by image, and keep the principal components of its layers alone.

Suffixes: N images, B images of a batch, D features, C components or channels.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.analyses.streamed.config import Config
from srscope.analyses.streamed.images import StreamedImages, streamed_images
from srscope.analyses.streamed.record import StreamedLayer, StreamRecord
from srscope.degradations.catalogue import load_suite
from srscope.errors import DegenerateError, ParameterError
from srscope.features.extract import assist, stream_batches
from srscope.features.trivial import TRIVIAL, describe
from srscope.images.sources import load_photographs
from srscope.networks.description import LoadedNetwork, TapPoint, weights_sha256
from srscope.networks.structure.select import select_layers
from srscope.projection.stream import StreamingPca
from srscope.projection.tsne import embed_many
from srscope.runtime.processes import Processes, helping, is_helper, join_processes
from srscope.scores.probe import probe_of_vectors
from srscope.scores.record import ProbeScore, Runs
from srscope.scores.separability import separability
from srscope.study.extraction import (
    Progress,
    device_of,
    precision_of,
    require_enough,
    staged,
)
from srscope.study.session import Session

_PROGRAM = 0.8
"""GiB that PyTorch, the network's passes and the images of a photograph take, about."""
_ROWS = 40
"""Rows of float32 features that a streaming PCA holds for each component, at its fullest."""


def run(session: Session, networks: Sequence[LoadedNetwork], config: Config) -> StreamRecord:
    """Read the layers of a network from as many images as there are.

    Args:
        session: Says how to compute.
        networks: One.
        config: The parameters.

    Returns:
        The record.

    Raises:
        ParameterError: If the suite takes folders, or there are too few images.
        SrscopeError: If images or network cannot be used.
    """
    (network,) = networks
    suite = load_suite(config.suite)
    if any(each.folder is not None for each in suite.sets):
        rule = "one whose sets are made of the same contents"
        raise ParameterError("suite", rule, config.suite, "analyze it without --stream")
    started = time.perf_counter()
    images = streamed_images(
        load_photographs(config.images), suite, contents=config.contents,
        patch=network.fitted(config.patch), scale=network.scale, seed=config.seed,
    )  # fmt: skip
    require_enough(len(images), config.analysis_config(pca=config.pca, tsne=config.tsne))
    taps = select_layers(network, config.layers)
    passes = _passes(taps, images.patch, config)
    reading = _Reading(network, images, config, session.progress)
    if config.devices > 1 and is_helper():
        with helping():
            for part in passes:
                reading.help(part)
    layers: list[StreamedLayer] = []
    controls: list[StreamedLayer] = []
    for number, part in enumerate(passes):
        read, simple = reading.read(part, controls=number == 0, of=f"{number + 1}/{len(passes)}")
        layers += read
        controls += simple
    order = {tap.name: place for place, tap in enumerate(taps)}
    seconds = {"in all": time.perf_counter() - started, **reading.seconds}
    return StreamRecord(
        network=network.name,
        sets=images.sets,
        photographs=len({each.photograph for each in images.files}),
        source=images.source,
        skipped=images.skipped,
        layers=tuple(sorted(layers, key=lambda each: order[each.layer])),
        controls=tuple(controls),
        passes=tuple(tuple(tap.name for tap in part) for part in passes),
        seconds=seconds,
        set_N=images.set_N,
        content_N=images.content_N,
        photograph_N=images.photograph_N,
    )


def _passes(taps: Sequence[TapPoint], side: int, config: Config) -> list[list[TapPoint]]:
    """Divide the layers into groups whose streaming PCAs fit into memory together."""
    room = max(0.0, config.memory - _PROGRAM) * 2**30
    passes: list[list[TapPoint]] = []
    left = 0.0
    for tap in taps:
        width = tap.channels * (-(-side // tap.stride)) ** 2
        if tap.shape:
            width = max(width, int(np.prod(tap.shape)))
        needed = 4.0 * _ROWS * config.pca * width
        if not passes or needed > left:
            passes.append([])
            left = room
        passes[-1].append(tap)
        left -= needed
    return passes


class _Reading:
    """Passes over the images; what is joined once, the processes, lives here."""

    def __init__(
        self,
        network: LoadedNetwork,
        images: StreamedImages,
        config: Config,
        progress: Progress | None,
    ) -> None:
        self.network, self.images, self.config = network, images, config
        self.progress = progress
        device = device_of(config.device)
        self.how: dict[str, Any] = {
            "batch_size": config.batch_size,
            **precision_of(config.precision, network, device),
        }
        self.seconds = dict.fromkeys(("features and principal components", "scores", "t-SNE"), 0.0)
        self.processes: Processes | None = None
        if config.devices > 1:
            self.processes = join_processes(config.devices, device.partition(":")[0])
            names = " ".join(f"{each.name} {each.size_HW}" for each in images.files)
            self.processes.agree("images and weights", names + weights_sha256(network.module))
            device = self.processes.device
        self.how["device"] = device

    def help(self, taps: Sequence[TapPoint]) -> None:
        """Do this process's share of a pass."""
        assert self.processes is not None
        names = [tap.name for tap in taps]
        axes = {tap.name: tap.channel_axis for tap in taps}
        module = self.network.module
        assist(module, self.images, names, processes=self.processes, channel_axes=axes, **self.how)

    def read(
        self, taps: Sequence[TapPoint], *, controls: bool, of: str
    ) -> tuple[list[StreamedLayer], list[StreamedLayer]]:
        """Make one pass, and score what came."""
        config, count = self.config, len(self.images)
        told = staged(self.progress, f"features, pass {of}")
        reduced = {tap.name: _Kept(config.pca, tap.label) for tap in taps}
        wanted = TRIVIAL if controls else ()
        simple = {name: _Kept(config.pca, TRIVIAL[name].label) for name in wanted}
        started = time.perf_counter()
        stream = stream_batches(
            self.network.module, self.images, [tap.name for tap in taps], self.processes,
            channel_axes={tap.name: tap.channel_axis for tap in taps}, **self.how,
        )  # fmt: skip
        with contextlib.closing(stream):
            for start, outputs in zip(range(0, count, config.batch_size), stream, strict=True):
                for name, each in outputs.items():
                    reduced[name].take(each.features_BD, each.feature_shape)
                if simple:
                    images_BCHW = self.images[start : start + config.batch_size]
                    for name, kept in simple.items():
                        values_BD = describe(name, images_BCHW).astype(np.float32)
                        shape = images_BCHW.shape[1:] if TRIVIAL[name].is_map else ()
                        kept.take(values_BD, shape)
                if told is not None:
                    told(min(start + config.batch_size, count), count)
        self.seconds["features and principal components"] += time.perf_counter() - started
        layers = [self._scored(tap.name, tap.label, reduced.pop(tap.name)) for tap in taps]
        return layers, [self._scored(n, TRIVIAL[n].label, kept) for n, kept in simple.items()]

    def _scored(self, name: str, label: str, kept: _Kept) -> StreamedLayer:
        config, set_N = self.config, self.images.set_N
        started = time.perf_counter()
        points_NC, means_NC = kept.finish()
        probed = [
            None if each is None else _probe(each, set_N, self.images.photograph_N, label)
            for each in (points_NC, means_NC)
        ]
        scored = time.perf_counter()
        self.seconds["scores"] += scored - started
        maps: list[NDArray[np.float32]] = []
        if config.runs:
            told = staged(self.progress, f"t-SNE, {label}")
            (embedded,) = embed_many(
                [points_NC], config.tsne, runs=config.runs, seed=config.seed, names=[name],
                progress=told,
            )  # fmt: skip
            maps = [each.points_ND for each in embedded]
        self.seconds["t-SNE"] += time.perf_counter() - scored
        chis = [separability(each, set_N, name=name).chi for each in maps]
        return StreamedLayer(
            layer=name,
            label=label,
            shape=kept.shape,
            chi=separability(points_NC, set_N, name=name).chi,
            probe=probed[0],
            probe_channel_means=probed[1],
            map_chi=Runs.of(chis) if chis else None,
            points_NC=points_NC.astype(np.float32),
            maps_RN2=np.stack(maps) if maps else np.empty((0, len(set_N), 2), np.float32),
        )


class _Kept:
    """What is kept of a layer's features as they come: PCA, and the mean of every channel."""

    def __init__(self, components: int, name: str) -> None:
        self.shape: tuple[int, ...] = ()
        self._components, self._name = components, name
        self._pca = StreamingPca(components=components, name=name)
        self._vectors: list[NDArray[np.float32]] = []
        self._means: list[NDArray[np.float32]] = []

    def take(self, features_BD: NDArray[np.float32], shape: tuple[int, ...]) -> None:
        """Take the next batch."""
        self.shape = shape or features_BD.shape[1:]
        if features_BD.shape[1] <= self._components:
            self._vectors.append(features_BD.copy())  # so few that they are their own components
            return
        self._pca.update(features_BD)
        if len(shape) > 1:
            mean_BC = features_BD.reshape(len(features_BD), shape[0], -1).mean(axis=2)
            self._means.append(mean_BC)

    def finish(self) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Return the principal components, and the channel means where there are channels."""
        if self._vectors:
            return np.concatenate(self._vectors).astype(np.float64), None
        points_NC = self._pca.finish().points_NC
        means = np.concatenate(self._means).astype(np.float64) if self._means else None
        return points_NC, means


def _probe(
    vectors_NC: NDArray[np.float64],
    set_N: NDArray[np.int64],
    photograph_N: NDArray[np.int64],
    name: str,
) -> ProbeScore | None:
    try:
        found = probe_of_vectors(vectors_NC, set_N, photograph_N, name=name)
    except DegenerateError:  # a set of one photograph alone, or channels that never change
        return None
    return ProbeScore(
        accuracy=found.accuracy.value, low=found.accuracy.low, high=found.accuracy.high,
        chance=found.chance, reliable=found.accuracy.reliable,
    )  # fmt: skip
