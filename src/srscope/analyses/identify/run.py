"""Learn types and levels from degraded photographs, judge that, and tell a user's images.

Suffixes: N images, M contents, D features, P patches of an image, H/W height and width, 3 colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from srscope.analyses.dose.record import READINGS
from srscope.analyses.identify.config import CLEAN, Config
from srscope.analyses.identify.patches import tell_image
from srscope.analyses.identify.record import Evaluation, IdentifyRecord, ImageTold
from srscope.errors import ImageError, NetworkError
from srscope.features.held import hold
from srscope.features.trivial import TRIVIAL, describe
from srscope.images.sources import load_photographs
from srscope.networks.description import LoadedNetwork, TapPoint
from srscope.networks.structure.select import select_layers
from srscope.runtime.memory import available_memory
from srscope.scores.identify import Identifier, Labels, tell_held_out
from srscope.scores.identify_quality import judge, knn_accuracy_of_splits, unknown_auc
from srscope.scores.probe import channel_moments
from srscope.scores.products import inner_products
from srscope.study.extraction import device_of, precision_of
from srscope.study.inputs import fed_with, kind_of
from srscope.study.readings import LayerReading, read_layers
from srscope.study.session import Session

STATISTICS = ("laplacian_quantiles", "statistics", "spectrum")
"""Simple statistics of the images that tell degradations too."""


def run(session: Session, networks: Sequence[LoadedNetwork], config: Config) -> IdentifyRecord:
    """Tell degradations by a network's layers.

    Args:
        session: Says how to compute, and where finished stages are.
        networks: One.
        config: The parameters.

    Returns:
        The record.

    Raises:
        SrscopeError: If images or network cannot be used.
    """
    (network,) = networks
    kind = kind_of(network, session.config)
    images = fed_with(
        config.suite(), config.training, kind, contents=config.contents, seed=config.seed
    ).images
    photograph_M, patch = images.photograph_M, kind[1]
    labels = Labels(
        type_N=np.repeat([name for name, _ in config.cells], len(photograph_M)),
        level_N=np.repeat([level or np.nan for _, level in config.cells], len(photograph_M)),
        photograph_N=np.tile(photograph_M, len(config.cells)),
    )
    taps = select_layers(network, config.layers)
    known = ~np.isin(labels.type_N, config.unknown)
    found: list[Evaluation] = []
    readings: list[tuple[TapPoint, str, NDArray[np.float64]]] = []
    for source, layers in _layers(session, network, taps, images.images_NCHW, config):
        for layer in layers:
            for reading, products_NN in zip(READINGS, _products(layer), strict=True):
                if products_NN is None:
                    continue
                where = (source, layer.tap.name, layer.tap.label, reading)
                found.append(_evaluation(where, products_NN, labels, known, config))
                if source == "network":
                    readings.append((layer.tap, reading, products_NN))
            if session.progress is not None:
                session.progress(f"{source}: classifiers, {layer.tap.label}", 1, 1)
    best = max(range(len(readings)), key=lambda i: found[i].quality.accuracy.value)
    for name in STATISTICS:
        products_NN = _standardised(describe(name, images.images_NCHW))
        where = ("statistic", name, TRIVIAL[name].label, "as it is")
        found.append(_evaluation(where, products_NN, labels, known, config))
    told: tuple[ImageTold, ...] = ()
    skipped: list[tuple[str, str]] = []
    if config.images is not None:
        tap, reading, _ = readings[best]
        told = _all_told(
            _Reader(session, network, tap, reading, images.images_NCHW[known]),
            labels.at(known),
            config,
            patch,
            skipped,
        )
    return IdentifyRecord(
        network=network.name,
        types=(CLEAN, *config.families),
        held_out=config.unknown,
        evaluations=tuple(found),
        best=best,
        images=told,
        skipped=tuple(skipped),
        patch=patch,
        contents=len(photograph_M),
        photographs=len(np.unique(photograph_M)),
        source=images.source,
    )


def _layers(
    session: Session,
    network: LoadedNetwork,
    taps: Sequence[TapPoint],
    images_NCHW: NDArray[np.float32],
    config: Config,
) -> Iterator[tuple[str, list[LayerReading]]]:
    """Yield the layers of the network, then those of the untrained one if it can be made."""
    yield "network", read_layers(session, network, taps, images_NCHW)
    if network.untrained is not None:
        try:
            module = network.untrained(config.seed)
        except NetworkError:
            return
        last = taps[-1:]
        yield (
            "untrained",
            read_layers(
                session, network, last, images_NCHW, module=module, name="features, untrained"
            ),
        )


def _products(
    layer: LayerReading,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
    means = _standardised(layer.mean_NC)
    if layer.log_std_NC is None:
        return layer.products_NN, means, None
    return layer.products_NN, means, _standardised(layer.log_std_NC)


def _standardised(vectors_ND: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return inner products of statistics that have units of their own."""
    return inner_products(vectors_ND / _spread(vectors_ND))


def _spread(vectors_ND: NDArray[np.floating]) -> NDArray[np.floating]:
    spread_D = vectors_ND.std(axis=0)
    spread_D[spread_D == 0] = 1.0
    return spread_D


def _evaluation(
    where: tuple[str, str, str, str],
    products_NN: NDArray[np.float64],
    labels: Labels,
    known: NDArray[np.bool_],
    config: Config,
) -> Evaluation:
    told = tell_held_out(products_NN, labels, unknown=config.unknown, seed=config.seed)
    rows = np.flatnonzero(known)
    unknown = {}
    for name in (*config.unknown, *(("all",) if config.unknown else ())):
        kept = known | (np.isin(labels.type_N, config.unknown) if name == "all"
                        else labels.type_N == name)  # fmt: skip
        unknown[name] = unknown_auc(
            told.distance_N[kept], ~known[kept], labels.photograph_N[kept], seed=config.seed
        )
    source, layer, label, reading = where
    return Evaluation(
        source=source,
        layer=layer,
        label=label,
        reading=reading,
        quality=judge(told.at(rows), labels.at(rows), seed=config.seed),
        unknown=unknown,
        knn=knn_accuracy_of_splits(
            products_NN[np.ix_(rows, rows)], labels.type_N[rows], labels.photograph_N[rows],
            seed=config.seed,
        ),
    )  # fmt: skip


class _Reader:
    """Reads a layer as its evaluation did, in the units of the images learned from."""

    def __init__(
        self,
        session: Session,
        network: LoadedNetwork,
        tap: TapPoint,
        reading: str,
        images_NCHW: NDArray[np.float32],
    ) -> None:
        self._session, self._network, self._tap, self._reading = session, network, tap, reading
        self.progress = session.progress
        features_ND = self._raw(images_NCHW)
        flat = reading == READINGS[0]
        self._spread_D = np.ones(1, np.float32) if flat else _spread(features_ND)
        self.learned_ND = features_ND if flat else features_ND / self._spread_D

    def __call__(self, images_NCHW: NDArray[np.float32]) -> NDArray[np.floating]:
        """Return one row an image."""
        return self._raw(images_NCHW) / self._spread_D

    def _raw(self, images_NCHW: NDArray[np.float32]) -> NDArray[np.floating]:
        config, tap = self._session.config, self._tap
        device = device_of(config.device)
        held = hold(
            self._network.module,
            images_NCHW,
            [tap.name],
            most=available_memory() or 1 << 40,
            channel_axes={tap.name: tap.channel_axis},
            batch_size=config.batch_size,
            device=device,
            **precision_of(config.precision, self._network, device),
        )
        if held is None:
            raise NetworkError(
                f"the features of {tap.label} do not fit in memory; give fewer contents"
            )
        features_ND = held.read(tap.name)
        if self._reading == READINGS[0]:
            return features_ND
        channels = held.layers[0].feature_shape[0]
        mean_NC, log_std_NC = channel_moments(features_ND, channels, name=tap.label)
        found = mean_NC if self._reading == READINGS[1] else log_std_NC
        assert found is not None
        return found


def _all_told(
    reader: _Reader, labels: Labels, config: Config, patch: int, skipped: list[tuple[str, str]]
) -> tuple[ImageTold, ...]:
    """Tell the images of the user's folder, one at a time; note those that cannot be told."""
    assert config.images is not None
    held = tell_held_out(inner_products(reader.learned_ND), labels, seed=config.seed)
    fitted = Identifier.fit(
        reader.learned_ND, labels, distance_N=held.distance_N, share=config.share
    )
    photos = load_photographs(config.images)
    skipped += photos.skipped
    told: list[ImageTold] = []
    for number, photo in enumerate(photos.photographs, start=1):
        try:
            told.append(
                tell_image(
                    photo.name, photo.pixels_HW3, reader, fitted, patch=patch,
                    stride=config.stride or patch,
                )
            )  # fmt: skip
        except ImageError as error:
            skipped.append((photo.name, error.problem))
        if reader.progress is not None:
            reader.progress("images", number, len(photos.photographs))
    return tuple(told)
