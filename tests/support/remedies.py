"""What messages of the image reader tell a user to do, done.

Each remedy is a function of a refused file and of what it shows; it returns the file that the user
would have then, and what that shows. H/W height and width, C channels, 3 colours.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

Unit = NDArray[np.floating[Any]]
Remedy = Callable[[Path, Unit], tuple[Path, Unit]]


def _rgb(shown_HWC: Unit) -> Unit:
    """Return colours over white."""
    colours_HWC = shown_HWC[..., : 3 if shown_HWC.shape[2] > 2 else 1]
    if shown_HWC.shape[2] in (2, 4):
        alpha_HW1 = shown_HWC[..., -1:]
        colours_HWC = colours_HWC * alpha_HW1 + 1 - alpha_HW1
    return np.broadcast_to(colours_HWC, (*shown_HWC.shape[:2], 3))


def _png(file: Path, shown_HWC: Unit) -> tuple[Path, Unit]:
    levels_HW3 = np.rint(_rgb(shown_HWC) * 255).astype(np.uint8)
    new = file.with_suffix(".remedy.png")
    Image.fromarray(levels_HW3).save(new)
    return new, levels_HW3 / 255


def _tiff16(file: Path, shown_HWC: Unit) -> tuple[Path, Unit]:
    levels_HW3 = np.rint(_rgb(shown_HWC) * 65535).astype(np.uint16)
    new = file.with_suffix(".remedy.tif")
    tifffile.imwrite(new, levels_HW3, photometric="rgb")
    return new, levels_HW3 / 65535


def _tiff8(file: Path, shown_HWC: Unit) -> tuple[Path, Unit]:
    levels_HW3 = np.rint(_rgb(shown_HWC) * 255).astype(np.uint8)
    new = file.with_suffix(".remedy.tif")
    tifffile.imwrite(new, levels_HW3, photometric="rgb", compression="zlib")
    return new, levels_HW3 / 255


def _stored(file: Path) -> Unit:
    """Return the values of a TIFF or PFM as they are stored, the first channel alone."""
    if file.suffix == ".pfm":
        with Image.open(file) as image:
            return np.asarray(image, dtype=float)
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages[0].aspage()
        values: NDArray[Any] = page.asarray()
        if values.ndim == 3:
            values = values[0] if page.planarconfig == 2 else values[..., 0]
    return (np.abs(values) if values.dtype.kind == "c" else values).astype(float)


def _scaled(file: Path, shown_HWC: Unit) -> tuple[Path, Unit]:
    """Bring the values into [0, 1], as a user would who knows what black and white are."""
    values_HW = np.nan_to_num(_stored(file))
    values_HW = (values_HW - values_HW.min()) / np.ptp(values_HW)
    new = file.with_suffix(".remedy.tif")
    tifffile.imwrite(new, values_HW.astype(np.float32), photometric="minisblack")
    return new, np.repeat(values_HW[..., None], 3, axis=2)


def _unsigned(file: Path, shown_HWC: Unit) -> tuple[Path, Unit]:
    values_HW = _stored(file)
    values_HW -= values_HW.min()
    new = file.with_suffix(".remedy.tif")
    tifffile.imwrite(new, values_HW.astype(np.uint16), photometric="minisblack")
    return new, np.repeat(values_HW[..., None], 3, axis=2) / 65535


def _slice(file: Path, shown_HWC: Unit) -> tuple[Path, Unit]:
    new = file.with_suffix(".remedy.tif")
    values = tifffile.imread(file)
    tifffile.imwrite(new, values[0], photometric="minisblack")
    return new, np.repeat(values[0][..., None], 3, axis=2) / 255


def _recompressed(file: Path, shown_HWC: Unit) -> tuple[Path, Unit]:
    new = file.with_suffix(".remedy.tif")
    tifffile.imwrite(new, tifffile.imread(file), photometric="rgb", compression="lzw")
    return new, tifffile.imread(file) / 255


def _j2k8(file: Path, shown_HWC: Unit) -> tuple[Path, Unit]:
    levels_HW3 = np.rint(_rgb(shown_HWC) * 255).astype(np.uint8)
    new = file.with_suffix(".remedy.jp2")
    new.write_bytes(imagecodecs.jpeg2k_encode(levels_HW3, reversible=True, level=0))
    return new, levels_HW3 / 255


REMEDIES: dict[str, Remedy] = {
    "convert it to PNG": _png,
    "save it as PNG with another program": _png,
    "save it again, or convert it to PNG": _png,
    "save it with 24 or 32 bits a pixel, or as PNG": _png,
    "save it as 8-bit RGB, or as PNG": _j2k8,
    "save it with unsigned samples": _j2k8,
    "save it as 8- or 16-bit RGB": _tiff16,
    "save it with 8 or 16 bits, unsigned": _tiff16,
    "save it as RGB": _tiff8,
    "save it as RGB, or CIELAB of 8 bits": _tiff8,
    "save it unsigned, so that 0 is black": _unsigned,
    "scale them first, so that 0 is black and 1 is white": _scaled,
    "save their magnitude, in [0, 1]": _scaled,
    "save one slice of it": _slice,
    "save it with LZW, Deflate or no compression": _recompressed,
    "convert it to PNG (djxl)": _png,
}
"""By the words of the message, so that a remedy that nobody has tried fails a test."""
