"""TIFF files, by what their tags say: bits, sample format, photometric interpretation, planes.

tifffile takes the file apart; what the samples mean is decided here. The tags of the first page
decide that is no thumbnail. JPEG and fax compression and YCbCr are left to Pillow (libtiff),
which decodes them to 8 bits, and only where the tags say nothing that it would not regard.

Source: TIFF revision 6.0 (Adobe, 1992), sections 3 to 8, 14, 18 to 21 and 23.

H/W height and width in pixels, C channels, S samples of a pixel, I entries of a palette.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from srscope.errors import ImageError, first_line
from srscope.images.formats import RAW_PROBLEM, RAW_REMEDY, has_raw
from srscope.images.opening import check_size, straight, turned

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB = 0, 1, 2, 3, 5, 6, 8
_COLOURS = {
    _WHITE_IS_ZERO: 1,
    _BLACK_IS_ZERO: 1,
    _RGB: 3,
    _PALETTE: 1,
    _CMYK: 4,
    _YCBCR: 3,
    _LAB: 3,
}
"""Samples that a colour has, by photometric interpretation."""
_OTHER_COLOURS = {4: "a mask", 9: "ICC Lab", 10: "ITU Lab", 32844: "LogL", 32845: "LogLuv"}
_RAW_COLOURS = (32803, 34892)  # a colour filter array; its samples made RGB, but not developed
_BYTES = (1, 5, 8, 32773, 32946, 34925, 50000)
"""Compressions of bytes: none, LZW, Deflate, PackBits, Deflate's old number, LZMA, Zstandard."""
_BY_PILLOW = (2, 3, 4, 6, 7)
"""Compressions left to Pillow: three of fax, two of JPEG."""
_UNSIGNED, _SIGNED, _FLOAT, _UNDEFINED = 1, 2, 3, 4
_ASSOCIATED, _STRAIGHT = 1, 2
_AS_PLAIN = "save it as 8- or 16-bit RGB"
_PAGES = 8
"""Pages looked at for one that is no thumbnail."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """What the tags say of the samples of a page."""

    kind: Literal["unsigned", "signed", "float"]
    bits: int
    photometric: int
    alpha: int | None  # index of the sample
    premultiplied: bool
    orientation: int
    by_pillow: bool


def tiff_size(path: Path) -> tuple[int, int]:
    """Return height and width as shown, from the tags alone; use inside ``reading``.

    Raises:
        ImageError: If the file is damaged, too large, or of a kind that is not read.
    """
    with _page(path) as page:
        height, width = page.imagelength, page.imagewidth
        return (width, height) if _layout(page, path).orientation >= 5 else (height, width)


def read_tiff(path: Path) -> tuple[NDArray[np.float32], int, bytes | None] | None:
    """Read a TIFF file; use inside ``reading``.

    Returns:
        Values in [0, 1], shape (H, W, C) with C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and
        alpha (straight), upright; bits of a value; ICC profile. ``None`` for what Pillow decodes.

    Raises:
        ImageError: If the file is damaged, too large, or of a kind that is not read.
    """
    with _page(path) as page:
        layout = _layout(page, path)
        if layout.by_pillow:
            return None
        _check_segments(page, path)
        values: NDArray[Any] = page.asarray(maxworkers=1)
        map_3I = _palette(page, layout, path) if layout.photometric == _PALETTE else None
        profile = page.tags.valueof(34675)
    if page.planarconfig == 2 and values.ndim == 3:
        values = np.moveaxis(values, 0, 2)
    values_HWS = values.reshape(page.imagelength, page.imagewidth, -1)
    colours = _COLOURS[layout.photometric]
    if map_3I is not None:
        pixels_HWC = map_3I.T[values_HWS[..., 0].astype(np.intp)]
    elif layout.photometric == _LAB:
        pixels_HWC = _rgb_of_lab(values_HWS[..., :3])
    else:
        pixels_HWC = _unit(values_HWS[..., :colours], layout, path)
    if layout.photometric == _WHITE_IS_ZERO:
        pixels_HWC = np.float32(1) - pixels_HWC
    elif layout.photometric == _CMYK:
        pixels_HWC = (1 - pixels_HWC[..., :3]) * (1 - pixels_HWC[..., 3:])
    if layout.alpha is not None:
        alpha_HW1 = _unit(values_HWS[..., layout.alpha : layout.alpha + 1], layout, path)
        if layout.premultiplied:
            pixels_HWC = straight(pixels_HWC, alpha_HW1)
        pixels_HWC = np.concatenate([pixels_HWC, alpha_HW1], axis=2)
    bits = 8 if layout.photometric == _PALETTE else layout.bits
    return turned(pixels_HWC, layout.orientation), bits, profile


@contextlib.contextmanager
def _page(path: Path) -> Generator[tifffile.TiffPage]:
    try:
        with path.open("rb") as file, tifffile.TiffFile(file) as tiff:
            pages = [page.aspage() for page in itertools.islice(tiff.pages, _PAGES)]
            # A bit each: a smaller version of another page, and a mask of one.
            whole = [page for page in pages if not int(page.subfiletype) & 0b101]
            page = (whole or pages)[0]
            _refuse_no_picture(page, path)
            yield page
    except tifffile.TiffFileError as error:
        raise ImageError(path, f"is damaged: {first_line(error)}") from error


def _refuse_no_picture(page: tifffile.TiffPage, path: Path) -> None:
    if page.tags.valueof(50706) is not None or page.photometric in _RAW_COLOURS:
        problem, remedy = RAW_PROBLEM, RAW_REMEDY
        if has_raw():
            problem, remedy = "is a camera RAW file by another name", "rename it to .dng"
        raise ImageError(path, problem, remedy)
    if page.imagedepth != 1:
        raise ImageError(path, "holds a volume, not a picture", "save one slice of it")
    check_size(path, page.imagelength, page.imagewidth)


def _layout(page: tifffile.TiffPage, path: Path) -> _Layout:
    """Return what the tags say; raise an ImageError for what would not be read right."""

    def refused(problem: str, remedy: str = _AS_PLAIN) -> ImageError:
        return ImageError(path, problem, remedy)

    photometric = page.tags.valueof(262)
    if photometric is None and page.compression != 6:
        raise refused("does not say what its values mean (no photometric interpretation)")
    photometric = int(page.photometric)
    if photometric not in _COLOURS or page.tags.valueof(346):
        name = _OTHER_COLOURS.get(photometric, f"photometric interpretation {photometric}")
        raise refused(f"has colours of a kind that is not read: {name}")
    if page.compression not in (*_BYTES, *_BY_PILLOW):
        raise refused(
            f"is compressed in a way that is not read: {_name(page.compression)}",
            "save it with LZW, Deflate or no compression",
        )
    by_pillow = page.compression in _BY_PILLOW or photometric == _YCBCR
    bits, form, samples = page.bitspersample, int(page.sampleformat), page.samplesperpixel
    if not isinstance(bits, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise refused(f"has channels of different bits: {', '.join(map(str, bits))}")
    if form not in (_UNSIGNED, _SIGNED, _FLOAT, _UNDEFINED):
        raise refused("has complex numbers as samples", "save their magnitude, in [0, 1]")
    kind = "float" if form == _FLOAT else "signed" if form == _SIGNED else "unsigned"
    allowed = {"float": (16, 24, 32, 64), "signed": (8, 16), "unsigned": range(1, 17)}[kind]
    if bits not in allowed:
        raise refused(f"has {kind} samples of {bits} bits", "save it with 8 or 16 bits, unsigned")
    if page.planarconfig not in (1, 2):
        raise refused("is damaged: it does not say whether its colours are in planes", "")
    if page.predictor != 1 and bits not in (8, 16, 32, 64):
        raise refused(f"has differences of {bits} bits instead of values (predictor)")
    colours = _COLOURS[photometric]
    if samples < colours:
        raise refused(f"has {samples} samples a pixel where its colours need {colours}")
    alpha, premultiplied = _alpha(page, photometric, path)
    plain = kind == "unsigned" and samples == colours and page.planarconfig == 1
    if by_pillow and not (plain and bits in (1, 8)):
        raise refused("has JPEG, fax or YCbCr data of other than 8 bits, in planes or with alpha")
    if photometric == _YCBCR and page.compression == 1:
        raise refused("has YCbCr colours without compression", "save it as RGB")
    if photometric in (_PALETTE, _LAB, _CMYK) and kind != "unsigned":
        raise refused(f"has {kind} samples where its colours need unsigned ones")
    if photometric == _LAB and bits != 8:
        raise refused(f"has CIELAB colours of {bits} bits", "save it as RGB, or CIELAB of 8 bits")
    if photometric == _CMYK and page.tags.valueof(332, default=1) != 1:
        raise refused("has inks other than cyan, magenta, yellow and black", "save it as RGB")
    orientation = page.tags.valueof(274, default=1)
    return _Layout(
        kind=kind,
        bits=bits,
        photometric=photometric,
        alpha=alpha,
        premultiplied=premultiplied,
        orientation=orientation if orientation in range(1, 9) else 1,
        by_pillow=by_pillow,
    )


def _alpha(page: tifffile.TiffPage, photometric: int, path: Path) -> tuple[int | None, bool]:
    """Return which sample is alpha by the tag ExtraSamples, and whether colours are times it."""
    colours = _COLOURS[photometric]
    extra = page.samplesperpixel - colours
    said: Any = page.tags.valueof(338, default=())
    meanings = (tuple(said) if isinstance(said, tuple) else (said,))[:extra]
    alphas = [index for index, each in enumerate(meanings) if each in (_ASSOCIATED, _STRAIGHT)]
    unknown = extra - len(alphas)
    # One beside grey or RGB is padding. More beside grey are colours that nobody named, and one
    # beside CMYK is an ink.
    if unknown > {1: 1, 3: extra, 4: 0}[colours]:
        problem = f"has {unknown} samples a pixel that it does not say the meaning of"
        raise ImageError(path, problem, _AS_PLAIN)
    if not alphas:
        return None, False
    return colours + alphas[0], meanings[alphas[0]] == _ASSOCIATED


def _name(compression: int) -> str:
    return str(getattr(compression, "name", compression))


def _check_segments(page: tifffile.TiffPage, path: Path) -> None:
    """Raise where tifffile would go on without values, or make far more than the image's."""
    if page.is_tiled:
        sides = (page.tilelength, page.tilewidth)
    else:
        sides = (page.rowsperstrip, page.imagewidth)
    check_size(path, *sides)
    count = math.prod(
        math.ceil(whole / part)
        for whole, part in zip((page.imagelength, page.imagewidth), sides, strict=True)
    )
    if page.planarconfig == 2:
        count *= page.samplesperpixel
    size = path.stat().st_size
    places = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    missing = len(places) < count or not all(at and bytes_ for at, bytes_ in places)
    if missing or any(at + bytes_ > size for at, bytes_ in places):
        raise ImageError(path, "is damaged: it ends too early, or lacks some of its values")


def _unit(values_HWS: NDArray[Any], layout: _Layout, path: Path) -> NDArray[np.float32]:
    """Return samples as values in [0, 1]."""
    pixels_HWS = values_HWS.astype(np.float32)
    if layout.kind == "float":
        if not (values_HWS.min() >= 0 and values_HWS.max() <= 1):  # also false for NaN
            problem = "has floating-point values outside [0, 1]"
            raise ImageError(path, problem, "scale them first, so that 0 is black and 1 is white")
        return pixels_HWS
    if layout.kind == "signed":
        if values_HWS.min() < 0:
            problem = "has negative values in signed samples, which are no colours"
            raise ImageError(path, problem, "save it unsigned, so that 0 is black")
        pixels_HWS /= np.float32(2 ** (layout.bits - 1) - 1)
        return pixels_HWS
    pixels_HWS /= np.float32(2**layout.bits - 1)
    if pixels_HWS.max() > 1:
        raise ImageError(path, f"is damaged: it has values of more than {layout.bits} bits")
    return pixels_HWS


def _palette(page: tifffile.TiffPage, layout: _Layout, path: Path) -> NDArray[np.float32]:
    """Return the palette, shape (3, I), in [0, 1]."""
    said: Any = page.tags.valueof(320)
    levels = np.asarray(() if said is None else said, dtype=np.float32).ravel()
    if levels.size != 3 * 2**layout.bits:
        raise ImageError(path, "is damaged: its palette is missing or of another length")
    # Some programs write 8 bits where 16 are meant; libtiff takes them so too.
    return (levels / np.float32(255 if levels.max() < 256 else 65535)).reshape(3, -1)


def _rgb_of_lab(values_HW3: NDArray[np.uint8]) -> NDArray[np.float32]:
    size = values_HW3.shape[1::-1]
    lab = Image.frombytes("LAB", size, np.ascontiguousarray(values_HW3).tobytes())
    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    # What lcms makes of 8 bits to be faster is off by up to 15 levels.
    exact = ImageCms.Flags.NOOPTIMIZE
    rgb = ImageCms.profileToProfile(lab, *profiles, outputMode="RGB", flags=exact)
    assert rgb is not None, "only where it works in place"
    return np.asarray(rgb, dtype=np.float32) / np.float32(255)
