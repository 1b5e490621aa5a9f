"""The images of the second edition: suites of its own, and doses matched in PSNR of the input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from srscope.degradations.blur import GaussianBlur
from srscope.degradations.catalogue import list_suites, load_suite, register_suite
from srscope.degradations.degrade import degrade
from srscope.degradations.noise import GaussianNoise
from srscope.degradations.suite import DegradedSet, Suite
from srscope.images.contents import crop_contents
from srscope.images.record import Contents
from srscope.images.sources import load_photographs
from srscope.reproduction.experiments.labelled import EACH
from srscope.reproduction.lab import Lab, identity_of_images
from srscope.reproduction.records import ImageSpec, LabelledImages
from srscope.runtime.cache import pack, values_of
from srscope.study.inputs import MARGIN

DOSES = (1, 4)
"""Widths of the blurs whose cost in PSNR a noise is given."""
_CLEAN = DegradedSet(name="clean")
_OWN = ("mild-noise20", "clean-blur1-noise20", "matched-dose")


def spec_of(lab: Lab, images: str, *, patch: int = 32) -> ImageSpec:
    """Return the images of a name: a suite, or ``SUITE@digits``."""
    suite, _, source = images.partition("@")
    _provide(lab, suite)
    if source == "digits":
        each = lab.config.contents if len(load_suite(suite).sets) == 1 else EACH
        return lab.spec(suite, source="digits", contents=min(each, lab.config.contents))
    return lab.spec(suite, patch=patch)


def _provide(lab: Lab, suite: str) -> None:
    """Register a suite that only the second edition uses."""
    if suite not in _OWN or (suite in _names() and suite != "matched-dose"):
        return
    if suite == "mild-noise20":
        sets = tuple(s for s in load_suite("real").sets if s.folder is None)
    elif suite == "clean-blur1-noise20":
        noise = DegradedSet(name="noise20", steps=(GaussianNoise(sigma=20),))
        sets = (_CLEAN, _blur(1), noise)
    else:
        sigmas = doses(lab)
        noises = (_noise(dose, sigma) for dose, sigma in zip(DOSES, sigmas, strict=True))
        sets = (_CLEAN, *(_blur(dose) for dose in DOSES), *noises)
    register_suite(Suite(name=suite, sets=sets))


def _names() -> Sequence[str]:
    return [each.name for each in list_suites()]


def _blur(sigma: int) -> DegradedSet:
    return DegradedSet(name=f"blur{sigma}", steps=(GaussianBlur(sigma=sigma),))


def _noise(dose: int, sigma: float) -> DegradedSet:
    return DegradedSet(name=f"noise-as-blur{dose}", steps=(GaussianNoise(sigma=sigma),))


def doses(lab: Lab) -> tuple[float, ...]:
    """Return sigma of the noise that costs the LR input as much PSNR as each blur does.

    Mean PSNR over all contents, to a hundredth of a dB.
    """
    spec = lab.spec()
    inputs = {
        "photographs": identity_of_images(lab.config.images),
        "contents": spec.contents,
        "patch": spec.patch,
        "seed": spec.seed,
        "doses": list(DOSES),
    }

    def compute() -> dict[str, np.ndarray]:
        contents = crop_contents(
            load_photographs(lab.config.images or None), count=spec.contents, patch=spec.patch,
            scale=spec.scale, margin=MARGIN,
        )  # fmt: skip
        found = [
            _matched_sigma(contents, spec, dose, psnr_of_input(contents, spec, _blur(dose)))
            for dose in DOSES
        ]
        return pack({}, sigma=found)

    return tuple(values_of(lab.stages.get("matched-doses", inputs, compute))["sigma"])


def _matched_sigma(contents: Contents, spec: ImageSpec, dose: int, wanted: float) -> float:
    low, high = 0.25, 128.0
    while True:
        sigma = (low * high) ** 0.5
        gap = psnr_of_input(contents, spec, _noise(dose, sigma)) - wanted
        if abs(gap) < 0.01 or high / low < 1.0001:
            return float(f"{sigma:.4g}")
        low, high = (sigma, high) if gap > 0 else (low, sigma)


def psnr_of_input(contents: Contents, spec: ImageSpec, degraded: DegradedSet) -> float:
    """Return the mean PSNR in dB of degraded LR images against the clean ones.

    Args:
        contents: What is degraded.
        spec: Patch, scale and seed.
        degraded: The set.
    """
    suite = Suite(name="dose", sets=(_CLEAN, degraded))
    images = degrade(contents, suite, patch=spec.patch, scale=spec.scale, seed=spec.seed)
    clean_NCHW, other_NCHW = (images.images_NCHW[images.set_N == k] for k in (0, 1))
    error_N = ((clean_NCHW.astype(np.float64) - other_NCHW) ** 2).mean(axis=(1, 2, 3))
    return float(-10 * np.log10(np.maximum(error_N, 1e-6 / 255**2)).mean())


def restricted(images: LabelledImages, pair: str) -> np.ndarray:
    """Return the images of two sets, ``FIRST:SECOND``, as indices; of all where there is none."""
    if not pair:
        return np.arange(len(images.set_N))
    names = [each.name for each in images.suite.sets]
    return np.flatnonzero(np.isin(images.set_N, [names.index(name) for name in pair.split(":")]))
