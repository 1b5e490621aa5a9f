"""The paper's own numbers, as printed: Liu et al. 2021 (arXiv 2108.00406 v1) and its supplement.

WD and BD are in squared units of the t-SNE maps, with the factors of the tables multiplied out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """A printed mean and standard deviation over five t-SNE runs; ``None`` where none is given."""

    mean: float
    std: float | None = None


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What the supplement's tables give of one layer."""

    wd: Score
    bd: Score
    chi: Score


def _layer(
    wd: tuple[float, float | None],
    bd: tuple[float, float | None],
    chi: tuple[float, float | None],
    *,
    wd_unit: float,
    bd_unit: float = 1.0,
) -> Scores:
    """Return one column of a table; the units are the powers of ten in its first column."""

    def times(pair: tuple[float, float | None], unit: float) -> Score:
        mean, std = pair
        return Score(mean * unit, None if std is None else std * unit)

    return Scores(wd=times(wd, wd_unit), bd=times(bd, bd_unit), chi=Score(*chi))


SUPER_RESOLUTION: Mapping[str, Mapping[str, Scores]] = {
    "srresnet-wogr": {
        "Conv1": _layer((8.35, 0.14), (0.29, 0.14), (0.00, 0.00), wd_unit=1e4),
        "ResBlock4": _layer((8.90, 0.22), (1.98, 1.47), (0.00, 0.00), wd_unit=1e4),
        "ResBlock8": _layer((9.28, 0.31), (25.60, 17.73), (0.04, 0.03), wd_unit=1e4),
        "ResBlock16": _layer((4.98, 0.48), (1149.20, 765.12), (3.55, 2.42), wd_unit=1e4),
    },
    "srresnet-wgr": {
        "Conv1": _layer((8.20, 0.18), (0.48, 0.34), (0.00, 0.00), wd_unit=1e4),
        "ResBlock4": _layer((8.40, 0.09), (62.74, 33.99), (0.11, 0.06), wd_unit=1e4),
        "ResBlock8": _layer((4.40, 0.50), (11096.79, 2051.02), (38.21, 9.25), wd_unit=1e4),
        "ResBlock16": _layer((0.86, 0.11), (35470.66, 4412.66), (613.77, 33.40), wd_unit=1e4),
    },
    "srgan-wogr": {
        "Conv1": _layer((7.94, 0.20), (0.58, 0.41), (0.00, 0.00), wd_unit=1e4),
        "ResBlock4": _layer((7.83, 0.33), (4.79, 2.43), (0.01, 0.00), wd_unit=1e4),
        "ResBlock8": _layer((4.65, 0.58), (9809.00, 4501.19), (34.00, 22.00), wd_unit=1e4),
        "ResBlock16": _layer((1.44, 0.28), (22459.35, 3560.33), (234.43, 30.34), wd_unit=1e4),
    },
    "srgan-wgr": {
        "Conv1": _layer((7.47, 0.20), (0.41, 0.36), (0.00, 0.00), wd_unit=1e4),
        "ResBlock4": _layer((7.97, 0.19), (14.89, 8.85), (0.03, 0.02), wd_unit=1e4),
        "ResBlock8": _layer((4.83, 0.52), (11600.91, 1424.10), (35.68, 2.52), wd_unit=1e4),
        "ResBlock16": _layer((0.72, 0.10), (30180.52, 2884.65), (626.46, 31.56), wd_unit=1e4),
    },
}
"""By network and layer, clean-blur-noise. Source: supplement, Tables 2 and 3."""

DEGREES: Mapping[str, Mapping[str, float]] = {
    "srresnet-wogr": {
        "clean-blur-noise": 3.55,
        "noise-5-10-30": 6.29,
        "noise-10-30": 7.84,
        "noise-10-20": 0.23,
        "blur-1-4": 0.02,
    },
    "srresnet-wgr": {
        "clean-blur-noise": 613.77,
        "noise-5-10-30": 36.53,
        "noise-10-30": 41.50,
        "noise-10-20": 0.59,
        "blur-1-4": 53.37,
    },
    "srgan-wogr": {
        "clean-blur-noise": 234.43,
        "noise-5-10-30": 551.26,
        "noise-10-30": 525.55,
        "noise-10-20": 52.67,
        "blur-1-4": 1.40,
    },
    "srgan-wgr": {
        "clean-blur-noise": 626.46,
        "noise-5-10-30": 815.11,
        "noise-10-30": 831.35,
        "noise-10-20": 79.40,
        "blur-1-4": 35.04,
    },
}
"""CHI at ResBlock16 by network and suite. Source: Table 1 (which calls SRGAN MSRGAN, and prints
the band of 36.53 as a minus, against its own footnote)."""

CLASSIFIERS: Mapping[str, Mapping[str, Scores]] = {
    "resnet18": {
        "Conv1": _layer((4.07, 0.43), (1.04, 0.13), (28.18, 1.69), wd_unit=1e5, bd_unit=1e5),
        "Conv2_4": _layer((3.41, 0.31), (1.22, 0.11), (39.22, 1.44), wd_unit=1e5, bd_unit=1e5),
        "Conv3_4": _layer((3.32, 0.31), (1.84, 0.40), (61.12, 13.62), wd_unit=1e5, bd_unit=1e5),
        "Conv4_4": _layer((2.06, 0.13), (5.77, 0.23), (309.31, 31.10), wd_unit=1e5, bd_unit=1e5),
        "Conv5_4": _layer((0.71, 0.06), (10.74, 0.20), (1688.62, 145.15), wd_unit=1e5, bd_unit=1e5),
    },
    "unified-classifier": {
        "Conv1": _layer((3.64, 0.33), (1.10, 0.13), (33.11, 1.38), wd_unit=1e5, bd_unit=1e5),
        "Down1": _layer((2.76, 0.27), (0.97, 0.18), (39.53, 9.98), wd_unit=1e5, bd_unit=1e5),
        "Down2": _layer((2.52, 0.19), (1.60, 0.19), (70.11, 9.94), wd_unit=1e5, bd_unit=1e5),
        "Down3": _layer((1.83, 0.05), (3.84, 0.40), (230.95, 22.63), wd_unit=1e5, bd_unit=1e5),
        "Down4": _layer((0.59, 0.02), (7.48, 0.32), (1403.96, 27.17), wd_unit=1e5, bd_unit=1e5),
    },
}
"""By network and layer, 1,000 CIFAR-10 images by class. Source: supplement, Tables 1 and 4."""

REDUCTION: Mapping[str, Scores] = {
    "tsne2": _layer((0.71, 0.06), (10.74, 0.20), (1688.62, 145.15), wd_unit=1e5, bd_unit=1e5),
    "tsne3": _layer((0.24, 0.06), (2.09, 0.04), (978.58, 224.77), wd_unit=1e5, bd_unit=1e5),
    "pca2": _layer((0.19, None), (1.27, None), (729.64, None), wd_unit=1e5, bd_unit=1e5),
    "pca3": _layer((0.32, None), (1.61, None), (562.85, None), wd_unit=1e5, bd_unit=1e5),
    "pca4": _layer((0.39, None), (1.95, None), (554.92, None), wd_unit=1e5, bd_unit=1e5),
    "pca5": _layer((0.47, None), (2.24, None), (526.64, None), wd_unit=1e5, bd_unit=1e5),
}
"""ResNet18's Conv5_4 by method and dimensions. Source: supplement, Table 5."""
