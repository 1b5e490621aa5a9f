"""Attribute the output of one network for one image.

Suffixes: C channels, H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from srscope.analyses.attribute.config import Config
from srscope.analyses.attribute.gradients import output_of
from srscope.analyses.attribute.pixels import (
    Report,
    batch_of,
    chosen_window,
    pixel_maps,
    random_maps,
)
from srscope.analyses.attribute.record import AttributeRecord, Version
from srscope.analyses.maps.run import AS_IS, degraded_versions, middle
from srscope.analyses.runner import run_analysis
from srscope.degradations.catalogue import load_suite
from srscope.errors import ParameterError
from srscope.images.io import read_image
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.trace import undisturbed
from srscope.networks.upscale import padded
from srscope.study.extraction import Progress, device_of
from srscope.study.session import Session


def attribute(
    network: str | LoadedNetwork,
    image: str | Path,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
    cache: str | Path | None = None,
    **options: object,
) -> AttributeRecord:
    """Find what a network's output depends on.

    Args:
        network: A bundled name, a checkpoint's path, or what ``load_network`` returned. It puts
            out images, of any magnification.
        image: A photograph.
        out: Folder for ``attribute.json``, ``maps.npz``, ``report.html`` and figures; ``None``
            writes nothing.
        progress: Called as the stages advance.
        cache: Folder of finished stages; ``None`` keeps nothing.
        options: Fields of :class:`~srscope.analyses.attribute.config.Config`.

    Returns:
        The record.

    Raises:
        SrscopeError: If an input is wrong; the message says what and how to mend it.

    Source: Gu and Dong 2021 (LAM); Sundararajan et al. 2017 (integrated gradients); Adebayo et al.
        2018 (random weights).
    """
    return run_analysis(
        "attribute", network, out=out, progress=progress, cache=cache, image=str(image), **options
    )


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
    return AttributeRecord(
        network=network.name,
        image=Path(config.image).name,
        scale=network.scale,
        receptive_radius=network.receptive_radius,
        window=window,
        versions=tuple(versions),
        random=random,
    )


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
