"""Effect sizes of one layer that do not depend on the number of images.

The probe reads a layer three ways: flattened features through PCA, channel means, and channel log
standard deviations. All leave whole photographs out. Suffixes: N images, R readings.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srscope.errors import DegenerateError
from srscope.runtime.cache import Entry, pack, values_of
from srscope.runtime.records import record_of
from srscope.scores.components import noise_floor, variance_components_of_gram
from srscope.scores.design import NEIGHBOURS
from srscope.scores.neighbours import photograph_knn
from srscope.scores.pairs import pair_scores
from srscope.scores.photographs import Interval
from srscope.scores.probe import Probe, channel_moments, probe_of_gram, probe_of_vectors
from srscope.scores.record import Components, NoiseFloor, PairScore, ProbeScore, VarianceShares
from srscope.study.cache import Stages
from srscope.study.config import AnalysisConfig
from srscope.study.sources import Labels, Source

READINGS = ("probe", "probe_channel_means", "probe_channel_log_std")
"""Readings of the probe, in the order of ``told_RN``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What the probe, neighbours and components say of one layer.

    Args:
        scores: Fields of :class:`~srscope.scores.record.LayerScores`.
        components: Unbiased components of variance; ``None`` where the design is not crossed.
        noise_floor: The raw shares of pure noise; ``None`` likewise.
    """

    scores: Mapping[str, Any]
    components: Components | None = None
    noise_floor: NoiseFloor | None = None

    def with_components(self, shares: VarianceShares | None) -> VarianceShares | None:
        """Return raw shares of variance together with the unbiased components."""
        if shares is None:
            return None
        return dataclasses.replace(shares, components=self.components, noise_floor=self.noise_floor)


def evidence_of(
    source: Source, reduced: Entry, labels: Labels, config: AnalysisConfig, stages: Stages
) -> Evidence:
    """Probe a source and split its variance, or take both from the cache.

    Args:
        source: The features.
        reduced: What PCA made of them.
        labels: Of the images.
        config: The number of principal components.
        stages: Finished stages.
    """
    decides = {"features": source.sha256, "components": config.pca, "design": labels.key}
    entry = stages.get("evidence", decides, lambda: _computed(source, reduced, labels, config))
    values = values_of(entry)
    return Evidence(
        scores={
            **{
                name: None if value is None else record_of(ProbeScore, value)
                for name, value in values["probes"].items()
            },
            "pairs": tuple(record_of(PairScore, each) for each in values["pairs"]),
            "told_RN": entry.get("told_RN"),
        },
        components=_maybe(Components, values["components_of_variance"]),
        noise_floor=_maybe(NoiseFloor, values["noise_floor"]),
    )


def _maybe(kind: type[Any], plain: Any) -> Any:
    return None if plain is None else record_of(kind, plain)


def _computed(source: Source, reduced: Entry, labels: Labels, config: AnalysisConfig) -> Entry:
    set_N, photograph_N = labels.set_N, labels.photograph_N
    features_ND = source.read()
    gram_NN = reduced["gram"] if "gram" in reduced else _gram(features_ND)
    probes: list[Probe | None] = []
    for read in _readings(source, features_ND, gram_NN, config.pca):
        try:
            probes.append(None if read is None else read(set_N, photograph_N))
        except DegenerateError:  # a set of one photograph alone, or channels that never change
            probes.append(None)
    knn = None
    with contextlib.suppress(DegenerateError):  # too few images of other photographs
        knn = photograph_knn(
            reduced["points_NC"], set_N, photograph_N, k=NEIGHBOURS, name=source.name
        ).accuracy
    first = probes[0]
    chance = 1 / len(labels.sets)
    arrays: Entry = {}
    if first is not None:
        silent_N = np.zeros(len(set_N), dtype=np.bool_)
        arrays["told_RN"] = np.stack([silent_N if p is None else p.told_N for p in probes])
    named = dict(zip(READINGS, (None if p is None else p.accuracy for p in probes), strict=True))
    return pack(
        arrays,
        probes={
            name: None if each is None else dataclasses.asdict(_score(each, chance))
            for name, each in {**named, "knn_photographs": knn}.items()
        },
        pairs=[] if first is None else _pairs(first, labels),
        **_split(gram_NN, labels, source.name),
    )


def _readings(
    source: Source, features_ND: NDArray[np.float32], gram_NN: NDArray[np.float64], components: int
) -> list[Any]:
    """Return the three readings as functions of sets and photographs; ``None`` where undefined."""
    name = source.name

    def flattened(set_N: NDArray[np.int64], photograph_N: NDArray[np.int64]) -> Probe:
        return probe_of_gram(gram_NN, set_N, photograph_N, components=components, name=name)

    def vectors(values_ND: NDArray[np.float64] | None) -> Any:
        if values_ND is None:
            return None

        def read(set_N: NDArray[np.int64], photograph_N: NDArray[np.int64]) -> Probe:
            return probe_of_vectors(
                values_ND, set_N, photograph_N, components=components, name=name
            )

        return read

    if len(source.shape) < 2:
        return [flattened, None, None]
    means_NC, spreads_NC = channel_moments(features_ND, source.shape[0], name=name)
    return [flattened, vectors(means_NC), vectors(spreads_NC)]


def _gram(features_ND: NDArray[np.float32]) -> NDArray[np.float64]:
    centred_ND = features_ND.astype(np.float64) - features_ND.mean(axis=0, dtype=np.float64)
    return centred_ND @ centred_ND.T


def _score(accuracy: Interval, chance: float) -> ProbeScore:
    return ProbeScore(
        accuracy=accuracy.value,
        low=accuracy.low,
        high=accuracy.high,
        chance=chance,
        reliable=accuracy.reliable,
    )


def _pairs(probe: Probe, labels: Labels) -> list[dict[str, Any]]:
    return [
        dataclasses.asdict(
            PairScore(
                sets=(labels.sets[pair.sets[0]], labels.sets[pair.sets[1]]),
                auc=pair.auc.value,
                low=pair.auc.low,
                high=pair.auc.high,
                d_prime=pair.d_prime,
            )
        )
        for pair in pair_scores(probe, labels.set_N, labels.photograph_N)
    ]


def _split(gram_NN: NDArray[np.float64], labels: Labels, name: str) -> dict[str, Any]:
    """Return unbiased components and the noise floor, where the design is crossed."""
    if not labels.design.crossed:
        return {"components_of_variance": None, "noise_floor": None}
    floor = noise_floor(len(labels.sets), len(np.unique(labels.content_N)))
    told: dict[str, Any] = {"noise_floor": dataclasses.asdict(floor)}
    try:
        found = variance_components_of_gram(
            gram_NN, labels.set_N, labels.content_N, labels.photograph_N, name=name
        )
    except DegenerateError:  # all contents of one photograph
        return {**told, "components_of_variance": None}
    parts = {part: getattr(found, part) for part in ("degradation", "content", "residual")}
    split: dict[str, float] = {part: each.value for part, each in parts.items()}
    for part in ("degradation", "content"):
        split |= {f"{part}_low": parts[part].low, f"{part}_high": parts[part].high}
    return {**told, "components_of_variance": split}
