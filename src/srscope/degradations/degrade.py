"""Making the images of a suite from the contents.

One image: HR crop with margin -> [HR blur] -> bicubic 1/scale -> [8 bits] -> LR degradations on
the crop with its margin -> centre patch -> [8 bits]. Every image has a random generator of its
own, seeded by (seed, set name, content index): it does not depend on the batch, the order, or on
which other sets the suite has.

Suffixes: N images, C channels, H height, W width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srscope.degradations.family import Degradation, drawn_degrees
from srscope.degradations.record import SetInfo, SuiteInfo
from srscope.degradations.registry import kind_of
from srscope.degradations.resize import imresize
from srscope.degradations.suite import BUNDLED, DegradedSet, Suite
from srscope.errors import ParameterError, SrscopeError
from srscope.images.bundled import load_bundled
from srscope.images.contents import crop_contents
from srscope.images.folder import load_folder
from srscope.images.record import Contents, PhotoSet


@dataclass(frozen=True, kw_only=True, slots=True)
class DegradedImages:
    """The images of a suite, set-major: all contents of the first set, then of the second, ...

    Args:
        images_NCHW: LR patches, float32 RGB in [0, 1], in steps of 1/255 if quantized.
        set_N: Index into ``suite.sets``.
        content_N: Index into ``contents``.
        suite: The suite as it was run.
        contents: Names of the contents; those of folders come after the suite's own.
        photographs: One name a content: the photograph it was cut from.
        source: Where the images came from.
        skipped: (file, reason) of every file left out.
        parameters: Per image, every degree it was given, e.g. ``{"gaussian-blur.sigma": 2.7}``.
    """

    images_NCHW: NDArray[np.float32]
    set_N: NDArray[np.int64]
    content_N: NDArray[np.int64]
    suite: SuiteInfo
    contents: tuple[str, ...]
    photographs: tuple[str, ...]
    source: str
    skipped: tuple[tuple[str, str], ...]
    parameters: tuple[Mapping[str, float], ...]

    @property
    def photograph_M(self) -> NDArray[np.int64]:
        """The photograph of each content, numbered from 0 in the order of their names."""
        return np.unique(self.photographs, return_inverse=True)[1].reshape(-1)


def degrade(
    contents: Contents | None,
    suite: Suite,
    *,
    patch: int = 32,
    scale: int = 4,
    seed: int = 0,
    count: int | None = None,
    first: int = 0,
) -> DegradedImages:
    """Make every set of the suite from the same contents.

    Args:
        contents: HR crops with their margin, as ``crop_contents`` makes them; ``None`` where every
            set has a folder of its own.
        suite: The sets. One with a folder takes ``count`` patches of its images, as they are, or
            as many as there are.
        patch: Side of the LR patches, in pixels.
        scale: Factor between HR and LR; 1 takes the contents as LR images.
        seed: Of every random choice.
        count: Patches of each folder; as many as there are contents unless given.
        first: Number of the first of these contents among all, which decides what is drawn at
            random for it.

    Returns:
        The images with their labels and provenance.

    Raises:
        ParameterError: If the crops do not fit ``patch`` and ``scale``, or are missing.
        ImageError: If a folder has no usable images.
        SrscopeError: If a degradation breaks its promise of shape, type or finite values.

    Source: Liu et al. 2021, section 4.2; supplement, section 2.
    """
    margin, crops = 0, list[Tensor]()
    names, photographs = list[str](), list[str]()
    sources, skipped = list[str](), list[tuple[str, str]]()
    if contents is not None:
        margin = _lr_margin(contents, patch=patch, scale=scale)
        crops = [_tensor(crop) for crop in contents.crops_NHW3]
        names, photographs = list(contents.names), list(contents.photographs)
        sources, skipped = [contents.source], list(contents.skipped)
        count = len(names) if count is None else count
    elif count is None or any(each.folder is None for each in suite.sets):
        rule = "given, unless every set is a folder and count says how many patches of each"
        raise ParameterError("contents", rule, None)
    clean_1CHW = [downsample(crop, scale=scale, quantized=suite.quantized) for crop in crops]
    images: list[Tensor] = []
    parameters: list[Mapping[str, float]] = []
    set_of: list[int] = []
    content_of: list[int] = []
    infos: list[SetInfo] = []
    for index, degraded_set in enumerate(suite.sets):
        if degraded_set.folder is not None:
            found = _folder_contents(degraded_set.folder, count=count, patch=patch)
            new = [_finished(_tensor(crop), 0, patch, suite) for crop in found.crops_NHW3]
            content_of += range(len(names), len(names) + len(new))
            names += [f"{degraded_set.name}/{name}" for name in found.names]
            photographs += [f"{degraded_set.name}/{name}" for name in found.photographs]
            parameters += [{} for _ in new]
            sources.append(f"{degraded_set.name}: {found.source}")
            skipped += found.skipped
        else:
            new = []
            for content, lr_1CHW in enumerate(clean_1CHW):
                image_1CHW, drawn = degrade_image(
                    crops[content],
                    degraded_set,
                    suite,
                    scale=scale,
                    generator=generator_for(seed, degraded_set.name, first + content),
                    clean_1CHW=lr_1CHW,
                )
                new.append(_finished(image_1CHW, margin, patch, suite))
                parameters.append(drawn)
            content_of += range(len(new))
        images += new
        set_of += [index] * len(new)
        infos.append(set_info(degraded_set, suite, count=len(new), scale=scale))
    return DegradedImages(
        images_NCHW=torch.cat(images).numpy(),
        set_N=np.asarray(set_of, dtype=np.int64),
        content_N=np.asarray(content_of, dtype=np.int64),
        suite=suite_info(suite, infos),
        contents=tuple(names),
        photographs=tuple(photographs),
        source="; ".join(sources),
        skipped=tuple(skipped),
        parameters=tuple(parameters),
    )


def generator_for(seed: int, set_name: str, content: int) -> torch.Generator:
    """Return the generator of one image, seeded by a hash of the three.

    Example:
        >>> first, second = generator_for(0, "noise", 0), generator_for(0, "noise", 1)
        >>> first.initial_seed() == second.initial_seed()
        False
    """
    digest = hashlib.sha256(f"{seed}\0{set_name}\0{content}".encode()).digest()
    # 32 bits: all that torch's CPU generator takes in of a seed.
    return torch.Generator().manual_seed(int.from_bytes(digest[:4], "little"))


def downsample(hr_1CHW: Tensor, *, scale: int, quantized: bool) -> Tensor:
    """Shrink by ``scale`` with MATLAB's bicubic, and round to 8 bits if ``quantized``."""
    lr_1CHW = imresize(hr_1CHW, 1 / scale) if scale > 1 else hr_1CHW
    return quantize(lr_1CHW) if quantized else lr_1CHW


def quantize(images: Tensor) -> Tensor:
    """Clip to [0, 1] and round to steps of 1/255.

    Example:
        >>> quantize(torch.tensor([-0.1, 0.501, 1.2])) * 255
        tensor([  0., 128., 255.])
    """
    return (images.clamp(0, 1) * 255).round() / 255


def degrade_image(
    hr_1CHW: Tensor,
    degraded_set: DegradedSet,
    suite: Suite,
    *,
    scale: int,
    generator: torch.Generator,
    clean_1CHW: Tensor | None = None,
) -> tuple[Tensor, dict[str, float]]:
    """Make one image of one set, with its margin and not yet rounded at the end.

    Args:
        hr_1CHW: The HR image.
        degraded_set: What to do; it has no folder.
        suite: For where blurs act, and whether the downsampled image is rounded.
        scale: Factor between HR and LR.
        generator: Of this image.
        clean_1CHW: ``downsample(hr_1CHW)`` if it is at hand.

    Returns:
        The LR image, and every degree it was given.

    Raises:
        SrscopeError: If a degradation breaks its promise of shape, type or finite values.
    """
    before, after = degraded_set.split(suite.blur_applied_to)
    drawn: dict[str, float] = {}
    if before or clean_1CHW is None:
        blurred_1CHW = _run(before, hr_1CHW, degraded_set.name, generator, drawn)
        clean_1CHW = downsample(blurred_1CHW, scale=scale, quantized=suite.quantized)
    return _run(after, clean_1CHW, degraded_set.name, generator, drawn), drawn


def set_info(degraded_set: DegradedSet, suite: Suite, *, count: int, scale: int) -> SetInfo:
    """Return the record of one set as it was run."""
    definition = degraded_set.definition(scale=scale, blur_applied_to=suite.blur_applied_to)
    return SetInfo(name=degraded_set.name, count=count, definition=definition)


def suite_info(suite: Suite, sets: Sequence[SetInfo]) -> SuiteInfo:
    """Return the record of a suite as it was run."""
    return SuiteInfo(
        name=suite.name,
        sets=tuple(sets),
        blur_applied_to=suite.blur_applied_to,
        quantized=suite.quantized,
        crossed=suite.crossed,
    )


def folder_photos(folder: str) -> PhotoSet:
    """Return the photographs of a set's folder, or of the package if it is ``bundled:NAME``."""
    if folder.startswith(BUNDLED):
        return load_bundled(folder.removeprefix(BUNDLED))
    return load_folder(folder)


def _run(
    steps: Sequence[Degradation],
    image_1CHW: Tensor,
    set_name: str,
    generator: torch.Generator,
    drawn: dict[str, float],
) -> Tensor:
    """Apply the steps in order; fix their degrees first and note them in ``drawn``."""
    for step in steps:
        kind = kind_of(step)
        draw = getattr(step, "drawn", None)
        fixed = cast(Degradation, draw(generator)) if callable(draw) else step
        for field, value in drawn_degrees(fixed).items():
            key, repeat = f"{kind}.{field}", 2
            while key in drawn:
                key, repeat = f"{kind}#{repeat}.{field}", repeat + 1
            drawn[key] = value
        result = fixed(image_1CHW.clone(), generator=generator)
        _check_promise(result, image_1CHW, f"degradation {kind} of set {set_name!r}")
        image_1CHW = result
    return image_1CHW


def _check_promise(result: object, image_1CHW: Tensor, who: str) -> None:
    """Raise unless a degradation, which may be the user's, returned the same kind of image."""
    if not isinstance(result, Tensor):
        raise SrscopeError(f"{who} must return a tensor, but returned {type(result).__name__}")
    if result.shape != image_1CHW.shape or result.dtype != image_1CHW.dtype:
        raise SrscopeError(
            f"{who} must keep shape and type {tuple(image_1CHW.shape)} {image_1CHW.dtype}, "
            f"but returned {tuple(result.shape)} {result.dtype}"
        )
    if not bool(torch.isfinite(result).all()):
        raise SrscopeError(f"{who} must return finite values, but returned NaN or infinity")


def _lr_margin(contents: Contents, *, patch: int, scale: int) -> int:
    """Return the margin in LR pixels, after checking that the crops fit."""
    if patch < 1:
        raise ParameterError("patch", "a whole number of LR pixels above 0", patch)
    if scale < 1:
        raise ParameterError("scale", "a whole number above 0", scale)
    if len(contents.names) == 0:
        raise ParameterError("contents", "one or more", 0)
    side = patch * scale + 2 * contents.margin
    found = contents.crops_NHW3.shape[1:]
    if contents.margin % scale or found != (side, side, 3):
        raise ParameterError(
            "contents",
            f"crops of {side} x {side} x 3 HR pixels with a margin divisible by {scale}, as "
            f"patch {patch} at scale {scale} needs",
            f"{'x'.join(map(str, found))} with margin {contents.margin}",
            "cut them with crop_contents for the same patch and scale",
        )
    return contents.margin // scale


def _folder_contents(folder: str, *, count: int, patch: int) -> Contents:
    return crop_contents(folder_photos(folder), count=count, patch=patch, scale=1, margin=0)


def _tensor(crop_HW3: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(crop_HW3.transpose(2, 0, 1))[None])


def _finished(image_1CHW: Tensor, margin: int, patch: int, suite: Suite) -> Tensor:
    """Cut out the centre patch, and round it if the suite says so."""
    end = margin + patch
    patch_1CHW = image_1CHW[:, :, margin:end, margin:end]
    return quantize(patch_1CHW) if suite.quantized else patch_1CHW
