"""From t-SNE maps to what a finding shows: scores of every run, panels, rows of a table.

Suffixes: N images, R runs, D dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from srscope.figures.panels import Panel
from srscope.projection.config import TsneConfig
from srscope.reproduction import paper
from srscope.reproduction.lab import Lab
from srscope.reproduction.records import Cell, Estimate, LayerPoints, Maps
from srscope.runtime.cache import Entry, pack, values_of
from srscope.scores.feature_space import chi as feature_chi
from srscope.scores.feature_space import knn_accuracy
from srscope.scores.null import permutation_p_value
from srscope.scores.record import Runs
from srscope.scores.separability import grade, separability
from srscope.study import words

Kind = Literal["network", "untrained", "raw pixels"]
NAMES = {
    "srresnet-wogr": "SRResNet-woGR",
    "srresnet-wgr": "SRResNet-wGR",
    "srgan-wogr": "SRGAN-woGR",
    "srgan-wgr": "SRGAN-wGR",
    "srgan-wgr-noise20": "SRGAN-wGR, trained on noise",
    "cincgan": "CinCGAN",
    "resnet18": "ResNet18",
    "unified-classifier": "unified classifier",
    "unified-sr": "unified SR",
}
"""The paper's spelling of the networks."""
_NEIGHBOURS, _PERMUTATIONS = 5, 999


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One layer's maps with their scores by degradation.

    Args:
        maps: The maps.
        kind: The network itself, or which control.
        chi: CHI with its interval.
        runs_chi: CHI of every run.
        wd: WD of every run.
        bd: BD of every run.
        feature_chi: CHI of the principal components, where t-SNE has no part.
        knn: Share of images whose degradation the nearest images of other contents tell.
        p: Permutation p-value of ``feature_chi``, labels shuffled within contents.
    """

    maps: Maps
    kind: Kind
    chi: Estimate
    runs_chi: Runs
    wd: Runs
    bd: Runs
    feature_chi: float
    knn: float
    p: float


def measure(
    lab: Lab,
    layers: Sequence[LayerPoints],
    *,
    kind: Kind = "network",
    tsne: TsneConfig | None = None,
    seed: int | None = None,
) -> list[Measured]:
    """Map layers and score the maps by degradation.

    Args:
        lab: Measures.
        layers: What to map; those with the same points are mapped once.
        kind: What they are.
        tsne: Other parameters than the lab's.
        seed: Another first seed than the lab's.
    """
    once = list({layer.key: layer for layer in layers}.values())
    made = {m.layer.key: m for m in lab.maps(once, tsne=tsne, seed=seed)}
    found: list[Measured] = []
    for layer in layers:
        known = made[layer.key]
        maps = Maps(layer=layer, points_RND=known.points_RND, kl_R=known.kl_R)
        set_N = layer.images.set_N
        every = [separability(points, set_N, name=layer.label) for points in maps.points_RND]
        features = values_of(_feature_scores(lab, layer))
        found.append(
            Measured(
                maps=maps,
                kind=kind,
                chi=lab.chi(maps),
                runs_chi=Runs.of([s.chi for s in every]),
                wd=Runs.of([s.wd for s in every]),
                bd=Runs.of([s.bd for s in every]),
                feature_chi=features["chi"],
                knn=features["knn"],
                p=features["p"],
            )
        )
    return found


def _feature_scores(lab: Lab, layer: LayerPoints) -> Entry:
    images = layer.images
    inputs = {
        "points": layer.key,
        "images": images.key,
        "neighbours": _NEIGHBOURS,
        "permutations": _PERMUTATIONS,
        "seed": lab.config.seed,
    }

    def compute() -> Entry:
        points_NC, set_N, content_N = layer.points_NC, images.set_N, images.content_N
        p = permutation_p_value(
            points_NC, set_N, content_N, permutations=_PERMUTATIONS, seed=lab.config.seed,
            name=layer.label,
        )  # fmt: skip
        knn = knn_accuracy(points_NC, set_N, content_N, k=_NEIGHBOURS, name=layer.label)
        return pack({}, chi=feature_chi(points_NC, set_N, name=layer.label), knn=knn, p=p)

    return lab.stages.get("feature-scores", inputs, compute)


def with_grade(mean: float, std: float | None) -> str:
    """Return a CHI as it stands below a panel: mean ± deviation, and the paper's band.

    Example:
        >>> with_grade(613.77, 33.4)
        '614 ± 33 (+++)'
        >>> with_grade(53.37, None)
        '53.4 (+)'
    """
    runs = (mean,) if std is None else (mean, mean)
    written = words.with_spread(Runs(mean=mean, std=std or 0.0, runs=runs))
    return f"{written} ({words.grade_sign(grade(mean))})"


def caption(measured: Measured, published: paper.Score | None = None) -> str:
    """Return what stands below a panel: our CHI, and the paper's where it gives one."""
    runs = measured.runs_chi
    ours = f"CHI {with_grade(runs.mean, runs.std if len(runs.runs) > 1 else None)}"
    if published is None:
        return ours
    return f"{ours}\npaper {with_grade(published.mean, published.std)}"


def panel(
    measured: Measured,
    title: str,
    *,
    published: paper.Score | None = None,
    index_K: Sequence[int] | None = None,
) -> Panel:
    """Return the panel of a layer's first map, coloured and marked by degradation.

    Args:
        measured: The layer.
        title: Of the panel.
        published: The paper's CHI.
        index_K: Each set's index into the figure's colours; the suite's order if absent.
    """
    set_N = measured.maps.layer.images.set_N
    shown_N: NDArray[np.int64] = set_N if index_K is None else np.asarray(index_K)[set_N]
    return Panel(
        title=title,
        points_N2=measured.maps.points_RND[0],
        colour_N=shown_N,
        marker_N=shown_N,
        caption=caption(measured, published),
    )


OWN_COLUMNS = (
    "WD", "WD std", "BD", "BD std", "CHI", "CHI std", "CHI low", "CHI high", "grade",
    "CHI of PCA-50", "k-NN accuracy", "p-value",
)  # fmt: skip
"""Columns of :func:`own_cells`; low and high end the 95 % interval."""
PAPER_COLUMNS = (
    "paper WD", "paper WD std", "paper BD", "paper BD std", "paper CHI", "paper CHI std",
    "paper grade",
)  # fmt: skip
"""Columns of :func:`paper_cells`."""


def own_cells(measured: Measured) -> tuple[Cell, ...]:
    """Return the cells of :data:`OWN_COLUMNS`."""
    wd, bd, chi, interval = measured.wd, measured.bd, measured.runs_chi, measured.chi
    return (
        wd.mean, wd.std, bd.mean, bd.std, chi.mean, chi.std, interval.low, interval.high,
        grade(chi.mean), measured.feature_chi, measured.knn, measured.p,
    )  # fmt: skip


def paper_cells(scores: paper.Scores | None) -> tuple[Cell, ...]:
    """Return the cells of :data:`PAPER_COLUMNS`; empty ones for what the paper does not give."""
    if scores is None:
        return (None,) * len(PAPER_COLUMNS)
    pairs = (scores.wd, scores.bd, scores.chi)
    numbers: list[Cell] = [value for pair in pairs for value in (pair.mean, pair.std)]
    return (*numbers, grade(scores.chi.mean))
