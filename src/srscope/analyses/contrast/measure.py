"""What is compared of each network, with what each photograph adds to it.

Suffixes: N images, P photographs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from srscope.analyses.contrast.config import Config
from srscope.analyses.intervene.record import InterveneConfig
from srscope.analyses.intervene.run import intervene
from srscope.errors import DegenerateError, ParameterError
from srscope.images.record import Contents
from srscope.networks.description import LoadedNetwork, TapPoint, weights_sha256
from srscope.networks.structure.identity import identity_of
from srscope.networks.structure.select import select_layers
from srscope.runtime.cache import hash_of_arrays, pack, values_of
from srscope.scores.components import variance_components_of_gram
from srscope.scores.influence import (
    Influenced,
    components_of,
    log_chi_of_maps,
    of_balanced,
)
from srscope.scores.photographs import balanced
from srscope.scores.probe import probe_of_gram
from srscope.scores.products import principal_points
from srscope.study.extraction import device_of
from srscope.study.readings import read_layers
from srscope.study.scoring import maps_of
from srscope.study.session import Session

PROBE, CHI, DEGRADATION, CONTENT = "probe", "CHI", "degradation", "content"
CAUSAL = "causal, "
"""Begins the names of causal effects; the set follows."""

Found = Mapping[tuple[str, str], Influenced]
"""By layer and quantity."""


def measured(session: Session, network: LoadedNetwork, config: Config) -> Found:
    """Measure a network.

    Args:
        session: Says how to compute, and where finished stages are.
        network: The network.
        config: What is measured.

    Returns:
        By layer and quantity: accuracy of the probe, ln CHI, components of variance as shares, and
        where they are asked for, causal effects in dB.

    Raises:
        SrscopeError: If a score is undefined.
    """
    images = session.fed(network).images
    taps = select_layers(network, config.layers)
    _, photograph_M = np.unique(np.array(images.photographs), return_inverse=True)
    labels = (images.set_N, images.content_N, photograph_M.reshape(-1)[images.content_N])
    set_N, _, photograph_N = labels
    readings = read_layers(session, network, taps, images.images_NCHW)
    seeds = range(config.seed, config.seed + config.runs)
    rows_N = np.arange(len(set_N))
    points = [
        principal_points(
            each.products_NN, rows_N, rows_N[:0], components=session.config.pca,
            name=each.tap.label,
        )[0]
        for each in readings
    ]  # fmt: skip
    names = [f"{network.name} {each.tap.label}" for each in readings]
    maps = maps_of(points, session.config.tsne, seeds, session.stages, names=names)
    found: dict[tuple[str, str], Influenced] = {}
    for reading, name, own in zip(readings, names, maps, strict=True):
        layer = reading.tap.name
        probe = probe_of_gram(reading.products_NN, set_N, photograph_N, name=name)
        result = balanced(probe.told_N, set_N, photograph_N)
        found[layer, PROBE] = of_balanced(result, folds=probe.folds)
        found[layer, CHI] = log_chi_of_maps(
            np.stack([each.points_ND for each in own]), set_N, photograph_N, name=name
        )
        split = variance_components_of_gram(reading.products_NN, *labels, name=name)
        shares = components_of(split)
        found[layer, DEGRADATION], found[layer, CONTENT] = shares[DEGRADATION], shares[CONTENT]
    if config.causal:
        found |= _causal(session, network, taps[-1], config)
    return found


def _causal(
    session: Session, network: LoadedNetwork, tap: TapPoint, config: Config
) -> dict[tuple[str, str], Influenced]:
    fed = session.fed(network)
    contents = _contents(fed.contents, config)
    settings = InterveneConfig(
        clean=config.clean, controls=config.controls, controlled=("move",), seed=config.seed,
        batch_size=config.batch_size, device=device_of(config.device),
    )  # fmt: skip
    key = {
        "network": identity_of(network.module) or weights_sha256(network.module),
        "images": hash_of_arrays(fed.images.images_NCHW),
        "layer": tap.name,
        "clean": config.clean,
        "controls": config.controls,
        "seed": config.seed,
        "device": settings.device,
    }

    def compute() -> dict[str, np.ndarray]:
        inside = slice(contents.margin, -contents.margin or None)
        originals_MCHW = contents.crops_NHW3[:, inside, inside].transpose(0, 3, 1, 2)
        record = intervene(
            network, fed.images, np.ascontiguousarray(originals_MCHW), [tap.name], settings,
            progress=session.progress,
        )  # fmt: skip
        (layer,) = record.layers
        gains = {each.name: np.array(each.effect("move").beyond_P) for each in layer.sets}
        return pack(gains)

    entry = session.stages.get("causal effects", key, compute)
    return {
        (tap.name, CAUSAL + name): _of_photographs(gain_P)
        for name, gain_P in entry.items()
        if name in [each.name for each in fed.images.suite.sets]
    }


def _contents(contents: Contents | None, config: Config) -> Contents:
    if contents is None:
        remedy = "give one that degrades photographs"
        raise ParameterError("suite", "one whose sets share their contents", config.suite, remedy)
    return contents


def _of_photographs(values_P: np.ndarray) -> Influenced:
    photographs = len(values_P)
    if photographs < 2:
        raise DegenerateError("a causal effect", "there is one photograph", "give 8 or more")
    influence_P = (values_P - values_P.mean()) / math.sqrt(photographs * (photographs - 1))
    return Influenced(value=float(values_P.mean()), influence_P=influence_P)


def psnr_of(session: Session, network: LoadedNetwork) -> float:
    """Return a network's PSNR in dB on the clean contents, from the cache where it is there.

    Raises:
        ParameterError: If it has none.
    """
    contents = session.fed(network).contents
    inputs = {
        "network": identity_of(network.module) or weights_sha256(network.module),
        "contents": None if contents is None else hash_of_arrays(contents.crops_NHW3),
        "scale": network.scale,
    }

    def compute() -> dict[str, np.ndarray]:
        restored = session.restoration(network)
        return pack({}, psnr=restored.psnr, why=restored.why)

    values = values_of(session.stages.get("psnr", inputs, compute))
    if values["psnr"] is None:
        remedy = "compare as trained: --matched=false"
        raise ParameterError(
            f"the PSNR of {network.name}", f"defined, but {values['why']}", None, remedy
        )
    return values["psnr"]
