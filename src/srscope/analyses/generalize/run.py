"""Read each set's features before the output, restore each set, and compare the two.

Suffixes: N images, M contents, B draws, K sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from srscope.analyses.generalize.config import Config
from srscope.analyses.generalize.record import GeneralizeRecord, NetworkShift, SetShift
from srscope.analyses.generalize.restore import SetQuality, originals_of, qualities
from srscope.degradations.degrade import DegradedImages
from srscope.errors import NetworkError
from srscope.networks.description import LoadedNetwork, TapPoint
from srscope.networks.structure.last import last_feature_layer
from srscope.networks.structure.select import select_layers
from srscope.scores.agreement import acceptance_rate, agreement
from srscope.scores.photographs import Estimate, interval_of, photograph_counts
from srscope.scores.srga import (
    density_of_products,
    null_scores,
    resampled_scores,
    sampling_floor,
    shift_of,
)
from srscope.study.extraction import device_of, staged
from srscope.study.inputs import Fed, Kind, fed_with, kind_of
from srscope.study.readings import read_layers
from srscope.study.session import Session, named


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
    made: dict[Kind, Fed] = {}
    for network in networks:
        kind = kind_of(network, session.config)
        if kind not in made:
            made[kind] = fed_with(
                config.sets, config.images, kind, contents=config.contents, seed=config.seed
            )
        fed = made[kind]
        assert fed.contents is not None
        try:
            restored = qualities(
                network, _by_set(fed), originals_of(fed.contents), clean=config.clean,
                batch_size=config.batch_size, device=device_of(config.device),
                progress=staged(named(session.progress, network.name), "restored sets"),
            )  # fmt: skip
        except NetworkError as error:
            left_out.append((network.name, str(error)))
            continue
        found.append(_of_network(session, network, fed, restored, config))
    images = list(made.values())[-1].images
    return GeneralizeRecord(
        networks=tuple(found),
        left_out=tuple(left_out),
        suite=config.sets.name,
        contents=len(images.contents),
        photographs=len(set(images.photographs)),
        source=images.source,
    )


def _by_set(fed: Fed) -> dict[str, NDArray[np.float32]]:
    images = fed.images
    return {
        each.name: images.images_NCHW[images.set_N == index]
        for index, each in enumerate(images.suite.sets)
    }


def _of_network(
    session: Session,
    network: LoadedNetwork,
    fed: Fed,
    restored: Mapping[str, SetQuality],
    config: Config,
) -> NetworkShift:
    tap = _layer(network, config.layer)
    # One set at a time: the layer is as large as the output.
    products = {
        name: read_layers(session, network, [tap], images, name=f"features, {name}")[0].products_NN
        for name, images in _by_set(fed).items()
    }
    photograph_M = fed.images.photograph_M
    count_BM = photograph_counts(photograph_M, draws=config.draws, seed=config.seed)
    reference = density_of_products(products[config.clean], components=config.components)
    null = null_scores(
        products[config.clean], photograph_M, splits=config.splits,
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
                definition=_definition(fed.images, name),
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
