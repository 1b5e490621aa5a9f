"""How methods restore degraded images: what they change, and whether it brings them nearer.

Suffixes: N images, C channels, H/W height and width, 3 red, green and blue.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from srscope.degradations.degrade import downsample, generator_for, quantize
from srscope.degradations.degree import fixed
from srscope.degradations.mild import Mild
from srscope.degradations.resize import imresize
from srscope.errors import NetworkError
from srscope.networks.structure.identity import identity_of
from srscope.networks.upscale import upscale
from srscope.reproduction.estimate import DRAWS, estimate_of, unit_counts
from srscope.reproduction.lab import Lab
from srscope.reproduction.records import Estimate, ImageSpec, LabelledImages
from srscope.study.inputs import MARGIN

LR_BORDER = 4
"""LR pixels left out along each side when measuring: methods see nothing beyond a crop."""
BM3D_ADVICE = (
    "BM3D is not installed, so it is missing here and C1 is not judged: "
    "pip install '.[bm3d]' (its authors' package, free for non-commercial use only)."
)


def has_bm3d() -> bool:
    """Tell whether the optional package ``bm3d`` is installed."""
    return importlib.util.find_spec("bm3d") is not None


def noise_level(image_HW3: NDArray[np.floating[Any]]) -> float:
    """Estimate the standard deviation of white noise, in the image's units.

    Median of the absolute finest diagonal Haar details over 0.6745, of all channels together.

    Source: Donoho and Johnstone 1994.

    Example:
        >>> noise = np.random.default_rng(0).normal(0.5, 0.1, size=(64, 64, 3))
        >>> round(noise_level(noise), 2)
        0.1
    """
    height, width = (length // 2 * 2 for length in image_HW3.shape[:2])
    even = image_HW3[:height, :width]
    diagonal = even[::2, ::2] - even[1::2, ::2] - even[::2, 1::2] + even[1::2, 1::2]
    return float(np.median(np.abs(diagonal / 2)) / 0.6745)


def by_bm3d(lab: Lab, images: LabelledImages) -> NDArray[np.float32]:
    """Denoise images by BM3D, told nothing but its estimate of each image's noise.

    Source: Dabov et al. 2007; the authors' package ``bm3d``.
    """
    inputs = {"images": images.key, "bm3d": metadata.version("bm3d")}

    def compute() -> dict[str, NDArray[Any]]:
        bm3d = importlib.import_module("bm3d")
        outputs: list[NDArray[np.float64]] = []
        for image_CHW in images.images_NCHW:
            image_HW3 = image_CHW.transpose(1, 2, 0).astype(np.float64)
            sigma = max(noise_level(image_HW3), 0.5 / 255)
            outputs.append(bm3d.bm3d_rgb(image_HW3, sigma).transpose(2, 0, 1))
        return {"images_NCHW": _levels(np.stack(outputs))}

    return _unit(lab.stages.get("bm3d", inputs, compute)["images_NCHW"])


def by_g1(lab: Lab, images: LabelledImages) -> NDArray[np.float32]:
    """Clean images by CinCGAN's first generator, at their own size."""
    network = lab.network("cincgan")
    g1 = getattr(network.module, "g1", None)
    if g1 is None:
        raise NetworkError("cincgan has no part g1: give a checkpoint of CinCGAN under this name")
    inputs = {"images": images.key, "network": identity_of(network.module) or network.sha256}

    def compute() -> dict[str, NDArray[Any]]:
        with torch.no_grad():
            outputs = [g1(torch.from_numpy(i[None])).numpy()[0] for i in images.images_NCHW]
        return {"images_NCHW": _levels(np.stack(outputs))}

    return _unit(lab.stages.get("g1", inputs, compute)["images_NCHW"])


def magnified(lab: Lab, images: LabelledImages, method: str, *, scale: int) -> NDArray[np.float32]:
    """Magnify images by a network, or by bicubic interpolation where ``method`` is ``bicubic``."""
    network = None if method == "bicubic" else lab.network(method)
    inputs = {
        "images": images.key,
        "scale": scale,
        "network": None if network is None else identity_of(network.module) or network.sha256,
    }

    def compute() -> dict[str, NDArray[Any]]:
        if network is None:
            large = imresize(torch.from_numpy(images.images_NCHW), float(scale)).numpy()
        else:
            large = np.stack(
                [
                    upscale(network, image_CHW.transpose(1, 2, 0), tile=0).transpose(2, 0, 1)
                    for image_CHW in images.images_NCHW
                ]
            )
        return {"images_NCHW": _levels(large)}

    return _unit(lab.stages.get("magnified", inputs, compute)["images_NCHW"])


def references(lab: Lab, spec: ImageSpec) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what each image should become: reduced and original, NaN where nobody knows.

    ``Mild`` shifts the content by an amount that nothing in the image tells, so its references
    are shifted by as many whole HR pixels.

    Returns:
        (N, 3, patch, patch) and (N, 3, scale * patch, scale * patch), in [0, 1].
    """
    images = lab.images(spec)
    names = [each.name for each in images.suite.sets]
    inputs = {"images": images.key, "names": names, "scale": spec.scale, "seed": spec.seed}

    def compute() -> dict[str, NDArray[Any]]:
        contents = lab.contents(spec)
        count, side = len(contents.names), spec.patch
        low = np.full((len(images.set_N), 3, side, side), np.nan, np.float32)
        high = np.full((len(images.set_N), 3, *2 * (side * spec.scale,)), np.nan, np.float32)
        inner, outer = slice(MARGIN, -MARGIN), slice(contents.margin, -contents.margin)
        for i, (k, content) in enumerate(zip(images.set_N, images.content_N, strict=True)):
            if content >= count:
                continue  # of a folder, degraded by nobody knows what
            right, down = _shift(spec, names[k], int(content))
            # The margin is wider than the shift: what wraps round is cut off.
            moved_HW3 = np.roll(contents.crops_NHW3[content], (down, right), axis=(0, 1))
            hr_1CHW = torch.from_numpy(np.ascontiguousarray(moved_HW3.transpose(2, 0, 1))[None])
            lr_1CHW = downsample(hr_1CHW, scale=spec.scale, quantized=True)
            low[i] = lr_1CHW[0, :, inner, inner].numpy()
            high[i] = quantize(hr_1CHW)[0, :, outer, outer].numpy()
        return {"low_NCHW": low, "high_NCHW": high}

    entry = lab.stages.get("references", inputs, compute)
    return entry["low_NCHW"], entry["high_NCHW"]


def _shift(spec: ImageSpec, name: str, content: int) -> tuple[int, int]:
    """Return by how many HR pixels an image's content was moved right and down."""
    if name != "mild":
        return 0, 0
    mild = Mild().drawn(generator_for(spec.seed, name, content))
    right, down = (round(spec.scale * fixed(s)) for s in (mild.shift_x, mild.shift_y))
    return right, down


def psnr(
    images_NCHW: NDArray[np.float32], references_NCHW: NDArray[np.float32], *, border: int
) -> NDArray[np.float64]:
    """Return each image's PSNR in dB over RGB, its border left out; NaN without reference."""
    inner = np.s_[..., border:-border, border:-border]
    difference = images_NCHW[inner].astype(np.float64) - references_NCHW[inner]
    error_N = (difference**2).mean(axis=(1, 2, 3))
    return -10 * np.log10(np.maximum(error_N, 1e-6 / 255**2))


def change(
    images_NCHW: NDArray[np.float32], inputs_NCHW: NDArray[np.float32], *, border: int
) -> NDArray[np.float64]:
    """Return by how much each image was changed: root mean square, in levels of 0 to 255."""
    inner = np.s_[..., border:-border, border:-border]
    difference = images_NCHW[inner].astype(np.float64) - inputs_NCHW[inner]
    return 255 * np.sqrt((difference**2).mean(axis=(1, 2, 3)))


def mean_estimate(
    values_N: NDArray[np.float64],
    *,
    seed: int,
    draws: int = DRAWS,
    photograph_N: NDArray[np.int64] | None = None,
) -> Estimate:
    """Return the mean over contents with its interval.

    Equally many values of the same contents are drawn alike, so that differences are paired.

    Args:
        values_N: One a content.
        seed: Of the draws.
        draws: How many.
        photograph_N: The photograph of each content; photographs are drawn then, not contents.
    """
    if photograph_N is not None:
        count_BN = unit_counts(photograph_N, np.random.default_rng(seed), draws=draws)
        samples_B = (count_BN @ values_N) / count_BN.sum(axis=1)
        return estimate_of([float(values_N.mean())], samples_B)
    drawn_BN = np.random.default_rng(seed).integers(len(values_N), size=(draws, len(values_N)))
    return estimate_of([float(values_N.mean())], values_N[drawn_BN].mean(axis=1))


def members(images: LabelledImages, name: str) -> NDArray[np.int64]:
    """Return the indices of a set's images."""
    names: Sequence[str] = [each.name for each in images.suite.sets]
    return np.flatnonzero(images.set_N == names.index(name))


def _levels(images_NCHW: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Clip and round as a file on disk would be."""
    return np.rint(np.clip(images_NCHW, 0, 1) * 255).astype(np.uint8)


def _unit(levels_NCHW: NDArray[np.uint8]) -> NDArray[np.float32]:
    return levels_NCHW.astype(np.float32) / np.float32(255)
