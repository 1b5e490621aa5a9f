"""Image files that are damaged or absurd, by seed; and what a reader must hold to with any file.

H/W height and width in pixels, C channels.
"""

from __future__ import annotations

import functools
import io
import itertools
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srscope.images.io import read_image, read_size
from srscope.images.picture import read_picture
from support import pngs
from support.mutants import SPOILS
from support.tiffs import tiff16


def read(path: str) -> None:
    """Read a file in every way; raise ImageError if it is refused, fail if it is read wrongly."""
    image_HW3 = read_image(path)
    assert image_HW3.dtype == np.float32
    assert image_HW3.shape == (*read_size(path), 3)
    pixels_HWC = read_picture(path).pixels_HWC
    assert pixels_HWC.shape[:2] == image_HW3.shape[:2]
    for values in (image_HW3, pixels_HWC):
        assert values.min() >= 0
        assert values.max() <= 1  # false for NaN too


def levels_HW3(height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """Return smooth colours with some noise."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    noise = rng.integers(-9, 10, (height, width, 3))
    return np.clip(np.asarray(smooth).astype(int) + noise, 0, 255).astype(np.uint8)


def _encoded(form: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(levels_HW3()).convert(mode).save(file, form, **options)
    return file.getvalue()


def _animated(form: str) -> bytes:
    frames = [Image.fromarray(np.roll(levels_HW3(), n, axis=1)) for n in range(3)]
    file = io.BytesIO()
    frames[0].save(file, form, save_all=True, append_images=frames[1:])
    return file.getvalue()


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return _encoded("JPEG", exif=exif)


def _deep_HW3() -> NDArray[np.uint16]:
    return levels_HW3(12, 16).astype(np.uint16) * 257


BASES: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: _encoded("JPEG", quality=90),
    "PNG": lambda: _encoded("PNG"),
    "WebP": lambda: _encoded("WEBP", quality=80),
    "TIFF": lambda: _encoded("TIFF"),
    "turned JPEG": _turned,
    "16-bit PNG": lambda: pngs.png16(_deep_HW3(), colour=2, filters=[1, 2, 3, 4]),
    "lossless WebP": lambda: _encoded("WEBP", lossless=True),
    "LZW TIFF": lambda: _encoded("TIFF", compression="tiff_lzw"),
    "progressive JPEG": lambda: _encoded("JPEG", progressive=True),
    "palette PNG": lambda: _encoded("PNG", "P"),
    "animated WebP": lambda: _animated("WEBP"),
    "16-bit TIFF": lambda: tiff16(_deep_HW3(), deflate=True, predictor=True),
    "CMYK JPEG": lambda: _encoded("JPEG", "CMYK"),
    "PNG with alpha": lambda: _encoded("PNG", "RGBA"),
    "JPEG in TIFF": lambda: _encoded("TIFF", compression="jpeg"),
    "animated PNG": lambda: _animated("PNG"),
}
"""Sound files by kind: their encoders are called once."""
_SUFFIX = {"JPEG": ".jpg", "PNG": ".png", "WebP": ".webp", "TIFF": ".tif"}


@functools.cache
def base(kind: str) -> bytes:
    """Return a sound file."""
    return BASES[kind]()


def suffix_of(kind: str) -> str:
    """Return the suffix of a kind of file."""
    return ".tif" if "TIFF" in kind else next(s for name, s in _SUFFIX.items() if name in kind)


def _with_checksums(data: bytes) -> bytes:
    """Make the checksums of a PNG's chunks right again, so that its decoder sees the damage."""
    made, at = data[:8], 8
    while at + 12 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if at + 12 + size > len(data):
            break
        body = data[at + 8 : at + 8 + size]
        made += data[at : at + 8 + size] + struct.pack(">I", zlib.crc32(name + body))
        at += 12 + size
    return made + data[at:]


def bad_images(count: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """Write ``count`` files, each another kind spoilt in another way, and tell how."""
    folder.mkdir(parents=True, exist_ok=True)
    ways = list(SPOILS.items())
    for number, kind in enumerate(itertools.islice(itertools.cycle(BASES), count)):
        how, spoil = ways[(number // len(BASES) + number) % len(ways)]
        rng = random.Random(number)
        data = spoil(base(kind), rng)
        if "PNG" in kind and rng.random() < 0.5:
            data = _with_checksums(data)
        path = folder / f"{number:03d}{suffix_of(kind)}"
        path.write_bytes(data)
        yield f"{number}: {kind}, {how}", path


def _png(*chunks: bytes, width: int = 8, height: int = 8, colour: int = 2) -> bytes:
    head = pngs.SIGNATURE + pngs.header(width, height, depth=8, colour=colour)
    return head + b"".join(chunks) + pngs.chunk(b"IEND", b"")


@functools.cache
def _zeros(size: int) -> bytes:
    return zlib.compress(bytes(size), 1)


_BODY = 200
"""Where the values of a TIFF made here begin."""


def _tiff(tags: dict[int, tuple[int, int, int]], body: bytes = b"") -> bytes:
    """Write a TIFF with these tags: type, count and value (or offset)."""
    entries = b"".join(struct.pack("<HHII", tag, *tags[tag]) for tag in sorted(tags))
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return (b"II*\0" + struct.pack("<I", 8) + directory).ljust(_BODY, b"\0") + body


Tag = tuple[int, int, int]


def _tags(width: int, height: int, **more: Tag) -> dict[int, Tag]:
    """Return the tags of a grey image, some of them others: ``t258`` is the bits of a sample."""
    short, long = 3, 4
    tags = {
        256: (long, 1, width), 257: (long, 1, height), 258: (short, 1, 8), 259: (short, 1, 1),
        262: (short, 1, 1), 273: (long, 1, _BODY), 277: (short, 1, 1), 278: (long, 1, height),
        279: (long, 1, width * height % 2**32),
    }  # fmt: skip
    return tags | {int(name[1:]): value for name, value in more.items()}


def bombs() -> dict[str, tuple[str, bytes]]:
    """Return small files that claim, or unpack to, far more: suffix and bytes by name."""
    idat = pngs.chunk(b"IDAT", _zeros(8 * 25))
    text = pngs.chunk(b"zTXt", b"a\0\0" + _zeros(64 << 20))
    profile = pngs.chunk(b"iCCP", b"a\0\0" + _zeros(64 << 20))
    riff = bytearray(base("animated WebP"))
    riff[24:30] = b"\xff\xff\xff" * 2  # the canvas of VP8X: 16,777,216 pixels a side
    zeros = _zeros(64 << 20)
    gif = b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\xf0\0\0" + bytes(6)
    return {
        "PNG of 30,000 x 30,000 pixels": (".png", _png(idat, width=30_000, height=30_000)),
        "PNG of 4 billion pixels a side": (".png", _png(idat, width=2**31 - 1, height=2**31 - 1)),
        "PNG of no pixels": (".png", _png(idat, width=0, height=0)),
        "PNG whose text unpacks to 64 MB": (".png", _png(text, idat)),
        "PNG whose profile unpacks to 64 MB": (".png", _png(profile, idat)),
        "PNG whose pixels unpack to 64 MB": (".png", _png(pngs.chunk(b"IDAT", _zeros(64 << 20)))),
        "16-bit PNG whose pixels unpack to 64 MB": (
            ".png",
            pngs.SIGNATURE + pngs.header(8, 8, depth=16, colour=2)
            + pngs.chunk(b"IDAT", _zeros(64 << 20)) + pngs.chunk(b"IEND", b""),
        ),
        "JPEG of 65,535 x 65,535 pixels": (".jpg", _jpeg_claiming(65535, 65535)),
        "JPEG of 2,000 x 1,500 pixels that are absent": (".jpg", _jpeg_claiming(2_000, 1_500)),
        "WebP with a canvas of 16 million a side": (".webp", bytes(riff)),
        "GIF of 65,535 x 65,535 pixels": (".gif", gif + b"\x2c" + bytes(9) + b"\2\2\x4c\1\0\x3b"),
        "TIFF of 4 billion pixels a side": (".tif", _tiff(_tags(2**32 - 1, 2**32 - 1))),
        "TIFF with a tile of 60,000 x 60,000": (
            ".tif",
            _tiff(_tags(8, 8, t322=(4, 1, 60_000), t323=(4, 1, 60_000), t324=(4, 1, _BODY),
                        t325=(4, 1, 64), t259=(3, 1, 8)), _zeros(100_000)),
        ),
        "TIFF with a million samples a pixel": (".tif", _tiff(_tags(8, 8, t277=(4, 1, 10**6)))),
        "TIFF with 4 billion bits a sample": (".tif", _tiff(_tags(8, 8, t258=(3, 2**32 - 1, 99)))),
        "TIFF with 500 million strips": (
            ".tif", _tiff(_tags(8, 8, t273=(4, 500_000_000, 8), t278=(4, 1, 1)), bytes(100))),
        "TIFF whose directory follows itself": (
            ".tif", b"II*\0" + struct.pack("<IHI", 8, 0, 8)),
        "TIFF that unpacks to 64 MB": (
            ".tif", _tiff(_tags(8, 8, t259=(3, 1, 8), t279=(4, 1, len(zeros))), zeros)),
    }  # fmt: skip


def _jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(base("JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)
