"""Fig. 11: a network trained on clean images beside its twin trained on noisy ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srscope.figures.crops import Crop, picture_grid
from srscope.figures.panels import Panel
from srscope.figures.save import save_figure
from srscope.reproduction import restoration
from srscope.reproduction.evidence import DEEPEST, change_key, chi_key, psnr_key
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.lab import Lab
from srscope.reproduction.records import Cell, Estimate, Finding, ImageSpec, Maps, Table
from srscope.study import words

NETWORKS = ("srgan-wgr", "srgan-wgr-noise20")
CONTENTS, PATCH, SUITE = 12, 48, "clean-noise20"
_PAPER = {"srgan-wgr": "two clusters", "srgan-wgr-noise20": "one cloud"}
_TRAINED = {"srgan-wgr": "trained on clean images", "srgan-wgr-noise20": "trained on noise 20"}


def run(lab: Lab, folder: Path) -> Finding:
    """Magnify by both networks, and map their deepest block's features."""
    evidence: dict[str, Estimate] = {}
    maps: dict[str, Maps] = {}
    for network in NETWORKS:
        (maps[network],) = lab.maps(lab.layers(network, [DEEPEST], lab.spec(SUITE)))
        evidence[chi_key(network, DEEPEST, SUITE)] = lab.chi(maps[network])
    others = ("cincgan",) if lab.has_network("cincgan") else ()
    methods = ("bicubic", *NETWORKS, *others)
    rows: list[tuple[Cell, ...]] = []
    for suite, names in ((SUITE, ("clean", "noise20")), ("real", ("mild", "historic"))):
        spec = lab.spec(suite, patch=PATCH, contents=min(lab.config.contents, CONTENTS))
        for name in names:
            rows += _measure(lab, spec, name, methods, evidence)
    _draw(lab, folder, maps, evidence)
    quality = Table(
        name="fig11-quality",
        title="PSNR in dB against the original, and change from the bicubic image in levels of "
        "255 (RMS), with 95 % intervals",
        columns=("images", "method", "PSNR", "low", "high", "change", "low", "high"),
        rows=tuple(rows),
    )
    clusters = Table(
        name="fig11-clusters",
        title=f"CHI of clean and noise20 at {DEEPEST}",
        columns=("network", "CHI", "std", "low", "high", "the paper shows"),
        rows=tuple(
            (network, e.value, e.std, e.low, e.high, _PAPER[network])
            for network in NETWORKS
            for e in [evidence[chi_key(network, DEEPEST, SUITE)]]
        ),
    )
    return Finding(
        figures=("fig11",),
        tables=(quality, clusters),
        evidence=evidence,
        notes=(
            "Historic prints have no original, so only their change is measured; mild shifts its "
            "content, and its originals are shifted along.",
        ),
    )


def _measure(
    lab: Lab, spec: ImageSpec, name: str, methods: tuple[str, ...], evidence: dict[str, Estimate]
) -> list[tuple[Cell, ...]]:
    """Measure every method on a set of images; add to the evidence."""
    images = lab.images(spec)
    _, high_NCHW = restoration.references(lab, spec)
    own, border = restoration.members(images, name), spec.scale * restoration.LR_BORDER
    plain_NCHW = restoration.magnified(lab, images, "bicubic", scale=spec.scale)
    rows: list[tuple[Cell, ...]] = []
    for method in methods:
        large_NCHW = restoration.magnified(lab, images, method, scale=spec.scale)
        psnr_N = restoration.psnr(large_NCHW[own], high_NCHW[own], border=border)
        cells: tuple[Cell, ...] = (None,) * 3
        if np.isfinite(psnr_N).all():
            quality = restoration.mean_estimate(psnr_N, seed=lab.config.seed)
            evidence[psnr_key(method, name)] = quality
            cells = (quality.value, quality.low, quality.high)
        changes_N = restoration.change(large_NCHW[own], plain_NCHW[own], border=border)
        changed = restoration.mean_estimate(changes_N, seed=lab.config.seed)
        if method != "bicubic":
            evidence[change_key(method, f"{name}-magnified")] = changed
        rows.append((name, method, *cells, changed.value, changed.low, changed.high))
    return rows


def _draw(lab: Lab, folder: Path, maps: dict[str, Maps], evidence: dict[str, Estimate]) -> None:
    spec = lab.spec(SUITE, patch=PATCH, contents=min(lab.config.contents, CONTENTS))
    images = lab.images(spec)
    _, high_NCHW = restoration.references(lab, spec)
    shown = {n: int(own[len(own) // 2]) for n in ("clean", "noise20")
             for own in [restoration.members(images, n)]}  # fmt: skip
    plain_NCHW = restoration.magnified(lab, images, "bicubic", scale=spec.scale)
    first = [
        Crop(pixels_HW3=_picture(high_NCHW[shown["clean"]]), title="original"),
        Crop(
            pixels_HW3=_picture(plain_NCHW[shown["noise20"]]),
            title="noise20, bicubic",
            caption=_decibels(evidence[psnr_key("bicubic", "noise20")]),
        ),
    ]
    grid: list[list[Crop | Panel | None]] = []
    for row, network in enumerate(NETWORKS):
        large_NCHW = restoration.magnified(lab, images, network, scale=spec.scale)
        cells: list[Crop | Panel | None] = [first[row]]
        for name, index in shown.items():
            cells.append(
                Crop(
                    pixels_HW3=_picture(large_NCHW[index]),
                    title=f"output for {name}",
                    caption=_decibels(evidence[psnr_key(network, name)]),
                )
            )
        mapped, chi = maps[network], evidence[chi_key(network, DEEPEST, SUITE)]
        set_N = mapped.layer.images.set_N
        cells.append(
            Panel(
                title=f"features at {DEEPEST}",
                points_N2=mapped.points_RND[0],
                colour_N=set_N,
                marker_N=set_N,
                caption=f"CHI {words.number(chi.value)} ± {words.number(chi.std)}",
            )
        )
        grid.append(cells)
    names = [f"{n}\n{_TRAINED[n]}" for n in NETWORKS]
    figure = picture_grid(grid, row_names=names, point_names=("clean", "noise20"))
    save_figure(figure, folder / "fig11")


def _picture(image_CHW: NDArray[np.float32]) -> NDArray[np.float32]:
    return image_CHW.transpose(1, 2, 0)


def _decibels(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} dB"


EXPERIMENT = Experiment(
    id="fig11",
    title="Trained on clean images or on noisy ones: outputs and features",
    where="Fig. 11",
    networks=NETWORKS,
    measure=run,
)
