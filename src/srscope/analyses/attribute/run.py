"""Attribute the output of one network for one image.

Suffixes: C channels, H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from srscope.analyses.attribute.causal import CausalMap, causal_map
from srscope.analyses.attribute.channels import ChannelSaliency, saliency_of
from srscope.analyses.attribute.config import Config
from srscope.analyses.attribute.filters import FilterRecord, filters_of
from srscope.analyses.attribute.gradients import Window, batch_of, output_of
from srscope.analyses.attribute.pixels import Report, chosen_window, pixel_maps, random_maps
from srscope.analyses.attribute.record import AttributeRecord, Version
from srscope.analyses.intervene.passes import Passes
from srscope.analyses.maps.run import AS_IS, degraded_versions, middle
from srscope.degradations.catalogue import load_suite
from srscope.degradations.degrade import DegradedImages
from srscope.errors import ParameterError, UnknownNameError
from srscope.images.io import read_image
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.select import select_layers
from srscope.networks.structure.trace import undisturbed
from srscope.networks.upscale import padded
from srscope.networks.zoo import load_network
from srscope.study.extraction import Progress, device_of, staged
from srscope.study.session import Session


def run(session: Session, networks: Sequence[LoadedNetwork], config: Config) -> AttributeRecord:
    """Attribute the output of one network.

    Raises:
        ParameterError: If no image is given, or it does not fit.
        SrscopeError: If the image cannot be read, or the network has no images or gradients.
    """
    (network,) = networks
    device = device_of(config.device)
    network.module.to(device)
    inputs = _inputs(network, config)
    # What can be wrong with the later parts is told before the long ones.
    target = None if config.target is None else load_network(config.target)
    others: _Others | None = None
    if config.orders or config.causal or target is not None:
        others = _Others.of(session, network)
        for name, absent in ((config.filter_set, -1), (config.filter_other, 0)):
            others.at(name, absent)
    outputs = {name: _output(network, each_HW3, device) for name, each_HW3 in inputs.items()}
    names = list(inputs)
    window = chosen_window(batch_of(outputs[names[0]]), config)
    versions: list[Version] = []
    for name, input_HW3 in inputs.items():
        maps = pixel_maps(
            network, batch_of(input_HW3), window, config, device=device,
            first=versions[0].maps if versions else (),
            report=_reporting(session.progress, name, config.steps),
        )  # fmt: skip
        versions.append(
            Version(name=name, input_HW3=input_HW3, output_HW3=outputs[name], maps=maps)
        )
    random = random_maps(
        network, batch_of(inputs[names[0]]), window, versions[0].maps, config, device=device,
        report=_reporting(session.progress, "sanity", 1),
    )  # fmt: skip
    more: dict[str, Any] = {}
    if others is not None:
        if config.orders:
            more["channels"] = _channels(session, network, others, list(inputs.values()), config)
        if config.causal:
            more["causal"] = _causal(session, network, others, inputs, window, config)
        if target is not None:
            more["filters"] = _filters(session, network, others, target, config)
    return AttributeRecord(
        network=network.name,
        image=Path(config.image).name,
        scale=network.scale,
        receptive_radius=network.receptive_radius,
        window=window,
        versions=tuple(versions),
        random=random,
        **more,
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Others:
    """Contents of photographs other than the image, in the same versions, and their originals."""

    images: DegradedImages
    originals_MCHW: NDArray[np.float32]

    @classmethod
    def of(cls, session: Session, network: LoadedNetwork) -> _Others:
        from srscope.analyses.generalize.restore import originals_of

        fed = session.fed(network)
        if fed.contents is None:
            remedy = "channels and filters are judged against originals"
            raise ParameterError("suite", "one that degrades photographs", "folders", remedy)
        return cls(images=fed.images, originals_MCHW=originals_of(fed.contents).numpy())

    def at(self, name: str | None, absent: int) -> int:
        """Return the index of a set, by default that at a place."""
        names = [each.name for each in self.images.suite.sets]
        if name is None:
            return absent % len(names)
        if name not in names:
            raise UnknownNameError("set", name, names)
        return names.index(name)


def _channels(
    session: Session,
    network: LoadedNetwork,
    others: _Others,
    inputs: Sequence[NDArray[np.float32]],
    config: Config,
) -> tuple[ChannelSaliency, ...]:
    device = device_of(config.device)
    passes = Passes(
        network, others.images, others.originals_MCHW, batch_size=config.batch_size, device=device
    )
    return tuple(
        saliency_of(
            network, tap, inputs, passes, others.images.photographs, config, device=device,
            report=_staged(session.progress, f"channels, {tap.label}"),
        )
        for tap in select_layers(network, config.layers or network.default_layers[-1:])
    )  # fmt: skip


def _causal(
    session: Session,
    network: LoadedNetwork,
    others: _Others,
    inputs: dict[str, NDArray[np.float32]],
    window: Window,
    config: Config,
) -> tuple[CausalMap, ...]:
    original_HW3 = middle(read_image(config.image), config.crop, network.scale, 0)
    set_N = others.images.set_N
    return tuple(
        causal_map(
            network, name, input_HW3, original_HW3,
            others.images.images_NCHW[set_N == others.at(name, 0)], window,
            trials=config.causal, seed=config.seed, batch_size=config.batch_size,
            device=device_of(config.device), report=_staged(session.progress, f"causal, {name}"),
        )
        for name, input_HW3 in inputs.items()
    )  # fmt: skip


def _filters(
    session: Session,
    baseline: LoadedNetwork,
    others: _Others,
    target: LoadedNetwork,
    config: Config,
) -> FilterRecord:
    return filters_of(
        baseline, target, others.images, others.originals_MCHW,
        degraded=others.at(config.filter_set, -1), other=others.at(config.filter_other, 0),
        steps=config.filter_steps, seed=config.seed, batch_size=config.batch_size,
        device=device_of(config.device), report=_staged(session.progress, "filters"),
    )  # fmt: skip


def _staged(progress: Progress | None, stage: str) -> Callable[[int, int], None]:
    return staged(progress, stage) or (lambda done, total: None)


def _inputs(network: LoadedNetwork, config: Config) -> dict[str, NDArray[np.float32]]:
    """Return the versions of the image that the network is fed, by name."""
    if not config.image:
        raise ParameterError("image", "an image file", config.image)
    image_HW3 = read_image(config.image)
    if config.as_is:
        return {AS_IS: middle(image_HW3, config.crop, 1, 0)}
    suite = load_suite(config.suite)
    return degraded_versions(
        image_HW3, suite, scale=network.scale, crop=config.crop, seed=config.seed
    )


def _output(
    network: LoadedNetwork, input_HW3: NDArray[np.float32], device: str
) -> NDArray[np.float32]:
    fed_1CHW = batch_of(padded(network, input_HW3)).to(device, torch.float32)
    with undisturbed(network.module):
        output_CHW = output_of(network, fed_1CHW)[0].clamp(0, 1).cpu()
    height, width = (side * network.scale for side in input_HW3.shape[:2])
    return output_CHW[:, :height, :width].permute(1, 2, 0).numpy()


def _reporting(progress: Progress | None, name: str, steps: int) -> Report:
    def report(method: str, done: int) -> None:
        if progress is not None:
            progress(f"{name}: {method}", done, max(done, steps + 1))

    return report
