"""Which files are pictures: by their suffixes, by their first bytes, and what reads them."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from pathlib import Path

from PIL import Image, features

SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".bmp", ".dib"}
    | {".gif", ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".tga"}
    | {".avif", ".jxl"}
)
"""Pictures that srscope reads as it is installed."""
HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
RAW_SUFFIXES = frozenset(
    {".dng", ".raw", ".nef", ".nrw", ".cr2", ".cr3", ".crw", ".arw", ".srf", ".sr2", ".orf", ".rw2"}
    | {".raf", ".pef", ".srw", ".x3f", ".3fr", ".fff", ".iiq", ".erf", ".mrw", ".mef", ".mos"}
    | {".kdc", ".dcr", ".rwl"}
)
"""Camera RAW files: sensor values that a program must develop into a picture."""
OTHER_SUFFIXES = frozenset({".psd", ".xcf", ".svg", ".eps", ".exr", ".hdr", ".npy", ".ico", ".dds"})
"""Pictures that srscope does not read: a user who has them should be told, unlike about notes.txt.
"""
# Formats that hold photographs. Pillow reads more, some of which run other programs to decode.
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "PPM", "JPEG2000", "TGA", "TIFF")
_EXTRA = "pip install 'srscope[formats]'"
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_RAW_STARTS = (b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\0MRM")
_OTHER_STARTS = (
    (b"8BPS", "a Photoshop document"),
    (b"gimp xcf", "a GIMP document"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"%!PS", "a PostScript document"),
    (b"%PDF", "a PDF document"),
    (b"<svg", "an SVG drawing"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\xff\xd8\xff", "a JPEG of a kind that is not read (12 bits, lossless or arithmetic)"),
    (b"\x89PNG\r\n\x1a\n", "a PNG with a damaged header"),
    (b"BM", "a BMP of a kind that is not read"),
)


@functools.cache
def pillow_formats() -> tuple[str, ...]:
    """Return the formats that Pillow may open, those of installed plugins among them."""
    formats = _FORMATS
    if features.check("avif"):
        formats += ("AVIF",)
    if has_heif():
        importlib.import_module("pillow_heif").register_heif_opener(thumbnails=False)
        formats += ("HEIF",)
    Image.init()
    return formats


def has_heif() -> bool:
    """Tell whether the package that reads HEIC is installed."""
    return importlib.util.find_spec("pillow_heif") is not None


def has_raw() -> bool:
    """Tell whether the package that develops camera RAW files is installed."""
    return importlib.util.find_spec("rawpy") is not None


def is_raw(path: Path, head: bytes) -> bool:
    """Tell whether a file is camera RAW, by its suffix or its first bytes."""
    canon = head[:4] == b"II*\0" and head[8:10] == b"CR"
    return (
        path.suffix.lower() in RAW_SUFFIXES
        or head.startswith(_RAW_STARTS)
        or head[4:11] == b"ftypcrx"
        or canon
    )


RAW_PROBLEM, RAW_REMEDY = (
    "is a camera RAW file, which srscope does not develop as it is installed",
    f"{_EXTRA}, or export it as 16-bit TIFF from your RAW converter",
)


def unread(path: Path, head: bytes) -> tuple[str, str]:
    """Return what is wrong with a picture that nothing here reads, and the remedy."""
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    suffix = path.suffix.lower()
    if brand in _AVIF_BRANDS and not features.check("avif"):
        return "is an AVIF picture, which this Pillow does not read", "pip install 'pillow>=11.3'"
    if (brand in _HEIF_BRANDS or (suffix in HEIF_SUFFIXES and not brand)) and not has_heif():
        problem = "is a HEIC picture, which srscope does not read as it is installed"
        return problem, f"{_EXTRA}, or convert it to PNG"
    if brand:
        return "is damaged or no still picture", "save it again, or convert it to PNG"
    for start, what in _OTHER_STARTS:
        if head.lstrip().startswith(start) or head.startswith(start):
            return f"is {what}", "convert it to PNG"
    return "is not an image srscope can read", "give PNG, JPEG, TIFF, WebP, BMP or GIF"


def unread_suffix(suffix: str) -> str:
    """Return why files of a suffix are not read as srscope is installed; empty where they are."""
    if suffix in RAW_SUFFIXES and not has_raw():
        return f"{suffix} files are not read without {_EXTRA}"
    if suffix in HEIF_SUFFIXES and not has_heif():
        return f"{suffix} files are not read without {_EXTRA}"
    if suffix == ".avif" and not features.check("avif"):
        return f"{suffix} files are not read without pip install 'pillow>=11.3'"
    return f"{suffix} files are not read" if suffix in OTHER_SUFFIXES else ""
