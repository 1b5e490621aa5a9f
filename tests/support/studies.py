"""Synthetic studies, shaped like real ones, for the tests of figures and report.

The 2-D points are laid out so that their CHI is exactly what the test asks for: sets on a circle
whose radius grows with the CHI, over a cloud in which versions of one content lie together.
Suffixes: N images, R runs, K sets, D dimensions, H/W height and width.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from srscope.degradations.record import SetInfo, SuiteInfo
from srscope.features.trivial import TRIVIAL
from srscope.networks.record import NetworkInfo
from srscope.scores.components import noise_floor
from srscope.scores.photographs import balanced, share_interval
from srscope.scores.record import (
    Components,
    FeatureSpaceScores,
    LayerScores,
    NoiseFloor,
    PairScore,
    ProbeScore,
    Runs,
    TsneScores,
    VarianceShares,
)
from srscope.scores.runs import mean_of_runs
from srscope.study.record import Inputs, Study
from srscope.study.verdict import verdict_of

PHOTOGRAPHS = (
    "Dune.jpg", "Harbour.png", "Old town.jpg", "Fern.webp", "Kestrel.jpg",
    "Lake.jpg", "Market.png", "Night train.jpg", "Orchard.webp", "Pier.jpg",
)  # fmt: skip


def grade_of(chi: float) -> str:
    """Return the paper's band of ``chi``."""
    return ("-", "+", "++", "+++")[sum(chi >= edge for edge in (20, 100, 500))]


def _points_ND(
    chi: float, set_N: NDArray[np.int64], content_N: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return 2-D points whose CHI by set is exactly ``chi`` (sets must be of equal size)."""
    sets, count = int(set_N.max()) + 1, len(set_N)
    apart = chi / (chi + 5.0)
    shared_ND = rng.normal(size=(int(content_N.max()) + 1, 2))[content_N]
    cloud_ND = (1 - apart) * shared_ND + (0.08 + apart) * rng.normal(size=(count, 2)) * 0.9
    for k in range(sets):
        cloud_ND[set_N == k] -= cloud_ND[set_N == k].mean(axis=0)
    within = float((cloud_ND**2).sum())
    radius = np.sqrt(chi * (sets - 1) / (count - sets) * within / count)
    angle_N = 2 * np.pi * set_N / sets + rng.uniform(0, 2 * np.pi)
    points_ND = cloud_ND + radius * np.stack([np.cos(angle_N), np.sin(angle_N)], axis=1)
    return points_ND * 10.0


def _spread(points_ND: NDArray[np.float64], set_N: NDArray[np.int64]) -> tuple[float, float]:
    """Return WD and BD of the points."""
    within = between = 0.0
    for k in range(int(set_N.max()) + 1):
        own = points_ND[set_N == k]
        within += float(((own - own.mean(axis=0)) ** 2).sum())
        between += len(own) * float(((own.mean(axis=0) - points_ND.mean(axis=0)) ** 2).sum())
    return within, between


def told_N(
    accuracy: float,
    set_N: NDArray[np.int64],
    photograph_N: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Return which images a probe told: this share of every set, alike in all photographs."""
    told = np.zeros(len(set_N), dtype=np.bool_)
    sets = int(set_N.max()) + 1
    for k in range(sets):
        members = np.flatnonzero(set_N == k)
        # Photograph by photograph in a row, told at equal distances.
        row = members[np.lexsort((rng.random(len(members)), photograph_N[members]))]
        right = round(accuracy * len(row))
        steps = np.arange(len(row) + 1) * right / len(row) + k / sets
        told[row] = np.diff(np.floor(steps + 1e-9)) > 0
    return told


def probe_score(
    told: NDArray[np.bool_], set_N: NDArray[np.int64], photograph_N: NDArray[np.int64]
) -> ProbeScore:
    """Return a probe's accuracy with its interval, as an analysis takes them."""
    found = share_interval(balanced(told, set_N, photograph_N))
    return ProbeScore(
        accuracy=found.value,
        low=found.low,
        high=found.high,
        chance=1 / (int(set_N.max()) + 1),
        reliable=found.reliable,
    )


def probed(
    entry: LayerScores,
    readings: Sequence[float],
    *,
    sets: Sequence[str],
    set_N: NDArray[np.int64],
    photograph_N: NDArray[np.int64],
    seed: int = 0,
) -> LayerScores:
    """Return ``entry`` with probes of this accuracy: PCA, channel means, channel log spreads."""
    if min(len(np.unique(photograph_N[set_N == k])) for k in range(len(sets))) < 2:
        return entry
    rng = np.random.default_rng([seed, 7])
    told_RN = np.stack([told_N(each, set_N, photograph_N, rng) for each in readings])
    flat, means, spreads = (probe_score(told, set_N, photograph_N) for told in told_RN)
    pairs: list[PairScore] = []
    for a, b in itertools.combinations(range(len(sets)), 2):
        auc = 0.5 + 0.5 * (flat.accuracy - flat.chance) / (1 - flat.chance) * (1 - 0.1 * (a + b))
        auc = min(1.0, max(0.0, auc))
        ends = (max(0.0, auc - 0.05), min(1.0, auc + 0.05))
        distance = None if auc == 1.0 else float(np.sqrt(2) * ndtri(auc))
        pairs.append(
            PairScore(sets=(sets[a], sets[b]), auc=auc, low=ends[0], high=ends[1], d_prime=distance)
        )
    return dataclasses.replace(
        entry,
        probe=flat,
        probe_channel_means=means,
        probe_channel_log_std=spreads,
        knn_photographs=flat,
        pairs=tuple(pairs),
        told_RN=told_RN,
    )


def layer(
    *,
    name: str,
    label: str,
    depth: float,
    chi: float,
    set_N: NDArray[np.int64],
    content_N: NDArray[np.int64],
    runs: int = 5,
    crossed: bool = True,
    seed: int = 0,
    photograph_N: NDArray[np.int64] | None = None,
    sets: Sequence[str] | None = None,
) -> LayerScores:
    """Return one layer whose mean CHI over the runs is about ``chi``.

    Its probe on channel means is as accurate as its k-NN; the other readings are a little less.
    Every content is a photograph of its own unless ``photograph_N`` says otherwise.
    """
    photograph_N = content_N if photograph_N is None else photograph_N
    names = [f"set{k}" for k in range(int(set_N.max()) + 1)] if sets is None else sets
    rng = np.random.default_rng(seed)
    groups, count = int(set_N.max()) + 1, len(set_N)
    points, values = [], []
    for _ in range(runs):
        points_ND = _points_ND(chi * rng.lognormal(0, 0.06), set_N, content_N, rng)
        wd, bd = _spread(points_ND, set_N)
        points.append(points_ND.astype(np.float32))
        values.append((bd / wd * (count - groups) / (groups - 1), wd, bd, rng.normal(0.6, 0.02)))
    chis, wds, bds, kls = (Runs.of(list(column)) for column in zip(*values, strict=True))
    apart = chi / (chi + 60.0)
    degradation = 0.03 + 0.5 * apart
    content = (1 - degradation) * (0.8 - 0.3 * apart)
    accuracy = 1 / groups + (1 - 1 / groups) * apart
    contents = int(content_N.max()) + 1
    entry = LayerScores(
        layer=name,
        label=label,
        shape=(64, 32, 32),
        depth=depth,
        tsne=TsneScores(
            chi=chis,
            wd=wds,
            bd=bds,
            kl=kls,
            grade=grade_of(chis.mean),
            chi_known=mean_of_runs(chis.runs) if runs > 1 else None,
            trustworthiness=0.9,
            continuity=0.85,
        ),
        feature_space=FeatureSpaceScores(
            chi=1.2 + 0.6 * chi**0.5,
            silhouette=0.62 * apart - 0.04,
            knn_accuracy=accuracy if crossed else None,
            p_value=0.001 if chi >= 2 else 0.43,
        ),
        variance=VarianceShares(
            degradation=degradation,
            content=content,
            interaction=1 - degradation - content,
            components=components(0.5 * apart, 0.7 * (1 - apart))
            if len(np.unique(photograph_N)) > 2
            else None,
            noise_floor=NoiseFloor(**dataclasses.asdict(noise_floor(groups, contents)))
            if contents > 1
            else None,
        )
        if crossed
        else None,
        points_RN2=np.stack(points),
    )
    readings = (max(0.0, accuracy - 0.04), accuracy, max(0.0, accuracy - 0.02))
    return probed(entry, readings, sets=names, set_N=set_N, photograph_N=photograph_N, seed=seed)


def components(degradation: float, content: float) -> Components:
    """Return unbiased components with intervals of a fifth either way."""
    return Components(
        degradation=degradation,
        content=content,
        residual=1 - degradation - content,
        degradation_low=0.8 * degradation,
        degradation_high=1.2 * degradation,
        content_low=0.8 * content,
        content_high=min(1.0, 1.2 * content),
    )


def _patches_NHW3(
    sets: int, set_N: NDArray[np.int64], content_N: NDArray[np.int64], side: int, seed: int
) -> NDArray[np.uint8]:
    """Return pictures: a sky, a ground and a disc for every content; blur and noise by set."""
    rng = np.random.default_rng(seed)
    y_HW, x_HW = np.mgrid[0:side, 0:side] / side
    images = []
    for k, content in zip(set_N, content_N, strict=True):
        own = np.random.default_rng(int(content) + 1000)
        sky, ground, disc = own.uniform(0.1, 0.95, size=(3, 3))
        horizon = own.uniform(0.3, 0.8) + 0.06 * np.sin(own.uniform(3, 14) * x_HW)
        image = np.where((y_HW > horizon)[..., None], ground, sky * (1 - 0.4 * y_HW[..., None]))
        centre, radius = own.uniform(0.2, 0.8, size=2), own.uniform(0.08, 0.25)
        inside_HW = (x_HW - centre[0]) ** 2 + (y_HW - centre[1]) ** 2 < radius**2
        image = np.where(inside_HW[..., None], disc, image)
        if k % 3 == 1:
            for axis in (0, 1):
                image = sum(np.roll(image, s, axis) for s in range(-3, 4)) / 7
        if k % 3 == 2:
            image = image + rng.normal(0, 0.05 + 0.03 * k / sets, size=image.shape)
        images.append(np.clip(np.round(image * 255), 0, 255).astype(np.uint8))
    return np.stack(images)


def labels(count: int) -> tuple[tuple[str, str], ...]:
    """Return (dotted name, label) of ``count`` layers, the paper's where it has that many."""
    blocks = {4: (4, 8, 16), 17: tuple(range(1, 17))}.get(count, tuple(range(1, count)))
    return (("conv_first", "Conv1"), *((f"body.{b - 1}", f"ResBlock{b}") for b in blocks))


def make(
    *,
    layers: int | Sequence[tuple[str, str]] = 4,
    chis: Sequence[float] | None = None,
    sets: Sequence[str] = ("clean", "blur", "noise"),
    contents: int | Sequence[str] = 20,
    pixels_chi: float = 0.02,
    untrained_chi: float = 0.04,
    trivial: Sequence[float] = (0.5, 0.45, 0.55, 0.6),
    random_chi: float | None = 10.0,
    network: str = "srresnet-wgr",
    skipped: tuple[tuple[str, str], ...] = (),
    crossed: bool = True,
    runs: int = 5,
    side: int = 32,
    source: str = "the 10 bundled test photographs",
    environment: Mapping[str, object] | None = None,
    seed: int = 0,
) -> Study:
    """Return a study whose layer CHIs are ``chis`` (default: rising from 0.01 to about 600).

    ``trivial`` are accuracies of the simple statistics, none for a study without them;
    ``random_chi`` is that of all layers of one draw at random, ``None`` for no draw.
    """
    names = labels(layers) if isinstance(layers, int) else tuple(layers)
    if chis is None:
        chis = [float(c) for c in np.geomspace(0.01, 600, len(names))]
    if isinstance(contents, int):
        contents = [
            f"{PHOTOGRAPHS[i % len(PHOTOGRAPHS)]}#{i // len(PHOTOGRAPHS) + 1}"
            for i in range(contents)
        ]
    photographs = tuple(name.rpartition("#")[0] or name for name in contents)
    each = len(contents)
    set_N = np.repeat(np.arange(len(sets)), each)
    content_N = np.tile(np.arange(each), len(sets))
    if not crossed:
        content_N = np.arange(len(sets) * each)
        contents = [f"{s}/{c}" for s in sets for c in contents]
        photographs = ()
    inputs = Inputs(
        patches_NHW3=_patches_NHW3(len(sets), set_N, content_N, side, seed),
        set_N=set_N,
        content_N=content_N,
        contents=tuple(contents),
        source=source,
        skipped=skipped,
        photographs=photographs,
    )
    depths = np.linspace(0, 1, len(names))

    def entry(name: str, label: str, depth: float, chi: float, number: int) -> LayerScores:
        return layer(
            name=name, label=label, depth=depth, chi=chi, set_N=set_N, content_N=content_N,
            runs=runs, crossed=crossed, seed=seed * 1000 + number,
            photograph_N=inputs.photograph_N, sets=sets,
        )  # fmt: skip

    simple = [each for each in TRIVIAL.values() if each.name != "pixels"]
    study = Study(
        network=NetworkInfo(
            name=network, source="bundled", parameters=1_517_571, sha256="3f" * 32, scale=4
        ),
        suite=SuiteInfo(
            name="clean-blur-noise",
            sets=tuple(SetInfo(name=s, count=each, definition=f"definition of {s}") for s in sets),
            blur_applied_to="lr",
            quantized=True,
            crossed=crossed,
        ),
        inputs=inputs,
        protocol={
            "patch": side,
            "pca": 50,
            "reducer": "flatten",
            "tsne": {"perplexity": 30, "learning_rate": 200, "init": "random", "iterations": 1000},
            "runs": runs,
            "seed": 0,
        },
        environment=environment
        or {"srscope": "0.1.0", "python": "3.11.2", "torch": "2.14.1", "threads": 2},
        layers=tuple(
            entry(n, lab, float(depths[i]), chis[i], i) for i, (n, lab) in enumerate(names)
        ),
        pixels=entry("pixels", "raw pixels", 0.0, pixels_chi, 100),
        untrained=tuple(
            entry(n, lab, float(depths[i]), untrained_chi, 200 + i)
            for i, (n, lab) in enumerate(names)
        ),
        trivial=tuple(
            entry(control.name, control.label, 0.0, _chi_of(accuracy, len(sets)), 300 + i)
            for i, (control, accuracy) in enumerate(zip(simple, trivial, strict=False))
        ),
        random=()
        if random_chi is None
        else tuple(
            entry(n, f"{lab}, draw 1", float(depths[i]), random_chi, 400 + i)
            for i, (n, lab) in enumerate(names)
        ),
        timings={"features": 11.5, "tsne": 30.25},
        created="2026-11-22T12:00:00Z",
    )
    return judged(study)


def _chi_of(accuracy: float, sets: int) -> float:
    """Return the CHI of a layer whose probe has this accuracy."""
    apart = max(0.0, (accuracy - 1 / sets) / (1 - 1 / sets))
    return 60 * apart / max(1 - apart, 0.01)


def judged(record: Study) -> Study:
    """Return ``record`` with the verdict on what it holds now."""
    return dataclasses.replace(record, verdict=verdict_of(record))


def with_layer(record: Study, index: int, **changes: object) -> Study:
    """Return ``record`` with fields of one of its layers replaced, and judged anew."""
    entries = list(record.layers)
    entries[index] = dataclasses.replace(entries[index], **changes)  # type: ignore[arg-type]
    return judged(dataclasses.replace(record, layers=tuple(entries)))


def without_chi(entry: LayerScores) -> LayerScores:
    """Return ``entry`` with an undefined t-SNE CHI and undefined points."""
    undefined = Runs(mean=float("nan"), std=float("nan"), runs=entry.tsne.chi.runs[:0])
    return dataclasses.replace(
        entry,
        tsne=dataclasses.replace(entry.tsne, chi=undefined, grade="-"),
        points_RN2=np.full_like(entry.points_RN2, np.nan),
    )
