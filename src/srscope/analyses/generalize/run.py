"""Read each set's features before the output, restore each set, and compare the two.

Suffixes: N images, M contents, B draws, K sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srscope.analyses.generalize.config import Config
from srscope.analyses.generalize.record import GeneralizeRecord, NetworkShift, SetShift
from srscope.analyses.generalize.restore import SetQuality, originals_of, qualities
from srscope.degradations.degrade import DegradedImages, degrade
from srscope.errors import NetworkError
from srscope.images.contents import crop_contents
from srscope.images.record import Contents
from srscope.images.sources import load_photographs
from srscope.networks.description import LoadedNetwork, TapPoint
from srscope.networks.structure.last import last_feature_layer
from srscope.networks.structure.select import select_layers
from srscope.scores.resampling import (
    Estimate,
    acceptance_rate,
    agreement,
    interval_of,
    photograph_counts,
)
from srscope.scores.srga import (
    density_of_products,
    null_scores,
    resampled_scores,
    sampling_floor,
    shift_of,
)
from srscope.study.extraction import device_of, staged
from srscope.study.inputs import MARGIN, kind_of
from srscope.study.readings import read_layers
from srscope.study.session import Session, named


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Inputs:
    """The sets of one magnification and patch."""

    contents: Contents
    images: DegradedImages
    by_set: Mapping[str, NDArray[np.float32]]
    photograph_M: NDArray[np.int64]


def run(session: Session, networks: Sequence[LoadedNetwork], config: Config) -> GeneralizeRecord:
    """Compare feature shift and loss of quality.

    Args:
        session: Says how to compute, and where finished stages are.
        networks: One or more; those that restore no images are left out with a word why.
        config: The parameters.

    Returns:
        The record.

    Raises:
        SrscopeError: If images or networks cannot be used.
    """
    found: list[NetworkShift] = []
    left_out: list[tuple[str, str]] = []
    made: dict[tuple[int, int], _Inputs] = {}
    inputs: _Inputs | None = None
    for network in networks:
        kind = kind_of(network, session.config)
        if kind not in made:
            made[kind] = _inputs(kind, config)
        inputs = made[kind]
        try:
            restored = qualities(
                network, inputs.by_set, originals_of(inputs.contents), clean=config.clean,
                batch_size=config.batch_size, device=device_of(config.device),
                progress=staged(named(session.progress, network.name), "restored sets"),
            )  # fmt: skip
        except NetworkError as error:
            left_out.append((network.name, str(error)))
            continue
        found.append(_of_network(session, network, inputs, restored, config))
    assert inputs is not None
    return GeneralizeRecord(
        networks=tuple(found),
        left_out=tuple(left_out),
        suite=config.sets.name,
        contents=len(inputs.photograph_M),
        photographs=len(np.unique(inputs.photograph_M)),
        source=inputs.images.source,
    )


def _inputs(kind: tuple[int, int], config: Config) -> _Inputs:
    scale, patch = kind
    contents = crop_contents(
        load_photographs(config.images), count=config.contents, patch=patch, scale=scale,
        margin=MARGIN,
    )  # fmt: skip
    images = degrade(contents, config.sets, patch=patch, scale=scale, seed=config.seed)
    _, photograph_M = np.unique(np.array(images.photographs), return_inverse=True)
    by_set = {
        each.name: images.images_NCHW[images.set_N == index]
        for index, each in enumerate(config.sets.sets)
    }
    return _Inputs(contents=contents, images=images, by_set=by_set, photograph_M=photograph_M)


def _of_network(
    session: Session,
    network: LoadedNetwork,
    inputs: _Inputs,
    restored: Mapping[str, SetQuality],
    config: Config,
) -> NetworkShift:
    tap = _layer(network, config.layer)
    # One set at a time: the layer is as large as the output.
    products = {
        name: read_layers(session, network, [tap], images, name=f"features, {name}")[0].products_NN
        for name, images in inputs.by_set.items()
    }
    count_BM = photograph_counts(inputs.photograph_M, draws=config.draws, seed=config.seed)
    reference = density_of_products(products[config.clean], components=config.components)
    null = null_scores(
        products[config.clean], inputs.photograph_M, splits=config.splits,
        components=config.components, seed=config.seed, name=tap.label,
    )  # fmt: skip
    low, middle, high = (float(value) for value in np.quantile(null, (0.05, 0.5, 0.95)))
    names = [name for name in products if name != config.clean]
    drawn_BK = np.stack(
        [
            resampled_scores(
                products[config.clean], products[name], count_BM, components=config.components
            )
            for name in names
        ],
        axis=1,
    )
    clean = restored[config.clean]
    sets: list[SetShift] = []
    for k, name in enumerate(names):
        density = density_of_products(products[name], components=config.components)
        score = shift_of(reference, density).score
        quality = restored[name]
        sets.append(
            SetShift(
                name=name,
                definition=_definition(inputs.images, name),
                shift=interval_of(score, drawn_BK[:, k], centred=True),
                beyond_null=score > high,
                density=density,
                psnr=_mean(quality.psnr_M, count_BM),
                ssim=_mean(quality.ssim_M, count_BM),
                loss_psnr=_mean(clean.psnr_M - quality.psnr_M, count_BM),
                loss_ssim=_mean(clean.ssim_M - quality.ssim_M, count_BM),
                same=_mean(quality.same_M, count_BM),
                bicubic=_mean(quality.bicubic_M, count_BM),
                accepted=bool(quality.psnr_M.mean() >= quality.bicubic_M.mean()),
            )
        )
    return NetworkShift(
        network=network.name,
        layer=tap.name,
        null=(low, middle, high),
        floor=sampling_floor(reference.values, shape=reference.shape, seed=config.seed),
        reference=reference,
        clean_psnr=_mean(clean.psnr_M, count_BM),
        clean_ssim=_mean(clean.ssim_M, count_BM),
        sets=tuple(sets),
        agreement=None
        if len(sets) < 3
        else agreement(
            np.array([each.shift.value for each in sets]),
            np.array([each.loss_psnr.value for each in sets]),
            drawn_BK,
            np.stack([_drawn(clean.psnr_M - restored[n].psnr_M, count_BM) for n in names], axis=1),
            seed=config.seed,
        ),
        acceptance=_acceptance([restored[name] for name in names], count_BM),
    )


def _layer(network: LoadedNetwork, wanted: str | None) -> TapPoint:
    if wanted is None:
        return last_feature_layer(network)
    return select_layers(network, [wanted])[-1]


def _definition(images: DegradedImages, name: str) -> str:
    return next(each.definition for each in images.suite.sets if each.name == name)


def _drawn(values_M: NDArray[np.float64], count_BM: NDArray[np.int64]) -> NDArray[np.float64]:
    return count_BM @ values_M / count_BM.sum(axis=1)


def _mean(values_M: NDArray[np.float64], count_BM: NDArray[np.int64]) -> Estimate:
    return interval_of(float(values_M.mean()), _drawn(values_M, count_BM))


def _acceptance(restored: Sequence[SetQuality], count_BM: NDArray[np.int64]) -> Estimate:
    own_BK, line_BK = (
        np.stack([_drawn(values_M, count_BM) for values_M in by_set], axis=1)
        for by_set in ([each.psnr_M for each in restored], [each.bicubic_M for each in restored])
    )
    drawn_B = np.array([acceptance_rate(a, b) for a, b in zip(own_BK, line_BK, strict=True)])
    value = acceptance_rate(
        np.array([each.psnr_M.mean() for each in restored]),
        np.array([each.bicubic_M.mean() for each in restored]),
    )
    return interval_of(value, drawn_B)
