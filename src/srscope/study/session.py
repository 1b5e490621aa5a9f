"""The pipeline, once: photographs, degradations, network, features, projection, scores, study.

Every analysis asks a :class:`Session`. It makes each stage at most once, takes finished stages from
the cache and puts new ones there.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import nn

from srscope.errors import NetworkError, ParameterError
from srscope.features.extract import extract
from srscope.features.known import machine
from srscope.features.store import FeatureStore
from srscope.networks.description import LoadedNetwork, TapPoint, weights_sha256
from srscope.networks.structure.identity import identity_of
from srscope.runtime.cache import Entry, hash_of_arrays, pack, values_of
from srscope.runtime.files import scratch_folder
from srscope.runtime.processes import is_helper
from srscope.runtime.records import record_of
from srscope.scores.variance import two_way_variance_by_channel
from srscope.study.assembly import study_of
from srscope.study.cache import Stages
from srscope.study.config import AnalysisConfig
from srscope.study.extraction import (
    Progress,
    assist_features,
    controls_of,
    extract_features,
    job_of,
    staged,
)
from srscope.study.inputs import Fed, Kind, fed_by_kind, kind_of, suite_of
from srscope.study.record import Restoration, Study
from srscope.study.restoration import NOT_ASKED, Reduced, reduced, restoration
from srscope.study.scoring import projected
from srscope.study.sources import Source


class FedImages(Protocol):
    """Images with the set and the content of each."""

    @property
    def images_NCHW(self) -> NDArray[np.float32]:
        """RGB in [0, 1]."""
        ...

    @property
    def set_N(self) -> NDArray[np.int64]:
        """The set of each image."""
        ...

    @property
    def content_N(self) -> NDArray[np.int64]:
        """The content of each image."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerPoints:
    """A layer after PCA.

    Args:
        tap: The layer.
        shape: Of one image's features.
        points_NC: Principal components.
        gram_NN: Inner products of the features; ``None`` where they are fewer than the images.
        channel_content_C: Share of content in every channel, where it was asked for.
    """

    tap: TapPoint
    shape: tuple[int, ...]
    points_NC: NDArray[np.float64]
    gram_NN: NDArray[np.float64] | None
    channel_content_C: NDArray[np.float64] | None


class _NotCachedError(Exception):
    """A stage that the cache lacks was asked for without features to compute it from."""


class Session:
    """Runs the stages for any number of networks with one config.

    Args:
        config: The parameters.
        stages: Finished stages; none are kept if absent.
        progress: Called as the stages advance.
        psnr: Measure PSNR where it is asked for.
    """

    def __init__(
        self,
        config: AnalysisConfig,
        *,
        stages: Stages | None = None,
        progress: Progress | None = None,
        psnr: bool = True,
    ) -> None:
        self.config, self.psnr = config, psnr
        self.stages = stages or Stages()
        self.progress = progress
        self._fed: dict[Kind, Fed] = {}
        self._reduced: dict[Kind, Reduced] = {}

    def prepare(self, networks: Iterable[LoadedNetwork]) -> None:
        """Make the images of several networks, as many contents for one as for another."""
        if self.config.devices > 1:
            remedy = "analyse one network at a time"
            raise ParameterError("devices", "1 for several networks", self.config.devices, remedy)
        self._fed = fed_by_kind({kind_of(each, self.config) for each in networks}, self.config)

    def has_images_for(self, network: LoadedNetwork) -> bool:
        """Tell whether a network takes images of a kind that was made already."""
        return kind_of(network, self.config) in self._fed

    def fed(self, network: LoadedNetwork) -> Fed:
        """Return the HR crops of a network, and the degraded images it is fed."""
        kind = kind_of(network, self.config)
        if kind not in self._fed:
            self._fed |= fed_by_kind({kind}, self.config)
        return self._fed[kind]

    def study(
        self,
        network: LoadedNetwork,
        *,
        features: Path | None = None,
        controls: bool = True,
        name: str = "",
    ) -> Study:
        """Extract and score.

        Args:
            network: The network.
            features: Folder where the features stay; ``None`` keeps none. They then stay in
                memory, if there are not too many of them, and no cache wants them.
            controls: Analyse the control networks too, where the config asks for them.
            name: Stands before the names of the stages that ``progress`` is told.

        Returns:
            The study.

        Raises:
            SrscopeError: If an input is wrong; the message says what and how to mend it.
        """
        progress = named(self.progress, name)
        config = self.config
        if not controls:
            config = dataclasses.replace(config, untrained=False, random=0)
        started = time.perf_counter()
        job = job_of(network, config, self.fed(network).images)
        control_networks = controls_of(network, config)
        if config.devices > 1 and is_helper():
            assist_features(job, control_networks)
        degraded = time.perf_counter()
        with scratch_folder() if features is None else nullcontext(features) as folder:
            found = extract_features(
                job,
                control_networks,
                folder,
                keep=features is not None,
                stages=self.stages,
                progress=progress,
            )
            extracted = time.perf_counter()
            seconds = {"degradation": degraded - started, "features": extracted - degraded}
            return study_of(found, config, self.stages, progress=progress, earlier=seconds)

    def points(
        self,
        network: LoadedNetwork,
        taps: Sequence[TapPoint],
        images: FedImages,
        *,
        untrained: bool = False,
        by_channel: bool = False,
    ) -> list[LayerPoints]:
        """Return layers after PCA; one pass makes all that are not in the cache.

        Args:
            network: The network.
            taps: Its layers.
            images: What it is fed.
            untrained: Take the same architecture with fresh weights.
            by_channel: Also measure the share of content in every channel.

        Raises:
            NetworkError: If there is no untrained control.
        """
        module = network.module
        if untrained:
            if network.untrained is None:
                raise NetworkError(
                    f"{network.name} has no untrained control: {network.no_untrained}"
                )
            module = network.untrained(self.config.seed)
        fed = hash_of_arrays(images.images_NCHW, images.set_N, images.content_N)
        common = {"network": identity_of(module) or weights_sha256(module), "images": fed}
        common |= machine("cpu")
        inputs = {tap.name: {**common, "layer": tap.name, "axis": tap.channel_axis} for tap in taps}

        def cached() -> list[LayerPoints]:
            return [self._points(tap, images, inputs[tap.name], None, by_channel) for tap in taps]

        try:
            return cached()
        except _NotCachedError:
            pass
        with self.stages.alone("layers", common):  # another process may want the same pass
            try:
                return cached()
            except _NotCachedError:
                return self._passed(module, taps, images, inputs, by_channel)

    def _passed(
        self,
        module: nn.Module,
        taps: Sequence[TapPoint],
        images: FedImages,
        inputs: Mapping[str, Mapping[str, Any]],
        by_channel: bool,
    ) -> list[LayerPoints]:
        with scratch_folder() as folder:
            store = extract(
                module,
                images.images_NCHW,
                [tap.name for tap in taps],
                store=folder / "features",
                channel_axes={tap.name: tap.channel_axis for tap in taps},
            )
            for tap in taps:
                entry = store.layer(tap.name)
                told = pack({}, sha256=entry.sha256, shape=list(entry.feature_shape))
                self.stages.keep("features", inputs[tap.name], told)
            return [self._points(tap, images, inputs[tap.name], store, by_channel) for tap in taps]

    def _points(
        self,
        tap: TapPoint,
        images: FedImages,
        inputs: Mapping[str, Any],
        store: FeatureStore | None,
        by_channel: bool,
    ) -> LayerPoints:
        """Return a layer's points from the cache or a store; raise where neither has it."""
        if store is None:
            told = self.stages.find("features", inputs)
            if told is None:
                raise _NotCachedError
            sha256, shape = values_of(told)["sha256"], tuple(values_of(told)["shape"])
        else:
            sha256, shape = store.layer(tap.name).sha256, store.layer(tap.name).feature_shape

        def read() -> NDArray[np.float32]:
            if store is None:
                raise _NotCachedError
            return store.read(tap.name)

        source = Source(
            group="network", name=tap.name, label=tap.label, depth=0.0, shape=shape, read=read,
            sha256=sha256,
        )  # fmt: skip
        entry = projected(source, self.config.pca, self.stages)
        channels: Entry = {}
        if by_channel:
            labels = (images.set_N, images.content_N)
            channels = self.stages.get(
                "channels",
                {"features": sha256, "design": hash_of_arrays(*labels), "channels": shape[0]},
                lambda: {
                    "content_C": two_way_variance_by_channel(
                        read(), *labels, shape[0], name=tap.label
                    ).content_C
                },
            )
        return LayerPoints(
            tap=tap,
            shape=shape,
            points_NC=entry["points_NC"],
            gram_NN=entry.get("gram"),
            channel_content_C=channels.get("content_C"),
        )

    def restoration(self, network: LoadedNetwork, *, name: str = "") -> Restoration:
        """Measure what a network restores of the contents that it is analysed with."""
        if not self.psnr:
            return Restoration(why=NOT_ASKED)
        contents, quantized = self.fed(network).contents, suite_of(self.config).quantized
        identity = identity_of(network.module) if self.stages and contents is not None else None
        if contents is None or identity is None:
            return self._restored(network, name)
        inputs = {
            "network": identity,
            "takes": [network.scale, network.multiple, network.smallest],
            "contents": hash_of_arrays(np.asarray(contents.crops_NHW3)),
            "margin": contents.margin,
            "quantized": quantized,
            **machine("cpu"),
        }

        def measure() -> Entry:
            return pack({}, restored=dataclasses.asdict(self._restored(network, name)))

        entry = self.stages.get("psnr", inputs, measure)
        return record_of(Restoration, values_of(entry)["restored"])

    def _restored(self, network: LoadedNetwork, name: str) -> Restoration:
        kind = kind_of(network, self.config)
        contents, quantized = self.fed(network).contents, suite_of(self.config).quantized
        if contents is not None and network.scale > 1 and kind not in self._reduced:
            self._reduced[kind] = reduced(contents, network.scale, quantized=quantized)
        progress = staged(named(self.progress, name), "PSNR")
        return restoration(network, contents, self._reduced.get(kind), progress=progress)


def named(progress: Progress | None, name: str) -> Progress | None:
    """Return a callback whose stages bear the name of a network, if it has one."""
    if progress is None or not name:
        return progress
    return lambda stage, done, total: progress(f"{name}: {stage}", done, total)
