"""Fig. 1: what CinCGAN and BM3D do to degraded images. Suffix: N images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srscope.figures.crops import Crop, picture_grid
from srscope.figures.save import save_figure
from srscope.reproduction import restoration
from srscope.reproduction.evidence import change_key, gain_key
from srscope.reproduction.experiment import Experiment
from srscope.reproduction.lab import Lab
from srscope.reproduction.records import Cell, Estimate, Finding, Table

CONTENTS, PATCH = 10, 64
"""Few and small: BM3D takes about a second and a half an image."""
SETS = ("mild", "noise20", "historic")
_AMPLIFIED = 4
_PAPER = {
    ("cincgan", "mild"): "restored",
    ("cincgan", "noise20"): "nearly unchanged",
    ("cincgan", "historic"): "nearly unchanged",
    ("bm3d", "mild"): "denoised",
    ("bm3d", "noise20"): "denoised",
    ("bm3d", "historic"): "denoised",
}
_NAMES = {"cincgan": "CinCGAN (G1)", "bm3d": "BM3D"}


def run(lab: Lab, folder: Path) -> Finding:
    """Measure change and gain of both methods on the three sets, and draw one content of each."""
    spec = lab.spec("real", patch=PATCH, contents=min(lab.config.contents, CONTENTS))
    images = lab.images(spec)
    low_NCHW, _ = restoration.references(lab, spec)
    methods = {"cincgan": restoration.by_g1(lab, images)}
    if restoration.has_bm3d():
        methods["bm3d"] = restoration.by_bm3d(lab, images)
    border, seed = restoration.LR_BORDER, lab.config.seed
    before_N = restoration.psnr(images.images_NCHW, low_NCHW, border=border)
    evidence: dict[str, Estimate] = {}
    rows: list[tuple[Cell, ...]] = []
    for name in SETS:
        own = restoration.members(images, name)
        for method, output_NCHW in methods.items():
            changes_N = restoration.change(output_NCHW, images.images_NCHW, border=border)
            changed = restoration.mean_estimate(changes_N[own], seed=seed)
            evidence[change_key(method, name)] = changed
            cells: tuple[Cell, ...] = (None,) * 4
            if np.isfinite(before_N[own]).all():
                after_N = restoration.psnr(output_NCHW, low_NCHW, border=border)
                gain = restoration.mean_estimate((after_N - before_N)[own], seed=seed)
                evidence[gain_key(method, name)] = gain
                cells = (float(before_N[own].mean()), gain.value, gain.low, gain.high)
            rows.append(
                (name, _NAMES[method], changed.value, changed.low, changed.high, *cells,
                 _PAPER[method, name])
            )  # fmt: skip
    _draw(folder, images.images_NCHW, low_NCHW, methods, evidence,
          {name: restoration.members(images, name) for name in SETS})  # fmt: skip
    notes = [
        "CinCGAN is judged by its first generator, which cleans the image before it is magnified.",
        "BM3D is told the noise level that it estimates from each image, nothing else.",
        f"PSNR is that of the low-resolution image, {border} pixels left out along each side; "
        "mild shifts its content, and its references are shifted along. Nobody knows what the "
        "historic prints looked like, so there only the change is measured.",
        f"Changes are drawn {_AMPLIFIED} times as large about a middle grey.",
    ]
    if "bm3d" not in methods:
        notes.append(restoration.BM3D_ADVICE)
    table = Table(
        name="fig1",
        title="Change of the input in levels of 255 (RMS), and gain of PSNR in dB, with 95 % "
        "intervals",
        columns=(
            "images", "method", "change", "low", "high", "PSNR of the input", "gain", "low",
            "high", "the paper shows",
        ),
        rows=tuple(rows),
    )  # fmt: skip
    return Finding(
        figures=("fig1",),
        tables=(table,),
        evidence=evidence,
        notes=tuple(notes),
    )


def _draw(
    folder: Path,
    inputs_NCHW: NDArray[np.float32],
    low_NCHW: NDArray[np.float32],
    methods: dict[str, NDArray[np.float32]],
    evidence: dict[str, Estimate],
    members: dict[str, NDArray[np.int64]],
) -> None:
    grid: list[list[Crop | None]] = []
    for row, (name, own) in enumerate(members.items()):
        shown = int(own[len(own) // 2])  # the middle one: nobody picks it by hand
        cells: list[Crop | None] = [_crop(inputs_NCHW[shown], "input", row)]
        for method, output_NCHW in methods.items():
            gain = evidence.get(gain_key(method, name))
            caption = (
                f"{gain.value:+.2f} dB".replace("-", "\N{MINUS SIGN}") if gain else "no reference"
            )
            cells.append(_crop(output_NCHW[shown], _NAMES[method], row, caption))
        known = bool(np.isfinite(low_NCHW[shown]).all())
        cells.append(_crop(low_NCHW[shown], "clean", row) if known else None)
        for method, output_NCHW in methods.items():
            difference = output_NCHW[shown] - inputs_NCHW[shown]
            changed = evidence[change_key(method, name)].value
            title = f"change by\n{_NAMES[method]}"
            cells.append(
                _crop(0.5 + _AMPLIFIED * difference, title, row, f"RMS {changed:.1f} levels")
            )
        grid.append(cells)
    names = [f"({chr(ord('a') + i)}) {name}" for i, name in enumerate(members)]
    save_figure(picture_grid(grid, row_names=names), folder / "fig1")


def _crop(image_CHW: NDArray[np.float32], title: str, row: int, caption: str = "") -> Crop:
    title = title if row == 0 else ""
    return Crop(pixels_HW3=image_CHW.transpose(1, 2, 0), title=title, caption=caption)


EXPERIMENT = Experiment(
    id="fig1",
    title="What CinCGAN and BM3D do to mild, noisy and historic images",
    where="Fig. 1",
    networks=("cincgan",),
    measure=run,
)
