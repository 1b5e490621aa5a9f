"""What passes between the stages of the reproduction. Suffixes as in `study`; D dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from srscope.degradations.record import SuiteInfo

Unit = Literal["content", "photograph"]
"""What a bootstrap draws: contents one by one, or photographs with all their contents."""
Cell = str | float | int | None
"""A cell of a table; ``None`` where there is nothing to say."""


@dataclass(frozen=True, kw_only=True)
class ImageSpec:
    """Which images a network is fed. Everything that decides them stands here.

    Args:
        suite: Bundled suite or YAML file.
        source: ``photographs`` (the lab's: bundled, a folder, DIV2K) or ``digits`` (labelled test
            images).
        patch: Side of the patches, in pixels of the network's input.
        contents: Contents in every set; for ``digits``, in every class, and 100 at most.
        scale: Reduction before degrading: the network's magnification.
        seed: Of every random choice.
    """

    suite: str = "clean-blur-noise"
    source: Literal["photographs", "digits"] = "photographs"
    patch: int = 32
    contents: int = 100
    scale: int = 4
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class LabelledImages:
    """Degraded images with their labels.

    Args:
        images_NCHW: Float RGB in [0, 1].
        set_N: Index into ``suite.sets``.
        content_N: Index of the content.
        class_N: Class of the content, or ``None`` where contents have none.
        photograph_N: Index of the photograph that the content was cut from, by name.
        suite: The suite as it was run.
        key: Identifies the images in the cache.
    """

    images_NCHW: NDArray[np.float32]
    set_N: NDArray[np.int64]
    content_N: NDArray[np.int64]
    class_N: NDArray[np.int64] | None
    photograph_N: NDArray[np.int64]
    suite: SuiteInfo
    key: str


@dataclass(frozen=True, kw_only=True)
class LayerPoints:
    """One layer of one network on one set of images, after PCA.

    Args:
        network: The network's name.
        layer: The module's dotted name.
        label: The paper's name of it.
        shape: One image's feature shape.
        points_NC: The first 50 principal components.
        images: What was fed, without its pixels' cost: labels and suite.
        key: Identifies the points in the cache.
    """

    network: str
    layer: str
    label: str
    shape: tuple[int, ...]
    points_NC: NDArray[np.float64]
    images: LabelledImages
    key: str


@dataclass(frozen=True, kw_only=True)
class Maps:
    """t-SNE maps of one layer: R runs of N points in D dimensions, and their divergences."""

    layer: LayerPoints
    points_RND: NDArray[np.float32]
    kl_R: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A measured number with its uncertainty.

    Args:
        value: The mean over runs.
        std: Standard deviation over runs; 0 for a single one.
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
        samples: The bootstrap sample behind the interval, for differences of estimates.
    """

    value: float
    std: float
    low: float
    high: float
    samples: NDArray[np.float64] = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Numbers as they go into CSV, Markdown and HTML."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What an experiment found.

    Args:
        id: Its short name, e.g. ``fig7``.
        title: What it shows.
        where: Where in the paper.
        figures: Files written, relative to the output folder, without suffix.
        tables: Its numbers, the paper's beside ours.
        evidence: Estimates for the claims, by keys such as
            ``chi/srresnet-wgr/clean-blur-noise/ResBlock16``.
        notes: Sentences a reader needs.
    """

    id: str = ""
    title: str = ""
    where: str = ""
    figures: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    evidence: Mapping[str, Estimate] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


Verdict = Literal["holds", "does not hold", "inconclusive", "not run"]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What is shown beside a claim and does not decide: its name, verdict, and what was measured.

    ``measured`` is empty where it was not run.
    """

    name: str
    verdict: Verdict
    measured: str


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """One claim of the paper, judged.

    Args:
        id: C1 to C18.
        claim: The claim in a sentence.
        where: Where the paper makes it.
        criterion: What had to be measured for it to hold.
        measured: What was, in words and numbers.
        interval: 95 % interval of the deciding number, or ``None`` where there is none.
        paper: The paper's own value, or what it shows.
        verdict: Computed from the two; ``not run`` where nothing was measured.
        why: One sentence.
        networks: Which networks judged it; empty in the first edition, whose words name them.
        beside: What is shown beside it.
    """

    id: str
    claim: str
    where: str
    criterion: str
    measured: str
    interval: tuple[float, float] | None
    paper: str
    verdict: Verdict
    why: str
    networks: str = ""
    beside: tuple[Beside, ...] = ()
