"""Feed networks a grid of levels, and read what their layers make of it.

Suffixes: N images (the clean contents first, then level by level), M contents, B draws, L levels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from srscope.analyses.dose.config import UNITS, Config
from srscope.analyses.dose.record import READINGS, Contrast, DoseRecord, ReadResponse
from srscope.degradations.degrade import DegradedImages
from srscope.errors import ParameterError
from srscope.features.trivial import TRIVIAL, describe
from srscope.networks.description import LoadedNetwork
from srscope.networks.structure.select import select_layers
from srscope.scores.dose import DoseResponse, dose_response
from srscope.scores.fold import Readable
from srscope.scores.photographs import Estimate, interval_of
from srscope.study.inputs import fed_with, kind_of
from srscope.study.readings import LayerReading, read_layers
from srscope.study.session import Session

BASELINES = ("laplacian_quantiles", "statistics", "pixels")
"""Statistics of the inputs that every layer is compared with."""


def run(session: Session, networks: Sequence[LoadedNetwork], config: Config) -> DoseRecord:
    """Measure the response of networks to a degradation.

    Args:
        session: Says how to compute, and where finished stages are.
        networks: One or more; all of one magnification.
        config: The parameters.

    Returns:
        The record.

    Raises:
        ParameterError: If the networks take different images, or the levels do not fit the family.
        SrscopeError: If images or networks cannot be used.
    """
    images = _images(session, networks, config)
    photograph_M = images.photograph_M
    found: list[ReadResponse] = []
    for network in networks:
        taps = select_layers(network, config.layers)
        for layer in read_layers(session, network, taps, images.images_NCHW):
            for reading, features in zip(READINGS, readable(layer), strict=True):
                if features is not None:
                    response = _response(features, config, photograph_M)
                    found.append(
                        ReadResponse(
                            network=network.name,
                            layer=layer.tap.name,
                            label=layer.tap.label,
                            reading=reading,
                            response=response,
                        )
                    )
            if session.progress is not None:
                session.progress(f"{network.name}: probes, {layer.tap.label}", 1, 1)
    baselines = [
        ReadResponse(
            network="",
            layer=name,
            label=TRIVIAL[name].label,
            reading="as it is",
            response=_response(
                Readable.of(describe(name, images.images_NCHW), name=TRIVIAL[name].label),
                config,
                photograph_M,
            ),
        )
        for name in BASELINES
    ]
    return DoseRecord(
        family=config.family,
        degree=config.degree_name,
        unit=UNITS.get(config.family, ""),
        levels=config.grid,
        input_psnr=_input_psnr(images.images_NCHW, len(photograph_M)),
        networks=tuple(network.name for network in networks),
        layers=tuple(found),
        baselines=tuple(baselines),
        contrasts=_contrasts(found, config.grid),
        contents=len(photograph_M),
        photographs=len(np.unique(photograph_M)),
        source=images.source,
    )


def readable(layer: LayerReading) -> tuple[Readable, Readable, Readable | None]:
    """Return a layer's three readings; the last is absent where a channel has one position."""
    flat = Readable.of_products(layer.products_NN, name=layer.tap.label)
    means = Readable.of(layer.mean_NC, name=f"the channel means of {layer.tap.label}")
    if layer.log_std_NC is None:
        return flat, means, None
    return flat, means, Readable.of(layer.log_std_NC, name=f"the log-stds of {layer.tap.label}")


def _images(session: Session, networks: Sequence[LoadedNetwork], config: Config) -> DegradedImages:
    kinds = {kind_of(network, session.config) for network in networks}
    if len(kinds) > 1:
        rule = "of one magnification and patch, so that all are fed the same images"
        raise ParameterError("networks", rule, sorted(kinds), "run the others by themselves")
    return fed_with(
        config.suite(), config.images, kinds.pop(), contents=config.contents, seed=config.seed
    ).images


def _response(features: Readable, config: Config, photograph_M: NDArray[np.int64]) -> DoseResponse:
    return dose_response(features, config.grid, photograph_M, draws=config.draws, seed=config.seed)


def _input_psnr(images_NCHW: NDArray[np.float32], contents: int) -> tuple[float, ...]:
    """Return the mean PSNR in dB of each level's images; infinite where one did not change."""
    by_level = images_NCHW.reshape(-1, contents, *images_NCHW.shape[1:]).astype(np.float64)
    error_LM = ((by_level[1:] - by_level[0]) ** 2).mean(axis=(2, 3, 4))
    with np.errstate(divide="ignore"):
        return tuple(float(value) for value in (-10 * np.log10(error_LM)).mean(axis=1))


def _contrasts(found: Sequence[ReadResponse], levels: Sequence[float]) -> tuple[Contrast, ...]:
    pairs: list[Contrast] = []
    for one, other in itertools.combinations(found, 2):
        same = (one.layer, one.reading) == (other.layer, other.reading)
        if same and one.network != other.network:
            pairs.append(_contrast(one, other, levels))
    return tuple(pairs)


def _contrast(one: ReadResponse, other: ReadResponse, levels: Sequence[float]) -> Contrast:
    a, b = one.response, other.response
    difference = np.mean([x.value - y.value for x, y in zip(a.d_prime, b.d_prime, strict=True)])
    drawn_B = (a.draws.d_prime_BL - b.draws.d_prime_BL).mean(axis=1)
    return Contrast(
        networks=(one.network, other.network),
        layer=one.layer,
        label=one.label,
        reading=one.reading,
        d_prime=interval_of(float(difference), drawn_B),
        threshold_ratio=_ratio(a, b, levels),
    )


def _ratio(one: DoseResponse, other: DoseResponse, levels: Sequence[float]) -> Estimate | None:
    """Return the second's just noticeable strength over the first's."""
    ends = [each.threshold.level for each in (one, other)]
    if ends[0] is None or ends[1] is None:
        return None
    sign = 1.0 if levels[-1] > levels[0] else -1.0
    with np.errstate(invalid="ignore"):
        log_B = other.draws.log_threshold_B - one.draws.log_threshold_B
    if np.isnan(log_B).all():
        return None
    return interval_of(math.exp(sign * math.log(ends[1] / ends[0])), np.exp(log_B))
